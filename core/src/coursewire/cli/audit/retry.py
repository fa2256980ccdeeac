"""``coursewire audit retry``: let the next run try items again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from coursewire.cli.host import actor, open_host
from coursewire.cli.options import ConfigNeeded, Course, Json, Learner, OnlyKind
from coursewire.cli.output import put, put_json
from coursewire.model.kinds import OUTCOMES, Kind
from coursewire.storage.audit.requeue import FAILED_STATES
from coursewire.storage.audit.states import State


class RetriableState(StrEnum):
    """The states of records that a person may end, as the command line writes them."""

    FAILED = "failed"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    IN_DOUBT = "in-doubt"
    PLANNED = "planned"

    @property
    def state(self) -> State:
        """The state of the record."""
        return State(self.value.replace("-", " "))


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
        list[RetriableState] | None, typer.Option("--state", help="Everything in this state.")
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
    chosen = [each.state for each in states or ()]
    if not chosen:
        chosen = list(FAILED_STATES) if all_failed else [*FAILED_STATES, State.PLANNED]
    kinds = [kind or Kind.CONTENT] if kind or learner is None else OUTCOMES
    count = 0
    with open_host() as host:
        found = host.configurations.find(config)
        for each in kinds:
            keys: Sequence[str] | None = items
            if items:
                host.history.require_retriable(found, each, items, chosen)
            elif learner is not None and course is not None:
                keys = asyncio.run(host.history.outcome_keys(found, each, learner, course))
            count += host.retry(found.uuid, each, states=chosen, keys=keys, actor=actor(), reason=reason)
    if json:
        put_json({"configuration": found.uuid, "kinds": list(kinds), "released": count})
    else:
        put(f"{count:,} items go again with the next run:")
        for each in kinds:
            put(f"coursewire transmit {each.value} --config {found.short_id}", indent=2)
