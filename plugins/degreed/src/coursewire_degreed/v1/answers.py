"""Reading the answer to a batch, item by item where it names any."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx

import coursewire as cw
from coursewire_degreed.answers import said

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
    """Each item's result.

    An item that the answer names beside an error is at fault. The others of a batch that was taken are accepted;
    of one that was refused they were not looked at. Where a refusal names none, it is the batch's.

    Args:
        session: Gives the clock.
        response: The answer to the batch.
        items: What was sent, in order.
        name_of: What an object of the answer, or of the batch, is known by.
        safe_to_repeat: If not, an answer that says nothing leaves the items in doubt.
    """
    names = [name_of(item) for item in items]
    at_fault = dict(_named(cw.read_json(response), frozenset(names), name_of))
    if not at_fault:
        how = {"acknowledged": cw.is_done(response), "batch_refused": True, "safe_to_repeat": safe_to_repeat}
        return [said(session, response, **how)] * len(items)
    status = response.status_code
    others = cw.Result(cw.ResultKind.ACCEPTED, http_status=status)
    if not response.is_success:
        message = "Degreed refused the batch because of another item"
        others = cw.Result(
            cw.ResultKind.TRY_LATER, "batch-refused", message, None, status, batch_refused=True
        )
    guilty = replace(said(session, response), kind=cw.ResultKind.REJECTED, reason="refused", retry_at=None)
    return [replace(guilty, message=at_fault[name]) if name in at_fault else others for name in names]


def read_deletion(
    session: cw.Session, response: httpx.Response, items: Sequence[cw.JsonObject], name_of: NameOf
) -> list[cw.Result]:
    """As :func:`read_batch`; an item that is not there, named or the only one, is gone as it should be."""
    results = read_batch(session, response, items, name_of)
    if not cw.is_missing(response):
        return results
    gone = cw.Result(cw.ResultKind.ALREADY_SO, "already-gone", http_status=response.status_code)
    if len(items) == 1:
        return [gone]
    named = (result.kind is cw.ResultKind.REJECTED and not result.batch_refused for result in results)
    return [gone if at_fault else result for at_fault, result in zip(named, results, strict=True)]


def _named(
    body: Any, names: frozenset[str], name_of: NameOf, *, wrong: bool = False
) -> Iterator[tuple[str, str]]:
    """Return the items that an answer names beside an error, or in a list of errors, with the words about each."""
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
