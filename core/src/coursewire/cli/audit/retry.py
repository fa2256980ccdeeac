"""``coursewire audit retry``: let the next run try items again."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from coursewire.cli.common import (
    actor,
    find_configuration,
    open_installation,
    outcome_keys,
    records_of,
)
from coursewire.cli.options import (
    ConfigNeeded,
    Course,
    Json,
    Learner,
    OnlyKind,
)
from coursewire.cli.output import put, put_json
from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.model.payload import OUTCOMES, Kind
from coursewire.storage.audit.requeue import FAILED_STATES, release
from coursewire.storage.audit.states import State


class Releasable(StrEnum):
    """States of records that a person may end."""

    FAILED = "failed"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    IN_DOUBT = "in-doubt"
    PLANNED = "planned"


def retry(
    config: ConfigNeeded,
    items: Annotated[
        list[str] | None, typer.Option("--item", metavar="KEY", help="This item; may be repeated.")
    ] = None,
    all_failed: Annotated[
        bool,
        typer.Option("--all-failed", help="Everything that failed, was rejected, is blocked or in doubt."),
    ] = False,
    states: Annotated[
        list[Releasable] | None, typer.Option("--state", help="Everything in this state.")
    ] = None,
    learner: Learner = None,
    course: Course = None,
    kind: OnlyKind = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the item.")
    ] = "",
    json: Json = False,
) -> None:
    """Let the next run try items again, without pause and even if the LMS refused them before.

    It is content that is meant; outcomes with --kind, or with --learner and --course, which mean every kind of
    outcomes. Items in doubt are taken to be at the LMS and are sent again as updates. Your name and reason are
    logged.
    """
    if sum(map(bool, (items, all_failed, states, learner))) != 1:
        raise typer.BadParameter("give one of --item, --all-failed, --state and --learner")
    if (learner is None) is not (course is None) or (learner and kind is Kind.CONTENT):
        raise typer.BadParameter("--learner and --course go together, and are for outcomes")
    chosen = [State(each.value.replace("-", " ")) for each in states or ()]
    if not chosen:
        chosen = list(FAILED_STATES) if all_failed else [*FAILED_STATES, State.PLANNED]
    kinds = [kind or Kind.CONTENT] if kind or learner is None else OUTCOMES
    count = 0
    with open_installation() as installation:
        found = find_configuration(installation, config)
        for each in kinds:
            keys = items
            if items:
                _demand_items(installation, found, each, items, chosen)
            elif learner is not None and course is not None:
                keys = outcome_keys(installation, found, each, learner, course)
            count += release(
                installation.engine,
                found.uuid,
                states=chosen,
                keys=keys,
                actor=actor(),
                reason=reason,
                now=installation.clock(),
                kind=each,
            )
    if json:
        put_json({"configuration": found.uuid, "kinds": list(kinds), "released": count})
    else:
        put(f"{count:,} items go again with the next run:")
        for each in kinds:
            put(f"coursewire transmit {each.value} --config {found.short_id}", indent=2)


def _demand_items(
    installation: Installation,
    configuration: Configuration,
    kind: Kind,
    items: list[str],
    states: list[Any],
) -> None:

    records = records_of(installation, configuration, kind).fetch(items)
    wrong = [
        f"{key} is {records[key].state.value}" if key in records else f"{key} is unknown"
        for key in items
        if key not in records or records[key].state not in states
    ]
    if wrong:
        raise ConfigurationError(
            "not all of the items can be tried again",
            where=configuration.where,
            why="; ".join(wrong),
            next_step=f"To send what is confirmed once more, use `coursewire transmit {kind.value} --force`.",
        )
