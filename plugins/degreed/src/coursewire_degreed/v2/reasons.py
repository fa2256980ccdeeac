"""The reason codes of the Degreed v2 channel's own, beside core's."""

from __future__ import annotations

import coursewire as cw

REASONS = (
    cw.ReasonInfo(
        code="already-gone",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.DONE,
        text="it was not at Degreed any more when it was to be taken away",
    ),
    cw.ReasonInfo(
        code="other-course",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.FAILED,
        text="Degreed answered for another course than the one that was sent",
        command_step="It is tried again by later runs.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="url-taken",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="another course at Degreed has this one's address",
        command_step="Delete the other course at Degreed, or give the item another address at the source.",
        lifted_by=cw.UNTIL_CHANGED,
    ),
    cw.ReasonInfo(
        code="skills-missing",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.FAILED,
        text="the course arrived and its skills did not",
        command_step="They are sent again with the course by later runs.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="skills-refused",
        group=cw.ReasonGroup.ITEM,
        counted_as=cw.CountedAs.DONE,
        text="the course arrived, and Degreed refused its skills",
        command_step="Correct the skills at the source, if they matter.",
    ),
    cw.ReasonInfo(
        code="completion-id-unknown",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="the completion is to be taken back, and its id at Degreed is not known",
        command_step="Delete it there by hand.",
        lifted_by=cw.TRIED_AGAIN,
    ),
)
