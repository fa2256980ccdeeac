"""Publishing content in the feed that an LMS fetches by itself. Nothing leaves, so nothing is ever in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from coursewire.model.payload import Batch, Payload, canonical_json
from coursewire.model.reasons import Reason
from coursewire.pipeline.export.prepared import Prepared
from coursewire.pipeline.transmit.apply import put_back
from coursewire.plugins.hook_caller import Sending
from coursewire.storage.audit.records import ContentRecord
from coursewire.storage.feed import Feed, Offer

if TYPE_CHECKING:
    from coursewire.pipeline.transmit.run import Run


class Publisher:
    """Publishes the prepared items of one run in the feed that the LMS reads.

    Args:
        run: The run, whose lease, summary and stop it heeds.
        feed: The feed of the configuration.
    """

    def __init__(self, run: Run, feed: Feed) -> None:
        self._run = run
        self._feed = feed
        self._summary = run.summary

    async def publish(self, pages: AsyncIterator[list[Prepared]]) -> None:
        """Take pages until there are no more or the run stops; each is published in one transaction."""
        async for page in pages:
            if self._run.stop:
                return
            self._run.lease.check()
            await self._publish_page(page)
            self._run.advance(len(page))

    async def _publish_page(self, page: Sequence[Prepared]) -> None:
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
            job=self._run.job,
            now=self._run.clock(),
        )
        for one in offers:
            if one.record.key in withdrawn:
                self._summary.leave(Reason.WITHDRAWN)
            else:
                self._summary.publish()

    def _ask_hooks(self, payloads: Sequence[Payload]) -> Sending:
        if not payloads:
            return Sending(None)
        return self._run.channel.hook_caller.batch_sending(self._run.facts, Batch(None, tuple(payloads)))

    def _prepare(self, item: Prepared, payload: Payload) -> Offer:
        record = _content(item)
        record.source_version = item.version or None
        record.examine_again_at = item.examine_again_at
        # A hook may have changed what is published.
        return Offer(record, item.canonical if item.payload is payload else canonical_json(payload.body))


def _content(item: Prepared) -> ContentRecord:
    assert isinstance(item.record, ContentRecord)
    return item.record
