"""Storing what became of items: results are collected and written together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursewire.model.payload import Batch, Result, ResultKind
from coursewire.pipeline.export.prepared import Prepared
from coursewire.storage.audit import transmissions
from coursewire.storage.audit.records import Records

if TYPE_CHECKING:
    from coursewire.pipeline.transmit.run import Run

FLUSH_ITEMS = 200
FLUSH_SECONDS = 0.5
"""Results are written when so many are there or so much time has gone: one transaction for all of them."""


@dataclass(slots=True)
class _Buffer:
    """Results that wait to be written together."""

    records: list[Prepared] = field(default_factory=list)
    confirmed: dict[str, bytes] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


class Recorder:
    """Keeps the records of one run's items, and the log of its attempts.

    Args:
        run: The run that the attempts belong to.
        records: The records of its items.
    """

    def __init__(self, run: Run, records: Records[Any]) -> None:
        self._run = run
        self._records = records
        self._clock = run.clock
        self._buffer = _Buffer()
        self._writing = asyncio.Lock()
        self._flushed_at = 0.0

    async def save(self, items: Sequence[Prepared]) -> None:
        """Store the records of these items now."""
        if items:
            await asyncio.to_thread(self._records.save, [item.record for item in items], now=self._clock())

    async def claim(self, items: Sequence[Prepared]) -> None:
        """Mark the records of these items as being sent, before anything of them leaves.

        Raises:
            LeaseLostError: Another run may have the lease.
        """
        self._flushed_at = asyncio.get_running_loop().time()
        keys, lease = [item.record.key for item in items], self._run.lease
        claimed = await asyncio.to_thread(
            self._records.claim, keys, job=self._run.job, now=self._clock(), only_if=lease.holds()
        )
        if keys and not claimed:
            raise lease.lost()

    def log(self, batch: Batch, results: Sequence[Result], duration_ms: int) -> None:
        """Note an attempt for each item of a batch; the next flush writes it."""
        now = self._clock()
        self._buffer.rows.extend(
            transmissions.row(
                configuration=self._records.configuration,
                kind=self._run.kind,
                job=self._run.job,
                payload=payload,
                result=result,
                batch=batch.id,
                batch_size=len(batch),
                duration_ms=duration_ms,
                at=now,
            )
            for payload, result in zip(batch.payloads, results, strict=True)
            # Our own bucket was empty: nothing left, so there was no attempt.
            if not (result.kind is ResultKind.THROTTLED and result.http_status is None)
        )

    def add(self, item: Prepared, confirmed: bytes | None = None) -> None:
        """Note that an item's record has moved on; the next flush writes it.

        Args:
            item: The item whose record has moved on.
            confirmed: The payload that the LMS has just confirmed, as canonical JSON; None when it confirmed none.
        """
        self._buffer.records.append(item)
        if confirmed is not None:
            self._buffer.confirmed[item.record.key] = confirmed

    async def flush_when_due(self) -> None:
        """Flush if enough has come together, or enough time has gone."""
        aged = asyncio.get_running_loop().time() - self._flushed_at > FLUSH_SECONDS
        if len(self._buffer.records) >= FLUSH_ITEMS or aged:
            await self.flush()

    async def flush(self) -> None:
        """Write what has come together, in one transaction.

        Raises:
            LeaseLostError: Another run may have the lease, and have settled these items by now.
        """
        async with self._writing:
            self._run.lease.check()
            buffer, self._buffer = self._buffer, _Buffer()
            self._flushed_at = asyncio.get_running_loop().time()
            if buffer.records or buffer.rows:
                await asyncio.to_thread(
                    self._records.save,
                    [item.record for item in buffer.records],
                    now=self._clock(),
                    payloads=buffer.confirmed,
                    transmissions=buffer.rows,
                )
