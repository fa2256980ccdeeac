"""When a job has taken its lease, before it reads anything. A run with `--dry-run` only plans, and is none."""

import logging

from coursewire import hookimpl

LOG = logging.getLogger("river_university")


@hookimpl
def job_started(job) -> None:
    """`job` has uuid, kind, configuration, channel and customer."""
    LOG.info("%s of configuration %s begins", job["kind"], job["configuration"])
