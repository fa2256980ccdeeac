"""The dictionaries that the Enrollment API gives and takes.

An instant is an aware datetime, or its ISO 8601 text, where a backend answers;
:class:`~coursewire.enrollment.enrollments.EnrollmentApi` hands all of them on as text, such as ``2026-05-17T12:30:15Z``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

Instant = datetime | str


class Mode(TypedDict):
    """One way to take a course run.

    ``min_price`` is in whole units of ``currency`` (ISO 4217, small letters); ``suggested_prices`` is a
    list with commas between, "" when there is none; a mode without ``expiration_datetime`` does not expire.
    """

    slug: str
    name: str
    min_price: int | float
    suggested_prices: str
    currency: str
    expiration_datetime: Instant | None
    description: str | None
    sku: str | None
    bulk_sku: str | None


class Course(TypedDict):
    """A course run. A date that is None sets no limit; ``pacing_type`` is None when nobody knows."""

    course_id: str
    course_name: str
    enrollment_start: Instant | None
    enrollment_end: Instant | None
    course_start: Instant | None
    course_end: Instant | None
    invite_only: bool
    course_modes: list[Mode]
    pacing_type: str | None


class Enrollment(TypedDict):
    """A user's enrollment in a course run; ``course_details`` is None when the run is gone."""

    created: Instant | None
    mode: str
    is_active: bool
    user: str
    course_details: Course | None


class Attribute(TypedDict):
    """A fact of a caller's own about an enrollment, found by ``namespace`` and ``name``."""

    namespace: str
    name: str
    value: str


class Role(TypedDict):
    """A user's role in a course run, or, with "" as ``course_id``, in all course runs of an organisation."""

    role: str
    org: str
    course_id: str
