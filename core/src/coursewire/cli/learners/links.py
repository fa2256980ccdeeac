"""``coursewire learners unmatched``, ``link`` and ``unlink``: the ids of learners at an LMS."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from coursewire.cli.host import actor, open_host
from coursewire.cli.options import Config, ConfigNeeded, Json, LearnerNeeded
from coursewire.cli.output import because, note, put, put_json, put_table
from coursewire.errors import ConfigurationError


def unmatched(config: Config = None, json: Json = False) -> None:
    """List the learners whose outcomes wait since no single id at the LMS is known, and what is missing."""
    with open_host(read_only=True) as host:
        chosen = [host.configurations.find(config)] if config else host.configurations.list()
        found = list(host.learners.unmatched(chosen))
    if json:
        for each in found:
            put_json(each.as_dict())
        return
    put_table(
        ("config", "learner", "outcomes", "missing"),
        [
            (each.configuration.short_id, each.link.username, each.link.outcomes, each.missing)
            for each in found
        ],
        right=("outcomes",),
        empty="Every learner with an outcome to send is matched, as far as runs have looked.",
    )
    for reason in sorted({each.link.reason for each in found}):
        note(because(reason), style="yellow")


def link(
    config: ConfigNeeded,
    learner: LearnerNeeded,
    remote_id: Annotated[
        str, typer.Option("--remote-id", metavar="ID", help="What the LMS calls the learner.")
    ],
    json: Json = False,
) -> None:
    """Say which id a learner has at an LMS. It stands above what the source says, until `learners unlink`."""
    remote_id = remote_id.strip()
    if not remote_id:
        raise typer.BadParameter("--remote-id is empty")
    with open_host() as host:
        found = host.configurations.find(config)
        known = asyncio.run(host.learners.is_known(found, learner))
        host.learners.link(found, learner, remote_id, actor=actor())
    if not known:
        note(
            f"The source knows no enrollment of {learner} at this customer; the link waits for one.",
            style="yellow",
        )
    if json:
        put_json({"configuration": found.uuid, "learner": learner, "remote_id": remote_id, "known": known})
    else:
        put(f"{learner} is linked; what waited goes out with the next run:")
        put(f"coursewire transmit completions --config {found.short_id} --learner {learner}", indent=2)


def unlink(config: ConfigNeeded, learner: LearnerNeeded, json: Json = False) -> None:
    """Take back a link that was made by hand; the next run goes by the source again."""
    with open_host() as host:
        found = host.configurations.find(config)
        if not host.learners.unlink(found, learner, actor=actor()):
            raise ConfigurationError(
                f"no link of {learner} was made by hand",
                where=found.where,
                why="usernames are compared letter by letter, and other links come from the source",
                next_step="Change the learner's ids at the source, or use `coursewire learners link`.",
            )
    if json:
        put_json({"configuration": found.uuid, "learner": learner, "unlinked": True})
    else:
        put(f"The link of {learner} is taken back; the next run goes by the source.")
