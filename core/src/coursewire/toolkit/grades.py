"""A learner's result as the gradebook of an LMS holds it: a number in the learner's cell, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError

if TYPE_CHECKING:
    from decimal import Decimal

    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.outcomes import Completion, Outcome


def final_grade(config: ChannelConfig, completion: Completion) -> Decimal | None:
    """Return the grade of a course, 0 to 1, for an LMS that holds nothing else of a completion; None for no grade.

    A course that is not completed has no final grade, unless the configuration sends grades in progress: a completion that
    is revoked takes its grade away. A zero is a grade.

    Args:
        config: The configuration; its ``send_in_progress`` decides about courses that are not completed.
        completion: The learner's result in the course.

    Raises:
        NotExportableError: There should be a grade, and it is unknown.

    Example:
        >>> done = cw.Completion(
        ...     enrollment_id="1",
        ...     username="pat",
        ...     email=None,
        ...     remote_id="7",
        ...     course_key="KNOTS",
        ...     course_run_key="2026",
        ...     verdict=cw.Verdict.PASS,
        ...     complete=True,
        ...     completed_at=None,
        ...     percent="0.875",
        ... )
        >>> cw.final_grade(cw.ChannelConfig(), done)
        Decimal('0.875')
    """
    if not completion.complete and not config.send_in_progress:
        return None
    if completion.percent is None:
        why = "it is unknown, and a grade is all that the LMS holds of a completion"
        raise NotExportableError("percent", why, next_step="Find the grade at the source.")
    return completion.percent


def learner_of(outcome: Outcome) -> str:
    """Return the id by which the LMS knows the learner of an outcome.

    Args:
        outcome: The completion, assessment or enrollment.

    Raises:
        NotExportableError: No id of the learner at the LMS is known; ``coursewire learners link`` gives one.

    Example:
        >>> done = cw.Completion(
        ...     enrollment_id="1",
        ...     username="pat",
        ...     email=None,
        ...     remote_id="7",
        ...     course_key="KNOTS",
        ...     course_run_key="2026",
        ...     verdict=cw.Verdict.PASS,
        ...     complete=True,
        ...     completed_at=None,
        ...     percent=None,
        ... )
        >>> cw.learner_of(done)
        '7'
    """
    if not outcome.remote_id:
        remedy = "Link the learner: `coursewire learners link`."
        raise NotExportableError(
            "remote_id", "it is not known whom the LMS means by this learner", next_step=remedy
        )
    return outcome.remote_id
