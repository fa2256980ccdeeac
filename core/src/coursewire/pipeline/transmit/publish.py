"""Offering: laying content ready for an LMS that fetches by itself. Nothing leaves, so nothing is ever in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from coursewire.model.payload import Batch, Payload, canonical_json
from coursewire.model.reasons import Reason
from coursewire.pipeline.export.prepared import Prepared
from coursewire.pipeline.transmit.apply import put_back
from coursewire.plugins.hook_caller import Sending
from coursewire.storage.audit.records import ContentRecord
from coursewire.storage.feed import Feed, Offer

if TYPE_CHECKING:
    from coursewire.model.instant import Clock
    from coursewire.pipeline.summary import Summary
    from coursewire.pipeline.transmit.send import Stop
    from coursewire.plugins.registry import LoadedChannel
    from coursewire.storage.locks.leases import Lease


class Publisher:
    """Offers the prepared items of one job."""

    def __init__(
        self,
        *,
        channel: LoadedChannel,
        feed: Feed,
        job: UUID,
        job_facts: Mapping[str, Any],
        lease: Lease,
        clock: Clock,
        summary: Summary,
        stop: Stop,
        progress: Callable[[int], None],
    ) -> None:
        self._channel = channel
        self._feed = feed
        self._job = job
        self._job_facts = job_facts
        self._lease = lease
        self._clock = clock
        self._summary = summary
        self._stop = stop
        self._progress = progress

    async def offer(self, pages: AsyncIterator[list[Prepared]]) -> None:
        """Take pages until there are no more or the run stops; each is laid ready in one transaction."""
        async for page in pages:
            if self._stop:
                return
            self._lease.check()
            await self._offer_page(page)
            self._progress(len(page))

    async def _offer_page(self, page: Sequence[Prepared]) -> None:
        staying = [item for item in page if item.payload is None]
        for item in staying:
            self._summary.leave(item.reason)
        going = {item.record.key: item for item in page if item.payload is not None}
        sending = self._ask_hooks([item.payload for item in going.values() if item.payload is not None])
        for payload in sending.held:
            item = going[payload.key]
            put_back(item, Reason.HELD_BY_HOOK, None, claimed=False)
            item.record.message = sending.reason or None
            item.changed = True
            staying.append(item)
            self._summary.leave(Reason.HELD_BY_HOOK)
        offers = [
            self._prepare(going[payload.key], payload)
            for payload in (sending.batch.payloads if sending.batch else ())
        ]
        withdrawn = await asyncio.to_thread(
            self._feed.offer,
            offers,
            left=[_content(item) for item in staying if item.changed],
            job=self._job,
            now=self._clock(),
        )
        for one in offers:
            if one.record.key in withdrawn:
                self._summary.leave(Reason.WITHDRAWN)
            else:
                self._summary.offer()

    def _ask_hooks(self, payloads: Sequence[Payload]) -> Sending:
        if not payloads:
            return Sending(None)
        return self._channel.hook_caller.batch_sending(self._job_facts, Batch(None, tuple(payloads)))

    def _prepare(self, item: Prepared, payload: Payload) -> Offer:
        record = _content(item)
        record.source_version = item.version or None
        record.examine_again_at = item.examine_again_at
        # A hook may have changed what is offered.
        return Offer(record, item.canonical if item.payload is payload else canonical_json(payload.body))


def _content(item: Prepared) -> ContentRecord:
    assert isinstance(item.record, ContentRecord)
    return item.record
