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
)
