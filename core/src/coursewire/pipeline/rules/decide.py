"""The one place that decides what happens to an item, before and after its payload is known."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from coursewire.model.reasons import Reason, find_reason
from coursewire.storage.audit.records import Record, RecordSummary
from coursewire.storage.audit.states import Event, State

if TYPE_CHECKING:
    from coursewire.model.channel import Capabilities
    from coursewire.model.outcomes import Told


class Decision(NamedTuple):
    """What is to be done with an item, and why."""

    action: str
    """``examine`` (build the payload and compare), ``retire``, ``withdraw`` or ``leave``."""
    reason: str


EXAMINE_NEW = Decision("examine", Reason.NEW)
LEAVE_UNCHANGED = Decision("leave", Reason.UNCHANGED)


def glance(
    seen: RecordSummary,
    *,
    wanted_version: str | None,
    context: str,
    now: datetime,
    force: bool = False,
) -> Decision:
    """Decide from a record and the source's version, without the payload.

    Args:
        seen: The record.
        wanted_version: The source's version of the item; "" when it does not know, None when no catalog
            holds the item any more.
        context: Digest of what else the payload depends on: configuration and plugin version.
        now: The run's instant.
        force: Look at it whatever the record says.
    """
    state = State(seen.state)
    pausing = _pausing(state, seen.not_before_at, now)
    if wanted_version is None:
        return _unwanted(seen, state, pausing=pausing and not force)
    if state is State.IN_DOUBT and not force:
        return Decision("leave", Reason.IN_DOUBT)
    if state is State.SENDING:  # settling could not find out; a later run will
        return Decision("leave", Reason.UNSETTLED)
    if force:
        return Decision("examine", Reason.FORCED)
    settled = (
        seen.source_version is not None
        and seen.source_version == wanted_version != ""
        and seen.export_context == context
        and (seen.examine_again_at is None or seen.examine_again_at > now)
    )
    if not settled:
        return Decision("examine", _why_examine(seen, state))
    match state:
        case State.CONFIRMED:
            return LEAVE_UNCHANGED
        case State.OFFERED:
            return Decision("leave", seen.reason or Reason.NOT_FETCHED)
        case State.REJECTED:
            return Decision("leave", Reason.REJECTED_BEFORE)
        case State.PLANNED if seen.reason is not None:
            return Decision("leave", seen.reason)
        case State.FAILED | State.BLOCKED if pausing:
            waits = Reason.WAITING_AFTER_FAILURE if state is State.FAILED else Reason.BLOCKED_AT_LMS
            return Decision("leave", waits)
    return Decision("examine", _why_examine(seen, state))


def _unwanted(seen: RecordSummary, state: State, *, pausing: bool) -> Decision:
    if state is State.RETIRED:
        return Decision("leave", "")
    if state in (State.SENDING, State.IN_DOUBT):
        return Decision("leave", Reason.UNSETTLED if state is State.SENDING else Reason.IN_DOUBT)
    if not seen.present:
        return Decision("withdraw", Reason.WITHDRAWN)
    if state is State.OFFERED and seen.operation == "retire":
        return Decision("leave", seen.reason or Reason.NOT_FETCHED)
    if pausing and seen.operation == "retire":
        waits = Reason.WAITING_AFTER_FAILURE if state is State.FAILED else Reason.BLOCKED_AT_LMS
        return Decision("leave", waits)
    if state is State.REJECTED and seen.operation == "retire":
        return Decision("leave", Reason.REJECTED_BEFORE)
    return Decision("retire", Reason.LEFT_CATALOG)


def _pausing(state: State, not_before_at: datetime | None, now: datetime) -> bool:
    return state in (State.FAILED, State.BLOCKED) and not_before_at is not None and not_before_at > now


def _why_examine(seen: RecordSummary, state: State) -> str:
    if state is State.RETIRED or (state is State.OFFERED and seen.operation == "retire"):
        return Reason.RESTORED
    if state in (State.FAILED, State.BLOCKED, State.REJECTED):
        return Reason.RETRY
    if seen.reason in (Reason.UNSETTLED, Reason.RETRY):
        return seen.reason
    return Reason.CHANGED if seen.present else Reason.NEW


def compare(record: Record, fingerprint: str, *, force: bool) -> Event | str:
    """Decide once the payload is known: the event that plans a send, or the reason to leave it.

    "Changed" means that the fingerprint differs from what the LMS last confirmed; nothing else decides.
    """
    if force:
        return Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE
    if record.present and record.confirmed_fingerprint == fingerprint:
        return Reason.UNCHANGED
    if record.state is State.OFFERED and record.wanted_fingerprint == fingerprint:
        return record.reason or Reason.NOT_FETCHED
    if record.state is State.REJECTED and record.wanted_fingerprint == fingerprint:
        return Reason.REJECTED_BEFORE
    return Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE


def standing(record: Record, *, force: bool) -> str:
    """Why nothing may be decided about an outcome before a person or a later run has; "" when it may."""
    if record.state is State.SENDING:  # settling could not find out
        return Reason.UNSETTLED
    return Reason.IN_DOUBT if record.state is State.IN_DOUBT and not force else ""


def compare_outcome(
    record: Record, fingerprint: str, *, context: str, now: datetime, force: bool
) -> Event | str:
    """As :func:`compare`, for an outcome, which is built afresh in every run: heeds its pause first.

    A pause ends early when the payload or the configuration has changed.
    """
    same = record.wanted_fingerprint == fingerprint and record.export_context == context
    if same and not force and _pausing(record.state, record.not_before_at, now):
        if record.state is State.FAILED:
            return Reason.WAITING_AFTER_FAILURE
        reason = record.reason or Reason.BLOCKED
        says_more = reason != Reason.BLOCKED and find_reason(reason) is not None
        return reason if says_more else Reason.BLOCKED_AT_LMS
    return compare(record, fingerprint, force=force)


def why_sent(record: Record, *, force: bool) -> str:
    """Why an outcome is sent: the reason for the plan, from what its record says before it."""
    if force:
        return Reason.FORCED
    if record.state in (State.FAILED, State.BLOCKED, State.REJECTED):
        return Reason.RETRY
    if record.reason in (Reason.UNSETTLED, Reason.RETRY):
        return record.reason
    return Reason.CHANGED if record.present else Reason.NEW


def uncorrectable(can: Capabilities, told: Told | None, now: Told) -> str:
    """Why the LMS will not take ``now`` in place of what it was told; "" when it will."""
    if told is None or not told.complete or told == now:
        return ""
    if not now.complete:
        return "" if can.revoke.usable else Reason.CANNOT_REVOKE
    if told.lowered_by(now):
        return "" if can.lower_grade.usable else Reason.CANNOT_LOWER
    return "" if can.raise_grade.usable else Reason.CANNOT_CORRECT
