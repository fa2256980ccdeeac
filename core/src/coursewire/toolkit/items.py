"""Content at an LMS that gives items ids of its own: create, find again, adopt, update and retire them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, final

from coursewire.errors import SendError
from coursewire.model.payload import Operation, Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire.toolkit.results import result_from_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from coursewire.model.payload import Batch, Payload
    from coursewire.model.session import Session

    Act = Callable[[Mapping[str, Payload]], Awaitable[dict[str, Result]]]

Results = dict[str, Result]
"""Results of a batch: :attr:`~coursewire.model.payload.Payload.key` to the result of that payload."""


def results_by_id(payloads: Iterable[Payload], ids: Mapping[str, str]) -> Results:
    """Return the results of a batch whose answer gives the LMS's ids of the items that it acknowledges.

    Args:
        payloads: The payloads that were sent.
        ids: :attr:`~coursewire.model.payload.Payload.key` to the id at the LMS. A payload that is missing here, or
            has an empty id, was not acknowledged.

    Returns:
        For each payload: accepted with its id, or in doubt with the reason ``no-acknowledgement``.

    Example:
        >>> knots = cw.Payload("KNOTS", cw.Operation.CREATE, {}, "f1", "KNOTS")
        >>> sails = cw.Payload("SAILS", cw.Operation.CREATE, {}, "f2", "SAILS")
        >>> results = cw.results_by_id([knots, sails], {"KNOTS": "17"})
        >>> results["KNOTS"].kind.value, results["KNOTS"].remote_id
        ('accepted', '17')
        >>> results["SAILS"].kind.value, results["SAILS"].reason
        ('in doubt', 'no-acknowledgement')
    """
    silent = Result(
        ResultKind.IN_DOUBT, Reason.NO_ACKNOWLEDGEMENT, "The answer of the LMS does not name this item."
    )
    return {
        payload.key: Result(ResultKind.ACCEPTED, remote_id=ids[payload.key], http_status=200)
        if ids.get(payload.key)
        else silent
        for payload in payloads
    }


class _Writer(ABC):
    """Bring items to the state that is wanted: the decisions that :class:`ItemWriter` describes, for one item or many."""

    looks_first: bool = False
    """Look for a new item before creating it. For an LMS that would create a second one instead of refusing it."""
    gone: tuple[str, ...] = ()
    """Reasons of results that say that an id is not valid any more, for an LMS that says so with a code of its own."""
    clashes: tuple[str, ...] = ()
    """Reasons of results that say that an existing item was in the way of a new one, for an LMS with such codes."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @abstractmethod
    async def find(self, payload: Payload) -> str | None:
        """Return the LMS's id of the item that has our key; None when the item is certainly not there.

        Args:
            payload: The item; its ``remote_key`` is what the LMS knows it by.

        Raises:
            SendError: The LMS could not tell whether the item is there.
        """

    @abstractmethod
    async def create_all(self, payloads: Sequence[Payload]) -> Results: ...

    @abstractmethod
    async def update_all(self, there: Mapping[str, Payload]) -> Results: ...

    @abstractmethod
    async def retire_all(self, there: Mapping[str, Payload]) -> Results: ...

    def is_gone(self, result: Result) -> bool:
        """Tell whether the LMS may have refused an id because it is not valid any more.

        Args:
            result: The result of an update or a retirement.

        Returns:
            True for the reasons in :attr:`gone`; without such reasons, for a 404 or 410 of the LMS itself.
        """
        if self.gone:
            return result.reason in self.gone
        return result.http_status in (404, 410) and result.kind is not ResultKind.TRY_LATER

    def is_clash(self, result: Result) -> bool:
        """Tell whether an existing item was in the way of a new one.

        Args:
            result: The result of a creation.

        Returns:
            True for the reasons in :attr:`clashes`; without such reasons, for status 409.
        """
        return result.reason in self.clashes if self.clashes else result.http_status == 409

    @final
    async def send(self, batch: Batch) -> list[Result]:
        """Create, update or retire the items of a batch.

        Args:
            batch: Payloads with one operation, or with several where the channel declares ``mixed_operations``.

        Returns:
            One result for each payload, in the order of the batch.

        Raises:
            SendError: A request failed as a whole, so that nothing is known about single items.
        """
        if batch.operation is Operation.RETIRE:
            results = await self._at_their_ids(batch.payloads, self.retire_all)
            return [results.get(payload.key) or _retired(payload) for payload in batch.payloads]
        results = await self._at_their_ids(batch.payloads, self.update_all)
        missing = [payload for payload in batch.payloads if payload.key not in results]
        results |= await self._create(missing) if missing else {}
        return [results[payload.key] for payload in batch.payloads]

    @final
    async def _at_their_ids(self, payloads: Sequence[Payload], act: Act) -> Results:
        """Act on the items that are there; return nothing for the others, and for new ones that were not looked up."""
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

    @final
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


class ItemWriter(_Writer):
    """Create, update and retire content at an LMS that takes one item with each request.

    A channel writes a subclass with :meth:`find`, :meth:`create`, :meth:`update` and :meth:`retire`, and calls
    :meth:`send` in its hook ``send_content``. When each of them is called:

    * An item whose id is known is updated or retired under this id. Where the LMS has no such id any more, the item
      is looked up by our key and gets its new id; one that is not there is created, or counts as retired already.
    * A new item is created. Where an item that exists already is in its way, it is looked up by our key: our own is
      adopted, which means updated; after anything else the refusal stands.

    An item that is hidden at the LMS, or deleted and kept, must be brought back by :meth:`update` or :meth:`find`.

    Args:
        session: The session of the run; the methods send with ``self.session``.

    Example:
        A channel for an LMS with ``POST /courses``, ``PUT /courses/ID`` and ``DELETE /courses/ID``::

            class Courses(cw.ItemWriter):
                async def find(self, payload):
                    response = await self.session.get("/courses", params={"code": payload.remote_key})
                    rows = cw.read_rows(response, "courses")
                    return str(rows[0]["id"]) if rows else None

                async def create(self, payload):
                    response = await self.session.post("/courses", json=payload.body)
                    return self._result(response)

                async def update(self, remote_id, payload):
                    path = cw.quoted_path("courses", remote_id)
                    return self._result(await self.session.put(path, json=payload.body))

                async def retire(self, remote_id, payload):
                    response = await self.session.delete(cw.quoted_path("courses", remote_id))
                    done = cw.is_done(response)
                    return cw.result_from(response, now=self.session.clock(), acknowledged=done)

                def _result(self, response):
                    course = cw.read_object(response).get("id")
                    return cw.result_from(
                        response, now=self.session.clock(), acknowledged=bool(course), remote_id=course and str(course)
                    )


            @cw.hookimpl
            async def send_content(session, batch):
                return await Courses(session).send(batch)
    """

    @abstractmethod
    async def create(self, payload: Payload) -> Result:
        """Create one item.

        Args:
            payload: The item to create.

        Returns:
            The result; accepted with the ``remote_id`` of the new item.
        """

    @abstractmethod
    async def update(self, remote_id: str, payload: Payload) -> Result:
        """Overwrite one item, and show it to learners again where it is hidden.

        Args:
            remote_id: The LMS's id of the item.
            payload: The item to update.
        """

    @abstractmethod
    async def retire(self, remote_id: str, payload: Payload) -> Result:
        """Hide, end or delete one item, as the configuration says.

        Args:
            remote_id: The LMS's id of the item.
            payload: The item to retire.
        """

    @final
    async def create_all(self, payloads: Sequence[Payload]) -> Results:
        """Create items one after the other, as :meth:`BulkItemWriter.create_all` does at once."""
        return {payload.key: await self.create(payload) for payload in payloads}

    @final
    async def update_all(self, there: Mapping[str, Payload]) -> Results:
        """Overwrite items one after the other."""
        return {payload.key: await self.update(remote_id, payload) for remote_id, payload in there.items()}

    @final
    async def retire_all(self, there: Mapping[str, Payload]) -> Results:
        """Retire items one after the other."""
        return {payload.key: await self.retire(remote_id, payload) for remote_id, payload in there.items()}


class BulkItemWriter(_Writer):
    """Create, update and retire content at an LMS that takes several items with one request.

    A channel writes a subclass with :meth:`find`, :meth:`create_all`, :meth:`update_all` and :meth:`retire_all`, and
    calls :meth:`send` in its hook ``send_content``. They are called in the same cases as those of
    :class:`ItemWriter`, each with all items of the batch for which the case holds.

    Args:
        session: The session of the run; the methods send with ``self.session``.

    Example:
        The creating part of a channel whose LMS answers ``{"created": [{"code": "KNOTS", "id": 17}]}``::

            class Courses(cw.BulkItemWriter):
                async def create_all(self, payloads):
                    body = {"courses": [dict(payload.body) for payload in payloads]}
                    rows = cw.rows_by(await self.session.post("/courses/bulk", json=body), "created", by="code")
                    ids = {p.key: str(rows[p.remote_key]["id"]) for p in payloads if p.remote_key in rows}
                    return cw.results_by_id(payloads, ids)
    """

    @abstractmethod
    async def create_all(self, payloads: Sequence[Payload]) -> Results:
        """Create items with one request.

        Args:
            payloads: The items to create.

        Returns:
            The result of each item. Where the results of all are a clash (:meth:`is_clash`), nothing was created: our own items
            among them are adopted, and the others are created with another call.

        Raises:
            SendError: The request failed as a whole. An error that is a clash by its result counts as the result of
                every item.
        """

    @abstractmethod
    async def update_all(self, there: Mapping[str, Payload]) -> Results:
        """Overwrite items with one request, and show them to learners again where they are hidden.

        Args:
            there: The LMS's id of each item to its payload.

        Returns:
            The result of each item, by the key of its payload.
        """

    @abstractmethod
    async def retire_all(self, there: Mapping[str, Payload]) -> Results:
        """Hide, end or delete items with one request, as the configuration says.

        Args:
            there: The LMS's id of each item to its payload.

        Returns:
            The result of each item, by the key of its payload.
        """


def _retired(payload: Payload) -> Result:
    return Result(ResultKind.ALREADY_SO, Reason.ALREADY_RETIRED, remote_id=payload.remote_id)
