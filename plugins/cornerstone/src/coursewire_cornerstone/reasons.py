"""The reason codes of the Cornerstone channel's own, beside core's."""

from __future__ import annotations

import coursewire as cw

REASONS = (
    cw.ReasonInfo(
        code="no-assignment",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="the portal has no assignment of this course for the learner",
        command_step="Assign the course to the learner in the portal; later runs look again.",
        lifted_by=cw.TRIED_AGAIN,
    ),
)
