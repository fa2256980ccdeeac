"""The fault behind a refusal: one item's, or that of the configuration by which every item would be refused."""

from __future__ import annotations

from collections.abc import Sequence

from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation, Result, ResultKind
from coursewire.model.reasons import Reason, ReasonGroup, ReasonInfo, find_reason, reason_of

IN_A_ROW = 3
"""So many refusals that may be the configuration's, with no word about an item between them, are its fault."""

_WHATEVER_IT_CARRIES = frozenset({402, 403, 405, 451})
"""Statuses that LMSs give for missing rights and wrong addresses."""
_NO_COLLECTION = frozenset({404, 410})
"""Statuses of a new item's request when there is nothing at the address to which new items go."""
_ABOUT_ITEMS = frozenset(
    {ResultKind.ACCEPTED, ResultKind.ALREADY_SO, ResultKind.REJECTED, ResultKind.BLOCKED}
)


def is_of_configuration(result: Result, own: Sequence[ReasonInfo] = ()) -> bool:
    """Return True when a result says by its reason that the configuration is at fault.

    Args:
        result: The LMS's answer about an item.
        own: The rows of the channel's own reason codes.
    """
    info = find_reason(reason_of(result), own)
    return result.kind is ResultKind.BLOCKED and info is not None and info.group is ReasonGroup.CONFIGURATION


def may_be_of_configuration(kind: Kind, operation: Operation, result: Result) -> bool:
    """Return True when the LMS may refuse every item in this way, such as after a right was taken away.

    Args:
        kind: The kind of the item.
        operation: The operation that was refused.
        result: The LMS's answer about the item.

    Example:
        >>> forbidden = Result(ResultKind.BLOCKED, reason=Reason.FORBIDDEN, http_status=403)
        >>> may_be_of_configuration(Kind.CONTENT, Operation.UPDATE, forbidden)
        True
        >>> invalid = Result(ResultKind.REJECTED, reason=Reason.INVALID, http_status=422)
        >>> may_be_of_configuration(Kind.CONTENT, Operation.UPDATE, invalid)
        False
    """
    if result.kind not in (ResultKind.REJECTED, ResultKind.BLOCKED):
        return False
    of_core = result.reason in ("", *map(str, Reason))
    no_collection = (
        kind is Kind.CONTENT and operation is Operation.CREATE and result.http_status in _NO_COLLECTION
    )
    unnamed = result.kind is ResultKind.BLOCKED and result.reason in ("", Reason.BLOCKED)
    return of_core and (unnamed or no_collection or result.http_status in _WHATEVER_IT_CARRIES)


def is_about_item(result: Result) -> bool:
    """Return True when a result that is not suspicious shows that the LMS takes calls of this configuration."""
    return result.kind in _ABOUT_ITEMS
