"""Reading the answers to batches, item by item where they name any."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx

import coursewire as cw
from coursewire_degreed.responses import result_from

NameOf = Callable[[cw.JsonObject], str]

_ERROR_FIELD = re.compile(r"error|fail|exception|fault", re.I)


def read_batch(
    session: cw.Session,
    response: httpx.Response,
    items: Sequence[cw.JsonObject],
    name_of: NameOf,
    *,
    safe_to_repeat: bool = True,
) -> list[cw.Result]:
    """Return each item's result, in the order of the batch.

    An item that the answer names beside an error is at fault. The others of a batch that was taken are accepted;
    of one that was refused they were not looked at. Where a refusal names none, it is the batch's.

    Args:
        session: The session that sent the batch.
        response: The answer to the batch.
        items: The items of the batch, in order.
        name_of: Returns the name by which an object of the answer, or of the batch, is known.
        safe_to_repeat: If not, an answer that says nothing leaves the items in doubt.
    """
    names = [name_of(item) for item in items]
    at_fault = dict(_named(cw.read_json(response), frozenset(names), name_of))
    if not at_fault:
        result = result_from(
            session,
            response,
            acknowledged=cw.is_done(response),
            batch_refused=True,
            safe_to_repeat=safe_to_repeat,
        )
        return [result] * len(items)
    status = response.status_code
    others = cw.Result(cw.ResultKind.ACCEPTED, http_status=status)
    if not response.is_success:
        others = cw.Result(
            cw.ResultKind.TRY_LATER,
            reason="batch-refused",
            message="Degreed refused the batch because of another item",
            http_status=status,
            batch_refused=True,
        )
    guilty = replace(
        result_from(session, response), kind=cw.ResultKind.REJECTED, reason="refused", retry_at=None
    )
    return [replace(guilty, message=at_fault[name]) if name in at_fault else others for name in names]


def read_deletion(
    session: cw.Session, response: httpx.Response, items: Sequence[cw.JsonObject], name_of: NameOf
) -> list[cw.Result]:
    """Return each item's result as :func:`read_batch` does; an item that is not at Degreed is gone as it should be."""
    results = read_batch(session, response, items, name_of)
    if not cw.is_missing(response):
        return results
    gone = cw.Result(cw.ResultKind.ALREADY_SO, reason="already-gone", http_status=response.status_code)
    if len(items) == 1:
        return [gone]
    named = (result.kind is cw.ResultKind.REJECTED and not result.batch_refused for result in results)
    return [gone if at_fault else result for at_fault, result in zip(named, results, strict=True)]


def _named(
    body: Any, names: frozenset[str], name_of: NameOf, *, wrong: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield the items that an answer names beside an error, or in a list of errors, with the words about each."""
    if isinstance(body, dict):
        name = name_of(body)
        words = cw.error_text(body, deep=True)
        if wrong and not words:
            words = str(body.get("message") or body.get("detail") or body)
        if name in names and words:
            yield name, words
            return
        for field, value in body.items():
            yield from _named(value, names, name_of, wrong=wrong or bool(_ERROR_FIELD.match(field)))
    elif isinstance(body, list):
        for value in body:
            yield from _named(value, names, name_of, wrong=wrong)
