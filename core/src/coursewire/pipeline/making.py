"""The job of a kind: whoever starts one, a person, the schedule or a host service, makes it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.model.payload import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob

if TYPE_CHECKING:
    from coursewire.configurations.configuration import Configuration
    from coursewire.installation import Installation


def make_job(
    installation: Installation,
    configuration: Configuration,
    kind: Kind,
    *,
    force: bool = False,
    confirm_retire: int | None = None,
    learner: str | None = None,
    course: str | None = None,
) -> ContentJob | OutcomeJob:
    """A job for one configuration; it is not run yet.

    Args:
        installation: On which it works.
        configuration: Whose.
        kind: What is transmitted.
        force: Send what is unchanged, too, and heed no pause.
        confirm_retire: How many retirements a person agreed to; content only.
        learner: Only this learner's outcomes.
        course: Only outcomes in this course or run.

    Raises:
        ValueError: An option that the kind does not have.
    """
    if kind is Kind.CONTENT:
        if learner is not None or course is not None:
            raise ValueError("learner and course are for outcomes")
        return ContentJob(installation, configuration, force=force, confirm_retire=confirm_retire)
    if confirm_retire is not None:
        raise ValueError("confirm_retire is for content; no outcome is ever retired")
    return OutcomeJob(installation, configuration, kind, force=force, learner=learner, course=course)
