"""Batches: the payloads that travel together in one request."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from more_itertools import batched

from coursewire.model.kinds import Kind
from coursewire.model.payload import Batch, Operation, Payload
from coursewire.pipeline.export.prepared import Prepared

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire.plugins.registry import LoadedChannel

ORDER = (Operation.RETIRE, Operation.CREATE, Operation.UPDATE, None)


def group(
    channel: LoadedChannel, config: ChannelConfig, kind: Kind, prepared: Sequence[Prepared]
) -> Iterator[Batch]:
    """Group payloads into batches.

    Items of one operation travel together, or all where the channel mixes operations. Items of a batch that was refused
    travel apart from the others, in batches no larger than their cap, so that the one at fault does not hold up good
    ones again.
    """
    mixed = channel.channel.capabilities.mixed_operations
    groups: dict[tuple[Operation | None, int | None], list[Payload]] = defaultdict(list)
    for item in prepared:
        assert item.payload is not None
        operation = None if mixed else item.payload.operation
        groups[operation, item.record.batch_cap].append(item.payload)
    for (operation, cap), payloads in sorted(groups.items(), key=_order):
        for batch in channel.hook_caller.make_batches(config, kind, operation, payloads):
            for some in batched(batch.payloads, cap or len(batch.payloads)):
                yield part(batch, some)


def part(batch: Batch, payloads: Sequence[Payload]) -> Batch:
    """Make a batch of its own with some of another's payloads."""
    return replace(batch, payloads=tuple(payloads), id=uuid.uuid4().hex)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Split a refused batch in two, to find the item at fault."""
    middle = (len(batch) + 1) // 2
    return part(batch, batch.payloads[:middle]), part(batch, batch.payloads[middle:])


def _order(entry: tuple[tuple[Operation | None, int | None], list[Payload]]) -> tuple[int, int]:
    (operation, cap), _ = entry
    return ORDER.index(operation), 0 if cap is None else 1
