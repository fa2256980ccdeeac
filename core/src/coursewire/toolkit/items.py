"""The life of items at an LMS that gives them ids of its own: made once, found again, adopted, taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.errors import SendError
from coursewire.model.payload import Operation, Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire.toolkit.results import result_from_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from coursewire.model.payload import Batch, Payload, RemoteItem
    from coursewire.model.session import Session

    Act = Callable[[Mapping[str, Payload]], Awaitable[dict[str, Result]]]

Results = dict[str, Result]
"""Results by :attr:`~coursewire.model.payload.Payload.key`."""


def results_by_id(payloads: Iterable[Payload], ids: Mapping[str, str]) -> Results:
    """What an answer means that gives the ids of the items that it acknowledges.

    Args:
        payloads: What was sent.
        ids: By :attr:`~coursewire.model.payload.Payload.key`; an item that is not there is in doubt.
    """
    unsaid = Result(
        ResultKind.IN_DOUBT, Reason.NO_ACKNOWLEDGEMENT, "The answer of the LMS does not name this item."
    )
    return {
        payload.key: Result(ResultKind.ACCEPTED, remote_id=ids[payload.key], http_status=200)
        if ids.get(payload.key)
        else unsaid
        for payload in payloads
    }


class ItemWriter:
    """Brings items to where they should be, whatever is known of them here and whatever is there.

    A channel says in a subclass how one item is found, created, updated and retired. One whose LMS takes several
    with a request overrides :meth:`create_all`, :meth:`update_all` and :meth:`retire_all` in their place.

    * An item whose id is known is acted on with one request. Where that id is over, the item is looked up by our
      key, and acted on where it is now; one that is not there is created, or retired already.
    * A new item is created. Where another is in its way, it is looked up: ours is adopted, which is an update, and
      after anything else the refusal stands. With :attr:`looks_first` it is looked up before.
    * An item that is hidden, or deleted and kept, is brought back by what updates it, or by :meth:`find`.
    """

    looks_first: bool = False
    """Look for a new item before it is created; for an LMS that would make a second one, or that can tell at once."""
    gone: tuple[str, ...] = ()
    """Reasons that say that an id is over, where the LMS has codes for it and answers with HTTP 200."""
    clashes: tuple[str, ...] = ()
    """Reasons that say that another item was in the way of a new one."""

    def __init__(
        self,
        session: Session,
        find_remote: Callable[[Session, str], Awaitable[RemoteItem | None]] | None = None,
    ) -> None:
        self.session = session
        self._find_remote = find_remote

    # -- what a channel says ---------------------------------------------------------------------------

    async def find(self, payload: Payload) -> str | None:
        """The id of the item that has our key; None when it is surely not there. ``find_remote`` tells, if given.

        Raises:
            SendError: The LMS could not tell.
        """
        if self._find_remote is None:
            raise NotImplementedError
        item = await self._find_remote(self.session, payload.remote_key)
        return None if item is None else item.remote_id

    async def create(self, payload: Payload) -> Result:
        """Make an item."""
        raise NotImplementedError

    async def update(self, remote_id: str, payload: Payload) -> Result:
        """Overwrite an item, and show it again where it is hidden."""
        raise NotImplementedError

    async def retire(self, remote_id: str, payload: Payload) -> Result:
        """Hide, end or delete an item, as the configuration says."""
        raise NotImplementedError

    async def create_all(self, payloads: Sequence[Payload]) -> Results:
        """Make items, each by itself unless overridden. Where all clash, nothing was made.

        An error that is a clash by its result stands for all.
        """
        return {payload.key: await self.create(payload) for payload in payloads}

    async def update_all(self, there: Mapping[str, Payload]) -> Results:
        """Overwrite items by their ids, each by itself unless overridden."""
        return {payload.key: await self.update(remote_id, payload) for remote_id, payload in there.items()}

    async def retire_all(self, there: Mapping[str, Payload]) -> Results:
        """Retire items by their ids, each by itself unless overridden."""
        return {payload.key: await self.retire(remote_id, payload) for remote_id, payload in there.items()}

    def is_gone(self, result: Result) -> bool:
        """Whether an id may be over: by :attr:`gone`, or after 404 and 410 that are the LMS's own."""
        if self.gone:
            return result.reason in self.gone
        return result.http_status in (404, 410) and result.kind is not ResultKind.TRY_LATER

    def is_clash(self, result: Result) -> bool:
        """Whether another item was in the way of a new one: by :attr:`clashes`, or after 409."""
        return result.reason in self.clashes if self.clashes else result.http_status == 409

    # -- what follows ----------------------------------------------------------------------------------

    async def send(self, batch: Batch) -> list[Result]:
        """Create, update or retire the items of a batch.

        Returns:
            One result per payload, in order.

        Raises:
            SendError: A request failed as a whole.
        """
        if batch.operation is Operation.RETIRE:
            results = await self._at_their_ids(batch.payloads, self.retire_all)
            return [results.get(payload.key) or _retired(payload) for payload in batch.payloads]
        results = await self._at_their_ids(batch.payloads, self.update_all)
        missing = [payload for payload in batch.payloads if payload.key not in results]
        results |= await self._create(missing) if missing else {}
        return [results[payload.key] for payload in batch.payloads]

    async def _at_their_ids(self, payloads: Sequence[Payload], act: Act) -> Results:
        """Act on the items that are there; nothing for the others, and for new ones that nobody looked for."""
        there: dict[str, Payload] = {}
        for payload in payloads:
            known = payload.remote_id
            if known is None and (self.looks_first or payload.operation is not Operation.CREATE):
                known = await self.find(payload)
            if known is not None:
                there[known] = payload
        results = await act(there) if there else {}
        for payload in there.values():
            if self.is_gone(results[payload.key]):
                now = await self.find(payload)
                if now is None:
                    del results[payload.key]
                else:
                    results |= await act({now: payload})
        return results

    async def _create(self, payloads: Sequence[Payload]) -> Results:
        try:
            results = await self.create_all(payloads)
        except SendError as error:
            refused = result_from_error(error)
            if not self.is_clash(refused):
                raise
            results = dict.fromkeys((payload.key for payload in payloads), refused)
        clashed = [payload for payload in payloads if self.is_clash(results[payload.key])]
        ours = {found: payload for payload in clashed if (found := await self.find(payload)) is not None}
        if not ours:
            return results
        results |= await self.update_all(ours)
        adopted = {payload.key for payload in ours.values()}
        others = [payload for payload in clashed if payload.key not in adopted]
        # One clash may have kept all from being made.
        return results | (await self._create(others) if others and len(clashed) == len(payloads) else {})


def _retired(payload: Payload) -> Result:
    return Result(ResultKind.ALREADY_SO, Reason.ALREADY_RETIRED, remote_id=payload.remote_id)
