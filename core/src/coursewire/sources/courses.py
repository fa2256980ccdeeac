"""Facts of an enrollment's course and run, read from content in the shape of Open edX's enterprise-catalog."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from coursewire.model.content import ContentItem, ContentType, CourseRun, instant_of
from coursewire.model.outcomes import CourseDetails
from coursewire.model.results import CourseFacts

_PARENT_FIELDS = ("course", "parent_content_key")
"""Fields in which a course run that is an item of its own may name its course."""


def course_facts(run_key: str, items: Iterable[ContentItem]) -> CourseFacts:
    """Return the facts of a course run.

    Args:
        run_key: Key of the course run, as the enrollment names it.
        items: Content items that hold the run: a course, the run itself, or both; a course comes first.

    Returns:
        The facts; without a course key if no item holds the run.
    """
    for item in sorted(items, key=lambda item: item.content_type is not ContentType.COURSE):
        if item.content_type is ContentType.COURSE_RUN:
            return _facts(run_key, _parent(item) or run_key, item, item, item.get("seats"))
        for run in item.course_runs:
            if run.key == run_key:
                return _facts(run_key, item.content_key, item, run, (run.model_extra or {}).get("seats"))
    return CourseFacts(course_key=None, run_key=run_key)


def _facts(
    run_key: str, course_key: str, item: ContentItem, run: CourseRun | ContentItem, seats: object
) -> CourseFacts:
    return CourseFacts(
        course_key=course_key,
        run_key=run_key,
        title=item.title or run.title or "",
        end=run.end,
        pacing=run.pacing_type,
        upgrade_deadline=_upgrade_deadline(seats),
        estimated_hours=run.estimated_hours,
        details=CourseDetails(
            title=item.title or run.title or "",
            description=item.short_description or "",
            language=run.content_language or item.content_language or None,
            uuid=item.uuid,
            url=item.enrollment_url,
        ),
    )


def _parent(item: ContentItem) -> str | None:
    return next((key for field in _PARENT_FIELDS if (key := item.get(field)) and isinstance(key, str)), None)


def _upgrade_deadline(seats: object) -> datetime | None:
    """Return the upgrade deadline of the first verified seat; None if there is none that can be read."""
    if not isinstance(seats, list):
        return None
    verified = (seat for seat in seats if isinstance(seat, dict) and seat.get("type") == "verified")
    return instant_of(next(verified, {}).get("upgrade_deadline"))
