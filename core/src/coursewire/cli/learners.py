"""``coursewire learners``: who is known to an LMS by which id, and forgetting somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import uuid4

import typer

from coursewire.cli.common import actor, find_configuration, open_installation, run_to_end
from coursewire.cli.lazy import command_group
from coursewire.cli.options import Config, ConfigNeeded, Json, LearnerNeeded
from coursewire.cli.output import because, note, put, put_json, put_table
from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.model.reasons import Reason
from coursewire.storage.audit.jobs import note_done
from coursewire.storage.identity_links import IdentityLinks, Unmatched


def unmatched(config: Config = None, json: Json = False) -> None:
    """List the learners whose outcomes wait since no single id at the LMS is known, and what is missing."""
    with open_installation(read_only=True) as installation:
        found = find_configuration(installation, config) if config else None
        chosen = [found] if found else installation.configurations.list()
        rows = [_row(each, one) for each in chosen for one in _waiting(installation, each)]
    if json:
        for row in rows:
            put_json(row)
        return
    put_table(
        ("config", "learner", "outcomes", "missing"),
        [(str(row["configuration"])[:8], row["learner"], row["outcomes"], row["missing"]) for row in rows],
        right=("outcomes",),
        empty="Every learner with an outcome to send is matched, as far as runs have looked.",
    )
    for reason in sorted({row["reason"] for row in rows}):
        note(because(reason), style="yellow")


def _waiting(installation: Installation, configuration: Configuration) -> Iterator[Unmatched]:

    links, after = IdentityLinks(installation.engine, configuration.uuid), ""
    while page := links.unmatched(after=after):
        yield from page
        after = page[-1].username


def _row(configuration: Configuration, one: Unmatched) -> dict[str, Any]:
    return {
        "configuration": configuration.uuid,
        "channel": configuration.channel,
        "customer": configuration.customer,
        "learner": one.username,
        "reason": one.reason,
        "provider": one.provider,
        "known_as": one.known_as,
        "origin": one.origin,
        "outcomes": one.outcomes,
        "missing": _missing(configuration, one),
    }


def _missing(configuration: Configuration, one: Unmatched) -> str:

    if one.reason == Reason.LEARNER_AMBIGUOUS:
        what = (
            f"which of several ids it is ({one.known_as})" if one.known_as else "which of several ids it is"
        )
    elif one.known_as:
        what = f"{configuration.channel} does not know {one.known_as}"
    else:
        what = f"an id from {one.provider}" if one.provider else "an id"
    return f"{what} [{one.origin}]" if one.origin else what


def link(
    config: ConfigNeeded,
    learner: LearnerNeeded,
    remote_id: Annotated[
        str, typer.Option("--remote-id", metavar="ID", help="What the LMS calls the learner.")
    ],
    json: Json = False,
) -> None:
    """Say which id a learner has at an LMS. It stands above what the source says, until `learners unlink`."""
    if not remote_id.strip():
        raise typer.BadParameter("--remote-id is empty")
    with open_installation() as installation:
        found = find_configuration(installation, config)
        known = _is_known(installation, found, learner)
        IdentityLinks(installation.engine, found.uuid).link(
            learner, remote_id.strip(), now=installation.clock()
        )
        _note_done(installation, found, "linked")
    if not known:
        note(
            f"The source knows no enrollment of {learner} at this customer; the link waits for one.",
            style="yellow",
        )
    if json:
        put_json(
            {"configuration": found.uuid, "learner": learner, "remote_id": remote_id.strip(), "known": known}
        )
    else:
        put(f"{learner} is linked; what waited goes out with the next run:")
        put(f"coursewire transmit completions --config {found.short_id} --learner {learner}", indent=2)


def unlink(config: ConfigNeeded, learner: LearnerNeeded, json: Json = False) -> None:
    """Take back a link that was made by hand; the next run goes by the source again."""
    with open_installation() as installation:
        found = find_configuration(installation, config)
        if not IdentityLinks(installation.engine, found.uuid).unlink(learner):
            raise ConfigurationError(
                f"no link of {learner} was made by hand",
                where=found.where,
                why="usernames are compared letter by letter, and other links come from the source",
                next_step="Change the learner's ids at the source, or use `coursewire learners link`.",
            )
        _note_done(installation, found, "unlinked")
    if json:
        put_json({"configuration": found.uuid, "learner": learner, "unlinked": True})
    else:
        put(f"The link of {learner} is taken back; the next run goes by the source.")


def _is_known(installation: Installation, configuration: Configuration, learner: str) -> bool:

    async def ask() -> bool:
        pages = installation.source.enrollments(configuration.customer, username=learner, page_items=1)
        return any([page async for page in pages])

    return run_to_end(ask())


def _note_done(installation: Installation, configuration: Configuration, what: str) -> None:
    """Who did it goes to the list of jobs; for whom it was done does not, so that it need not be forgotten there."""
    with installation.engine.begin() as connection:
        note_done(
            connection,
            uuid4(),
            kind="link",
            configuration=configuration.uuid,
            actor=actor(),
            options={},
            summary={what: 1},
            now=installation.clock(),
        )


def forget(
    learner: Annotated[str, typer.Argument(metavar="LEARNER", help="The learner's username.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Forget a learner in every table, at every customer. What an LMS holds stays there.

    A source of your own must forget the learner first, or the next run writes it down again.
    """
    with open_installation() as installation:
        if not yes:
            typer.confirm(
                f"Forget learner {learner} in every table? It cannot be undone.", abort=True, err=True
            )
        counts = installation.forget(learner)
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


learners = command_group()
learners.command()(unmatched)
learners.command()(link)
learners.command()(unlink)
learners.command()(forget)
