"""Core's own hooks, called where neither an operator nor the channel has an answer."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from coursewire.hooks import hookimpl
from coursewire.http.retry import throttles_by_403
from coursewire.model.configuration import Resend
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import LastReported
from coursewire.model.payload import Batch, JsonObject, Operation, Payload, canonical_json

if TYPE_CHECKING:
    import httpx

    from coursewire.model.channel import Channel, Limits
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import ContentItem
    from coursewire.model.outcomes import Outcome


class CoreDefaults:
    """Core's hooks for one channel, whose limits they keep to."""

    def __init__(self, channel: Channel) -> None:
        self._limits = channel.limits
        self._throttles_by_403 = any(sign.startswith("403") for sign in channel.capabilities.slow_down)

    @hookimpl
    def export_retirement(self, confirmed: Mapping[str, Any]) -> JsonObject:
        """Return a copy of what the LMS confirmed, so that wrappers may change it."""
        return copy.deepcopy(dict(confirmed))

    @hookimpl
    def remote_key(self, item: ContentItem) -> str:
        """The content key."""
        return item.content_key

    @hookimpl
    def make_batches(
        self, config: ChannelConfig, kind: Kind, operation: Operation | None, payloads: Sequence[Payload]
    ) -> Iterator[Batch]:
        """Fill each batch to the limits before the next one begins; with ``outcomes_by``, for each value anew."""
        by = self._limits.outcomes_by if kind.is_outcome else ()
        ordered = sorted(payloads, key=lambda payload: [str(payload.body[name]) for name in by])
        for _, together in groupby(ordered, key=lambda payload: [payload.body[name] for name in by[:1]]):
            yield from self._filled(config, kind, operation, together)

    def _filled(
        self, config: ChannelConfig, kind: Kind, operation: Operation | None, payloads: Iterable[Payload]
    ) -> Iterator[Batch]:
        most_items = items_limit(self._limits, config, kind)
        most_bytes = self._limits.batch_bytes
        batch: list[Payload] = []
        held_bytes = 0
        for payload in payloads:
            size = wire_bytes(payload) if most_bytes else 0
            if batch and (len(batch) >= most_items or (most_bytes and held_bytes + size > most_bytes)):
                yield Batch(operation, tuple(batch))
                batch, held_bytes = [], 0
            batch.append(payload)
            held_bytes += size
        if batch:
            yield Batch(operation, tuple(batch))

    @hookimpl
    def should_transmit(
        self, config: ChannelConfig, outcome: Outcome, last_reported: LastReported | None
    ) -> bool:
        """Decide as ``resend_outcomes`` says; that a course is completed, joined or left is news in any case."""
        if last_reported is None:
            return True
        now = LastReported.of(outcome)
        if not outcome.corrects and now.complete is not last_reported.complete:
            return True
        match config.resend_outcomes:
            case Resend.CHANGED:
                return True
            case Resend.IMPROVED:
                return last_reported.improved_by(now)
            case Resend.NEVER:
                return now.complete and not last_reported.complete

    @hookimpl
    def read_slow_down(self, response: httpx.Response) -> float | None:
        """A 403 that says that no calls are left, where the channel declares such; and no answer but that."""
        return 0.0 if self._throttles_by_403 and throttles_by_403(response) else None

    @hookimpl
    def batch_sending(self, batch: Batch) -> Batch:
        """Let it go."""
        return batch


def items_limit(limits: Limits, config: ChannelConfig, kind: Kind) -> int:
    """The most items that one batch may hold: the channel's limit, or less where the configuration says so."""
    most = limits.most_items(kind)
    return min(most, config.transmission_chunk_size or most)


def wire_bytes(payload: Payload) -> int:
    """Return the size that a payload adds to a batch: its canonical JSON and a separator, in bytes."""
    return len(canonical_json(payload.body)) + 1
