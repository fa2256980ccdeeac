"""The lines of a bundle's files, read strictly: an unknown field, a naive time or a guess is refused.

Content items are the exception, since their shape is open: every field of theirs is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from coursewire.model.content import KEYED_BY_UUID, Catalog, ContentItem, Customer, IdentityProvider
from coursewire.model.instant import Instant
from coursewire.model.outcomes import Percent
from coursewire.model.payload import fingerprint
from coursewire.model.results import ConsentState, LicenseState

MAX_KEY = 255
"""Longest key, in characters: what the databases can index."""


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds the character U+0000, which databases cannot keep")
    return text


def _exact(key: str) -> str:
    # MySQL compares without trailing spaces, so such keys would meet each other there.
    if key != key.strip():
        raise ValueError("begins or ends with white space")
    return _storable(key)


Key = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY), AfterValidator(_exact)]
Text = Annotated[str, StringConstraints(max_length=255), AfterValidator(_storable)]
LongText = Annotated[str, AfterValidator(_storable)]
UuidKey = Annotated[str, AfterValidator(lambda text: str(UUID(text)))]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Points = Annotated[Decimal, Field(ge=0, max_digits=30)]


class Row(BaseModel):
    """One line of a file; ``key_fields`` together name its subject, and their values occur once in a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key_fields: ClassVar[tuple[str, ...]]

    @property
    def key(self) -> tuple[str, ...]:
        """The values of ``key_fields``."""
        return tuple(getattr(self, name) for name in self.key_fields)

    @property
    def version(self) -> str:
        """Digest of the line's data; equal lines have equal versions, whatever the order of their fields."""
        return fingerprint(self.model_dump(mode="json"))


class ProviderRow(IdentityProvider):
    """One of a customer's identity providers."""

    model_config = ConfigDict(extra="forbid")
    provider_id: Key


class CustomerRow(Row):
    """A line of ``customers.jsonl``."""

    key_fields = ("uuid",)
    uuid: UuidKey
    name: Text
    slug: Text = ""
    active: bool = True
    country: Annotated[str, StringConstraints(pattern="^[A-Za-z]{2}$")] | None = None
    enable_data_sharing_consent: bool = False
    enforce_data_sharing_consent: Literal["at_enrollment", "externally_managed"] = "at_enrollment"
    enable_audit_enrollment: bool = False
    enable_audit_data_reporting: bool = False
    identity_providers: tuple[ProviderRow, ...] = ()

    def customer(self) -> Customer:
        """Return the line as the model that the other rooms use."""
        return Customer.model_validate(self.model_dump())


class CatalogRow(Row):
    """A line of ``catalogs.jsonl``; ``content_keys`` is required, because a missing list is not an empty one."""

    key_fields = ("uuid",)
    uuid: UuidKey
    customer: UuidKey
    title: Text = ""
    modified: Instant | None = None
    content_keys: tuple[Key, ...]

    @field_validator("content_keys")
    @classmethod
    def _a_set(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(keys)))

    def catalog(self) -> Catalog:
        """Return the line as the model that the other rooms use."""
        return Catalog(uuid=self.uuid, customer=self.customer, title=self.title, modified=self.modified)


class LearnerRow(Row):
    """A line of ``learners.jsonl``: a learner at one customer."""

    key_fields = ("username", "customer")
    username: Key
    customer: UuidKey
    email: Text | None = None
    active: bool
    linked: bool
    remote_ids: dict[Key, Key] = Field(default_factory=dict)
    pending: bool = False

    @field_validator("pending")
    @classmethod
    def _without_account(cls, pending: bool, info: ValidationInfo) -> bool:
        if pending and info.data.get("username") != info.data.get("email"):
            raise ValueError("is true, so that username must be the e-mail address")
        if pending and info.data.get("remote_ids"):
            raise ValueError("is true, and without an account there are no remote ids")
        return pending


_GRANTED = {
    ConsentState.GRANTED: True,
    ConsentState.IMPLIED: True,
    ConsentState.REFUSED: False,
    ConsentState.UNANSWERED: None,
    ConsentState.UNKNOWN: None,
}


class EnrollmentRow(Row):
    """A line of ``enrollments.jsonl``; missing consent is unknown, which is not a yes.

    ``consent_granted`` is the short form of ``consent``; a line that has both must not contradict itself.
    """

    key_fields = ("username", "course_id", "customer")
    username: Key
    customer: UuidKey
    course_id: Key
    mode: Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(_exact)]
    is_active: bool
    created: Instant | None = None
    unenrolled_at: Instant | None = None
    consent_granted: bool | None = None
    consent: ConsentState | None = None
    consent_granted_by: Text | None = None
    consent_granted_at: Instant | None = None
    license_state: LicenseState | None = None
    license_assigned_at: Instant | None = None
    license_activated_at: Instant | None = None
    license_revoked_at: Instant | None = None
    license_expires_at: Instant | None = None

    @field_validator("consent")
    @classmethod
    def _no_contradiction(cls, consent: ConsentState | None, info: ValidationInfo) -> ConsentState | None:
        granted = info.data.get("consent_granted")
        if consent is not None and granted is not None and _GRANTED[consent] is not granted:
            raise ValueError("contradicts consent_granted")
        return consent

    @property
    def consent_state(self) -> ConsentState:
        """Return the consent that both fields give together."""
        if self.consent is not None:
            return self.consent
        if self.consent_granted is None:
            return ConsentState.UNKNOWN
        return ConsentState.GRANTED if self.consent_granted else ConsentState.REFUSED

    @property
    def id(self) -> str:
        """The enrollment's id: the same wherever and whenever this line is loaded."""
        return fingerprint([self.customer, self.username, self.course_id])


class SubsectionRow(BaseModel):
    """A learner's result in one subsection."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    subsection_id: Key
    subsection_name: LongText = ""
    points_possible: Points
    points_earned: Points | None = None
    attempted: bool


class GradeRow(Row):
    """A line of ``grades.jsonl``; a missing grade is unknown, which is not zero."""

    key_fields = ("username", "course_id")
    username: Key
    course_id: Key
    percent: Percent | None = None
    letter_grade: Text | None = None
    passed: bool | None = None
    passed_timestamp: Instant | None = None
    modified: Instant | None = None
    incomplete_non_gated_content: Count | None = None
    subsections: tuple[SubsectionRow, ...] = ()

    @field_validator("subsections")
    @classmethod
    def _each_once(cls, subsections: tuple[SubsectionRow, ...]) -> tuple[SubsectionRow, ...]:
        if len({one.subsection_id for one in subsections}) < len(subsections):
            raise ValueError("names a subsection twice")
        return subsections


class CertificateRow(Row):
    """A line of ``certificates.jsonl``."""

    key_fields = ("username", "course_id")
    username: Key
    course_id: Key
    status: Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(_exact)]
    is_passing: bool | None = None
    grade: Text | None = None
    created: Instant | None = None
    modified: Instant | None = None


@dataclass(frozen=True, slots=True)
class ContentRow:
    """A line of ``content.jsonl``.

    Attributes:
        item: The item, typed.
        data: The line's object as it was read, with every field.
        run_keys: Keys of the item's course runs; of a course run item its own.
        offset: Offset of the line in the file, in bytes.
    """

    item: ContentItem
    data: dict[str, Any]
    run_keys: tuple[str, ...]
    offset: int

    @property
    def key_fields(self) -> tuple[str, ...]:
        """Names of the key: ``uuid`` for programs and pathways, ``key`` for courses and runs."""
        return ("uuid",) if self.item.content_type in KEYED_BY_UUID else ("key",)

    @property
    def key(self) -> tuple[str, ...]:
        """The content key."""
        return (self.item.content_key,)

    @property
    def version(self) -> str:
        """Digest of the line's data."""
        return fingerprint(self.data)
