"""The reason codes of the Degreed v1 channel's own, beside core's."""

from __future__ import annotations

import coursewire as cw

REASONS = (
    cw.ReasonInfo(
        code="already-gone",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.DONE,
        text="it was not at Degreed any more when it was to be taken away",
    ),
)
