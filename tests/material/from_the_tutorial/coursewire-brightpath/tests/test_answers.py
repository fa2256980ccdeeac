"""What the answers mean that are special to Brightpath: the real session on the simulator."""

import asyncio

import coursewire as cw
import pytest
from aiohttp import web
from coursewire.testing import open_session
from coursewire.testing.simulator import json_response

from coursewire_brightpath import plugin
from coursewire_brightpath.simulator import BrightpathSimulator

MODULE = {
    "name": "Knots",
    "summary": "",
    "link": "https://courses.example.org/knots",
    "language": None,
    "opens_at": None,
    "archived": False,
}
RESULT = {"learner": "pat-1", "module": "KNOTS", "passed": True, "score": 87.5, "finished_at": None}


@pytest.fixture
def brightpath():
    with BrightpathSimulator().running() as simulator:
        simulator.enroll("KNOTS", "pat-1")
        yield simulator


def ask(simulator, hook, *arguments):
    """Return the answer of a client hook that is given a session of its own."""

    async def run():
        async with open_session(plugin, simulator) as session:
            return await hook(session, *arguments)

    return asyncio.run(run())


def batch(operation, *bodies, key="KNOTS"):
    """A batch of these bodies; the first has the key, the others are numbered."""
    keys = [key, *(f"{key}-{number}" for number in range(1, len(bodies)))]
    payloads = [cw.Payload(k, operation, body, "f", k) for k, body in zip(keys, bodies, strict=True)]
    return cw.Batch(operation, tuple(payloads))


def test_a_module_gets_its_number_and_keeps_it(brightpath):
    create, update = batch(cw.Operation.CREATE, MODULE), batch(cw.Operation.UPDATE, MODULE)
    assert [r.remote_id for r in ask(brightpath, plugin.send_content, create)] == ["m-1"]
    assert [r.remote_id for r in ask(brightpath, plugin.send_content, update)] == ["m-1"]


def test_a_refused_field_is_named(brightpath):
    (result,) = ask(brightpath, plugin.send_content, batch(cw.Operation.CREATE, MODULE | {"name": "x" * 121}))
    assert (result.kind, result.reason) == (cw.ResultKind.REJECTED, "invalid")
    assert result.message == "name: 120 characters at most"


def test_archiving_what_is_gone_makes_nothing_anew(brightpath):
    retire = batch(cw.Operation.RETIRE, MODULE | {"archived": True})
    (result,) = ask(brightpath, plugin.send_content, retire)
    assert result.kind is cw.ResultKind.ALREADY_SO
    assert not brightpath.items


def test_the_404_of_a_proxy_archives_nothing(brightpath):
    brightpath.interfere = lambda _request: web.Response(status=404, text="<html>", content_type="text/html")
    retire = batch(cw.Operation.RETIRE, MODULE | {"archived": True})
    (result,) = ask(brightpath, plugin.send_content, retire)
    assert result.kind not in {cw.ResultKind.ALREADY_SO, cw.ResultKind.ACCEPTED}


def test_archiving_what_was_never_confirmed_keeps_the_rest(brightpath):
    ask(brightpath, plugin.send_content, batch(cw.Operation.CREATE, MODULE))
    (result,) = ask(brightpath, plugin.send_content, batch(cw.Operation.RETIRE, {"archived": True}))
    assert result.kind is cw.ResultKind.ACCEPTED
    assert brightpath.items["KNOTS"]["archived"] is True
    assert brightpath.items["KNOTS"]["name"] == "Knots"


def test_odd_keys_stay_in_their_part_of_the_path(brightpath):
    key = "a/b ?c%2F#é"
    (result,) = ask(brightpath, plugin.send_content, batch(cw.Operation.CREATE, MODULE, key=key))
    assert result.kind is cw.ResultKind.ACCEPTED
    assert list(brightpath.items) == [key]


def test_rows_of_results_are_read_by_their_reference(brightpath):
    ask(brightpath, plugin.send_content, batch(cw.Operation.CREATE, MODULE))
    rows = [RESULT, RESULT | {"learner": "nobody"}, RESULT | {"score": 101.0}]
    results = ask(brightpath, plugin.send_outcomes, batch(cw.Operation.CREATE, *rows, key="ref"))
    assert [(each.kind, each.reason) for each in results] == [
        (cw.ResultKind.ACCEPTED, ""),
        (cw.ResultKind.BLOCKED, "learner-unmatched"),
        (cw.ResultKind.REJECTED, "invalid"),
    ]


def test_a_duplicate_is_there_already_and_a_correction_overwrites(brightpath):
    ask(brightpath, plugin.send_content, batch(cw.Operation.CREATE, MODULE))
    send = [batch(cw.Operation.CREATE, RESULT | {"score": score}, key="ref") for score in (50.0, 50.0, 60.0)]
    kinds = [ask(brightpath, plugin.send_outcomes, each)[0].kind for each in send]
    assert kinds == [cw.ResultKind.ACCEPTED, cw.ResultKind.ALREADY_SO, cw.ResultKind.ACCEPTED]
    assert brightpath.outcomes["ref"]["score"] == 60.0


def test_a_page_that_does_not_say_which_one_it_is_ends_no_list(brightpath):
    brightpath.interfere = lambda _request: json_response({"modules": []})
    with pytest.raises(cw.IncompleteListError):
        ask(brightpath, plugin.list_remote)


def test_the_121st_call_of_a_minute_is_put_off_here(brightpath):
    async def many(session):
        for _ in range(121):
            await session.get("/api/v2/modules", params={"page": 1, "per_page": 1})

    with pytest.raises(cw.ThrottledError):
        ask(brightpath, many)
    assert 429 not in [each.status for each in brightpath.seen]


def test_calls_are_counted_by_api_client(brightpath):
    async def scope(client):
        async with open_session(plugin, brightpath, client_id=client) as session:
            return session.config.limit_scope

    one, same, two = (asyncio.run(scope(client)) for client in ("one", "one", "two"))
    assert one == same != two


@pytest.mark.parametrize("key", [".", "..", "k" * 65, "k" * 64 + "l"])
def test_keys_that_brightpath_cannot_take_get_a_digest(key):
    sent = plugin.remote_key(cw.ContentItem(content_type="course", key=key))
    assert sent != key
    assert len(sent) <= 64
