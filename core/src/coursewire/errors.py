"""The error classes, grouped by what core will do about them.

::

    CoursewireError
    ├── SetupError               stop the command: a person must change something (exit 2)
    │   ├── SettingsError
    │   ├── SecretKeyError
    │   ├── DatabaseError
    │   ├── BundleError
    │   ├── UnknownChannelError
    │   ├── ChannelLoadError
    │   ├── ConfigurationError
    │   └── GrantError
    ├── RunError                 stop this job; others go on
    │   ├── LeaseHeldError       exit 3
    │   ├── LeaseLostError
    │   ├── GuardError           exit 4
    │   └── SourceError
    ├── ItemError                this item waits with a reason; the others go on
    │   └── NotExportableError
    ├── SendError                raised by clients; core turns it into a result for the batch
    │   ├── ThrottledError       defer
    │   ├── CredentialsError     stop the job; later runs try again, unless a grant is over
    │   ├── UnreachableError     try later; nothing was sent
    │   ├── OutcomeUnknownError  in doubt; never resent without a key
    │   ├── RejectedError        the LMS refused for good
    │   └── BlockedError         a person must act at the LMS
    ├── IncompleteListError      a list could not be read to its end; it proves nothing
    └── ContractError            a channel broke the hook contract: a programming error
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime


class CoursewireError(Exception):
    """Base of all errors. The message has four parts.

    Attributes:
        what: The failure, as a sentence without a full stop.
        where: Channel, distribution and version, configuration, file and line: whatever narrows it down.
        why: The cause as far as it is known.
        next_step: The step that the reader can take now, as a sentence.
    """

    code = "error"
    exit_status = 1

    def __init__(self, what: str, *, where: str = "", why: str = "", next_step: str = "") -> None:
        self.what = what
        self.where = where
        self.why = why
        self.next_step = next_step
        super().__init__(what)

    def __str__(self) -> str:
        text = self.what + (f" ({self.where})" if self.where else "")
        if self.why:
            text += f": {self.why}"
        text = text if text.endswith((".", "!", "?")) else text + "."
        return f"{text} {self.next_step}" if self.next_step else text

    def hide(self, redact: Callable[[str], str]) -> None:
        """Take secrets out of every part, for an error that may quote an LMS.

        Args:
            redact: Gives a text without secrets.
        """
        self.what, self.where, self.why = redact(self.what), redact(self.where), redact(self.why)
        self.next_step = redact(self.next_step)
        self.args = tuple(redact(part) if isinstance(part, str) else part for part in self.args)


class SetupError(CoursewireError):
    """A person must change something before this command can work."""

    code = "setup"
    exit_status = 2


class SettingsError(SetupError):
    """A setting of the installation is missing or wrong."""

    code = "settings"


class SecretKeyError(SetupError):
    """The key that protects stored secrets is missing, unreadable, or not the one they were written with."""

    code = "secret-key"


class DatabaseError(SetupError):
    """The database cannot be used: missing, locked, read-only, or of another schema version."""

    code = "database"


class BundleError(SetupError):
    """A bundle cannot be read at all. A bad line of it is not this, but a row in the load report."""

    code = "bundle"


class UnknownChannelError(SetupError):
    """No installed channel has this code."""

    code = "unknown-channel"


class ChannelLoadError(SetupError):
    """A channel is installed but cannot be used."""

    code = "channel-load"


class ConfigurationError(SetupError):
    """A configuration is unknown, incomplete, incorrect, or not active.

    Attributes:
        missing: Fields that are not filled in.
        incorrect: Fields whose values cannot be used, and why.
    """

    code = "configuration"

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        next_step: str = "",
        missing: Sequence[str] = (),
        incorrect: Mapping[str, str] | None = None,
    ) -> None:
        self.missing = tuple(missing)
        self.incorrect = dict(incorrect or {})
        super().__init__(what, where=where, why=why, next_step=next_step)


class GrantError(SetupError):
    """An administrator's grant of access did not come about. What was stored before is as it was.

    Attributes:
        reason: A short code of lower-case words with hyphens, such as ``state-expired``.
    """

    code = "grant"

    def __init__(
        self, reason: str, what: str, *, where: str = "", why: str = "", next_step: str = ""
    ) -> None:
        self.reason = reason
        super().__init__(what, where=where, why=why, next_step=next_step)


class RunError(CoursewireError):
    """This job stops; other jobs go on."""

    code = "run"


class LeaseHeldError(RunError):
    """Another run of the same job is under way."""

    code = "lease-held"
    exit_status = 3


class LeaseLostError(RunError):
    """The lease could not be renewed, so another run may start; this one sends nothing more."""

    code = "lease-lost"


class GuardError(RunError):
    """The run would retire more than the guard allows. Nothing was sent."""

    code = "guard"
    exit_status = 4


class SourceError(RunError):
    """The source could not answer. Nothing may be concluded from what it did not say."""

    code = "source"


class ItemError(CoursewireError):
    """This item waits with a reason; the others go on."""

    code = "item"


class NotExportableError(ItemError):
    """The item lacks something that the LMS demands.

    Attributes:
        field: The field at fault.
    """

    code = "not-exportable"

    def __init__(self, field: str, why: str, *, next_step: str = "") -> None:
        self.field = field
        super().__init__(f"field {field!r} cannot be sent", why=why, next_step=next_step)


class SendError(CoursewireError):
    """A request failed as a whole.

    Attributes:
        http_status: Status of the answer, None when there was none.
        excerpt: Redacted beginning of the answer.
        reason: The LMS's own short code, for the results; "" for the one that the class has.
    """

    code = "send"

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        next_step: str = "",
        http_status: int | None = None,
        excerpt: str = "",
        reason: str = "",
    ) -> None:
        self.http_status = http_status
        self.excerpt = excerpt
        self.reason = reason
        super().__init__(what, where=where, why=why, next_step=next_step)

    def hide(self, redact: Callable[[str], str]) -> None:
        """Take secrets out of the excerpt too."""
        super().hide(redact)
        self.excerpt = redact(self.excerpt)


class ThrottledError(SendError):
    """The LMS, or our own bucket for it, asks to wait.

    Attributes:
        retry_at: Not before this instant, aware UTC.
        guessed: True where the LMS named no time, so that ``retry_at`` is our own guess.
    """

    code = "throttled"

    def __init__(
        self,
        what: str,
        *,
        retry_at: datetime,
        http_status: int | None = None,
        excerpt: str = "",
        guessed: bool = False,
    ) -> None:
        self.retry_at = retry_at
        self.guessed = guessed
        super().__init__(what, http_status=http_status, excerpt=excerpt)


class CredentialsError(SendError):
    """The LMS refused the credentials. It settles no item.

    Later runs try them again, with growing pauses. Only the reason ``grant-refused``, for a refresh token that is not
    good any more, waits for a person.
    """

    code = "credentials"


class UnreachableError(SendError):
    """No connection could be made, or the LMS was out of order before it took the request."""

    code = "unreachable"


class OutcomeUnknownError(SendError):
    """The request left and no answer came: the LMS may or may not have done it."""

    code = "outcome-unknown"


class RejectedError(SendError):
    """The LMS refused the request for good."""

    code = "rejected"


class BlockedError(SendError):
    """A person must act at the LMS before this can work."""

    code = "blocked"


class IncompleteListError(CoursewireError):
    """A list could not be read to its end, so nothing may be concluded from what is missing in it."""

    code = "incomplete-list"


class ContractError(CoursewireError):
    """A channel or an operator's hook broke the hook contract: a programming error in the plugin."""

    code = "contract"
