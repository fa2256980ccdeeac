"""The client of a Learning Record Store: it sends arrays of statements, and reads the answer for each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import coursewire as cw
from coursewire_xapi.auth import BasicAuth
from coursewire_xapi.config import XapiConfig, config_of
from coursewire_xapi.held import Held, follow
from coursewire_xapi.outcomes import COMPLETED, VOIDED, identifier, voiding

if TYPE_CHECKING:
    import httpx

    Telling = tuple[list[cw.JsonObject], Held | None]
    Names = set[str] | None

VERSION_HEADER = "X-Experience-API-Version"
_LATER, _REJECTED = cw.ResultKind.TRY_LATER, cw.ResultKind.REJECTED
NOTHING_TO_VOID = cw.Result(_REJECTED, "nothing-to-void", "no statement is known that could be voided")
UNREADABLE = cw.Result(
    _LATER, "unreadable-answer", "the store's answer is not the list of the statements' ids"
)
RIGHTS = "Give the credentials the scope statements/write, and statements/read/mine to settle conflicts."
ADDRESS = "Check the endpoint: it is the part before /statements."
_admitted = partial(cw.admitted, permission_hint=RIGHTS, next_step=ADDRESS)


@cw.hookimpl
def authenticate(config: XapiConfig) -> BasicAuth:
    """Authenticate with user and password, and announce the version of xAPI in every request."""
    return BasicAuth(config.key, config.secret, {VERSION_HEADER: config.version})


def tell(config: XapiConfig, payload: cw.Payload) -> Telling:
    """Return the statements to send for a payload, and the held statement once the store has them.

    The result is no statement and None if there is nothing to void.
    """
    body, held = dict(payload.body), Held.read(payload.remote_id)
    stands = held.statement if held and held.fact else None
    if body["verb"]["id"] == VOIDED:
        void = voiding(config, stands, body) if stands else None
        return ([void], Held(void["id"], None)) if void else ([], None)
    now = follow(held, body["id"])
    statements = [body | {"id": now.statement}]
    # One result of an enrollment stands. That somebody joined stays true of one who has left.
    if stands and stands != now.statement and body["verb"]["id"] == COMPLETED:
        statements.append(voiding(config, stands))
    return statements, now


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Send the statements of a batch with one request; the store takes all of them or none.

    Raises:
        BlockedError: The store refuses every call: a right is missing, or the address is wrong.
    """
    tellings = [tell(config_of(session), payload) for payload in batch.payloads]
    statements = [statement for some, _ in tellings for statement in some]
    if not statements:
        return [NOTHING_TO_VOID] * len(batch)
    response = _admitted(await session.post("statements", json=statements, safe_to_repeat=True))
    if response.is_success or (response.status_code == 409 and len(batch) == 1):
        named = _named(response, {statement["id"] for statement in statements})
        return [await _settle(session, telling, response, named) for telling in tellings]
    refusal = cw.result_from(response, now=session.clock(), batch_refused=len(batch) > 1)
    warnings = cw.read_object(response).get("warnings")
    if isinstance(warnings, list):
        refusal = replace(refusal, message="; ".join(map(str, warnings)))
    return [refusal] * len(batch)


def _named(response: httpx.Response, ours: set[str]) -> Names:
    """Return the ids that the store has taken now: none with a 409, all with a 204; None for an unreadable answer."""
    if response.status_code == 409:
        return set()
    if not response.content:
        return ours if response.status_code == 204 else None
    body = cw.read_json(response)
    is_list = isinstance(body, list) and all(isinstance(each, str) for each in body)
    return set(body) if is_list and ours.issuperset(body) and len(set(body)) == len(body) else None


async def _settle(session: cw.Session, telling: Telling, response: httpx.Response, named: Names) -> cw.Result:
    """Return the result of one outcome, for which the ids count: some stores name only statements that were new to them."""
    statements, held = telling
    if held is None:
        return NOTHING_TO_VOID
    if named is None:
        return replace(UNREADABLE, http_status=response.status_code, excerpt=response.text)
    unnamed = [statement for statement in statements if statement["id"] not in named]
    for statement in unnamed:
        if fault := await _fault(session, statement):
            return replace(fault, http_status=response.status_code)
    kind = cw.ResultKind.ALREADY_SO if unnamed else cw.ResultKind.ACCEPTED
    return cw.Result(kind, remote_id=held.written(), http_status=response.status_code)


async def _fault(session: cw.Session, ours: cw.JsonObject) -> cw.Result | None:
    """Return the fault of a statement whose id the store knows; None if the store's statement tells the same fact."""
    name = ours["id"]
    theirs = await _fetch(session, "statementId", name)
    if theirs is None:
        if await _fetch(session, "voidedStatementId", name):
            return cw.Result(_REJECTED, "conflict", f"statement {name} was voided at the store")
        return cw.Result(_LATER, "not-shown-yet", f"the store neither named nor shows statement {name}")
    mine, other = _fact(ours), _fact(theirs)
    differing = ", ".join(part for part in mine if mine[part] != other[part])
    text = f"the store has another statement under the id {name}: {differing} differ"
    return cw.Result(_REJECTED, "conflict", text) if differing else None


async def _fetch(session: cw.Session, name: str, value: str) -> cw.JsonObject | None:
    """Return one statement by its id, which some stores wrap into a list; None if the store does not show it."""
    response = await session.get("statements", params={name: value})
    body = cw.read_object(response) if response.status_code == 404 or _admitted(response).is_success else {}
    found = body.get("statements", [body])
    return next((each for each in found if isinstance(each, dict) and each.get("id") == value), None)


def _fact(told: cw.JsonObject) -> dict[str, Any]:
    """Return the parts of a statement that tell its fact; a store may fill in or change all others."""
    names = {"actor": identifier(told["actor"]), "verb": told["verb"]["id"], "object": told["object"]["id"]}
    return names | {"result": told.get("result")}


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Check the versions that the store offers, then a read, and a write of nothing, with the credentials.

    Raises:
        BlockedError: A right is missing, or the version of the configuration is not offered.
        UnreachableError: The address does not lead to a Learning Record Store.
    """
    versions = await _check_version(session, config_of(session).version)
    response = _admitted(await session.get("statements", params={"limit": "1"}))
    cw.read_success(response, "statements", next_step=ADDRESS)
    # An empty array stores nothing. What the store thinks of it does not matter, as long as it is not forbidden.
    _admitted(await session.post("statements", json=[], safe_to_repeat=True))
    return [versions, "The credentials may read statements.", "The credentials may write statements."]


async def _check_version(session: cw.Session, wanted: str) -> str:
    offered = cw.read_object(await session.get("about")).get("version")
    if not isinstance(offered, list):
        return f"The store does not say which versions of xAPI it knows; requests announce {wanted}."
    known = sorted(map(str, offered))
    families = {each.rpartition(".")[0]: each for each in known}
    if wanted.rpartition(".")[0] not in families:
        common = families.get("2.0") or families.get("1.0")
        step = f"Set version to {common}." if common else "Use a store that knows xAPI 1.0 or 2.0."
        what = f"the store does not know xAPI {wanted}"
        raise cw.BlockedError(what, why=f"it knows {', '.join(known)}", next_step=step)
    return f"The store knows xAPI {', '.join(known)}; requests announce {wanted}."
