"""The rules of course modes: which is chosen, which is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from coursewire.enrollment.errors import CourseModeNotFoundError

if TYPE_CHECKING:
    from coursewire.enrollment.shapes import Course

FREE_MODES: Final = ("audit", "honor")
"""Chosen for a learner in this order when nobody names a mode; the others cost money or mean work."""

_BEST_FIRST: Final = ("verified", "professional", "no-id-professional", "audit", "honor")


def slugs(course: Course) -> list[str]:
    """The modes of a course, in its order."""
    return [mode["slug"] for mode in course["course_modes"]]


def default_mode(course: Course, configured: str) -> str:
    """The mode for a learner for whom nobody names one.

    Args:
        course: With the modes that have not expired.
        configured: The installation's default.

    Returns:
        ``configured`` if it is offered, else ``audit``, else ``honor``, else ``configured`` all the same: the
        validation that follows then refuses it and shows what is offered.
    """
    offered = slugs(course)
    return next((slug for slug in (configured, *FREE_MODES) if slug in offered), configured)


def best_mode(course: Course) -> str:
    """The mode that a customer's licence buys: the best of those that have not expired, else ``audit``."""
    offered = slugs(course)
    return next((slug for slug in _BEST_FIRST if slug in offered), "audit")


def takes_expired(*, is_active: bool | None, include_expired: bool) -> bool:
    """Tell whether an expired mode will do: it does for who leaves, since one may leave an expired track."""
    return include_expired or is_active is False


def require_mode(course: Course, mode: str) -> None:
    """Make sure that a course offers a mode.

    Raises:
        CourseModeNotFoundError: It does not; the error carries the course.
    """
    offered = slugs(course)
    if mode not in offered:
        raise CourseModeNotFoundError(
            f"the mode {mode!r} is not offered",
            course,
            where=course["course_id"],
            why=f"offered are: {', '.join(offered) or 'none'}",
            next_step="Name one of these, or include expired modes.",
        )
