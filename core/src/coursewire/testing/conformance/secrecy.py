"""Secrets and personal data: planted where an LMS could echo them, looked for everywhere."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web

from coursewire.errors import CoursewireError
from coursewire.testing.conformance.checks import check, demand
from coursewire.testing.conformance.needs import ANY_RESULTS, CONTENT, EVERY, TOKENS
from coursewire.testing.conformance.results import classroom, kind_of

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.testing.conformance.bench import Bench

SHORTEST = 6
"""Shorter ones would be found by chance."""
EVERYWHERE = "coursewire conformance simulated simulator"
"""Words that stand in what is shown, secret or not."""


def canaries(bench: Bench) -> dict[str, str]:
    """A value that must show nowhere, and its name in messages, which do not repeat it."""
    found = {value: f"the secret {name}" for name, value in _secret_fields(bench)}
    for number, value in enumerate(sorted(bench.simulator.credentials), 1):
        found.setdefault(value, f"the credential of an Authorization header ({number})")
    # A sample user called "coursewire" would be found in every line of the log.
    common = f"{bench.channel.code} {bench.channel.title} {bench.simulator.url} {EVERYWHERE}".lower()
    return {
        value: name for value, name in found.items() if len(value) >= SHORTEST and value.lower() not in common
    }


def _secret_fields(bench: Bench) -> Iterator[tuple[str, str]]:
    fields = bench.fields()
    for name in sorted(bench.channel.config.secret_fields()):
        if isinstance(fields.get(name), str):
            yield name, fields[name]


def demand_hidden(bench: Bench, shown: dict[str, list[str]]) -> None:
    """Demand that no canary shows in any of the texts.

    Args:
        bench: The bench.
        shown: Place to the texts that stand there.
    """
    secrets = canaries(bench)
    found = [
        f"{name} shows in {place}"
        for place, texts in shown.items()
        for value, name in secrets.items()
        if any(value in text for text in texts)
    ]
    demand(not found, "; ".join(found), seen="(not repeated here)", expected="*** in its place")


def all_shown(bench: Bench, uuid: UUID, log: list[str]) -> dict[str, list[str]]:
    """Every text that people, logs and databases get to see."""
    configuration = bench.installation.configurations.get(uuid)
    config = bench.installation.configurations.load(uuid, bench.channel)
    history = bench.installation.configurations.history(uuid)
    rows = {f"the table {name}": [repr(row) for row in rows] for name, rows in bench.all_rows().items()}
    return {
        "the log": log,
        "the configuration": [repr(configuration), str(configuration), repr(history)],
        "the configuration's model": [
            repr(config),
            str(config),
            config.model_dump_json(),
            str(config.model_dump()),
        ],
        "the plan": [repr(item) for item in bench.plan(uuid)]
        + [json.dumps(item.as_dict()) for item in bench.plan(uuid)],
        **rows,
    }


class SecrecyChecks:
    """Secrets and personal data show nowhere."""

    @check("secrets and tokens show in no log, transmission, plan, error, table or repr", CONTENT)
    def test_secrets_show_nowhere(self, bench: Bench) -> None:
        """Also where the LMS repeats them in its refusal.

        Put secrets into ``SecretStr`` fields and tokens into ``session.tokens``: what core knows as a
        secret it masks, also where an LMS repeats it. Log nothing of requests and answers.
        """
        uuid, _items = bench.configure(), bench.shelve(1)
        with bench.listening() as log:
            bench.run(uuid)
            bench.shelve(1, 2, title="A title that is new")
            bench.simulator.interfere = self._parrot(bench, 400)
            summary = bench.run(uuid)
            bench.simulator.interfere = self._parrot(bench, 500)
            bench.clock.forward(days=2)
            bench.shelve(3)
            bench.run(uuid)
        demand_hidden(bench, {**all_shown(bench, uuid, log), "the summary": [json.dumps(summary.as_dict())]})

    @check("secrets show in no error and no check of the connection", EVERY)
    def test_errors_hold_no_secret(self, bench: Bench) -> None:
        """The LMS repeats what it was sent, and the error quotes the LMS."""
        uuid = bench.configure()
        shown: list[str] = []
        with bench.listening() as log:
            for status in (200, 400, 401, 403, 404, 500):
                bench.simulator.interfere = self._parrot(bench, status)
                try:
                    shown += bench.in_session(uuid, bench.loaded.hook_caller.check_connection)
                except CoursewireError as error:
                    shown += [str(error), repr(error), repr(vars(error))]
                    shown += traceback.TracebackException.from_exception(error).format()
        demand_hidden(bench, {"the errors": shown, "the log": log})

    @check("secrets show nowhere when the token endpoint repeats them", CONTENT & TOKENS)
    def test_refused_tokens_hold_no_secret(self, bench: Bench) -> None:
        """The request for a token holds the secrets themselves."""
        bench.shelve(1)
        for status in (200, 400, 401, 500):
            uuid = bench.configure()
            bench.simulator.answer_token = self._parrot(bench, status)
            with bench.listening() as log:
                summary = bench.run(uuid)
            shown = [json.dumps(summary.as_dict()), repr(bench.installation.configurations.get(uuid))]
            written = [repr(bench.all_rows())]
            demand_hidden(bench, {"the summary": shown, "the log": log, "the database": written})

    @staticmethod
    def _parrot(bench: Bench, status: int) -> Any:
        """An LMS that repeats every secret and the request's own credentials."""
        secrets = [value for _name, value in _secret_fields(bench)]

        def answer(request: web.Request) -> web.Response:
            words = f"refused: {' '.join(secrets)} {request.headers.get('Authorization', '')}"
            body = {
                "error": {"code": "refused", "message": words},
                "errorMessage": words,
                "message": words,
                "errors": [{"message": words}],
            }
            return web.json_response(body, status=status)

        return answer

    @check("secrets travel in headers and bodies, not in addresses", EVERY)
    def test_secrets_are_in_no_address(self, bench: Bench) -> None:
        """Addresses end in the logs of every proxy on the way.

        Send them in a header or in the body. Where a vendor takes them in the address alone, skip
        this with that reason.
        """
        uuid = bench.configure()
        bench.in_session(uuid, bench.loaded.hook_caller.check_connection)
        if bench.channel.capabilities.content.usable:
            bench.shelve(1)
            bench.run(uuid)
        addresses = [f"{seen.path}?{seen.query}" for seen in bench.simulator.seen]
        demand_hidden(bench, {"an address": addresses})

    @check("no learner shows in the log", ANY_RESULTS)
    def test_learners_are_not_logged(self, bench: Bench) -> None:
        """Neither name, nor id, nor address; not at any level, and not when something fails.

        Core logs templates of paths, no values. Log nothing of a payload in a channel.
        """
        uuid, item = classroom(bench)
        for name in ("ada", "bo", "chi"):
            bench.enroll(f"{name}-made-up", item, quizzes={"quiz1": "9"})
        bench.simulator.poisoned = {"bo-made-up@example.com"}
        with bench.listening() as log:
            bench.run(uuid, kind_of(bench))
            bench.misbehave("HTML error page", times=None)
            bench.enroll("dag-made-up", item, quizzes={"quiz1": "9"})
            bench.run(uuid, kind_of(bench))
        lines = [line for line in log if "-made-up" in line]
        demand(
            not lines, "the log names learners", seen=lines[:3], expected="no name, id or address of a person"
        )
