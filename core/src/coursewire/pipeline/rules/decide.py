"""The one place that decides what happens to an item, before and after its payload is known."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from coursewire.model.reasons import Reason, find_reason
from coursewire.pipeline.rules.pauses import rests
from coursewire.storage.audit.records import Record, RecordSummary
from coursewire.storage.audit.states import Event, State

if TYPE_CHECKING:
    from coursewire.model.channel import Capabilities
    from coursewire.model.outcomes import LastReported


class Action(StrEnum):
    """The action that an item needs, before its payload is known."""

    EVALUATE = "evaluate"
    """Build the payload and compare."""
    RETIRE = "retire"
    """Take it away from learners."""
    WITHDRAW = "withdraw"
    """Forget it: it never reached the LMS."""
    LEAVE = "leave"
    """Leave it as it is."""


_WAITS = {
    State.FAILED: Reason.WAITING_AFTER_FAILURE,
    State.BLOCKED: Reason.BLOCKED_AT_LMS,
    State.REJECTED: Reason.REJECTED_BEFORE,
}
"""The reason code of an item whose pause is not over, by its state."""


class ItemAction(NamedTuple):
    """The action that an item needs, and the reason code of why."""

    action: Action
    reason: str


def action_for(
    summary: RecordSummary,
    *,
    wanted_version: str | None,
    context: str,
    now: datetime,
    force: bool = False,
) -> ItemAction:
    """Decide from a record and the source's version, without the payload.

    Args:
        summary: The columns of its record that decide.
        wanted_version: The source's version of the item; "" when it does not know, None when no catalog
            holds the item any more.
        context: Digest of what else the payload depends on: configuration and plugin version.
        now: The run's instant.
        force: Evaluate the item whatever the record says.
    """
    state = State(summary.state)
    resting = rests(state, summary.not_before_at, now)
    if wanted_version is None:
        same = summary.export_context in (None, context)
        return _unwanted(summary, state, resting=resting and same and not force)
    if state is State.IN_DOUBT and not force:
        return ItemAction(Action.LEAVE, Reason.IN_DOUBT)
    if state is State.SENDING:  # reconciling could not find out; a later run will
        return ItemAction(Action.LEAVE, Reason.UNSETTLED)
    if force:
        return ItemAction(Action.EVALUATE, Reason.FORCED)
    settled = (
        summary.source_version is not None
        and summary.source_version == wanted_version != ""
        and summary.export_context == context
        and (summary.examine_again_at is None or summary.examine_again_at > now)
    )
    if not settled:
        return ItemAction(Action.EVALUATE, _why_evaluated(summary, state))
    match state:
        case State.CONFIRMED:
            return ItemAction(Action.LEAVE, Reason.UNCHANGED)
        case State.OFFERED:
            return ItemAction(Action.LEAVE, summary.reason or Reason.NOT_FETCHED)
        case State.PLANNED if summary.reason is not None:
            return ItemAction(Action.LEAVE, summary.reason)
    if resting:
        return ItemAction(Action.LEAVE, _WAITS[state])
    return ItemAction(Action.EVALUATE, _why_evaluated(summary, state))


def _unwanted(summary: RecordSummary, state: State, *, resting: bool) -> ItemAction:
    if state is State.RETIRED:
        return ItemAction(Action.LEAVE, "")
    if state in (State.SENDING, State.IN_DOUBT):
        return ItemAction(Action.LEAVE, Reason.UNSETTLED if state is State.SENDING else Reason.IN_DOUBT)
    if not summary.present:
        return ItemAction(Action.WITHDRAW, Reason.WITHDRAWN)
    if state is State.OFFERED and summary.operation == "retire":
        return ItemAction(Action.LEAVE, summary.reason or Reason.NOT_FETCHED)
    if resting and summary.operation == "retire":
        return ItemAction(Action.LEAVE, _WAITS[state])
    return ItemAction(Action.RETIRE, Reason.LEFT_CATALOG)


def _why_evaluated(summary: RecordSummary, state: State) -> str:
    if state is State.RETIRED or (state is State.OFFERED and summary.operation == "retire"):
        return Reason.RESTORED
    if state in (State.FAILED, State.BLOCKED, State.REJECTED):
        return Reason.RETRY
    if summary.reason in (Reason.UNSETTLED, Reason.RETRY):
        return summary.reason
    return Reason.CHANGED if summary.present else Reason.NEW


def compare(record: Record, fingerprint: str, *, context: str, now: datetime, force: bool) -> Event | str:
    """Decide once the payload is known: the event that plans a send, or the reason to leave it.

    "Changed" means that the fingerprint differs from what the LMS last confirmed; nothing else decides. What the LMS
    refused waits for the end of its pause, or for another payload, configuration or version of the plugin.

    Args:
        record: The item's record.
        fingerprint: The fingerprint of the payload as it would be sent now.
        context: Digest of what else the payload depends on: configuration and plugin version.
        now: The run's instant.
        force: Send it whatever the record says.
    """
    if force:
        return Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE
    if record.present and record.confirmed_fingerprint == fingerprint:
        return Reason.UNCHANGED
    if record.state is State.OFFERED and record.wanted_fingerprint == fingerprint:
        return record.reason or Reason.NOT_FETCHED
    if record.state is State.REJECTED and _rests_as_it_is(record, fingerprint, context, now):
        return Reason.REJECTED_BEFORE
    return Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE


def unsettled(record: Record, *, force: bool) -> str:
    """Return why nothing may be decided about an outcome before a person or a later run has; "" when it may."""
    if record.state is State.SENDING:  # reconciling could not find out
        return Reason.UNSETTLED
    return Reason.IN_DOUBT if record.state is State.IN_DOUBT and not force else ""


def compare_outcome(
    record: Record, fingerprint: str, *, context: str, now: datetime, force: bool
) -> Event | str:
    """Decide as :func:`compare` does, for an outcome, which is built afresh in every run: its pause counts first.

    A pause ends early when the payload or the configuration has changed.
    """
    if not force and _rests_as_it_is(record, fingerprint, context, now):
        if record.state is not State.BLOCKED:
            return _WAITS[record.state]
        reason = record.reason or Reason.BLOCKED
        says_more = reason != Reason.BLOCKED and find_reason(reason) is not None
        return reason if says_more else Reason.BLOCKED_AT_LMS
    return compare(record, fingerprint, context=context, now=now, force=force)


def _rests_as_it_is(record: Record, fingerprint: str, context: str, now: datetime) -> bool:
    """Tell whether the pause of an item is not over, and nothing has changed that would end it."""
    same = record.wanted_fingerprint == fingerprint and record.export_context == context
    return same and rests(record.state, record.not_before_at, now)


def why_sent(record: Record, *, force: bool) -> str:
    """Return why an outcome is sent: the reason code for the plan, from what its record says before it."""
    if force:
        return Reason.FORCED
    if record.state in (State.FAILED, State.BLOCKED, State.REJECTED):
        return Reason.RETRY
    if record.reason in (Reason.UNSETTLED, Reason.RETRY):
        return record.reason
    return Reason.CHANGED if record.present else Reason.NEW


def uncorrectable(can: Capabilities, before: LastReported | None, now: LastReported) -> str:
    """Return why the LMS will not take ``now`` in place of what was reported ``before``; "" when it will."""
    if before is None or not before.complete or before == now:
        return ""
    if not now.complete:
        return "" if can.revoke.usable else Reason.CANNOT_REVOKE
    if before.lowered_by(now):
        return "" if can.lower_grade.usable else Reason.CANNOT_LOWER
    return "" if can.raise_grade.usable else Reason.CANNOT_CORRECT
