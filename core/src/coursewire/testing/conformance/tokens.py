"""Credentials: tokens end and are renewed, and what is no token settles nothing."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from coursewire.errors import ConfigurationError
from coursewire.model.reasons import Reason
from coursewire.storage.audit.records import ContentRecords
from coursewire.storage.audit.states import State
from coursewire.testing.conformance.checks import Fault, check, demand, demand_equal
from coursewire.testing.conformance.content import demand_all_there, demand_confirmed
from coursewire.testing.conformance.needs import CONTENT, TOKENS

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.testing.conformance.bench import Bench

RUBBISH: dict[str, str] = {
    "a page of HTML": "<!DOCTYPE html><html><body>Please log in</body></html>",
    "an empty object": "{}",
    "an empty list": "[]",
    "nothing": "",
    "a null token": json.dumps({"access_token": None, "token_type": "Bearer", "expires_in": 3600}),
    "a blank token": json.dumps({"access_token": " ", "token_type": "Bearer", "expires_in": 3600}),
    "an error with status 200": json.dumps({"error": "invalid_client"}),
    "a token that is over": json.dumps({"access_token": "made-up", "expires_in": -5}),
}
"""Answers with status 200 that token endpoints have been seen to give, and that are no token."""


def _answer(body: str, kind: str, _request: web.Request) -> web.Response:
    return web.Response(text=body, content_type=kind)


def demand_untouched(bench: Bench, uuid: UUID, after: str) -> None:
    """Demand that no item was settled, one way or the other."""
    demand(not bench.simulator.items, f"items arrived after {after}", seen=bench.simulator.items)
    records = ContentRecords(bench.engine, uuid).in_states(State)
    settled = {each.key: each.state.value for each in records if each.state is not State.PLANNED}
    demand(not settled, f"items were settled by {after}", seen=settled, expected="all planned still")


class TokenChecks:
    """Getting in, staying in, being thrown out."""

    @check(
        "credentials that are refused settle no item, the configuration says so, and a later run tries them again",
        CONTENT,
    )
    def test_refused_credentials_settle_nothing(self, bench: Bench) -> None:
        """401, again and again. No further run knocks before the pause is over; the next one heals it.

        Let ``CredentialsError`` go up.
        """
        uuid = bench.configure()
        items = bench.shelve(1, 2)
        bench.misbehave("expired token", times=None)
        summary = bench.run(uuid)
        demand_untouched(bench, uuid, "refused credentials")
        demand(
            summary.error,
            "the summary has no error although the credentials were refused",
            seen=summary.as_dict(),
        )
        since = bench.installation.configurations.get(uuid).failing_since
        demand(
            since,
            "the configuration does not say that the credentials are refused",
            seen=since,
            expected="since when",
        )
        knocked = len(bench.simulator.seen)
        try:
            bench.run(uuid)
        except ConfigurationError:
            pass
        else:
            raise Fault("refused credentials are tried again at once", expected="a refusal")
        demand_equal(len(bench.simulator.seen), knocked, "the LMS was asked again with refused credentials")
        bench.simulator.misbehave.clear()
        bench.clock.forward(days=2)
        summary = bench.settle(uuid)
        demand_all_there(bench, items, summary)
        since = bench.installation.configurations.get(uuid).failing_since
        demand(
            since is None,
            "the configuration says that the credentials are refused after a success",
            seen=since,
        )

    @check("a token that ends before its time is renewed, and nothing is lost", CONTENT & TOKENS)
    def test_a_token_that_ends_early_is_renewed(self, bench: Bench) -> None:
        """Between two runs, and once more.

        Subclass ``TokenAuth``: it renews once after a 401.
        """
        uuid, items = bench.configure(), bench.shelve(1)
        bench.run(uuid)
        bench.simulator.expire_tokens()
        items += bench.shelve(2, 3)
        summary = bench.run(uuid)
        demand_all_there(bench, items, summary)
        bench.misbehave("expired token")
        items += bench.shelve(4, 5)
        summary = bench.run(uuid)
        demand_all_there(bench, items, summary)
        demand_confirmed(bench, uuid, items)
        doubles = {key: times for key, times in bench.simulator.arrivals.items() if times > 1}
        demand(not doubles, "items were sent twice with the new token", seen=doubles, expected="each once")
        since = bench.installation.configurations.get(uuid).failing_since
        demand(since is None, "the credentials count as refused although the token was renewed", seen=since)

    @check("tokens are kept: a further run asks for none while they are good", CONTENT & TOKENS)
    def test_tokens_are_kept(self, bench: Bench) -> None:
        """A token a request is what gets accounts locked."""
        uuid = bench.configure()
        for number in range(3):
            bench.shelve(number)
            bench.run(uuid)
        asked = sum(seen.path in bench.simulator.token_paths for seen in bench.simulator.seen)
        demand_equal(asked, 1, "three runs within a minute asked for tokens more than once, or never")

    @check("what is no token is not taken for one, whatever the status says", CONTENT & TOKENS)
    def test_rubbish_instead_of_a_token_settles_nothing(self, bench: Bench) -> None:
        """HTML, ``{}``, ``[]``, null, blank, an error, a life that is over: all with status 200.

        Read tokens with ``read_oauth_token``, or as strictly.
        """
        bench.shelve(1, 2)
        for what, body in RUBBISH.items():
            uuid = bench.configure()
            kind = "text/html" if body.startswith("<") else "application/json"
            bench.simulator.answer_token = partial(_answer, body, kind)
            summary = bench.run(uuid)
            demand(
                not bench.simulator.items,
                f"items arrived with {what} for a token",
                seen=bench.simulator.items,
            )
            records = ContentRecords(bench.engine, uuid).in_states(State)
            settled = {
                each.key: each.state.value
                for each in records
                if each.state is not State.PLANNED and each.reason != Reason.UNREACHABLE
            }
            demand(
                not settled,
                f"items were settled by {what} instead of a token",
                seen=settled,
                expected="all planned still, or to be tried again",
            )
            since = bench.installation.configurations.get(uuid).failing_since
            demand(
                since is not None or summary.exit_status == 1 or summary.as_dict()["waiting"] == 2,
                f"{what} instead of a token is not told",
                seen=summary.as_dict(),
                expected="the configuration says that the credentials are refused, or the items wait",
            )

    @check(
        "a token endpoint that is out of order makes items wait, not configurations fail", CONTENT & TOKENS
    )
    def test_a_token_endpoint_out_of_order_is_waited_for(self, bench: Bench) -> None:
        """503: the credentials may well be good."""
        uuid, items = bench.configure(), bench.shelve(1, 2)
        bench.simulator.answer_token = lambda _request: web.Response(status=503, text="Down for maintenance")
        bench.run(uuid)
        demand(not bench.simulator.items, "items arrived without a token", seen=bench.simulator.items)
        since = bench.installation.configurations.get(uuid).failing_since
        demand(since is None, "a token endpoint in maintenance counts as refused credentials", seen=since)
        bench.simulator.answer_token = lambda _request: None
        bench.clock.forward(days=2)
        summary = bench.settle(uuid)
        demand_all_there(bench, items, summary)
        demand_confirmed(bench, uuid, items)
