"""Sending: claim, send, record, with bounded concurrency and nothing held beyond a page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from more_itertools import batched

from coursewire.errors import ContractError, IncompleteListError, SendError
from coursewire.model.channel import Idempotency
from coursewire.model.payload import Batch, Payload, Result, ResultKind, canonical_json
from coursewire.model.reasons import Reason, reason_of
from coursewire.pipeline.export.prepared import PAGE_ITEMS, Prepared
from coursewire.pipeline.rules.suspicion import (
    IN_A_ROW,
    is_about_item,
    is_of_configuration,
    may_be_of_configuration,
)
from coursewire.pipeline.transmit.apply import apply_result, put_back
from coursewire.pipeline.transmit.batches import group, halves, part
from coursewire.pipeline.transmit.recorder import Recorder
from coursewire.pipeline.transmit.run import Run
from coursewire.storage.audit.records import Records
from coursewire.storage.audit.states import Event
from coursewire.toolkit.results import redacted, result_from_error

if TYPE_CHECKING:
    from coursewire.http.session import HttpSession

logger = logging.getLogger(__name__)

BATCHES_A_CLAIM = 8
LEAST_BATCHES_A_CLAIM = 32
"""Batches claimed at once, for each request under way and at the least: few enough that little is unsettled
after a crash, many enough that claiming and noting results cost no statement for each."""

UNREACHABLE_IN_A_ROW = 3
"""So many batches that found nobody there end the run: the others would only wait for the same."""


LastLook = Callable[[Sequence[Prepared]], Awaitable[Mapping[str, str]]]
"""Asked right before a window of items is claimed: key to reason of those that must stay."""


class _Answered(NamedTuple):
    """An item with what left of it, and what the LMS said."""

    item: Prepared
    payload: Payload
    result: Result


class Sender:
    """Sends the prepared items of one run.

    Args:
        run: The run, whose lease, summary and stop it heeds.
        session: The HTTP session of the configuration.
        records: The records of the items.
        last_look: Asked right before items are claimed; None when nothing need be asked.
    """

    def __init__(
        self,
        run: Run,
        session: HttpSession,
        records: Records[Any],
        *,
        last_look: LastLook | None = None,
    ) -> None:
        self._run = run
        self._session = session
        self._last_look = last_look
        self._hooks = run.channel.hook_caller
        self._summary, self._stop, self._clock = run.summary, run.stop, run.clock
        limits = run.channel.channel.limits
        self._concurrency = limits.concurrency
        self._page_items = max(PAGE_ITEMS, limits.most_items(run.kind))
        capabilities = run.channel.channel.capabilities
        self._one_by_one = capabilities.idempotency_of(run.kind) is Idempotency.NONE
        self._claims = asyncio.Semaphore(limits.concurrency)
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._recorder = Recorder(run, records)
        self._unreachable = 0
        self._unattributed: list[_Answered] = []
        self._spoke_of_items = False

    async def send(self, pages: AsyncIterator[list[Prepared]]) -> None:
        """Take pages until there are no more or the run stops; what was not sent stays planned.

        Where the number of items is not known beforehand, the pages are taken to their end although nothing more
        can be sent, so that every item is looked at and counted; unless somebody asked the run to stop.
        """
        waiting: list[Prepared] = []
        async for page in _ahead(pages):
            await self._leave([item for item in page if item.payload is None])
            waiting.extend(item for item in page if item.payload is not None)
            while len(waiting) >= self._page_items and not self._stop:
                await self._send_page(waiting[: self._page_items])
                del waiting[: self._page_items]
            if self._stop and (self._run.total or self._stop.reason == Reason.STOPPED):
                break
            if self._stop:
                await self._put_back(waiting, claimed=False)
                waiting.clear()
        await self._send_page(waiting)
        await self._judge_rest()

    async def _leave(self, items: Sequence[Prepared]) -> None:
        for item in items:
            self._summary.leave(item.reason)
        await self._recorder.save([item for item in items if item.changed])
        self._run.advance(len(items))

    async def _send_page(self, items: Sequence[Prepared]) -> None:
        if not items:
            return
        # Those that met a fault of the configuration before go last, so that they cannot hold up the others for ever.
        items = sorted(items, key=lambda item: item.record.reason == Reason.CONFIGURATION_REFUSED)
        await self._recorder.save(items)
        by_key = {item.record.key: item for item in items}
        batches = list(group(self._run.channel, self._run.config, self._run.kind, items))
        if self._one_by_one:
            await asyncio.gather(*(self._send_alone(batch, by_key) for batch in batches))
            return
        claim = max(self._concurrency * BATCHES_A_CLAIM, LEAST_BATCHES_A_CLAIM)
        for window in batched(batches, claim):
            if self._stop:
                await self._put_back(
                    [by_key[p.key] for batch in window for p in batch.payloads], claimed=False
                )
                continue
            leaving = await self._look_once_more(window, by_key)
            await self._claim(leaving, by_key)
            await asyncio.gather(*(self._send_one(batch, by_key) for batch in leaving))
            await self._recorder.flush()

    async def _send_alone(self, batch: Batch, by_key: Mapping[str, Prepared]) -> None:
        """Claim, send and record one batch, where the LMS gives no way to know afterwards what arrived.

        After a crash what is claimed is in doubt, so that nothing is claimed before there is a slot for its request, and
        its result is written before the slot takes the next.
        """
        async with self._claims:
            if self._stop:
                await self._put_back([by_key[payload.key] for payload in batch.payloads], claimed=False)
                return
            leaving = await self._look_once_more([batch], by_key)
            await self._claim(leaving, by_key)
            for one in leaving:
                await self._send_one(one, by_key)
            await self._recorder.flush()

    async def _look_once_more(
        self, window: Sequence[Batch], by_key: Mapping[str, Prepared]
    ) -> Sequence[Batch]:
        """Leave out what must not leave any more, such as an outcome whose consent was withdrawn."""
        if self._last_look is None:
            return window
        items = [by_key[payload.key] for batch in window for payload in batch.payloads]
        stays = await self._last_look(items)
        if not stays:
            return window
        for item in items:
            if item.record.key in stays:
                item.reason = stays[item.record.key]
                put_back(item, item.reason, None, claimed=False)
                item.changed = True
        await self._leave([item for item in items if item.record.key in stays])
        reduced = (
            part(batch, [payload for payload in batch.payloads if payload.key not in stays])
            for batch in window
        )
        return [batch for batch in reduced if len(batch)]

    async def _claim(self, window: Sequence[Batch], by_key: Mapping[str, Prepared]) -> None:
        self._run.lease.check()
        items = [by_key[payload.key] for batch in window for payload in batch.payloads]
        now = self._clock()
        for record in (item.record for item in items):
            record.happen(Event.CLAIM)
            record.job = self._run.job
            record.attempts += 1
            record.attempted_at = now
        await self._recorder.claim(items)

    async def _send_one(self, batch: Batch, by_key: Mapping[str, Prepared]) -> None:
        async with self._slots:
            if self._stop:
                self._hold([by_key[payload.key] for payload in batch.payloads])
                return
            sending = self._hooks.batch_sending(self._run.facts, batch)
            self._hold([by_key[payload.key] for payload in sending.held], Reason.HELD_BY_HOOK, sending.reason)
            hooked = sending.batch
            if hooked is None:
                return
            loop = asyncio.get_running_loop()
            started = loop.time()
            results = await self._ask(hooked)
            duration_ms = int((loop.time() - started) * 1000)
        suspects = [p for p, result in zip(hooked.payloads, results, strict=True) if result.batch_refused]
        if suspects and len(hooked) > 1:
            await self._try_again(hooked, results, suspects, duration_ms, by_key)
        else:
            self._recorder.log(hooked, results, duration_ms)
            await self._apply(list(zip(hooked.payloads, results, strict=True)), by_key)
        self._hooks.batch_sent(self._run.facts, hooked, results)

    async def _ask(self, batch: Batch) -> Sequence[Result]:
        try:
            answers = await self._hooks.send(self._session, self._run.kind, batch)
        except (SendError, IncompleteListError) as error:
            result = redacted(result_from_error(error), self._session.redactor)
            if isinstance(error, SendError):
                self._consider(result, message=str(error))
            return [result] * len(batch)
        except ContractError as error:
            logger.error("job %s: %s", self._run.job, error)
            result = Result(ResultKind.IN_DOUBT, reason=Reason.CHANNEL_FAULT, message=str(error))
            return [result] * len(batch)
        self._unreachable = 0
        results = [redacted(answer, self._session.redactor) for answer in answers]
        for result in results:
            if result.kind in (ResultKind.THROTTLED, ResultKind.CREDENTIALS_BROKEN):
                self._consider(result, message=result.message)
        return results

    def _consider(self, result: Result, *, message: str) -> None:
        """Decide whether an answer about a batch is a reason to send nothing more."""
        if result.kind is ResultKind.THROTTLED:
            self._stop.set(Reason.WAITING_FOR_LIMIT, retry_at=result.retry_at, message=message)
        elif result.kind is ResultKind.CREDENTIALS_BROKEN:
            over = result.reason == Reason.GRANT_REFUSED
            self._stop.set(Reason.CREDENTIALS_BROKEN, message=message, needs_person=over)
        elif result.kind is ResultKind.IN_DOUBT or (
            result.http_status is None and result.kind is ResultKind.TRY_LATER
        ):
            self._unreachable += 1
            if self._unreachable >= UNREACHABLE_IN_A_ROW:
                self._stop.set(Reason.LMS_UNREACHABLE, message=message)

    async def _try_again(
        self,
        batch: Batch,
        results: Sequence[Result],
        suspects: Sequence[Payload],
        duration_ms: int,
        by_key: Mapping[str, Prepared],
    ) -> None:
        """Send again those of a refused batch that are not, or may not be, at fault.

        Where the LMS blamed some items, the others go again together; where it blamed none, in halves, until
        the item at fault is alone.
        """
        self._recorder.log(batch, results, duration_ms)
        blamed = [pair for pair in zip(batch.payloads, results, strict=True) if not pair[1].batch_refused]
        if blamed:
            await self._apply(blamed, by_key)
            again: Sequence[Batch] = [part(batch, suspects)]
        else:
            again = halves(batch)
        for some in again:
            if not blamed:
                for payload in some.payloads:
                    by_key[payload.key].record.batch_cap = len(some)
            if self._stop:
                self._hold([by_key[payload.key] for payload in some.payloads], Reason.BATCH_REFUSED)
            else:
                await self._send_one(some, by_key)

    async def _apply(
        self, answered: Sequence[tuple[Payload, Result]], by_key: Mapping[str, Prepared]
    ) -> None:
        """Move the records of answered items on, and count what became of them.

        A refusal that may be the configuration's waits until it is known whose fault it is.
        """
        triples = [_Answered(by_key[payload.key], payload, result) for payload, result in answered]
        await self._note(self._judged(triples))

    async def _note(self, answered: Sequence[_Answered]) -> None:
        """Write down what the LMS said about items."""
        now = self._clock()
        for item, payload, result in answered:
            first = item.record.confirmed_at is None
            apply_result(item, result, now, own=self._run.channel.channel.reasons)
            confirmed = None
            if result.confirms:
                self._summary.arrive(payload.operation, first=first)
                # A hook may have changed what left.
                confirmed = item.canonical if item.payload is payload else canonical_json(payload.body)
            elif reason_of(result) == Reason.COVERED:
                self._summary.leave(Reason.COVERED)
            elif result.kind in (ResultKind.THROTTLED, ResultKind.CREDENTIALS_BROKEN):
                self._summary.leave(item.record.reason or "")
                self._summary.wait_until(result.retry_at)
            else:
                self._summary.fail(reason_of(result))
                self._summary.wait_until(item.record.not_before_at)
                self._hooks.transmission_failed(self._run.facts, payload, result)
            self._recorder.add(item, confirmed)
        self._run.advance(len(answered))
        await self._recorder.flush_when_due()

    def _judged(self, answered: Sequence[_Answered]) -> list[_Answered]:
        """Return the answers that are about their items, with those from before that these show to be so, too."""
        kind, own = self._run.kind, self._run.channel.channel.reasons
        about: list[_Answered] = []
        certain = False
        for one in answered:
            of_configuration = is_of_configuration(one.result, own)
            if of_configuration or may_be_of_configuration(kind, one.payload.operation, one.result):
                self._unattributed.append(one)
                certain = certain or of_configuration
            else:
                about.append(one)
        if certain or len(self._unattributed) >= IN_A_ROW:
            self._blame_configuration()
        elif any(is_about_item(one.result) for one in about):
            self._spoke_of_items = True
            about, self._unattributed = self._unattributed + about, []
        return about

    def _blame_configuration(self) -> None:
        """Send nothing more, and put back what was refused by the configuration's fault: no item is marked."""
        refused, self._unattributed = self._unattributed, []
        message = refused[0].result.message
        self._stop.set(Reason.CONFIGURATION_REFUSED, message=message)
        self._hold([one.item for one in refused], Reason.CONFIGURATION_REFUSED, message)

    async def _judge_rest(self) -> None:
        """Decide at the end about refusals that were too few to tell: without a word about any item, none is marked."""
        if not self._unattributed:
            return
        if self._spoke_of_items:
            refused, self._unattributed = self._unattributed, []
            await self._note(refused)
        else:
            self._blame_configuration()
        await self._recorder.flush()

    def _hold(self, items: Sequence[Prepared], reason: str | None = None, message: str = "") -> None:
        """Put claimed items back among the planned ones; the next flush writes it."""
        for item in items:
            why = reason or self._stop.reason or Reason.STOPPED
            put_back(item, why, self._stop.retry_at if reason is None else None, claimed=True)
            item.record.message = message or None
            self._recorder.add(item)
            self._summary.leave(why)
        self._summary.wait_until(self._stop.retry_at)
        self._run.advance(len(items))

    async def _put_back(self, items: Sequence[Prepared], *, claimed: bool) -> None:
        reason = self._stop.reason or Reason.STOPPED
        for item in items:
            put_back(item, reason, self._stop.retry_at, claimed=claimed)
            self._summary.leave(reason)
        self._summary.wait_until(self._stop.retry_at)
        await self._recorder.save(items)
        self._run.advance(len(items))


async def _ahead(pages: AsyncIterator[list[Prepared]]) -> AsyncIterator[list[Prepared]]:
    """Build the next page while the last one is being sent."""
    coming: asyncio.Queue[list[Prepared] | None] = asyncio.Queue(maxsize=1)

    async def build() -> None:
        try:
            async for page in pages:
                await coming.put(page)
        finally:
            await coming.put(None)

    builder = asyncio.create_task(build())
    try:
        while (page := await coming.get()) is not None:
            yield page
        await builder
    finally:
        builder.cancel()
