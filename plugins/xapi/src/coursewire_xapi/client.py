"""Speaking to a Learning Record Store: arrays of statements, and what its answers say of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import httpx

from coursewire.client.answers import result_of
from coursewire.client.words import read_json
from coursewire.errors import BlockedError, UnreachableError
from coursewire.hookspecs import hookimpl
from coursewire.model.payload import Result, ResultKind
from coursewire_xapi.held import Held, follow
from coursewire_xapi.outcomes import COMPLETED, VOIDED, voiding

if TYPE_CHECKING:
    from collections.abc import Generator

    from coursewire.model.payload import Batch, JsonObject, Payload
    from coursewire.model.session import Session
    from coursewire_xapi.config import XapiConfig

VERSION_HEADER = "X-Experience-API-Version"
NOTHING_TO_VOID = Result(ResultKind.REJECTED, "nothing-to-void", "no statement is known that could be voided")
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


@hookimpl
def authenticate(config: XapiConfig) -> httpx.Auth:
    """Basic authentication and the version of xAPI."""
    return LrsAuth(config)


@dataclass(frozen=True, slots=True)
class Telling:
    """One outcome on its way: its statements, and what is held once the store has them."""

    statements: tuple[JsonObject, ...]
    held: Held | None

    @classmethod
    def of(cls, config: XapiConfig, payload: Payload) -> Telling:
        """What is to be said of a payload after what was said before; nothing, where nothing is left to void."""
        body, held = dict(payload.body), Held.read(payload.remote_id)
        stands = held.statement if held and held.fact else None
        if body["verb"]["id"] == VOIDED:
            void = voiding(config, stands, body) if stands else None
            return cls((void,), Held(void["id"], None)) if void else cls((), None)
        now = follow(held, body["id"])
        statements = [body | {"id": now.statement}]
        # One result of an enrollment stands. That somebody joined stays true of one who has left.
        if stands and stands != now.statement and body["verb"]["id"] == COMPLETED:
            statements.append(voiding(config, stands))
        return cls(tuple(statements), now)

    def result(self, kind: ResultKind, status: int) -> Result:
        """The store has them."""
        assert self.held is not None
        return Result(kind, remote_id=self.held.written(), http_status=status)


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Send the statements of a batch with one request; the store takes all of them or none.

    Raises:
        BlockedError: The store refuses the call whatever it carries: rights or address are wrong.
    """
    config = cast("XapiConfig", session.config)
    tellings = [Telling.of(config, payload) for payload in batch.payloads]
    statements = [statement for telling in tellings for statement in telling.statements]
    if not statements:
        return [NOTHING_TO_VOID] * len(batch)
    response = await session.post("statements", json=statements, safe_to_repeat=True)
    _raise_if_blocked(response)
    if response.is_success:
        named = _named(response, {statement["id"] for statement in statements})
        return [await _read(session, telling, response, named) for telling in tellings]
    if response.status_code == 409 and len(batch) == 1:
        return [await _compare(session, tellings[0], response)]
    refusal = result_of(response, now=session.clock(), whole_batch=len(batch) > 1)
    body = read_json(response)
    if isinstance(body, dict) and isinstance(body.get("warnings"), list):
        refusal = replace(refusal, message="; ".join(map(str, body["warnings"])))
    return [refusal] * len(batch)


def _named(response: httpx.Response, ours: set[str]) -> set[str] | None:
    """The ids that a success names; all of them where it is a 204. None where it is not an answer of a store's."""
    if response.status_code == 204 and not response.content:
        return ours
    body = read_json(response)
    named = {each for each in body if isinstance(each, str)} if isinstance(body, list) else None
    return named if named is not None and named <= ours and len(named) == len(body) else None


async def _read(
    session: Session, telling: Telling, response: httpx.Response, named: set[str] | None
) -> Result:
    """One outcome's result. Some stores name only what was new to them; the place in the list says nothing."""
    if not telling.statements:
        return NOTHING_TO_VOID
    if named is None:
        words = "the store's answer is not the list of the statements' ids"
        return _later(response, "unreadable-answer", words, excerpt=response.text)
    if all(statement["id"] in named for statement in telling.statements):
        return telling.result(ResultKind.ACCEPTED, response.status_code)
    return await _compare(session, telling, response)


def _later(response: httpx.Response, reason: str, message: str, *, excerpt: str = "") -> Result:
    status = response.status_code
    return Result(ResultKind.TRY_LATER, reason, message, http_status=status, excerpt=excerpt)


async def _compare(session: Session, telling: Telling, response: httpx.Response) -> Result:
    """Ask for statements whose ids the store knows, and hold them against ours: the words may differ, not the fact."""
    for ours in telling.statements:
        theirs = await _fetch(session, "statementId", ours["id"])
        if theirs is None:
            if await _fetch(session, "voidedStatementId", ours["id"]) is not None:
                return _conflict(response, f"statement {ours['id']} was voided at the store")
            return _later(
                response, "not-shown-yet", f"the store neither named nor shows statement {ours['id']}"
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

    def parts(statement: JsonObject) -> dict[str, Any]:
        actor = {
            name: each for name, each in statement["actor"].items() if name not in ("objectType", "name")
        }
        verb, about = statement["verb"]["id"], statement["object"]["id"]
        return {"actor": actor, "verb": verb, "object": about, "result": statement.get("result")}

    other = parts(theirs)
    return [(name, mine, other[name]) for name, mine in parts(ours).items()]


def _raise_if_blocked(response: httpx.Response, *, missing_is_an_answer: bool = False) -> None:
    status = response.status_code
    blocked = status in (403, 404, 405) or response.is_redirect
    if not blocked or (status == 404 and missing_is_an_answer):
        return
    raise BlockedError(
        "the store refuses the call, whatever it carries",
        where=f"{response.request.method} {response.request.url.path}, status {status}",
        next_step=NEXT_STEPS.get(status, NEXT_STEPS[404]),
        http_status=status,
        excerpt=response.text,
    )


@hookimpl
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
