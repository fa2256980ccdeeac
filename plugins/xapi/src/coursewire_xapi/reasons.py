"""The reason codes of the xAPI channel's own, beside core's."""

from __future__ import annotations

import coursewire as cw

REASONS = (
    cw.ReasonInfo(
        code="nothing-to-void",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.FAILED,
        text="no statement is known that could be voided",
        command_step="Nothing is to be done unless the store has a statement that was made otherwise.",
        lifted_by=cw.UNTIL_CHANGED,
    ),
    cw.ReasonInfo(
        code="not-shown-yet",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.FAILED,
        text="the store neither named nor shows the statement",
        command_step="Later runs look again.",
        lifted_by=cw.TRIED_AGAIN,
    ),
)
