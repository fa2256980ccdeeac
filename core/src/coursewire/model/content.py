"""Content items, in the JSON shape of Open edX's enterprise-catalog service.

Any field may be missing or null, and new ones appear without notice: everything but the key is optional,
unknown fields are kept, and a date that cannot be read counts as missing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, model_validator

from coursewire.model.instant import as_utc


class ContentType(StrEnum):
    """The four kinds of content item."""

    COURSE = "course"
    COURSE_RUN = "courserun"
    PROGRAM = "program"
    LEARNER_PATHWAY = "learnerpathway"


KEYED_BY_UUID = frozenset({ContentType.PROGRAM, ContentType.LEARNER_PATHWAY})
"""Programs and pathways have no ``key``; their ``uuid`` is their content key."""

_DATETIME = TypeAdapter(datetime)


def instant_of(value: object) -> datetime | None:
    """Read a date as the platform's services write it: any ISO 8601 form; without a zone it is UTC."""
    if value is None or value == "":
        return None
    try:
        instant = _DATETIME.validate_python(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else as_utc(instant)
    except ValueError:  # pydantic's errors are of this class too
        return None


_ENROLLABLE_AVAILABILITY = frozenset({"Current", "Starting Soon", "Upcoming"})

SourceInstant = Annotated[datetime | None, BeforeValidator(instant_of)]


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    availability: str | None = None

    @property
    def is_available(self) -> bool:
        """True where ``availability`` says that learners can enroll, or will be able to."""
        return self.availability in _ENROLLABLE_AVAILABILITY


class CourseRun(_Tolerant):
    """One delivery of a course.

    Times are aware UTC or None; ``min_effort`` and ``max_effort`` are hours a week; prices are in the
    currency of the seat, USD on the platforms seen.
    """

    key: str = ""
    uuid: str | None = None
    title: str | None = None
    start: SourceInstant = None
    end: SourceInstant = None
    enrollment_start: SourceInstant = None
    enrollment_end: SourceInstant = None
    status: str | None = None
    pacing_type: str | None = None
    is_enrollable: bool | None = None
    is_marketable: bool | None = None
    first_enrollable_paid_seat_price: float | int | None = None
    content_language: str | None = None
    min_effort: int | float | None = None
    max_effort: int | float | None = None
    weeks_to_complete: int | float | None = None
    estimated_hours: float | int | None = None


class ContentItem(_Tolerant):
    """A course, course run, program or learner pathway.

    The typed fields are those that channels use most; every other field of the source is reached with
    :meth:`get`. An item is never changed by a channel.
    """

    content_type: ContentType
    key: str | None = None
    uuid: str | None = None
    title: str | None = None
    short_description: str | None = None
    full_description: str | None = None
    image_url: str | None = None
    card_image_url: str | None = None
    enrollment_url: str | None = None
    course_type: str | None = None
    start: SourceInstant = None
    end: SourceInstant = None
    enrollment_start: SourceInstant = None
    enrollment_end: SourceInstant = None
    status: str | None = None
    pacing_type: str | None = None
    content_language: str | None = None
    first_enrollable_paid_seat_price: float | int | None = None
    min_effort: int | float | None = None
    max_effort: int | float | None = None
    weeks_to_complete: int | float | None = None
    estimated_hours: float | int | None = None
    content_last_modified: SourceInstant = None
    advertised_course_run_uuid: str | None = None
    course_runs: tuple[CourseRun, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _null_lists_are_empty(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("course_runs", ()) is None:
            data = {**data, "course_runs": ()}
        return data

    @model_validator(mode="after")
    def _has_a_key(self) -> ContentItem:
        if not (self.uuid if self.content_type in KEYED_BY_UUID else self.key):
            field = "uuid" if self.content_type in KEYED_BY_UUID else "key"
            raise ValueError(f"a {self.content_type.value} needs the field {field!r}")
        return self

    @property
    def content_key(self) -> str:
        """Return the key that identifies the item everywhere: ``key``, or ``uuid`` for programs and pathways."""
        key = self.uuid if self.content_type in KEYED_BY_UUID else self.key
        assert key is not None
        return key

    def get(self, field: str, default: Any = None) -> Any:
        """Any field of the source by name, typed or not; ``default`` when it is missing."""
        if field in type(self).model_fields:
            return getattr(self, field)
        return (self.model_extra or {}).get(field, default)

    def text(self, field: str) -> str | None:
        """Return a field of the source that is a text; None when it is missing, blank or anything else.

        Args:
            field: Name of the field at the source.

        Example:
            >>> item = ContentItem(content_type="course", key="KNOTS", level_type="Basic", video=7)
            >>> item.text("level_type"), item.text("video")
            ('Basic', None)
        """
        value = self.get(field)
        return value if isinstance(value, str) and value.strip() else None

    def objects(self, field: str) -> list[dict[str, Any]]:
        """Return the objects in a list of the source, in their order; members of any other kind are left out.

        Args:
            field: Name of the field at the source. A single object counts as a list of one.

        Example:
            >>> item = ContentItem(content_type="course", key="KNOTS", owners=[None, {"name": "River"}], video=7)
            >>> item.objects("owners"), item.objects("video")
            ([{'name': 'River'}], [])
        """
        value = self.get(field)
        return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]

    def names(self, field: str) -> list[str]:
        """Return the names in a list of texts, or of objects with a ``name``, in their order; other members are left out.

        Args:
            field: Name of the field at the source.

        Example:
            >>> item = ContentItem(content_type="course", key="KNOTS", subjects=["Ropes", {"name": "Boats"}, None])
            >>> item.names("subjects")
            ['Ropes', 'Boats']
        """
        value = self.get(field)
        listed = value if isinstance(value, list) else []
        found = (each.get("name") if isinstance(each, dict) else each for each in listed)
        return [name for name in found if isinstance(name, str)]


class Catalog(BaseModel):
    """A set of content items that a customer may use."""

    model_config = ConfigDict(frozen=True)

    uuid: str
    customer: str
    title: str = ""
    modified: SourceInstant = None


class IdentityProvider(BaseModel):
    """A customer's single sign-on provider; its name for a learner is that learner's remote id."""

    model_config = ConfigDict(frozen=True)

    provider_id: str
    default: bool = False


class Customer(BaseModel):
    """An organisation whose learners use the catalogue."""

    model_config = ConfigDict(frozen=True)

    uuid: str
    name: str = ""
    slug: str = ""
    active: bool = True
    country: str | None = None
    enable_data_sharing_consent: bool = False
    enforce_data_sharing_consent: str = "at_enrollment"
    enable_audit_enrollment: bool = False
    enable_audit_data_reporting: bool = False
    identity_providers: tuple[IdentityProvider, ...] = ()
