"""A small stand-in for Brightpath: strict, with a memory, on this machine only."""

import re
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web
from coursewire.testing.simulator import Simulator, json_response

MODULE = {
    "external_id": str,
    "name": str,
    "summary": str,
    "link": str,
    "language": str | None,
    "opens_at": str | None,
    "archived": bool,
}
RESULT = {
    "reference": str,
    "learner": str,
    "module": str,
    "passed": bool,
    "score": float | int | None,
    "finished_at": str | None,
}
"""The fields that are taken, and their types. None may be left out."""
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LINK = re.compile(r"https?://[^\s/]+\S*")
LANGUAGE = re.compile(r"[a-z]{2}")
MARKUP = re.compile(r"</?(p|div|br|b|i|em|strong|a|ul|ol|li|h\d)\b[^>]*>", re.IGNORECASE)
LONGEST = {"external_id": 64, "name": 120, "summary": 4000}
MOST_RESULTS, MOST_ROWS = 50, 100
CALLS, PERIOD = 120, timedelta(seconds=60)
LIFETIME = timedelta(seconds=3600)

Answer = Callable[[web.Request], Awaitable[web.Response]]


class BrightpathSimulator(Simulator):
    """One customer's Brightpath with one API client."""

    code = "BRIGHTPATH"
    token_paths: ClassVar[tuple[str, ...]] = ("/oauth/token",)

    client_id = "simulated-client"
    client_secret = "simulated-client-secret"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.outcomes: dict[str, Any] = {}  # results by their reference
        self.learners: set[str] = set()
        self.everybody = False  # take results of learners whom nobody has enrolled
        self.tokens: dict[str, datetime] = {}  # with the instant when they are over
        self.calls: deque[datetime] = deque()
        self._issued = self._numbers = 0

    def sample_config(self) -> dict[str, Any]:
        """Fields of a configuration that fits."""
        return {
            "brightpath_url": self.url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "learner_id": "email",
        }

    def enroll(self, course: str, email: str) -> None:
        """Make somebody known; who is not gets no results."""
        self.learners.add(email)

    def is_live(self, key: str) -> bool:
        """Archived modules stay, but learners do not see them."""
        return key in self.items and not self.items[key]["archived"]

    def expire_tokens(self) -> None:
        """Every token is over."""
        self.tokens.clear()

    def reset(self) -> None:
        """Forget learners, tokens and calls, too."""
        super().reset()
        self.learners.clear()
        self.tokens.clear()
        self.calls.clear()

    def routes(self) -> list[web.RouteDef]:
        """Everything on the page of Brightpath's interface."""
        return [
            web.post("/oauth/token", self._token),
            web.get("/api/v2/modules", self._allowed(self._list)),
            web.get("/api/v2/modules/{external_id}", self._allowed(self._get)),
            web.put("/api/v2/modules/{external_id}", self._allowed(self._put)),
            web.post("/api/v2/results", self._allowed(self._results)),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if form.pop("grant_type", None) != "client_credentials":
            return json_response({"error": "unsupported_grant_type"}, status=400)
        if form != {"client_id": self.client_id, "client_secret": self.client_secret}:
            return json_response({"error": "invalid_client"}, status=401)
        self._issued += 1
        token = f"simulated-access-token-{self._issued}"
        self.tokens[token] = self.clock() + LIFETIME
        seconds = int(LIFETIME.total_seconds())
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": seconds})

    def _allowed(self, answer: Answer) -> Answer:
        async def check(request: web.Request) -> web.Response:
            now = self.clock()
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Bearer" or self.tokens.get(token, now) <= now:
                return json_response({"error": "invalid_token"}, status=401)
            while self.calls and not now - PERIOD < self.calls[0] <= now:
                self.calls.popleft()
            if len(self.calls) >= CALLS:
                wait = int((self.calls[0] + PERIOD - now).total_seconds()) + 1
                return _error("too many calls", status=429, headers={"Retry-After": str(wait)})
            self.calls.append(now)
            return await answer(request)

        return check

    async def _list(self, request: web.Request) -> web.Response:
        try:
            number, asked = int(request.query["page"]), int(request.query["per_page"])
        except (KeyError, ValueError):
            return _error("page and per_page are whole numbers", status=400)
        if number < 1 or not 1 <= asked <= MOST_ROWS:
            return _error(f"page is 1 or more, per_page 1 to {MOST_ROWS}", status=400)
        size = self.page_size(asked)
        rows = list(self.items.values())
        page = self.page_of(rows, start=(number - 1) * size, size=asked, of="modules")
        return json_response({"modules": page.rows, "page": number, "pages": page.last_start // size + 1})

    async def _get(self, request: web.Request) -> web.Response:
        module = self.items.get(request.match_info["external_id"])
        return _error("not found", status=404) if module is None else json_response(module)

    async def _put(self, request: web.Request) -> web.Response:
        key, body = request.match_info["external_id"], await _object_of(request)
        field, message = _problem(body, MODULE)
        if not field and body["external_id"] != key:
            field, message = "external_id", "differs from the one in the address"
        if not field and MARKUP.search(body["summary"]):
            field, message = "summary", "plain text only"
        if not field and self.is_poisoned(key):
            field, message = "name", "not acceptable"
        if field:
            return _error(message, status=422, field=field)
        known = self.items.get(key)
        if known is None:
            self._numbers += 1
        self.items[key] = {"id": known["id"] if known else f"m-{self._numbers}", **body}
        self.arrivals[key] += 1
        answer = {"id": self.items[key]["id"], "external_id": key}
        return json_response(answer, status=200 if known else 201)

    async def _results(self, request: web.Request) -> web.Response:
        rows = (await _object_of(request)).get("results")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_RESULTS:
            return _error(f"1 to {MOST_RESULTS} results", status=422, field="results")
        if not all(isinstance(row, dict) and isinstance(row.get("reference"), str) for row in rows):
            return _error("every result has one", status=422, field="reference")
        told = [{"reference": row["reference"], **self._store(row)} for row in rows]
        # In any order: never in the one that came, where there are two or more.
        return json_response({"results": told[1:] + told[:1]})

    def _store(self, row: dict[str, Any]) -> dict[str, str]:
        field, message = _problem(row, RESULT)
        if field:
            return {"status": "error", "message": f"{field}: {message}"}
        if self.is_poisoned(row["learner"], row["module"]):
            return {"status": "error", "message": "not acceptable"}
        if not self.everybody and row["learner"] not in self.learners:
            return {"status": "error", "message": "unknown learner"}
        if row["module"] not in self.items:
            return {"status": "error", "message": "unknown module"}
        reference = row["reference"]
        duplicate = self.outcomes.get(reference) == row
        self.outcomes[reference] = row
        self.arrivals[reference] += 1
        return {"status": "duplicate" if duplicate else "stored", "message": ""}


async def _object_of(request: web.Request) -> dict[str, Any]:
    """The body, where it is a JSON object; else nothing, in which every field is missing."""
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _error(
    message: str, *, status: int, field: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    error = {"field": field, "message": message} if field else {"message": message}
    return json_response({"error": error}, status=status, headers=headers)


def _problem(body: dict[str, Any], fields: dict[str, Any]) -> tuple[str, str]:
    """The first field that is wrong, and why; two blanks where none is."""
    for name in sorted(fields.keys() | body.keys()):
        value = body.get(name)
        if name not in fields or name not in body or not isinstance(value, fields[name]):
            return name, "missing, unknown or of a wrong type"
        if isinstance(value, bool) and fields[name] is not bool:
            return name, "a truth value is no number"
        if name in LONGEST and len(value) > LONGEST[name]:
            return name, f"{LONGEST[name]} characters at most"
        if name in {"external_id", "name", "reference", "learner", "module"} and not value.strip():
            return name, "it must not be blank"
        if name in {"opens_at", "finished_at"} and value is not None and not INSTANT.fullmatch(value):
            return name, "no instant in UTC, such as 2026-03-01T12:00:00Z"
        if name == "link" and not LINK.fullmatch(value):
            return name, "no absolute URL"
        if name == "language" and value is not None and not LANGUAGE.fullmatch(value):
            return name, "two letters, or null"
        if name == "score" and value is not None and not 0 <= value <= 100:
            return name, "0 to 100, or null"
    return "", ""
