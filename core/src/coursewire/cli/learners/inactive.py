"""``coursewire learners inactive``: learners whose account at the LMS is inactive, and the end of their membership."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from coursewire.cli.host import actor, open_host
from coursewire.cli.options import ConfigNeeded
from coursewire.cli.output import note, progress, put_json, put_table
from coursewire.operations.inactive import InactiveLearners


def inactive(
    config: ConfigNeeded,
    apply: Annotated[
        bool,
        typer.Option("--apply", help="End the membership of the linked ones. Without it nothing changes."),
    ] = False,
    confirm: Annotated[
        int | None,
        typer.Option(
            "--confirm", min=0, metavar="N", help="With --apply: agree to up to N, above the guard."
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON, one object a line; the last is the summary.")
    ] = False,
) -> None:
    """List the learners whose account at the LMS is inactive: they have left the customer.

    linked: --apply ends the membership at this customer, and no other. not linked: it has ended already.
    ambiguous: the id of several learners. unknown: nobody here has this id.
    """
    with open_host() as host:
        configuration = host.configurations.find(config)
        with progress() as track:
            show = track(configuration.channel)
            found = asyncio.run(
                host.inactive_learners(
                    configuration, on_progress=lambda count: show("inactive learners", count, 0)
                )
            )
        if apply:
            host.unlink_inactive_learners(found, actor=actor(), confirm=confirm)
    (_print_json if json else _print_table)(found)
    if found.error is not None:
        raise found.error


def _print_json(found: InactiveLearners) -> None:
    for learner in found.learners:
        put_json(asdict(learner))
    put_json(
        {
            "configuration": found.configuration.uuid,
            "customer": found.configuration.customer,
            "complete": found.error is None,
            **dict(sorted(found.counts().items())),
        }
    )


def _print_table(found: InactiveLearners) -> None:
    put_table(
        ("id at the LMS", "learner", "state", "other customers"),
        [
            (each.remote_id, each.username, each.state.value, each.other_customers or "")
            for each in found.learners
        ],
        empty=f"{found.configuration.channel} names no inactive learner.",
    )
    if counts := found.counts():
        note(", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())))
    if found.to_unlink():
        note("Nothing was changed. --apply ends the membership of those who are linked.")
