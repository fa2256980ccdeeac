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
    NOT_FETCHED = "not-fetched"
    NOT_ACKNOWLEDGED = "not-acknowledged"
    LAUNCH_NEEDED = "launch-needed"
    HELD_BY_HOOK = "held-by-hook"
    DRY_RUN = "dry-run"
    WITHDRAWN = "withdrawn"
    NOT_IN_CATALOG = "not-in-catalog"
    RETIRE_NOT_SUPPORTED = "retire-not-supported"
    SOURCE_FAILED = "source-failed"
    LMS_UNREACHABLE = "lms-unreachable"
    CREDENTIALS_BROKEN = "credentials-broken"
    STOPPED = "stopped"
    BATCH_REFUSED = "batch-refused"
    CHANNEL_FAULT = "channel-fault"

    # why an outcome is not sent
    LEARNER_PENDING = "learner-pending"
    LEARNER_UNLINKED = "learner-unlinked"
    LEARNER_INACTIVE = "learner-inactive"
    UNENROLLED = "unenrolled"
    CONSENT_REFUSED = "consent-refused"
    CONSENT_UNANSWERED = "consent-unanswered"
    CONSENT_UNKNOWN = "consent-unknown"
    AUDIT_REPORTING_OFF = "audit-reporting-off"
    COURSE_UNKNOWN = "course-unknown"
    COURSE_NOT_AT_LMS = "course-not-at-lms"
    LEARNER_UNMATCHED = "learner-unmatched"
    LEARNER_AMBIGUOUS = "learner-ambiguous"
    NOT_COMPLETE = "not-complete"
    NOT_ATTEMPTED = "not-attempted"
    INCOMPLETE_UNKNOWN = "incomplete-unknown"
    COMPLETION_DATE_UNKNOWN = "completion-date-unknown"
    GRADE_UNKNOWN = "grade-unknown"
    PACING_UNKNOWN = "pacing-unknown"
    NOT_IMPROVED = "not-improved"
    SENT_BEFORE = "sent-before"
    CANNOT_CORRECT = "cannot-correct"
    CANNOT_LOWER = "cannot-lower"
    CANNOT_REVOKE = "cannot-revoke"
    INSTRUCTOR_CHANGED_IT = "instructor-changed-it"
    ENROLLMENT_UNKNOWN = "enrollment-unknown"

    # why a job has nothing to do
    LEARNER_DATA_DISABLED = "learner-data-disabled"
    KIND_NOT_SUPPORTED = "kind-not-supported"


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
    Reason.NOT_FETCHED: (
        "the LMS has not fetched it yet",
        "It polls by itself; if it does not, look at its connector and at the credentials that it polls with.",
    ),
    Reason.NOT_ACKNOWLEDGED: (
        "the LMS has fetched it and has not acknowledged it yet",
        "Its next poll acknowledges what arrived, and gets again what did not.",
    ),
    Reason.LAUNCH_NEEDED: (
        "the LMS takes results only with the session token of a learner who has just come from there",
        "It goes out once somebody starts a course from the LMS; see the channel's page for ways without that.",
    ),
    Reason.HELD_BY_HOOK: ("an operator's hook held it back", "See the hook's own log."),
    Reason.WITHDRAWN: ("it left the catalog before it ever reached the LMS", ""),
    Reason.NOT_IN_CATALOG: (
        "none of the configuration's catalogs holds it",
        "Look at the spelling, at the catalogs, and at the configuration's catalogs_to_transmit.",
    ),
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
    Reason.LEARNER_PENDING: (
        "the learner was invited and has no account yet",
        "It goes out once the learner has registered.",
    ),
    Reason.LEARNER_UNLINKED: (
        "the learner does not belong to the customer",
        "Link the learner to the customer at the source, if that is wrong.",
    ),
    Reason.LEARNER_INACTIVE: (
        "the learner has another customer selected",
        "Set include_inactive_learners with `coursewire config edit` to send such learners' results too.",
    ),
    Reason.UNENROLLED: ("the enrollment has ended", ""),
    Reason.CONSENT_REFUSED: ("the learner refused to share results with the customer", ""),
    Reason.CONSENT_UNANSWERED: (
        "the learner has not said yet whether results may be shared",
        "Ask the learner; it goes out once consent is given.",
    ),
    Reason.CONSENT_UNKNOWN: (
        "nobody knows whether the learner agreed to share results",
        "Give the source the consent record; without one nothing leaves.",
    ),
    Reason.AUDIT_REPORTING_OFF: (
        "the customer does not report results of the audit track",
        "Switch on audit enrollment and audit data reporting of the customer at the source, if that is wanted.",
    ),
    Reason.COURSE_UNKNOWN: (
        "the source does not know the course of this run",
        "Load or publish the course at the source.",
    ),
    Reason.COURSE_NOT_AT_LMS: (
        "this configuration has not sent the course, and the LMS takes results only for courses it has",
        "See `coursewire why --item COURSE`; transmit the content first.",
    ),
    Reason.LEARNER_UNMATCHED: (
        "no id of the learner at the LMS is known",
        "Give it with `coursewire learners link`, or at the source; the next run takes it up.",
    ),
    Reason.LEARNER_AMBIGUOUS: (
        "several ids of the learner at the LMS are possible",
        "Say which one with `coursewire learners link`, or name the identity provider in the configuration.",
    ),
    Reason.NOT_COMPLETE: (
        "the course is not completed, by the configuration's completion_policy",
        "It goes out once it is; send_in_progress sends it before, where the LMS takes that.",
    ),
    Reason.NOT_ATTEMPTED: ("the learner has not attempted it", ""),
    Reason.INCOMPLETE_UNKNOWN: (
        "the source does not say how much an audit learner has left to do",
        "Give the source the count of incomplete units.",
    ),
    Reason.COMPLETION_DATE_UNKNOWN: (
        "it is completed, but no evidence says when",
        "Give the source the date of passing or of the certificate; today's date is never sent instead.",
    ),
    Reason.GRADE_UNKNOWN: ("the source does not know the grade", "Give the source the grade."),
    Reason.PACING_UNKNOWN: (
        "the source does not say how the run is paced, and completion_policy goes by it",
        "Give the source the run's pacing, or choose another completion_policy.",
    ),
    Reason.NOT_IMPROVED: (
        "it is no better than what the LMS confirmed, and resend_outcomes asks for improvements only",
        "",
    ),
    Reason.SENT_BEFORE: (
        "the LMS has an outcome, and changes of it are not sent (resend_outcomes, or the channel's own rule)",
        "Use --force for this learner and course to send it all the same.",
    ),
    Reason.CANNOT_CORRECT: ("the LMS keeps the first result that it got", "Correct it at the LMS by hand."),
    Reason.CANNOT_LOWER: ("the LMS does not take a lower grade", "Correct it at the LMS by hand."),
    Reason.CANNOT_REVOKE: (
        "the LMS cannot take a completion back",
        "The learner does not pass any more; correct it at the LMS by hand.",
    ),
    Reason.INSTRUCTOR_CHANGED_IT: (
        "somebody at the LMS changed the result, and that is not overwritten",
        "Settle it with the instructor; --force for this learner and course overwrites it.",
    ),
    Reason.ENROLLMENT_UNKNOWN: (
        "the source knows no such enrollment at this customer",
        "Look at the spelling, at the customer, and at what was loaded.",
    ),
    Reason.LEARNER_DATA_DISABLED: (
        "the configuration sends no learner data",
        "Unset disable_learner_data_transmissions with `coursewire config edit`, if that is wrong.",
    ),
    Reason.KIND_NOT_SUPPORTED: ("the channel does not take this kind", ""),
}
"""Code to (text, next step); a code that is not here is a channel's own and explains itself."""


def explain(code: str) -> tuple[str, str]:
    """The text and the next step of a reason code; empty for a channel's own."""
    return TEXTS.get(code, ("", ""))
