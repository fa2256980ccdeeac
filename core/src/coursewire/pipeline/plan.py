"""What a run would do, item by item, with reasons. Writes nothing and sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from coursewire.model.payload import Operation
from coursewire.pipeline.export.changes import changed_fields
from coursewire.pipeline.export.prepared import Prepared
from coursewire.storage.audit.records import Records


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One item of a plan.

    Attributes:
        key: Content key, or the key of the outcome's record.
        title: For people.
        operation: What would be sent; None when the item is left.
        reason: Code of why it is sent or left.
        message: More about the reason.
        fields: With an update: the paths of the payload that changed since the LMS last confirmed it.
        payload: What would be sent.
    """

    key: str
    title: str
    operation: Operation | None
    reason: str
    message: str
    fields: tuple[str, ...]
    payload: Any

    def as_dict(self) -> dict[str, Any]:
        """The stable form, as ``plan --json`` prints it."""
        return {
            "key": self.key,
            "title": self.title,
            "operation": self.operation.value if self.operation else None,
            "reason": self.reason,
            "message": self.message,
            "fields": list(self.fields),
        }


async def plan_pages(
    pages: AsyncIterator[list[Prepared]], records: Records[Any]
) -> AsyncIterator[list[PlanItem]]:
    """The plan, page by page, in the order in which a run would take the items."""
    async for page in pages:
        updates = [
            item.record.key
            for item in page
            if item.payload is not None and item.payload.operation is Operation.UPDATE
        ]
        confirmed = await asyncio.to_thread(records.confirmed_payloads, updates) if updates else {}
        yield _items(page, confirmed)


def _items(page: Sequence[Prepared], confirmed: dict[str, dict[str, Any]]) -> list[PlanItem]:
    items = []
    for item in page:
        record, payload = item.record, item.payload
        before = confirmed.get(record.key)
        fields = changed_fields(before, payload.body) if payload is not None and before is not None else []
        items.append(
            PlanItem(
                key=record.key,
                title=item.title,
                operation=payload.operation if payload else None,
                reason=item.reason,
                message=item.message,
                fields=tuple(fields),
                payload=payload.body if payload else None,
            )
        )
    return items
