"""The base of every channel's configuration model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretBytes,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from coursewire.model.addresses import check_host, is_public, plain_path

if TYPE_CHECKING:
    from coursewire.model.channel import Rate

INSECURE_URLS = "insecure_urls"
"""Key of the validation context that allows plain http and private addresses (tests, simulators)."""


UNSTORABLE = "credential_in_value"
"""Error type of a value that may hold a credential where none belongs: not even a draft keeps it."""


def _lms_url(value: str, info: ValidationInfo) -> str:
    value = value.strip()
    if "@" in value:
        raise PydanticCustomError(
            UNSTORABLE, "user name and password do not belong into the URL; use the fields made for them"
        )
    if "?" in value or "#" in value:
        raise PydanticCustomError(UNSTORABLE, "leave out everything from '?' or '#' on")
    parts = urlsplit(value)
    if not parts.scheme or not parts.hostname:
        raise ValueError("write an absolute URL with scheme and host, such as https://lms.example.com")
    if parts.scheme not in ("https", "http"):
        raise ValueError(f"the scheme {parts.scheme!r} is not http or https")
    if _NOT_IN_URLS.search(value):
        raise ValueError("a URL has no blanks, control characters or backslashes")
    _ = parts.port  # raises ValueError when it is not a port
    check_host(parts.hostname)
    if not (info.context or {}).get(INSECURE_URLS, False):
        if parts.scheme == "http":
            raise ValueError("plain http is refused; use https (COURSEWIRE_ALLOW_INSECURE_URLS=1 for tests)")
        if _is_private(parts.hostname):
            raise ValueError(
                f"{parts.hostname} is a private or local address; an LMS has a public one "
                "(COURSEWIRE_ALLOW_INSECURE_URLS=1 for tests)"
            )
    return value.rstrip("/")


_NOT_IN_URLS = re.compile(r"[\s\\\x00-\x1f\x7f]")


def _is_private(host: str) -> bool:
    host = host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(host)
    except ValueError:
        return False  # a name: its addresses are checked when it is resolved, at every connection


_AN_LMS_URL = AfterValidator(_lms_url)


@dataclass(frozen=True, slots=True)
class Destination:
    """Marks a field that decides where a configuration's credentials are sent, such as a tenant or a company.

    Who changes such a field must enter the configuration's secrets again, so that they go only where they were entered
    for. Fields that hold URLs are destinations anyway; one that no request goes to says ``Destination(False)``.

    Args:
        decides: False for a URL that no request goes to, such as that of a page for people.

    Example:
        ::

            class AcmeConfig(cw.ChannelConfig):
                acme_url: cw.LmsUrl
                tenant: Annotated[str, cw.Destination()]
                help_page: Annotated[cw.OptionalUrl, cw.Destination(False)] = None
    """

    decides: bool = True


LmsUrl = Annotated[
    str, Field(max_length=255, json_schema_extra={"format": "uri"}), _AN_LMS_URL, Destination()
]
"""The base URL of an LMS: absolute, https, public. Kept without a trailing slash."""


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


OptionalUrl = Annotated[LmsUrl | None, BeforeValidator(_blank_is_none)]
"""A second one that need not be there; blank is none."""


AbsolutePath = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(plain_path)]
"""A path at the LMS that begins with a slash, names no host, and is kept without a slash at its end."""


Secret = Annotated[SecretStr, Field(min_length=1)]
"""A credential that must be filled in: encrypted at rest, and never shown."""


class CompletionPolicy(StrEnum):
    """The rules by which a learner counts as having completed a course; the tables are in docs/explanation/completion-rules.md."""

    PASSED = "passed"
    EVIDENCE = "evidence"
    PACING = "pacing"


class LearnerId(StrEnum):
    """The kinds of id by which an LMS may know learners."""

    SSO = "sso"
    EMAIL = "email"
    EMPLOYEE_ID = "employee_id"
    LAUNCH = "launch"
    """The id that came with the learner's launch of a course from the LMS."""


class Resend(StrEnum):
    """The new results that are sent again for an outcome which the LMS has confirmed before."""

    CHANGED = "changed"
    IMPROVED = "improved"
    NEVER = "never"


class ResultPolicy(StrEnum):
    """The policies by which one of several results of a learner in one course at the LMS stands."""

    BEST = "best"
    LATEST = "latest"
    FIRST_PASS = "first_pass"


class ChannelConfig(BaseModel):
    """One customer's settings for one channel: the fields that every channel has.

    A channel subclasses it and adds its own. A field without a default must be filled before the
    configuration can become active; secrets are ``SecretStr``. The docstring below a field is its help
    in forms, on the command line and in the reference.

    Where a rule spans several fields ("a token, or user name and password"), check it in a model validator
    and raise ``PydanticCustomError("missing", "token, or username and password")`` for what is not filled in yet,
    ``ValueError`` for what is wrong.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    code: ClassVar[str] = ""

    display_name: str = Field(default="", max_length=255)
    """Nickname for people."""
    idp_id: str = Field(default="", max_length=255)
    """Identity provider whose name for a learner is sent; empty for the customer's default."""
    dry_run_mode_enabled: bool = False
    """Plan and log, but send nothing."""
    transmission_chunk_size: int | None = Field(default=None, gt=0)
    """Items a request; may only lower the channel's limit. None for as many as the LMS takes."""
    catalogs_to_transmit: tuple[UUID, ...] = ()
    """The catalogs to send; empty for all of the customer's. Also taken as comma-separated text."""
    disable_learner_data_transmissions: bool = False
    """Send nothing about learners: no completions, assessments or enrollments."""
    completion_policy: CompletionPolicy = CompletionPolicy.PASSED
    """When a course counts as completed: ``passed`` (passing now, and known since when), ``evidence`` (a
    certificate or the date of passing) or ``pacing`` (by the pacing of the run)."""
    learner_id: LearnerId = LearnerId.SSO
    """The field by which the LMS knows learners: ``sso`` (the identity provider's id), ``email``, ``employee_id``, or
    ``launch`` (the id that came with a learner's launch from the LMS, where the channel takes launches)."""
    include_inactive_learners: bool = False
    """Send results also of learners who have another customer selected at the moment."""
    send_in_progress: bool = False
    """Send results of learners who have not completed the course, where the LMS takes them."""
    resend_outcomes: Resend = Resend.CHANGED
    """Send a confirmed outcome again when it has ``changed``, only when it has ``improved``, or ``never``."""
    result_policy: ResultPolicy = ResultPolicy.BEST
    """The result that stands where a learner took a course more than once, in runs that are one course at the LMS: the
    ``best``, the ``latest``, or the ``first_pass``. Progress never replaces a completion."""
    show_course_price: bool = False
    """Send the real price."""

    @field_validator("catalogs_to_transmit", mode="before")
    @classmethod
    def _split_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        return tuple(dict.fromkeys(map(str, value))) if isinstance(value, list | tuple) else value

    @property
    def lms_url(self) -> str:
        """Base URL of the LMS, without a trailing slash: the one field that is an :data:`LmsUrl`.

        A channel with none or several of them defines this property itself.
        """
        fields = [name for name, info in type(self).model_fields.items() if _AN_LMS_URL in info.metadata]
        if len(fields) != 1:
            raise NotImplementedError(
                f"{type(self).__name__} does not say where its LMS is: give it one field of the type LmsUrl, or "
                "define the property lms_url"
            )
        return str(getattr(self, fields[0]))

    @property
    def learner_id_otherwise(self) -> LearnerId | None:
        """The kind of id that is sent for learners who have no ``learner_id``; None sends nothing about them."""
        return None

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts, beside that of ``lms_url``, that requests of this configuration may go to, in lower case.

        For example the vendor's token server, where that is another host than its API.
        """
        return frozenset()

    @property
    def limit_scope(self) -> str:
        """The text by which the vendor counts this configuration's calls; two configurations with the same scope share its limits.

        The host of the LMS, unless the channel narrows it, for example to host and company. Never a secret
        itself: where the vendor counts by credential, give a digest.
        """
        return urlsplit(self.lms_url).netloc.lower()

    def rates(self, limits: Mapping[str, Rate]) -> Mapping[str, Rate]:
        """Return the rates of this configuration: the channel's, lowered or raised by the customer's fields.

        Args:
            limits: The channel's rates by the names of their buckets.
        """
        said = {name: getattr(self, rate.setting) for name, rate in limits.items() if rate.setting}
        if not said:
            return limits
        return {**limits, **{name: limits[name].model_copy(update={"calls": n}) for name, n in said.items()}}

    @classmethod
    def secret_fields(cls) -> frozenset[str]:
        """Names of the fields whose values are secrets."""
        return frozenset(name for name, info in cls.model_fields.items() if _mentions_secret(info.annotation))

    @classmethod
    def marked_destinations(cls) -> Mapping[str, bool]:
        """Fields that have the mark :class:`Destination`, each with what it says; the outermost mark counts."""
        marked: dict[str, bool] = {}
        for name, info in cls.model_fields.items():
            marks = [mark for mark in info.metadata if isinstance(mark, Destination)]
            marks = marks[-1:] or _marks_in(info.annotation)
            if marks:
                marked[name] = any(mark.decides for mark in marks)
        return marked


def _marks_in(annotation: Any) -> list[Destination]:
    marks = [mark for mark in getattr(annotation, "__metadata__", ()) if isinstance(mark, Destination)]
    inner = (_marks_in(part) for part in getattr(annotation, "__args__", ()))
    return marks[-1:] or [mark for found in inner for mark in found]


def _mentions_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, SecretStr | SecretBytes):
        return True
    return any(_mentions_secret(part) for part in getattr(annotation, "__args__", ()))
