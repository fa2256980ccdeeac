"""``coursewire learners forget``: forget a learner in every table."""

from __future__ import annotations

from typing import Annotated

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import Json
from coursewire.cli.output import put, put_json, put_table


def forget(
    learner: Annotated[str, typer.Argument(metavar="LEARNER", help="The learner's username.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Forget a learner in every table, at every customer. What an LMS holds stays there.

    A source of your own must forget the learner first, or the next run writes it down again.
    """
    with open_host() as host:
        if not yes:
            typer.confirm(
                f"Forget learner {learner} in every table? It cannot be undone.", abort=True, err=True
            )
        counts = host.learners.forget(learner)
    if json:
        put_json({"learner": learner, "tables": counts, "rows": sum(counts.values())})
        return
    put_table(
        ("table", "rows"),
        [(name, f"{count:,}") for name, count in sorted(counts.items())],
        right=("rows",),
        empty=f"No table knows {learner}; usernames are compared letter by letter.",
    )
    if counts:
        put("What LMSs were told stays there: ask their owners.", style="dim")
