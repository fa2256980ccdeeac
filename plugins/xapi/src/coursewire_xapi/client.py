"""Speaking to a Learning Record Store: arrays of statements, and what its answers say of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import httpx

from coursewire.client.answers import read_json, result_of
from coursewire.errors import BlockedError, UnreachableError
from coursewire.model.payload import Result, ResultKind
from coursewire_xapi.held import Held, follow
from coursewire_xapi.outcomes import COMPLETED, VOIDED, voiding

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from coursewire.model.payload import Batch, JsonObject, Payload
    from coursewire.model.session import Session
    from coursewire_xapi.config import XapiConfig

VERSION_HEADER = "X-Experience-API-Version"
NEXT_STEPS = {
    403: "Give the credentials the scope statements/write, and statements/read/mine to settle conflicts.",
    404: "Check the endpoint: it is the part before /statements.",
}


class LrsAuth(httpx.BasicAuth):
    """Basic authentication, and the version that every request must announce."""

    def __init__(self, config: XapiConfig) -> None:
        super().__init__(config.key, config.secret.get_secret_value())
        self._version = config.version

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add both to a request."""
        request.headers[VERSION_HEADER] = self._version
        yield from super().auth_flow(request)


@dataclass(frozen=True, slots=True)
class Telling:
    """One outcome on its way: its statements, and what is held once the store has them."""

    statements: tuple[JsonObject, ...]
    held: Held | None

    @classmethod
    def of(cls, config: XapiConfig, payload: Payload) -> Telling:
        """What is to be said of a payload after what was said before."""
        body, held = dict(payload.body), Held.read(payload.remote_id)
        if body["verb"]["id"] == VOIDED:
            if held is None or held.fact is None:
                return cls((), held)
            void = voiding(config, held.statement, body)
            return cls((void,), Held(void["id"], None))
        now = follow(held, body["id"])
        statements = [body | {"id": now.statement}]
        # One result of an enrollment stands. That somebody joined stays true of one who has left.
        replaced = held is not None and held.fact is not None and held.statement != now.statement
        if held is not None and replaced and body["verb"]["id"] == COMPLETED:
            statements.append(voiding(config, held.statement))
        return cls(tuple(statements), now)

    def result(self, kind: ResultKind, status: int | None) -> Result:
        """The store has them."""
        remote_id = self.held.written() if self.held else None
        return Result(kind, remote_id=remote_id, http_status=status)


async def send(session: Session, batch: Batch) -> list[Result]:
    """Send the statements of a batch with one request; the store takes all of them or none.

    Raises:
        BlockedError: The store refuses the call whatever it carries: rights or address are wrong.
    """
    config = cast("XapiConfig", session.config)
    tellings = [Telling.of(config, payload) for payload in batch.payloads]
    statements = [statement for telling in tellings for statement in telling.statements]
    if not statements:
        return [_nothing_to_void(telling) for telling in tellings]
    response = await session.post("statements", json=statements, safe_to_repeat=True)
    _raise_if_blocked(response)
    alone = len(batch) == 1
    if response.is_success:
        return await _read_success(session, tellings, response)
    if response.status_code == 409 and alone:
        return [await _compare(session, tellings[0], response)]
    return [_refusal(session, response, whole_batch=not alone)] * len(batch)


async def _read_success(
    session: Session, tellings: Iterable[Telling], response: httpx.Response
) -> list[Result]:
    """Each outcome's result: what the answer names is new, what it leaves out is asked for.

    204 is the answer of stores that had everything. Some name only what was new to them; the place in the list
    says nothing.
    """
    body, status = read_json(response), response.status_code
    ours = {statement["id"] for telling in tellings for statement in telling.statements}
    empty = status == 204 and not response.content
    named = set(body) if isinstance(body, list) and all(isinstance(each, str) for each in body) else None
    if not empty and (named is None or not named <= ours):
        unread = Result(
            ResultKind.TRY_LATER,
            "unreadable-answer",
            "the store's answer is not the list of the statements' ids",
            http_status=status,
            excerpt=response.text,
        )
        return [unread for _ in tellings]
    results = []
    for telling in tellings:
        if not telling.statements:
            results.append(_nothing_to_void(telling))
        elif named is None:
            results.append(telling.result(ResultKind.ALREADY_SO, status))
        elif all(statement["id"] in named for statement in telling.statements):
            results.append(telling.result(ResultKind.ACCEPTED, status))
        else:
            results.append(await _compare(session, telling, response))
    return results


def _nothing_to_void(telling: Telling) -> Result:
    if telling.held is not None:
        return telling.result(ResultKind.ALREADY_SO, None)
    return Result(ResultKind.REJECTED, "nothing-to-void", "no statement is known that could be voided")


def _refusal(session: Session, response: httpx.Response, *, whole_batch: bool) -> Result:
    refusal = result_of(response, now=session.clock(), whole_batch=whole_batch)
    body = read_json(response)
    words = (
        (body.get("warnings") or body.get("detail") or body.get("message")) if isinstance(body, dict) else ""
    )
    if not words or refusal.kind is not ResultKind.REJECTED:
        return refusal
    lines = words if isinstance(words, list) else [words]
    return replace(refusal, message="; ".join(each if isinstance(each, str) else str(each) for each in lines))


async def _compare(session: Session, telling: Telling, response: httpx.Response) -> Result:
    """Ask for statements whose ids the store knows, and hold them against ours: the words may differ, not the fact."""
    for ours in telling.statements:
        theirs = await _fetch(session, "statementId", ours["id"])
        if theirs is None:
            if await _fetch(session, "voidedStatementId", ours["id"]) is not None:
                return _conflict(response, f"statement {ours['id']} was voided at the store")
            return Result(
                ResultKind.TRY_LATER,
                "not-shown-yet",
                f"the store does not show statement {ours['id']}, nor was it named as stored",
                http_status=response.status_code,
            )
        differing = [name for name, mine, other in _facts(ours, theirs) if mine != other]
        if differing:
            text = f"the store has another statement under the id {ours['id']}: {', '.join(differing)} differ"
            return _conflict(response, text)
    return telling.result(ResultKind.ALREADY_SO, response.status_code)


def _conflict(response: httpx.Response, message: str) -> Result:
    return Result(ResultKind.REJECTED, "conflict", message, http_status=response.status_code)


async def _fetch(session: Session, name: str, value: str) -> JsonObject | None:
    """One statement by its id, which some stores wrap into a list; None where the store does not show it."""
    response = await session.get("statements", params={name: value})
    _raise_if_blocked(response, missing_is_an_answer=True)
    body = read_json(response) if response.is_success else None
    found = body.get("statements", [body]) if isinstance(body, dict) else []
    return next((each for each in found if isinstance(each, dict) and each.get("id") == value), None)


def _facts(ours: JsonObject, theirs: JsonObject) -> list[tuple[str, Any, Any]]:
    """The parts of two statements that say the same, or not. A store may fill in or take over everything else."""

    def person(statement: JsonObject) -> Any:
        kept = ("account", "mbox", "mbox_sha1sum", "openid")
        return {name: each for name, each in statement.get("actor", {}).items() if name in kept}

    return [
        ("actor", person(ours), person(theirs)),
        ("verb", ours["verb"]["id"], theirs.get("verb", {}).get("id")),
        ("object", ours["object"]["id"], theirs.get("object", {}).get("id")),
        ("result", ours.get("result"), theirs.get("result")),
    ]


def _raise_if_blocked(response: httpx.Response, *, missing_is_an_answer: bool = False) -> None:
    status = response.status_code
    if status not in (403, 404, 405) and not response.is_redirect:
        return
    if status == 404 and missing_is_an_answer:
        return
    raise BlockedError(
        "the store refuses the call, whatever it carries",
        where=f"{response.request.method} {response.request.url.path}, status {status}",
        next_step=NEXT_STEPS.get(status, NEXT_STEPS[404]),
        http_status=status,
        excerpt=response.text,
    )


async def check_connection(session: Session) -> list[str]:
    """The versions that the store offers; then a read, and a write of nothing, with the credentials.

    Raises:
        BlockedError: A right is missing, or the version of the configuration is not offered.
        UnreachableError: What answers is no Learning Record Store.
    """
    config = cast("XapiConfig", session.config)
    said = [await _check_version(session, config.version)]
    response = await session.get("statements", params={"limit": "1"})
    _raise_if_blocked(response)
    body = read_json(response)
    if not response.is_success or not isinstance(body, dict) or not isinstance(body.get("statements"), list):
        raise UnreachableError(
            "what answers is no Learning Record Store",
            where=f"GET {response.request.url.path}, status {response.status_code}",
            next_step="Check the endpoint: it is the part before /statements.",
            http_status=response.status_code,
            excerpt=response.text,
        )
    said.append("The credentials may read statements.")
    # An empty array stores nothing. What the store thinks of it does not matter, as long as it is not forbidden.
    _raise_if_blocked(await session.post("statements", json=[], safe_to_repeat=True))
    return [*said, "The credentials may write statements."]


async def _check_version(session: Session, wanted: str) -> str:
    response = await session.get("about")
    body = read_json(response) if response.is_success else None
    offered = body.get("version") if isinstance(body, dict) else None
    if not isinstance(offered, list):
        return f"The store does not say which versions of xAPI it knows; requests announce {wanted}."
    known = sorted(str(each) for each in offered)
    family = wanted.rpartition(".")[0]
    if not any(each.rpartition(".")[0] == family for each in known):
        common = [each for each in known if each.startswith(("1.0.", "2.0."))]
        raise BlockedError(
            f"the store does not know xAPI {wanted}",
            why=f"it knows {', '.join(known)}",
            next_step=f"Set version to {common[-1]}."
            if common
            else "Use a store that knows xAPI 1.0 or 2.0.",
        )
    return f"The store knows xAPI {', '.join(known)}; requests announce {wanted}."
