"""Results as gradebooks of LMSs hold them: a number in the learner's cell, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.errors import NotExportableError

if TYPE_CHECKING:
    from decimal import Decimal

    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.outcomes import Completion, Outcome


def final_grade(config: ChannelConfig, completion: Completion) -> Decimal | None:
    """The grade of a course, 0 to 1, for an LMS that holds nothing else of a completion; None for none.

    A course that is not completed has no final grade, unless the configuration sends grades in progress: so a
    revoked pass takes its grade away. A zero is a grade.

    Raises:
        NotExportableError: There should be one, and it is unknown.
    """
    if not completion.complete and not config.send_in_progress:
        return None
    if completion.percent is None:
        why = "it is unknown, and a grade is all that the LMS holds of a completion"
        raise NotExportableError("percent", why, next_step="Find the grade at the source.")
    return completion.percent


def learner_of(outcome: Outcome) -> str:
    """What the LMS knows the learner by.

    Raises:
        NotExportableError: It is not known.
    """
    if not outcome.remote_id:
        remedy = "Link the learner: `coursewire learners link`."
        raise NotExportableError(
            "remote_id", "it is not known whom the LMS means by this learner", next_step=remedy
        )
    return outcome.remote_id
