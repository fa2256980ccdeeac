"""Finding out what became of items that a run which died, or an answer that never came, has left open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coursewire.errors import ContractError, IncompleteListError, SendError
from coursewire.model.channel import Idempotency
from coursewire.model.payload import Operation
from coursewire.model.reasons import Reason
from coursewire.storage.audit.records import R, Record, Records
from coursewire.storage.audit.states import Event, State

if TYPE_CHECKING:
    from coursewire.model.session import Session
    from coursewire.pipeline.transmit.run import Run
    from coursewire.plugins.registry import LoadedChannel

REPEATABLE = frozenset({Idempotency.UPSERT, Idempotency.NATIVE_KEY})


async def reconcile(run: Run, session: Session, records: Records[R]) -> list[R]:
    """Find out what became of every item that was being sent when its run ended.

    The run holds the lease, so that nobody is sending them now. Updates and retirements of content may be
    repeated everywhere; a create, or an outcome, is repeated where the LMS deduplicates it. A create is looked
    up where the channel can look. Others stay in doubt for a person.

    Args:
        run: The run that has begun.
        session: The HTTP session of its configuration.
        records: The records of its configuration and kind.

    Returns:
        The records that were open, in the state in which they are now.
    """
    open_ones = await asyncio.to_thread(records.in_states, (State.SENDING, State.IN_DOUBT))
    if not open_ones:
        return []
    slots = asyncio.Semaphore(run.channel.channel.limits.concurrency)
    content = not run.kind.is_outcome
    idempotency = run.channel.channel.capabilities.idempotency_of(run.kind)

    async def reconcile_one(record: R) -> None:
        if idempotency in REPEATABLE or (content and record.operation is not Operation.CREATE):
            _moved(record, Event.RESEND)
        elif idempotency is Idempotency.NATURAL_KEY and content:
            async with slots:
                await _look(run.channel, session, record)
        elif record.state is State.SENDING:
            record.happen(Event.DOUBT)
            record.reason, record.job = Reason.IN_DOUBT, None

    await asyncio.gather(*map(reconcile_one, open_ones))
    await asyncio.to_thread(records.save, open_ones, now=run.clock())
    return open_ones


async def _look(channel: LoadedChannel, session: Session, record: Record) -> None:
    try:
        found = await channel.hook_caller.find_remote(session, record.remote_key)
    except (SendError, IncompleteListError, ContractError) as error:
        # It could not be told; the record stays open and the next run asks again.
        record.reason, record.message = Reason.UNSETTLED, str(error)
        return
    if found is None:
        _moved(record, Event.NOT_FOUND)
    else:
        record.remote_id = found.remote_id or record.remote_id
        _moved(record, Event.FOUND)


def _moved(record: Record, event: Event) -> None:
    record.happen(event)
    record.reason, record.message, record.job = Reason.UNSETTLED, None, None
    record.confirmed_fingerprint = None  # what the LMS holds of it is not known
    record.source_version = None
