"""Manners: a channel leaves alone what it is given, speaks through core's session, and keeps quiet."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from aiohttp import web

from coursewire.model.kinds import Kind
from coursewire.model.payload import canonical_json, digest
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.made_up import content_item
from coursewire.testing.conformance.needs import ANY_RESULTS, CONTENT, EVERY, TOKENS
from coursewire.testing.conformance.results import classroom, kind_of
from coursewire.testing.conformance.secrecy import demand_hidden
from coursewire.testing.conformance.texts import strings_in
from coursewire.testing.conformance.tokens import RUBBISH

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench

SIGNS = ("…", "...")
"""The ends by which a text says that it was cut."""


def api_calls(bench: Bench) -> int:
    """Return the number of requests other than for tokens that the simulator has seen."""
    return sum(seen.path not in bench.simulator.token_paths for seen in bench.simulator.seen)


def demand_untouched_payloads(bench: Bench, hook: str) -> None:
    """Demand that every payload that was handed over is still what was planned."""
    for batch, _results in bench.watch.of("batch_sent"):
        for payload in batch.payloads:
            body = canonical_json(dict(payload.body))
            # Core takes a result's fingerprint over the learner's id, too.
            whole = (digest(body), digest(canonical_json([payload.remote_key]) + body))
            demand(
                payload.fingerprint in whole,
                f"{hook} changed a payload that it was given",
                seen=payload.body,
                expected="the body as it was exported: what is confirmed is compared with it in every run",
            )


class MannersChecks:
    """Checks of what core cannot see from the results alone."""

    @check("sending content changes no payload", CONTENT)
    def test_content_payloads_stay_as_they_are(self, bench: Bench) -> None:
        """A channel that wants another body on the wire builds it from the payload's."""
        uuid, (one, *_) = bench.configure(), bench.shelve(*range(3))
        bench.run(uuid)
        bench.shelve(1, title="A title that is new")
        if bench.channel.capabilities.retire_strategies:
            bench.take_away(one)
        bench.run(uuid)
        demand_untouched_payloads(bench, "send_content")

    @check("sending results changes no payload", ANY_RESULTS)
    def test_result_payloads_stay_as_they_are(self, bench: Bench) -> None:
        """The same holds for results."""
        uuid, item = classroom(bench)
        bench.enroll("ada", item, quizzes={"leaves": "9"})
        bench.run(uuid, kind_of(bench))
        demand_untouched_payloads(bench, "send_outcomes")

    @check("every request goes through core's session", CONTENT)
    def test_every_request_goes_through_the_session(self, bench: Bench) -> None:
        """Past it there are no limits, no pauses, no time-outs, no log, and no check of where a request goes."""
        uuid, _items = bench.configure(), bench.shelve(*range(3))
        counted = bench.run(uuid).as_dict()["requests"]
        demand_equal(
            counted, api_calls(bench), "the LMS was asked past the session: it saw more than core has sent"
        )

    @check("a channel prints nothing that is secret", EVERY)
    def test_secrets_are_not_printed(self, bench: Bench) -> None:
        """A channel prints nothing, since its output ends in somebody's log."""
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            uuid = bench.configure()
            bench.shelve(1)
            if bench.channel.capabilities.content.usable:
                bench.run(uuid, Kind.CONTENT)
            bench.in_session(uuid, bench.loaded.hook_caller.check_connection)
        demand_hidden(bench, {"what was printed": [printed.getvalue()]})

    @check("nothing is asked with a token that is none", CONTENT & TOKENS)
    def test_rubbish_is_not_used_as_a_token(self, bench: Bench) -> None:
        """A request with ``Bearer None`` looks like an attack, and locks accounts."""
        bench.shelve(1)
        for what, body in RUBBISH.items():
            uuid = bench.configure()

            def answer(_request: web.Request, body: str = body) -> web.Response:
                return web.Response(text=body, content_type="application/json")

            bench.simulator.answer_token = answer
            bench.run(uuid)
            demand(
                not api_calls(bench),
                f"{what} was used as a token",
                seen=[f"{seen.method} {seen.path}" for seen in bench.simulator.seen],
                expected="requests for a token, and no other",
            )

    @check("a title that was cut says so", CONTENT)
    def test_a_cut_title_says_so(self, bench: Bench) -> None:
        """A reader sees that it goes on: ``cw.truncate`` puts an ellipsis there."""
        title = "A course about many things " * 150
        item = content_item("long", bench.main_type, title=title)
        bench.put(item)
        bench.run(bench.configure())
        cut = [text for text in _texts(bench.held(item)) if text.startswith(title[:20]) and title not in text]
        silent = [text for text in cut if not any(sign in text for sign in SIGNS)]
        demand(
            not silent,
            "a title was cut without a sign",
            seen=silent,
            expected=f"{title[:20]} … with an ellipsis where it was cut",
        )


def _texts(held: Any) -> list[str]:
    return list(strings_in(held))
