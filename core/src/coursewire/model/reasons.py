"""The reason codes: why an item is sent, why it is not, and what an LMS answered.

The enum :class:`Reason` is the one table of core's codes. Each member is a row, and counting, explanations, messages and
the reference page follow from it: a new code is a new row. A channel declares the codes of its own with
``Channel(reasons=(ReasonInfo(...), ...))``, and they are looked up in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Self

from coursewire.model.payload import ResultKind

if TYPE_CHECKING:
    from coursewire.model.payload import Result


class ReasonGroup(StrEnum):
    """The side on which something has to change before an item is sent, or because of which it is."""

    ITEM = "the item"
    LEARNER = "the learner"
    CONFIGURATION = "the configuration"
    PERSON = "a person at the LMS"
    LMS = "the LMS"
    NETWORK = "the network"
    SOURCE = "the source"
    OPERATOR = "the operator"
    CORE = "Coursewire itself"


class CountedAs(StrEnum):
    """The count of a run's summary in which an item with a reason is."""

    SENT = "sent"
    """The item is sent because of it."""
    DONE = "done"
    """The LMS has what was wanted, and the reason tells how that came about."""
    UNCHANGED = "unchanged"
    """The LMS has the item as it should be."""
    WAITING = "waiting"
    """The item goes out later by itself, or when somebody mends something other than the item."""
    SKIPPED = "skipped"
    """The item is left until something about it changes."""
    FAILED = "failed"
    """The LMS did not take the item, or the channel could make no payload of it."""


class LiftedBy(StrEnum):
    """An event after which core sends the item, or asks again whether it can be sent."""

    ITEM = "a change of the item"
    """The payload would be different, or the source knows more about the item."""
    CONFIGURATION = "a change of the configuration"
    """A field of the configuration has another value."""
    PLUGIN = "another version of the plugin"
    """The channel's distribution is installed in another version."""
    CONNECTION_TEST = "a connection test that succeeds"
    """Somebody tests the connection of the configuration, and the LMS takes it."""
    TIME = "time"
    """A later run tries again by itself, after the pause that the item's record shows."""
    PERSON = "a person"
    """Somebody asks for another attempt, or does what the next step says."""


_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(-?\*)?|\*")
_COMMAND = re.compile(r"`coursewire |`audit |(^|[\s`])--[a-z]")


TRIED_AGAIN = (
    LiftedBy.ITEM,
    LiftedBy.CONFIGURATION,
    LiftedBy.PLUGIN,
    LiftedBy.CONNECTION_TEST,
    LiftedBy.TIME,
    LiftedBy.PERSON,
)
"""The events that lift a reason after which later runs try again by themselves: the pause, or any change before its end."""
UNTIL_CHANGED = TRIED_AGAIN
"""The events that lift a refusal: any change, a person, and a pause of a day to a week."""


@dataclass(frozen=True, slots=True)
class ReasonInfo:
    """One reason code with everything that is said about it.

    Attributes:
        code: Lower-case words and hyphens, such as ``course-not-at-lms``. A code that ends in ``*`` stands for a family:
            ``http-*`` for every code that begins with ``http-``, and ``*`` alone for every code that has no row, for an
            LMS whose own error codes are passed on as they are.
        group: The side on which something has to change.
        counted_as: The count of the run's summary.
        text: The meaning, as a clause without a full stop that begins with a small letter.
        command_step: The next step, in whole sentences for the reader of the command line; "" when nothing can be done.
        console_step: The same for the reader of the console or the REST API, without any command. It may be left out
            where ``command_step`` names no command, and is the same then.
        lifted_by: The events after which the item is sent or looked at again. Empty for a reason that holds nothing
            back, and for one that is final.

    Raises:
        ValueError: The code is written in another way, a text is missing, or ``console_step`` is or needs a command.

    Example:
        >>> locked = cw.ReasonInfo(
        ...     code="grade-locked",
        ...     group=cw.ReasonGroup.PERSON,
        ...     counted_as=cw.CountedAs.FAILED,
        ...     text="the grades of this assignment are locked at the LMS",
        ...     command_step="Unlock them in the gradebook.",
        ...     lifted_by=cw.TRIED_AGAIN,
        ... )
        >>> locked.console_step
        'Unlock them in the gradebook.'
    """

    code: str
    group: ReasonGroup
    counted_as: CountedAs
    text: str
    command_step: str = ""
    console_step: str = ""
    lifted_by: tuple[LiftedBy, ...] = ()

    def __post_init__(self) -> None:
        """Check the texts, and fill in ``console_step``."""
        if not _CODE.fullmatch(self.code):
            raise ValueError(f"reason {self.code!r}: a code is lower-case words with hyphens between them")
        if not self.text.strip() or self.text.endswith("."):
            raise ValueError(f"reason {self.code!r}: its text is a clause without a full stop")
        if not self.console_step:
            object.__setattr__(self, "console_step", self.command_step)
        if _COMMAND.search(self.console_step):
            raise ValueError(
                f"reason {self.code!r}: the console has no commands; say in console_step what to do there"
            )

    @property
    def is_family(self) -> bool:
        """True when the row stands for several codes."""
        return self.code.endswith("*")

    def covers(self, code: str) -> bool:
        """Tell whether this row is about a code, by itself or as a family."""
        return code.startswith(self.code[:-1]) if self.is_family else code == self.code


_GROUP, _COUNT, _BY = ReasonGroup, CountedAs, LiftedBy
_BROKEN_ACCESS = (_BY.CONFIGURATION, _BY.CONNECTION_TEST, _BY.TIME, _BY.PERSON)
_AGAIN = "`coursewire audit retry` sends it again."
_AGAIN_THERE = "Try again, on the item's page, sends it once more."
_WORDS = "`coursewire audit show` has the LMS's words."
_WORDS_THERE = "The item's page has the LMS's words."


class Reason(StrEnum):
    """Core's reason codes, each with its :class:`ReasonInfo` as ``info``.

    A member is its code: ``Reason.NEW == "new"``. A channel's results may carry these and the codes that the channel
    declares.
    """

    info: ReasonInfo

    def __new__(cls, info: ReasonInfo) -> Self:
        """Make a member from its row."""
        member = str.__new__(cls, info.code)
        member._value_ = info.code
        member.info = info
        return member

    def __repr__(self) -> str:
        """Show the code alone, as of any other text."""
        return repr(self.value)

    # -- An item is sent -----------------------------------------------------------------------------

    NEW = ReasonInfo("new", _GROUP.ITEM, _COUNT.SENT, "the LMS does not have it yet")
    CHANGED = ReasonInfo(
        "changed", _GROUP.ITEM, _COUNT.SENT, "its payload differs from what the LMS last confirmed"
    )
    RESTORED = ReasonInfo("restored", _GROUP.ITEM, _COUNT.SENT, "it was retired and is in a catalog again")
    LEFT_CATALOG = ReasonInfo(
        "left-catalog", _GROUP.ITEM, _COUNT.SENT, "none of the catalogs holds it any more"
    )
    RETRY = ReasonInfo("retry", _GROUP.CORE, _COUNT.SENT, "the last attempt did not succeed")
    FORCED = ReasonInfo(
        "forced", _GROUP.OPERATOR, _COUNT.SENT, "sending was asked for although nothing changed"
    )

    # -- An item is not sent: it is about the item -----------------------------------------------------

    UNCHANGED = ReasonInfo(
        "unchanged",
        _GROUP.ITEM,
        _COUNT.UNCHANGED,
        "its payload is what the LMS last confirmed",
        "Use --force to send it all the same.",
        "Nothing is to be done; a run with force sends it all the same.",
        lifted_by=(_BY.ITEM, _BY.PERSON),
    )
    NOT_EXPORTABLE = ReasonInfo(
        "not-exportable",
        _GROUP.ITEM,
        _COUNT.SKIPPED,
        "a field that the LMS demands is missing or cannot be sent",
        "Mend the item at the source; it goes out with the next run.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION, _BY.PLUGIN),
    )
    TYPE_NOT_SUPPORTED = ReasonInfo(
        "content-type-not-supported",
        _GROUP.ITEM,
        _COUNT.SKIPPED,
        "the channel does not take content of this type",
        lifted_by=(_BY.ITEM, _BY.PLUGIN),
    )
    REJECTED_BEFORE = ReasonInfo(
        "rejected-before",
        _GROUP.ITEM,
        _COUNT.SKIPPED,
        "the LMS refused this very payload",
        "Mend what `coursewire audit show` names. It goes out when its payload or the configuration is another one, with "
        "`coursewire audit retry`, and after a week at the latest.",
        "Mend what the LMS names, on the item's page. It goes out when its payload or the configuration is another one, "
        "after Try again, and after a week at the latest.",
        lifted_by=UNTIL_CHANGED,
    )
    WITHDRAWN = ReasonInfo(
        "withdrawn",
        _GROUP.ITEM,
        _COUNT.SKIPPED,
        "it left the catalog before it ever reached the LMS",
        lifted_by=(_BY.ITEM,),
    )
    NOT_IN_CATALOG = ReasonInfo(
        "not-in-catalog",
        _GROUP.ITEM,
        _COUNT.SKIPPED,
        "none of the configuration's catalogs holds it",
        "Look at the spelling, at the catalogs, and at the configuration's catalogs_to_transmit.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION),
    )

    # -- ... about the run and what it depends on --------------------------------------------------------

    WAITING_FOR_SOURCE = ReasonInfo(
        "waiting-for-source",
        _GROUP.SOURCE,
        _COUNT.WAITING,
        "the catalog names it but the source does not give its data",
        "Load or publish the item at the source.",
        lifted_by=(_BY.ITEM, _BY.TIME),
    )
    SOURCE_FAILED = ReasonInfo(
        "source-failed",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "the source could not answer, so nothing is retired",
        "Run again with `coursewire transmit` when the source answers.",
        "Run again when the source answers.",
        lifted_by=(_BY.TIME,),
    )
    WAITING_FOR_LIMIT = ReasonInfo(
        "waiting-for-limit",
        _GROUP.LMS,
        _COUNT.WAITING,
        "the LMS's limit of calls is reached",
        "Run again after the time shown; nothing is lost.",
        lifted_by=(_BY.TIME,),
    )
    WAITING_AFTER_FAILURE = ReasonInfo(
        "waiting-after-failure",
        _GROUP.LMS,
        _COUNT.WAITING,
        "it failed before and its pause is not over",
        "Wait, or use `coursewire audit retry`.",
        "Wait, or choose Try again on the item's page.",
        lifted_by=TRIED_AGAIN,
    )
    BLOCKED_AT_LMS = ReasonInfo(
        "blocked-at-lms",
        _GROUP.PERSON,
        _COUNT.SKIPPED,
        "a person must act at the LMS",
        "Do there what `coursewire audit show` says, then use `coursewire audit retry`; without it the item is tried "
        "again after a day.",
        "Do there what the item's page says, then choose Try again; without it the item is tried again after a day.",
        lifted_by=TRIED_AGAIN,
    )
    IN_DOUBT = ReasonInfo(
        "in-doubt",
        _GROUP.PERSON,
        _COUNT.SKIPPED,
        "it left, no answer came, and the LMS gives no way to know",
        "Look at the LMS, then use `coursewire audit retry` if it is not there.",
        "Look at the LMS, then choose Try again on the item's page if it is not there.",
        lifted_by=(_BY.PERSON,),
    )
    UNSETTLED = ReasonInfo(
        "unsettled",
        _GROUP.CORE,
        _COUNT.WAITING,
        "an earlier run was cut off while sending it",
        "The next run finds out whether it arrived.",
        lifted_by=(_BY.TIME,),
    )
    NOT_FETCHED = ReasonInfo(
        "not-fetched",
        _GROUP.LMS,
        _COUNT.WAITING,
        "the LMS has not fetched it yet",
        "It polls by itself; if it does not, look at its connector and at the credentials that it polls with.",
        lifted_by=(_BY.TIME, _BY.PERSON),
    )
    NOT_ACKNOWLEDGED = ReasonInfo(
        "not-acknowledged",
        _GROUP.LMS,
        _COUNT.WAITING,
        "the LMS has fetched it and has not acknowledged it yet",
        "Its next poll acknowledges what arrived, and gets again what did not.",
        lifted_by=(_BY.TIME,),
    )
    LAUNCH_NEEDED = ReasonInfo(
        "launch-needed",
        _GROUP.LEARNER,
        _COUNT.FAILED,
        "the LMS takes results only with the session token of a learner who has just come from there",
        "It goes out once somebody starts a course from the LMS; see the channel's page for ways without that.",
        lifted_by=(_BY.TIME, _BY.PERSON),
    )
    HELD_BY_HOOK = ReasonInfo(
        "held-by-hook",
        _GROUP.OPERATOR,
        _COUNT.WAITING,
        "an operator's hook held it back",
        "See the hook's own log.",
        lifted_by=(_BY.TIME,),
    )
    DRY_RUN = ReasonInfo(
        "dry-run",
        _GROUP.CONFIGURATION,
        _COUNT.WAITING,
        "the configuration only plans and sends nothing",
        "`coursewire config edit ID --set dry_run_mode_enabled=false` lets it send.",
        "Set dry_run_mode_enabled of the configuration to no, and it sends.",
        lifted_by=(_BY.CONFIGURATION,),
    )
    RETIRE_NOT_SUPPORTED = ReasonInfo(
        "retire-not-supported",
        _GROUP.LMS,
        _COUNT.SKIPPED,
        "the channel cannot retire items",
        "Take it away at the LMS by hand.",
        lifted_by=(_BY.PLUGIN,),
    )
    LMS_UNREACHABLE = ReasonInfo(
        "lms-unreachable",
        _GROUP.NETWORK,
        _COUNT.WAITING,
        "the LMS cannot be reached",
        "Run again later, or see with `coursewire config check` what is wrong.",
        "Run again later, or see with Test the connection what is wrong.",
        lifted_by=(_BY.TIME,),
    )
    CREDENTIALS_BROKEN = ReasonInfo(
        "credentials-broken",
        _GROUP.CONFIGURATION,
        _COUNT.WAITING,
        "the LMS refused the credentials",
        "Mend them with `coursewire config edit`, then use `coursewire config check`.",
        "Mend them in the configuration's settings, then choose Test the connection.",
        lifted_by=_BROKEN_ACCESS,
    )
    CONFIGURATION_REFUSED = ReasonInfo(
        "configuration-refused",
        _GROUP.CONFIGURATION,
        _COUNT.WAITING,
        "the LMS refuses the calls of this configuration whatever they carry",
        "Mend what the run's message names, at the LMS or with `coursewire config edit`; the next run sends it.",
        "Mend what the run's message names, at the LMS or in the configuration's settings; the next run sends it.",
        lifted_by=(_BY.CONFIGURATION, _BY.CONNECTION_TEST, _BY.TIME, _BY.PERSON),
    )
    STOPPED = ReasonInfo(
        "stopped",
        _GROUP.OPERATOR,
        _COUNT.WAITING,
        "the run was stopped before its turn",
        "Run again; it goes on from there.",
        lifted_by=(_BY.TIME,),
    )
    BATCH_REFUSED = ReasonInfo(
        "batch-refused",
        _GROUP.LMS,
        _COUNT.WAITING,
        "the LMS refused the batch that it travelled in; smaller batches will find the item at fault",
        "Run again.",
        lifted_by=(_BY.TIME,),
    )
    CHANNEL_FAULT = ReasonInfo(
        "channel-fault",
        _GROUP.CORE,
        _COUNT.FAILED,
        "the channel broke the hook contract",
        "Report it to the channel's author with the message shown.",
        lifted_by=(_BY.ITEM, _BY.PLUGIN),
    )
    LEARNER_DATA_DISABLED = ReasonInfo(
        "learner-data-disabled",
        _GROUP.CONFIGURATION,
        _COUNT.SKIPPED,
        "the configuration sends no learner data",
        "Unset disable_learner_data_transmissions with `coursewire config edit`, if that is wrong.",
        "Set disable_learner_data_transmissions of the configuration to no, if that is wrong.",
        lifted_by=(_BY.CONFIGURATION,),
    )
    KIND_NOT_SUPPORTED = ReasonInfo(
        "kind-not-supported",
        _GROUP.LMS,
        _COUNT.SKIPPED,
        "the channel does not take this kind",
        lifted_by=(_BY.PLUGIN,),
    )

    # -- ... about the learner ------------------------------------------------------------------------

    LEARNER_PENDING = ReasonInfo(
        "learner-pending",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the learner was invited and has no account yet",
        "It goes out once the learner has registered.",
        lifted_by=(_BY.ITEM,),
    )
    LEARNER_UNLINKED = ReasonInfo(
        "learner-unlinked",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the learner does not belong to the customer",
        "Link the learner to the customer at the source, if that is wrong.",
        lifted_by=(_BY.ITEM,),
    )
    LEARNER_INACTIVE = ReasonInfo(
        "learner-inactive",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the learner has another customer selected",
        "Set include_inactive_learners with `coursewire config edit` to send such learners' results too.",
        "Set include_inactive_learners of the configuration to yes to send such learners' results too.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION),
    )
    UNENROLLED = ReasonInfo(
        "unenrolled", _GROUP.LEARNER, _COUNT.SKIPPED, "the enrollment has ended", lifted_by=(_BY.ITEM,)
    )
    CONSENT_REFUSED = ReasonInfo(
        "consent-refused",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the learner refused to share results with the customer",
        lifted_by=(_BY.ITEM,),
    )
    CONSENT_UNANSWERED = ReasonInfo(
        "consent-unanswered",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the learner has not said yet whether results may be shared",
        "Ask the learner; it goes out once consent is given.",
        lifted_by=(_BY.ITEM,),
    )
    CONSENT_UNKNOWN = ReasonInfo(
        "consent-unknown",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "nobody knows whether the learner agreed to share results",
        "Give the source the consent record; without one nothing leaves.",
        lifted_by=(_BY.ITEM,),
    )
    AUDIT_REPORTING_OFF = ReasonInfo(
        "audit-reporting-off",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "the customer does not report results of the audit track",
        "Switch on audit enrollment and audit data reporting of the customer at the source, if that is wanted.",
        lifted_by=(_BY.ITEM,),
    )
    COURSE_UNKNOWN = ReasonInfo(
        "course-unknown",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "the source does not know the course of this run",
        "Load or publish the course at the source.",
        lifted_by=(_BY.ITEM,),
    )
    COURSE_NOT_AT_LMS = ReasonInfo(
        "course-not-at-lms",
        _GROUP.ITEM,
        _COUNT.SKIPPED,
        "this configuration has not sent the course, or the LMS does not have it any more",
        "See `coursewire why --item COURSE`; transmit the content first.",
        "See why on the course's own page; transmit the content first.",
        lifted_by=(_BY.ITEM, _BY.TIME, _BY.PERSON),
    )
    LEARNER_UNMATCHED = ReasonInfo(
        "learner-unmatched",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "no id of the learner at the LMS is known",
        "Give it with `coursewire learners link`, or at the source; the next run takes it up.",
        "Give it on the page Learners, or at the source; the next run takes it up.",
        lifted_by=(_BY.ITEM, _BY.TIME, _BY.PERSON),
    )
    LEARNER_AMBIGUOUS = ReasonInfo(
        "learner-ambiguous",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "several ids of the learner at the LMS are possible",
        "Say which one with `coursewire learners link`, or name the identity provider in the configuration.",
        "Say which one on the page Learners, or name the identity provider in the configuration.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION, _BY.TIME, _BY.PERSON),
    )

    # -- ... about the result ---------------------------------------------------------------------------

    NOT_COMPLETE = ReasonInfo(
        "not-complete",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the course is not completed, by the configuration's completion_policy",
        "It goes out once it is; send_in_progress sends it before, where the LMS takes that.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION, _BY.TIME),
    )
    NOT_ATTEMPTED = ReasonInfo(
        "not-attempted",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the learner has not attempted it",
        lifted_by=(_BY.ITEM,),
    )
    INCOMPLETE_UNKNOWN = ReasonInfo(
        "incomplete-unknown",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "the source does not say how much an audit learner has left to do",
        "Give the source the count of incomplete units.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION),
    )
    COMPLETION_DATE_UNKNOWN = ReasonInfo(
        "completion-date-unknown",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "it is completed, but no evidence says when",
        "Give the source the date of passing or of the certificate; today's date is never sent instead.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION),
    )
    GRADE_UNKNOWN = ReasonInfo(
        "grade-unknown",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "the source does not know the grade",
        "Give the source the grade.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION),
    )
    PACING_UNKNOWN = ReasonInfo(
        "pacing-unknown",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "the source does not say how the run is paced, and completion_policy goes by it",
        "Give the source the run's pacing, or choose another completion_policy.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION),
    )
    COVERED = ReasonInfo(
        "covered",
        _GROUP.LEARNER,
        _COUNT.SKIPPED,
        "the LMS holds one result of the learner in this course, and by result_policy another enrollment's stands",
        "Nothing is to be done. `coursewire why` names the other enrollment.",
        "Nothing is to be done. The explanation names the other enrollment.",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION),
    )
    NOT_IMPROVED = ReasonInfo(
        "not-improved",
        _GROUP.CONFIGURATION,
        _COUNT.SKIPPED,
        "it is no better than what the LMS confirmed, and resend_outcomes asks for improvements only",
        lifted_by=(_BY.ITEM, _BY.CONFIGURATION, _BY.PERSON),
    )
    SENT_BEFORE = ReasonInfo(
        "sent-before",
        _GROUP.CONFIGURATION,
        _COUNT.SKIPPED,
        "the LMS has an outcome, and changes of it are not sent (resend_outcomes, or the channel's own rule)",
        "Use --force for this learner and course to send it all the same.",
        "A run with force for this learner and course sends it all the same.",
        lifted_by=(_BY.CONFIGURATION, _BY.PERSON),
    )
    CANNOT_CORRECT = ReasonInfo(
        "cannot-correct",
        _GROUP.LMS,
        _COUNT.SKIPPED,
        "the LMS keeps the first result that it got",
        "Correct it at the LMS by hand.",
        lifted_by=(_BY.PLUGIN,),
    )
    CANNOT_LOWER = ReasonInfo(
        "cannot-lower",
        _GROUP.LMS,
        _COUNT.SKIPPED,
        "the LMS does not take a lower grade",
        "Correct it at the LMS by hand.",
        lifted_by=(_BY.ITEM, _BY.PLUGIN),
    )
    CANNOT_REVOKE = ReasonInfo(
        "cannot-revoke",
        _GROUP.LMS,
        _COUNT.SKIPPED,
        "the LMS cannot take a completion back",
        "The learner does not pass any more; correct it at the LMS by hand.",
        lifted_by=(_BY.ITEM, _BY.PLUGIN),
    )
    INSTRUCTOR_CHANGED_IT = ReasonInfo(
        "instructor-changed-it",
        _GROUP.PERSON,
        _COUNT.SKIPPED,
        "somebody at the LMS changed the result, and that is not overwritten",
        "Settle it with the instructor; --force for this learner and course overwrites it.",
        "Settle it with the instructor; a run with force for this learner and course overwrites it.",
        lifted_by=TRIED_AGAIN,
    )
    ENROLLMENT_UNKNOWN = ReasonInfo(
        "enrollment-unknown",
        _GROUP.SOURCE,
        _COUNT.SKIPPED,
        "the source knows no such enrollment at this customer",
        "Look at the spelling, at the customer, and at what was loaded.",
        lifted_by=(_BY.ITEM,),
    )

    # -- The LMS answered: it has what was wanted -------------------------------------------------------

    ALREADY_RETIRED = ReasonInfo(
        "already-retired", _GROUP.LMS, _COUNT.DONE, "it was not at the LMS any more when it was to be retired"
    )

    # -- The LMS answered: it did not take the item ------------------------------------------------------

    INVALID = ReasonInfo(
        "invalid",
        _GROUP.ITEM,
        _COUNT.FAILED,
        "the LMS refused the data",
        f"Mend the item, or the setting that it follows from. {_WORDS}",
        f"Mend the item, or the setting that it follows from. {_WORDS_THERE}",
        lifted_by=UNTIL_CHANGED,
    )
    REFUSED = ReasonInfo(
        "refused",
        _GROUP.ITEM,
        _COUNT.FAILED,
        "the LMS answered with a success in which it refuses the item",
        f"Mend what it names. {_WORDS}",
        f"Mend what it names. {_WORDS_THERE}",
        lifted_by=UNTIL_CHANGED,
    )
    REJECTED = ReasonInfo(
        "rejected",
        _GROUP.ITEM,
        _COUNT.FAILED,
        "the LMS refused it for good",
        f"Mend what it names. {_WORDS}",
        f"Mend what it names. {_WORDS_THERE}",
        lifted_by=UNTIL_CHANGED,
    )
    TOO_LARGE = ReasonInfo(
        "too-large",
        _GROUP.ITEM,
        _COUNT.FAILED,
        "it is too large for the LMS",
        "Lower transmission_chunk_size, or shorten the item.",
        lifted_by=UNTIL_CHANGED,
    )
    CONFLICT = ReasonInfo(
        "conflict",
        _GROUP.PERSON,
        _COUNT.FAILED,
        "the LMS has something else in its place",
        f"Settle at the LMS which of the two is right. {_WORDS} {_AGAIN}",
        f"Settle at the LMS which of the two is right. {_WORDS_THERE} {_AGAIN_THERE}",
        lifted_by=UNTIL_CHANGED,
    )
    NOT_FOUND_AT_LMS = ReasonInfo(
        "not-found-at-lms",
        _GROUP.PERSON,
        _COUNT.FAILED,
        "the LMS does not know it",
        f"Make at the LMS what it misses, or correct the setting that names it. {_WORDS} {_AGAIN}",
        f"Make at the LMS what it misses, or correct the setting that names it. {_WORDS_THERE} {_AGAIN_THERE}",
        lifted_by=UNTIL_CHANGED,
    )
    FORBIDDEN = ReasonInfo(
        "forbidden",
        _GROUP.PERSON,
        _COUNT.FAILED,
        "the LMS does not allow it",
        "Check the rights at the LMS, then use `coursewire audit retry`.",
        "Check the rights at the LMS, then choose Try again on the item's page.",
        lifted_by=UNTIL_CHANGED,
    )
    BLOCKED = ReasonInfo(
        "blocked",
        _GROUP.PERSON,
        _COUNT.FAILED,
        "a person must act at the LMS, or correct the address in the configuration",
        "Do what `coursewire audit show` says, then use `coursewire audit retry`; without it the item is tried again "
        "after a day.",
        "Do what the item's page says, then choose Try again; without it the item is tried again after a day.",
        lifted_by=TRIED_AGAIN,
    )
    METHOD_NOT_ALLOWED = ReasonInfo(
        "method-not-allowed",
        _GROUP.CONFIGURATION,
        _COUNT.FAILED,
        "what answers at this address does not take such a request",
        f"Check the address of the LMS in the configuration. {_AGAIN}",
        f"Check the address of the LMS in the configuration. {_AGAIN_THERE}",
        lifted_by=UNTIL_CHANGED,
    )
    REDIRECTED = ReasonInfo(
        "redirected",
        _GROUP.CONFIGURATION,
        _COUNT.FAILED,
        "the LMS sent the request on to another address, such as a log-in or a page about maintenance",
        "It is tried again by later runs. If that goes on, check the address of the LMS in the configuration, and whether "
        "the LMS asks for a log-in.",
        lifted_by=TRIED_AGAIN,
    )
    HTTP_STATUS = ReasonInfo(
        "http-*",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the LMS answered with this HTTP status, which has no reason of its own",
        f"It is tried again by later runs. {_WORDS}",
        f"It is tried again by later runs. {_WORDS_THERE}",
        lifted_by=TRIED_AGAIN,
    )
    CREDENTIALS = ReasonInfo(
        "credentials",
        _GROUP.CONFIGURATION,
        _COUNT.FAILED,
        "the LMS refused the credentials of this request",
        "Mend them with `coursewire config edit`, then use `coursewire config check`.",
        "Mend them in the configuration's settings, then choose Test the connection.",
        lifted_by=_BROKEN_ACCESS,
    )
    GRANT_REFUSED = ReasonInfo(
        "grant-refused",
        _GROUP.PERSON,
        _COUNT.WAITING,
        "the LMS does not accept the access that was granted any more, and only a person can grant it again",
        "Let an administrator of the LMS grant access again with `coursewire config connect`.",
        "Let an administrator of the LMS grant access again with Connect in the configuration's settings.",
        lifted_by=_BROKEN_ACCESS,
    )
    SLOW_DOWN = ReasonInfo(
        "slow-down",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the LMS asked to slow down",
        "Run again after the time shown; nothing is lost.",
        lifted_by=(_BY.TIME,),
    )

    # -- The answer settles nothing, and a later run tries again -------------------------------------------

    LMS_ERROR = ReasonInfo(
        "lms-error",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the LMS answered with an error of its own",
        "It is tried again by later runs.",
        lifted_by=TRIED_AGAIN,
    )
    LMS_TIMEOUT = ReasonInfo(
        "lms-timeout",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the LMS took too long",
        "It is tried again by later runs.",
        lifted_by=TRIED_AGAIN,
    )
    LOCKED = ReasonInfo(
        "locked",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the LMS has it locked for the time being",
        "It is tried again by later runs. If that goes on, see at the LMS who holds it.",
        lifted_by=TRIED_AGAIN,
    )
    PAYMENT_REQUIRED = ReasonInfo(
        "payment-required",
        _GROUP.PERSON,
        _COUNT.FAILED,
        "the LMS wants a payment or a subscription before it takes anything",
        "Settle it with the vendor of the LMS; it is tried again once a day.",
        lifted_by=TRIED_AGAIN,
    )
    TOO_EARLY = ReasonInfo(
        "too-early",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the LMS does not take a request that may be a repeated one",
        "It is tried again by later runs.",
        lifted_by=TRIED_AGAIN,
    )
    UNREADABLE_ANSWER = ReasonInfo(
        "unreadable-answer",
        _GROUP.NETWORK,
        _COUNT.FAILED,
        "the answer is not one that the LMS gives; something that stands before it may have answered",
        "It is tried again by later runs. If that goes on, check the address of the LMS, and what stands before it.",
        lifted_by=TRIED_AGAIN,
    )
    NO_ACKNOWLEDGEMENT = ReasonInfo(
        "no-acknowledgement",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the LMS answered with a success that does not acknowledge the item",
        f"It is tried again by later runs where that can do no harm, and is in doubt otherwise. {_WORDS}",
        f"It is tried again by later runs where that can do no harm, and is in doubt otherwise. {_WORDS_THERE}",
        lifted_by=TRIED_AGAIN,
    )
    GRADE_NOT_SHOWN = ReasonInfo(
        "grade-not-shown",
        _GROUP.PERSON,
        _COUNT.FAILED,
        "the LMS took the grade and shows another one",
        "See at the LMS whether the column is locked or calculated; it is tried again by later runs.",
        lifted_by=TRIED_AGAIN,
    )
    INCOMPLETE_LIST = ReasonInfo(
        "incomplete-list",
        _GROUP.LMS,
        _COUNT.FAILED,
        "a list of the LMS that is needed could not be read to its end",
        "It is tried again by later runs.",
        lifted_by=TRIED_AGAIN,
    )
    UNREACHABLE = ReasonInfo(
        "unreachable",
        _GROUP.NETWORK,
        _COUNT.FAILED,
        "the LMS could not be reached",
        "Run again later, or see with `coursewire config check` what is wrong.",
        "Run again later, or see with Test the connection what is wrong.",
        lifted_by=TRIED_AGAIN,
    )
    OUTCOME_UNKNOWN = ReasonInfo(
        "outcome-unknown",
        _GROUP.NETWORK,
        _COUNT.FAILED,
        "it left and no answer came",
        "The next run finds out, or leaves it in doubt for you.",
        lifted_by=(_BY.TIME, _BY.PERSON),
    )
    SEND = ReasonInfo(
        "send",
        _GROUP.LMS,
        _COUNT.FAILED,
        "the request failed, and the channel does not say whose fault it was",
        f"It is tried again by later runs, in smaller batches. {_WORDS}",
        f"It is tried again by later runs, in smaller batches. {_WORDS_THERE}",
        lifted_by=TRIED_AGAIN,
    )
    TRY_LATER = ReasonInfo(
        "try-later",
        _GROUP.LMS,
        _COUNT.FAILED,
        "it did not work this time, and the channel gives no reason",
        f"It is tried again by later runs. {_WORDS}",
        f"It is tried again by later runs. {_WORDS_THERE}",
        lifted_by=TRIED_AGAIN,
    )


REASONS: Mapping[str, ReasonInfo] = MappingProxyType({reason.value: reason.info for reason in Reason})
"""Core's rows by their codes, families included."""

_FAMILIES = tuple(info for info in REASONS.values() if info.is_family)

_OF_KINDS = {
    ResultKind.REJECTED: Reason.REJECTED,
    ResultKind.TRY_LATER: Reason.TRY_LATER,
    ResultKind.THROTTLED: Reason.SLOW_DOWN,
    ResultKind.CREDENTIALS_BROKEN: Reason.CREDENTIALS,
    ResultKind.BLOCKED: Reason.BLOCKED,
    ResultKind.IN_DOUBT: Reason.IN_DOUBT,
}


class Surface(StrEnum):
    """The place where somebody reads an explanation. It decides which next step can be taken there."""

    COMMAND_LINE = "command line"
    CONSOLE = "console"
    """The console in the browser, and the REST API."""


class Explanation(NamedTuple):
    """A reason in words; both are empty for a code that nobody declared.

    Attributes:
        text: The meaning, as a clause.
        next_step: The next step, in whole sentences; "" when nothing can be done.
    """

    text: str
    next_step: str


def find_reason(code: str, own: Sequence[ReasonInfo] = ()) -> ReasonInfo | None:
    """Return the row of a reason code, or None when nobody declared it.

    A row for the code itself goes before a family, and core's before the channel's.

    Args:
        code: The code, as a record or a result has it.
        own: The rows of the channel that the code comes from, ``channel.reasons``.

    Example:
        >>> find_reason("http-418").text
        'the LMS answered with this HTTP status, which has no reason of its own'
        >>> find_reason("a-typing-error") is None
        True
    """
    if found := REASONS.get(code):
        return found
    exact = (info for info in own if info.code == code)
    families = (info for info in (*_FAMILIES, *own) if info.is_family and info.covers(code))
    return next(exact, None) or next(families, None)


def explain(code: str, own: Sequence[ReasonInfo] = (), *, on: Surface = Surface.COMMAND_LINE) -> Explanation:
    """Return a reason code in words: what it means, and what to do next.

    Args:
        code: The code, as a record or a result has it; "" has no words.
        own: The rows of the channel that the code comes from, ``channel.reasons``.
        on: The place where it is read.

    Example:
        >>> explain("dry-run", on=Surface.CONSOLE).next_step
        'Set dry_run_mode_enabled of the configuration to no, and it sends.'
    """
    info = find_reason(code, own)
    if info is None:
        return Explanation("", "")
    return Explanation(info.text, info.command_step if on is Surface.COMMAND_LINE else info.console_step)


def counted_as(code: str) -> CountedAs:
    """Return the count in which an item is that is left with this reason: unchanged, waiting or skipped.

    An item that is left because of an answer from before, such as ``forbidden``, is skipped.
    """
    info = REASONS.get(code)
    counts = (CountedAs.UNCHANGED, CountedAs.WAITING)
    return info.counted_as if info is not None and info.counted_as in counts else CountedAs.SKIPPED


def reason_of(result: Result) -> str:
    """Return the reason code of a result; where the channel gives none, the one of its kind."""
    return result.reason or _OF_KINDS.get(result.kind, "")


def http_reason(status: int) -> str:
    """Return the reason code of an HTTP status that has none of its own, such as ``http-418``."""
    return f"{Reason.HTTP_STATUS.removesuffix('*')}{status}"
