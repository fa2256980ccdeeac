"""The reason codes of the Canvas channel's own, beside core's."""

from __future__ import annotations

import coursewire as cw

REASONS = (
    cw.ReasonInfo(
        code="other-course",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.FAILED,
        text="Canvas answered for another course than the one that was sent",
        command_step="It is tried again by later runs.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="deleted-at-canvas",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="the course was deleted in Canvas and could not be restored",
        command_step="Let an account administrator restore it under Admin > Admin Tools > Restore Content, or take the item out of the catalog.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="integration-id-not-set",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="Canvas took the course without its integration id, so that it cannot be found again",
        command_step="Give the role of the token's user the right 'SIS Data - manage' in Canvas.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="image-missing",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.FAILED,
        text="the course was created without its image",
        command_step="It is sent again by later runs.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="learner-not-enrolled",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="the user is not a student of the course in Canvas",
        command_step="Enrol the user there.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="no-such-assignment",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.DONE,
        text="the course has no assignment from which a grade could be taken away",
    ),
    cw.ReasonInfo(
        code="no-points-possible",
        group=cw.ReasonGroup.PERSON,
        counted_as=cw.CountedAs.FAILED,
        text="the assignment has no points in Canvas, so that no grade can be a part of them",
        command_step="Give the assignment points in Canvas.",
        lifted_by=cw.TRIED_AGAIN,
    ),
    cw.ReasonInfo(
        code="bulk-failed",
        group=cw.ReasonGroup.ITEM,
        counted_as=cw.CountedAs.FAILED,
        text="Canvas could not write all grades that were sent together",
        command_step="Look at the words of Canvas that stand with it; smaller batches find the grade at fault.",
        lifted_by=cw.UNTIL_CHANGED,
    ),
    cw.ReasonInfo(
        code="grading-under-way",
        group=cw.ReasonGroup.LMS,
        counted_as=cw.CountedAs.FAILED,
        text="Canvas was still writing the grades after a minute",
        command_step="The next run looks again.",
        lifted_by=cw.TRIED_AGAIN,
    ),
)
