"""Reason codes: why an item goes out, and why one does not. Core gives each a text and a next step."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A code that can be listed, counted and explained. A channel's results may carry codes of its own."""

    # why an item is sent
    NEW = "new"
    CHANGED = "changed"
    RESTORED = "restored"
    RETRY = "retry"
    FORCED = "forced"
    UNSETTLED = "unsettled"
    LEFT_CATALOG = "left-catalog"

    # why an item is not sent
    UNCHANGED = "unchanged"
    NOT_EXPORTABLE = "not-exportable"
    TYPE_NOT_SUPPORTED = "content-type-not-supported"
    WAITING_FOR_SOURCE = "waiting-for-source"
    WAITING_FOR_LIMIT = "waiting-for-limit"
    WAITING_AFTER_FAILURE = "waiting-after-failure"
    REJECTED_BEFORE = "rejected-before"
    BLOCKED_AT_LMS = "blocked-at-lms"
    IN_DOUBT = "in-doubt"
    HELD_BY_HOOK = "held-by-hook"
    DRY_RUN = "dry-run"
    WITHDRAWN = "withdrawn"
    RETIRE_NOT_SUPPORTED = "retire-not-supported"
    SOURCE_FAILED = "source-failed"
    LMS_UNREACHABLE = "lms-unreachable"
    CREDENTIALS_BROKEN = "credentials-broken"
    STOPPED = "stopped"
    BATCH_REFUSED = "batch-refused"
    CHANNEL_FAULT = "channel-fault"


TEXTS: dict[str, tuple[str, str]] = {
    Reason.NEW: ("the LMS does not have it yet", ""),
    Reason.CHANGED: ("its payload differs from what the LMS last confirmed", ""),
    Reason.RESTORED: ("it was retired and is in a catalog again", ""),
    Reason.RETRY: ("the last attempt did not succeed", ""),
    Reason.FORCED: ("sending was asked for although nothing changed", ""),
    Reason.UNSETTLED: ("an earlier run was cut off while sending it", ""),
    Reason.LEFT_CATALOG: ("none of the catalogs holds it any more", ""),
    Reason.UNCHANGED: ("its payload is what the LMS last confirmed", "Use --force to send it all the same."),
    Reason.NOT_EXPORTABLE: (
        "a field that the LMS demands is missing or cannot be sent",
        "Mend the item at the source; it goes out with the next run.",
    ),
    Reason.TYPE_NOT_SUPPORTED: ("the channel does not take content of this type", ""),
    Reason.WAITING_FOR_SOURCE: (
        "the catalog names it but the source does not give its data",
        "Load or publish the item at the source.",
    ),
    Reason.WAITING_FOR_LIMIT: (
        "the LMS's limit of calls is reached",
        "Run again after the time shown; nothing is lost.",
    ),
    Reason.WAITING_AFTER_FAILURE: (
        "it failed before and its pause is not over",
        "Wait, or use `coursewire audit retry`.",
    ),
    Reason.REJECTED_BEFORE: (
        "the LMS refused this very payload",
        "See `coursewire audit show`. A change of the item or the configuration, or `audit retry`, sends it again.",
    ),
    Reason.BLOCKED_AT_LMS: (
        "a person must act at the LMS",
        "See `coursewire audit show` for what to do there, then `coursewire audit retry`.",
    ),
    Reason.IN_DOUBT: (
        "it left, no answer came, and the LMS gives no way to know",
        "Look at the LMS, then `coursewire audit retry`.",
    ),
    Reason.DRY_RUN: (
        "the configuration only plans and sends nothing",
        "`coursewire config edit ID --set dry_run_mode_enabled=false` lets it send.",
    ),
    Reason.HELD_BY_HOOK: ("an operator's hook held it back", "See the hook's own log."),
    Reason.WITHDRAWN: ("it left the catalog before it ever reached the LMS", ""),
    Reason.RETIRE_NOT_SUPPORTED: ("the channel cannot retire items", "Take it away at the LMS by hand."),
    Reason.SOURCE_FAILED: ("the source could not answer, so nothing is retired", "Run again."),
    Reason.LMS_UNREACHABLE: ("the LMS cannot be reached", "Run again later, or `coursewire config check`."),
    Reason.CREDENTIALS_BROKEN: (
        "the LMS refused the credentials",
        "Mend them with `coursewire config edit`, then `coursewire config check`.",
    ),
    Reason.STOPPED: ("the run was stopped before its turn", "Run again; it goes on from there."),
    Reason.BATCH_REFUSED: (
        "the LMS refused the batch that it travelled in; smaller batches will find the item at fault",
        "Run again.",
    ),
    # what the LMS answered, as core reads it where a channel does not read it better
    "unreachable": ("the LMS could not be reached", "Run again later, or `coursewire config check`."),
    "outcome-unknown": (
        "it left and no answer came",
        "The next run finds out, or leaves it in doubt for you.",
    ),
    "slow-down": ("the LMS asked to slow down", "Run again after the time shown; nothing is lost."),
    "lms-timeout": ("the LMS took too long", "It is tried again by later runs."),
    "lms-error": ("the LMS answered with an error of its own", "It is tried again by later runs."),
    "invalid": ("the LMS refused the data", "See its words with `coursewire audit show`, and mend the item."),
    "forbidden": ("the LMS does not allow it", "Check the rights at the LMS, then `coursewire audit retry`."),
    "not-found-at-lms": ("the LMS does not know it", "See `coursewire audit show`."),
    "conflict": ("the LMS has something else in its place", "See `coursewire audit show`."),
    "too-large": ("it is too large for the LMS", "Lower transmission_chunk_size, or shorten the item."),
    Reason.CHANNEL_FAULT: (
        "the channel broke the hook contract",
        "Report it to the channel's author with the message shown.",
    ),
}
"""Code to (text, next step); a code that is not here is a channel's own and explains itself."""


def explain(code: str) -> tuple[str, str]:
    """The text and the next step of a reason code; empty for a channel's own."""
    return TEXTS.get(code, ("", ""))
