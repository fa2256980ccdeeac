"""The plan of a run: what it would do, item by item, with reasons.

A job makes one :class:`Plan`, whatever its kind. A run sends what its plan holds; ``coursewire plan``, the console and
the REST API only show it, and then nothing is written and nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation
from coursewire.pipeline.export.changes import changed_fields
from coursewire.pipeline.export.prepared import Prepared

if TYPE_CHECKING:
    from coursewire.configurations.configuration import Configuration
    from coursewire.errors import CoursewireError, GuardError
    from coursewire.storage.audit.records import Records


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One item of a plan.

    Attributes:
        key: The content key, or the key of the outcome's record.
        title: A name for people.
        operation: The operation that would be sent; None when the item is left as it is.
        reason: The reason code of why it is sent or left.
        message: More about the reason, for people.
        fields: With an update: the paths of the payload that changed since the LMS last confirmed it.
        payload: The payload that would be sent; None when the item is left.
    """

    key: str
    title: str
    operation: Operation | None
    reason: str
    message: str
    fields: tuple[str, ...]
    payload: Any

    def as_dict(self) -> dict[str, Any]:
        """Return the stable form, as ``plan --json`` prints it."""
        return {
            "key": self.key,
            "title": self.title,
            "operation": self.operation.value if self.operation else None,
            "reason": str(self.reason),
            "message": self.message,
            "fields": list(self.fields),
        }


async def _no_pages() -> AsyncIterator[list[Prepared]]:
    none: Sequence[list[Prepared]] = ()
    for page in none:
        yield page


@dataclass(slots=True)
class Plan:
    """The plan of a run of one configuration.

    Attributes:
        configuration: The configuration that would run.
        kind: The kind that would be transmitted.
        reason: The reason code of why nothing would be looked at at all; "" when something would.
        left: Items that would not be looked at one by one, counted by reason code.
        failures: Catalogs that could not be read: uuid to the reason why. What they hold stays as it is.
        present: The number of items that the LMS holds now.
        total: The number of items that :meth:`items` gives; 0 when that is known at their end only.
        wanted: The keys of the items that the configuration's catalogs hold. Empty for outcomes.
        guard: The error with which the retirement guard would stop the run; None when it lets the run go on.
        error: The error that stands in the way of a plan; None when there is a plan.
        prepared: The items page by page, as a run takes them. They can be read once.
        records: The records of the items; None when there are no items.
    """

    configuration: Configuration
    kind: Kind
    reason: str = ""
    left: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    present: int = 0
    total: int = 0
    wanted: Container[str] = frozenset()
    guard: GuardError | None = None
    error: CoursewireError | None = None
    prepared: AsyncIterator[list[Prepared]] = field(default_factory=_no_pages, repr=False)
    records: Records[Any] | None = field(default=None, repr=False)

    async def pages(self) -> AsyncIterator[list[PlanItem]]:
        """Yield the items page by page, in the order in which a run would take them.

        They can be read once: a page of them is in memory at a time.
        """
        async for page in self.prepared:
            updates = [
                item.record.key
                for item in page
                if item.payload is not None and item.payload.operation is Operation.UPDATE
            ]
            confirmed: Mapping[str, Mapping[str, Any]] = {}
            if updates and self.records is not None:
                confirmed = await asyncio.to_thread(self.records.confirmed_payloads, updates)
            yield _items(page, confirmed)

    async def items(self) -> AsyncIterator[PlanItem]:
        """Yield the items one by one, with what would be done and why. They can be read once."""
        async for page in self.pages():
            for item in page:
                yield item


def _items(page: Sequence[Prepared], confirmed: Mapping[str, Mapping[str, Any]]) -> list[PlanItem]:
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
