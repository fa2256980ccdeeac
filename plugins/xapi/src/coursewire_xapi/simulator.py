"""A stand-in for one Learning Record Store, as strict as the strictest.

It takes and shows statements, keeps them for ever as they came, hides what was voided, refuses an array for one
fault in it, and answers 409 to an id that it knows with any other content.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import orjson
from aiohttp import web

import coursewire as cw
from coursewire.testing.simulator import Simulator, json_response
from coursewire_xapi.client import VERSION_HEADER
from coursewire_xapi.outcomes import VOIDED, instant
from coursewire_xapi.simulated_rules import faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp.typedefs import Handler

BASE = "/xAPI"
_READ = {"statementId", "voidedStatementId", "agent", "verb", "activity", "registration", "related_activities",
         "related_agents", "since", "until", "limit", "format", "attachments", "ascending", "from"}  # fmt: skip


class XapiSimulator(Simulator):
    """One store with one set of credentials.

    Attributes:
        key: User of Basic authentication.
        secret: Its password.
        versions: What ``/about`` says; "" for a store that has none.
        largest_body: Bytes that a request may have.
        scopes: What the credentials may do.
        names_new_only: Answer as some stores do: with the ids that were new, and 204 when none was.
        outcomes: Every statement, by id; the voided ones too.
        voided: Ids of voided statements.
    """

    code: ClassVar[str] = "XAPI"

    def __init__(self, *, clock: cw.Clock = cw.utc_now, keep_bodies: bool = True) -> None:
        super().__init__(clock=clock, keep_bodies=keep_bodies)
        self.key = "coursewire"
        self.secret = "simulated-secret"
        self.versions = "1.0.0 1.0.1 1.0.2 1.0.3"
        self.scopes = "statements/read statements/write"
        self.largest_body = 1_000_000
        self.page_rows = 100
        self.names_new_only = False
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.voided: set[str] = set()

    def sample_config(self) -> dict[str, Any]:
        """A configuration for this store."""
        return {
            "endpoint": f"{self.url}{BASE}",
            "key": self.key,
            "secret": self.secret,
            "site_domain": "learn.example.org",
        }

    def reset(self) -> None:
        """Forget everything that arrived."""
        super().reset()
        self.voided.clear()

    @property
    def standing(self) -> list[dict[str, Any]]:
        """The statements that readers see, oldest first."""
        return [each for name, each in self.outcomes.items() if name not in self.voided]

    def routes(self) -> Sequence[web.RouteDef]:
        """Statements and versions."""
        return [
            web.get(f"{BASE}/about", self._about),
            web.post(f"{BASE}/statements", self._guarded(self._post)),
            web.put(f"{BASE}/statements", self._guarded(self._put)),
            web.get(f"{BASE}/statements", self._guarded(self._get), allow_head=True),
        ]

    # -- the door --------------------------------------------------------------------------------

    def _guarded(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            refusal = self._refusal(request)
            response = refusal or await handler(request)
            response.headers[VERSION_HEADER] = (self.versions.split() or ["1.0.3"])[-1]
            response.headers["X-Experience-API-Consistent-Through"] = instant(self.clock())
            return response

        return handle

    def _refusal(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        wanted = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        if given != f"Basic {wanted}":
            return _refused(401, "the credentials are not known")
        version = request.headers.get(VERSION_HEADER, "")
        families = {each.rpartition(".")[0] for each in self.versions.split()} or {"1.0"}
        if version.rpartition(".")[0] not in families:
            return _refused(400, f"{VERSION_HEADER} is missing or not offered: {version!r}")
        need = "statements/read" if request.method in ("GET", "HEAD") else "statements/write"
        if need not in self.scopes.split():
            return _refused(403, f"the credentials lack {need}")
        if (request.content_length or 0) > self.largest_body:
            return _refused(413, "the request is too large")
        return None

    async def _about(self, _request: web.Request) -> web.Response:
        if not self.versions:
            return _refused(404, "there is nothing here")
        return json_response({"version": self.versions.split()})

    # -- taking ----------------------------------------------------------------------------------

    async def _post(self, request: web.Request) -> web.Response:
        if request.query:
            return _refused(400, "this call has no parameters")
        try:
            body = orjson.loads(await request.read())
        except ValueError:
            return _refused(400, "the body is not JSON")
        statements = body if isinstance(body, list) else [body]
        answer, new = self._take(statements)
        if answer is not None:
            return answer
        if self.names_new_only:
            return json_response(new) if new else web.Response(status=204)
        return json_response([statement["id"] for statement in statements])

    async def _put(self, request: web.Request) -> web.Response:
        statement = orjson.loads(await request.read())
        name = request.query.get("statementId", "")
        if not isinstance(statement, dict) or statement.setdefault("id", name) != name:
            return _refused(400, "statementId and id differ")
        answer, _new = self._take([statement])
        return answer or web.Response(status=204)

    def _take(self, statements: list[Any]) -> tuple[web.Response | None, list[str]]:
        """Store all, or none and say why; with the ids that are new."""
        wrong = [
            f"statement {place}: {fault}"
            for place, statement in enumerate(statements)
            for fault in faults(statement, self.clock())
        ]
        if wrong:
            return _refused(400, "not valid", wrong), []
        for statement in statements:
            statement.setdefault("id", str(uuid4()))
            if self.is_poisoned(*_names(statement)):
                return _refused(400, "not valid", [f"statement {statement['id']} is not welcome"]), []
        ids = [statement["id"] for statement in statements]
        if len(set(ids)) < len(ids):
            return _refused(400, "two statements have one id"), []
        for statement in statements:
            kept = self.outcomes.get(statement["id"])
            if kept is not None and _told(kept) != _told(statement):
                return _refused(409, f"another statement has the id {statement['id']}"), []
        new = [statement for statement in statements if statement["id"] not in self.outcomes]
        for statement in new:
            self._store(statement)
        return None, [statement["id"] for statement in new]

    def _store(self, statement: dict[str, Any]) -> None:
        now = instant(self.clock())
        authority = {"objectType": "Agent", "account": {"homePage": self.url, "name": self.key}}
        filled = {"timestamp": now, "version": "1.0.0", "authority": authority, "stored": now}
        self.outcomes[statement["id"]] = {**filled, **statement, "given": sorted(statement)}
        self.arrivals[statement["id"]] += 1
        target = statement["object"].get("id")
        if statement["verb"]["id"] == VOIDED and self._may_be_voided(target):
            self.voided.add(target)

    def _may_be_voided(self, target: str) -> bool:
        kept = self.outcomes.get(target)
        return kept is None or kept["verb"]["id"] != VOIDED

    # -- showing ---------------------------------------------------------------------------------

    async def _get(self, request: web.Request) -> web.Response:
        query = request.query
        if unknown := query.keys() - _READ:
            return _refused(400, f"there is no parameter {', '.join(sorted(unknown))}")
        for name in ("statementId", "voidedStatementId"):
            if name in query:
                return self._one(query[name], voided=name == "voidedStatementId")
        found = [each for each in reversed(self.standing) if _fits(each, query)]
        if query.get("ascending") == "true":
            found.reverse()
        rows = min(int(query.get("limit", 0)) or self.page_rows, self.page_rows)
        start = int(query.get("from", 0))
        more = ""
        if start + rows < len(found) and "limit" not in query:
            more = str(request.rel_url.update_query({"from": str(start + rows)}))
        return json_response(
            {"statements": [_shown(each) for each in found[start : start + rows]], "more": more}
        )

    def _one(self, name: str, *, voided: bool) -> web.Response:
        if name not in self.outcomes or (name in self.voided) is not voided:
            return _refused(404, "there is no such statement")
        return json_response(_shown(self.outcomes[name]))


def _refused(status: int, message: str, warnings: Sequence[str] = ()) -> web.Response:
    more = {"warnings": list(warnings)} if warnings else {}
    return json_response({"message": message, **more}, status=status)


def _names(statement: dict[str, Any]) -> list[str]:
    """Return the values by which a test may have a statement refused: its id, its learner, its course run."""
    actor = statement["actor"]
    who = actor.get("account", {}).get("name") or actor.get("mbox", "").removeprefix("mailto:")
    return [who, statement["id"], statement["object"].get("id", "").rpartition("/")[2]]


def _told(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement as it was given, without what the store has filled in."""
    given = statement.get("given", statement.keys())
    return {name: statement[name] for name in given}


def _shown(statement: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name != "given"}


def _fits(statement: dict[str, Any], query: Any) -> bool:
    about = statement["object"].get("id")
    context = statement.get("context", {})
    activities = {about}
    if query.get("related_activities") == "true":
        for each in context.get("contextActivities", {}).values():
            activities |= {activity["id"] for activity in each}
    agent = orjson.loads(query["agent"]) if "agent" in query else {}
    return (
        query.get("verb") in (None, statement["verb"]["id"])
        and ("activity" not in query or query["activity"] in activities)
        and query.get("registration") in (None, context.get("registration"))
        and agent.items() <= statement["actor"].items()
        and query.get("since", "") < statement["stored"] <= query.get("until", "9999")
    )
