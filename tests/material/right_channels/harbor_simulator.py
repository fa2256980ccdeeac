"""A stand-in for Harbor, the made-up LMS of ``harbor.py``."""

import itertools
import secrets

from coursewire.testing.simulator import Simulator, json_response

from aiohttp import web

FIELDS = {"ref": str, "name": str, "link": str, "starts": str | None}
RESULT = {"course": str, "learner": str, "score": float | int | None, "finished": str | None}
PAGE = 10


class HarborSimulator(Simulator):
    """One Harbor."""

    code = "HARBOR"
    token_paths = ("/oauth/token",)

    client_id = "harbor-client"
    client_secret = "simulated-harbor-secret"

    def __init__(self, **options):
        super().__init__(**options)
        self.tokens = set()
        self.ids = itertools.count(1)
        self.inactive = []

    def sample_config(self):
        return {"harbor_url": self.url, "client_id": self.client_id, "client_secret": self.client_secret}

    def expire_tokens(self):
        self.tokens.clear()

    def deactivate(self, learner):
        self.inactive.append(learner)

    def is_live(self, key):
        return key in self.items and self.items[key]["visible"]

    def routes(self):
        return [
            web.post("/oauth/token", self._token),
            web.get("/api/account", self._account),
            web.get("/api/courses", self._list),
            web.post("/api/courses/{operation}", self._courses),
            web.post("/api/results", self._results),
            web.get("/api/learners", self._learners),
        ]

    def _refuse(self, request):
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return None if given in self.tokens else json_response({"error": "invalid_token"}, status=401)

    async def _token(self, request):
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_urlsafe()
        self.tokens.add(token)
        return json_response({"access_token": token, "token_type": "bearer", "expires_in": 3600})

    async def _account(self, request):
        return self._refuse(request) or json_response({"name": "Example Ltd"})

    async def _list(self, request):
        if refused := self._refuse(request):
            return refused
        rows = [row for row in self.items.values() if request.query.get("ref") in (None, row["ref"])]
        page = self.page_of(rows, start=int(request.query.get("start", 0)), size=PAGE, of=str(request.query.get("ref")))
        return json_response({"courses": page.rows, "next": page.next_start})

    async def _learners(self, request):
        if refused := self._refuse(request):
            return refused
        rows = self.inactive if request.query.get("active") == "no" else []
        page = self.page_of(rows, start=int(request.query.get("start", 0)), size=PAGE, of=request.path)
        return json_response({"learners": [{"id": each} for each in page.rows], "next": page.next_start})

    async def _courses(self, request):
        if refused := self._refuse(request):
            return refused
        operation = request.match_info["operation"]
        rows = (await request.json())["courses"]
        if len(rows) > 50:
            return json_response({"error": "More than 50 courses."}, status=413)
        return json_response({"results": [self._course(operation, row) for row in rows]})

    def _course(self, operation, row):
        ref = row.get("ref")
        problem = _problem(row, FIELDS)
        if not problem and len(row["name"]) > 100:
            problem = "A name has at most 100 characters."
        if problem or self.is_poisoned(ref):
            return {"ref": ref, "status": "error", "message": problem or "It is not acceptable."}
        if operation == "create" and ref in self.items:
            return {"ref": ref, "status": "exists", "id": self.items[ref]["id"]}
        if operation != "create" and ref not in self.items:
            return {"ref": ref, "status": "missing"}
        number = self.items[ref]["id"] if ref in self.items else next(self.ids)
        self.items[ref] = {**row, "id": number, "visible": operation != "retire"}
        self.arrivals[ref] += operation == "create"  # a second one of these would be a double, an update is not
        return {"ref": ref, "status": "ok", "id": number}

    async def _results(self, request):
        if refused := self._refuse(request):
            return refused
        return json_response({"results": [self._result(row) for row in (await request.json())["results"]]})

    def _result(self, row):
        problem = _problem(row, RESULT)
        if problem or self.is_poisoned(row["learner"], row["course"]):
            return {"status": "error", "message": problem or "It is not acceptable."}
        self.outcomes.append(row)
        self.arrivals[row["learner"]] += 1
        return {"status": "ok"}


def _problem(row, fields):
    wrong = [name for name in sorted(fields.keys() | row.keys()) if not isinstance(row.get(name), fields.get(name, ()))]
    return f"The field {wrong[0]} is missing, unknown or of a wrong type." if wrong else ""
