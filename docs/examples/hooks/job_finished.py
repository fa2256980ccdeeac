"""When a job has ended, also one that stopped early or failed. A run with `--dry-run` only plans, and is none."""

import json
from pathlib import Path

from coursewire import hookimpl

RUNS = Path("runs.jsonl")


@hookimpl
def job_finished(job, summary) -> None:
    """Append each run to a file that the monitoring reads."""
    with RUNS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**job, **summary}) + "\n")
