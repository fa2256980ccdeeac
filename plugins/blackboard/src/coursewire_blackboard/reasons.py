"""The reason codes of the Blackboard channel's own, beside core's."""

from __future__ import annotations

import coursewire as cw

REASONS = (
    cw.ReasonInfo(
        code="no-such-column",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.DONE,
        text="the course has no column from which a grade could be taken away",
    ),
    cw.ReasonInfo(
        code="no-points-possible",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="the column has no points in Learn, so that no grade can be a part of them",
        command_step="Give the column points in Learn.",
        lifted_by=cw.TRIED_AGAIN,
    ),
)
