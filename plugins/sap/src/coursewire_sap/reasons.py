"""The reason codes of the SAP channel's own, beside core's."""

from __future__ import annotations

import coursewire as cw

REASONS = (
    cw.ReasonInfo(
        code="learner-refused-at-lms",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="SAP gives a token to the service user, but none for this learner",
        command_step="See whether the learner has an account there that may report results.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="learner-inactive-at-lms",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="the learner's account at SAP is inactive",
        command_step="Activate it there, or unlink who has left: `coursewire learners inactive`.",
        console_step="Activate it there, or let an operator unlink who has left.",
        lifted_by=cw.TRIED_AGAIN,
    ),
)
