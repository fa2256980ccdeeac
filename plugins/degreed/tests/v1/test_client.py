"""Batches of courses over real HTTP against the simulator: what arrives, and what each answer means."""

from __future__ import annotations

import base64

import pytest
from aiohttp import web

from coursewire.errors import BlockedError, CredentialsError, ThrottledError, UnreachableError
from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation, ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire_degreed.v1 import plugin

ACCEPTED, REJECTED, TRY_LATER, BLOCKED = (
    ResultKind.ACCEPTED,
    ResultKind.REJECTED,
    ResultKind.TRY_LATER,
    ResultKind.BLOCKED,
)
RETIRE = Operation.RETIRE
COURSES = "v1/provider/content/course"


def answer(status, body):
    def interfere(_request):
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.json_response(body, status=status)

    return interfere


def kinds(results):
    return [result.kind for result in results]


def test_a_token_by_password_with_the_client_as_basic_and_then_the_batch(simulator, send, make):
    headers = []
    simulator.answer_token = lambda request: headers.append(request.headers["Authorization"])

    results = send(make.course("a"), make.course("b+ü"), make.course("c"))

    token, batch = simulator.seen
    pair = base64.b64encode(b"simulated-client:simulated-secret-4c7e").decode()
    assert headers == [f"Basic {pair}"]
    assert (token.path, token.body) == (
        "/oauth/token",
        "grant_type=password&username=4711&password=simulated-password-91&scope=provider_content",
    )
    assert (batch.method, batch.path) == ("POST", "/api/v1/provider/content/course")
    assert [course["contentId"] for course in batch.body["courses"]] == ["a", "b+ü", "c"]
    assert (batch.body["orgCode"], batch.body["providerCode"]) == ("SIMULATED", "EDX")
    assert [(result.kind, result.http_status) for result in results] == [(ACCEPTED, 200)] * 3
    assert set(simulator.items) == {"a", "b+ü", "c"}


def test_two_batches_have_one_token_until_it_is_over(simulator, run, make, clock):
    from coursewire.model.payload import Batch

    async def batch(session):
        return await plugin.send_content(session, Batch(Operation.CREATE, (make.course("a"),)))

    async def later(_session):
        clock.forward(simulator.token_lifetime_s)

    run(batch, batch, later, batch)

    paths = [seen.path.rpartition("/")[2] for seen in simulator.seen]
    assert paths == ["token", "course", "course", "token", "course"]


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ((200, {}), UnreachableError),
        ((200, "<html>"), UnreachableError),
        ((200, {"access_token": "x", "expires_in": "-60"}), UnreachableError),
        ((401, {"error": "no"}), CredentialsError),
    ],
)
def test_a_token_answer_without_a_token_sends_nothing(told, error, simulator, send, make, calls):
    simulator.answer_token = answer(*told)

    with pytest.raises(error):
        send(make.course("a"))

    assert calls(simulator) == []


def test_five_hundred_and_one_courses_are_two_batches(make):
    from coursewire.plugins.loading import load_channel_object

    loaded = load_channel_object(plugin)
    config = plugin.declare_channel().config.model_construct()
    payloads = [make.course(f"c{number}") for number in range(501)]

    batches = loaded.hook_caller.make_batches(config, Kind.CONTENT, Operation.CREATE, payloads)

    assert [len(batch) for batch in batches] == [500, 1]


def test_an_update_is_the_same_request_as_a_create(simulator, send, make, calls):
    send(make.course("a"))
    send(make.course("a", title="New"), operation=Operation.UPDATE)

    assert calls(simulator) == [(f"POST {COURSES}", 200)] * 2
    assert simulator.items["a"]["title"] == "New"


def test_a_deletion_has_a_body_that_names_the_courses_alone(simulator, send, make, calls):
    send(make.course("a"), make.course("b"), make.course("c"))

    results = send(make.course("a"), make.course("c"), operation=RETIRE)

    assert kinds(results) == [ACCEPTED, ACCEPTED]
    assert calls(simulator)[-1] == (f"DELETE {COURSES}", 200)
    assert simulator.seen[-1].body["courses"] == [{"contentId": "a"}, {"contentId": "c"}]
    assert set(simulator.items) == {"b"}


def test_deleting_what_is_not_there_is_a_success_once_it_is_alone(simulator, send, make):
    send(make.course("a"))

    together = send(make.course("gone"), make.course("a"), operation=RETIRE)
    (alone,) = send(make.course("gone"), operation=RETIRE)

    assert kinds(together) == [ResultKind.ALREADY_SO, TRY_LATER]
    assert together[1].batch_refused
    assert (alone.kind, alone.reason) == (ResultKind.ALREADY_SO, "already-gone")


def test_a_course_that_a_refusal_names_is_refused_alone(simulator, send, make):
    results = send(make.course("a"), make.course("ab", title=""), make.course("abc"))

    assert kinds(results) == [TRY_LATER, REJECTED, TRY_LATER]
    assert [result.batch_refused for result in results] == [True, False, True]
    assert (results[1].http_status, results[1].reason) == (400, "refused")
    assert "title" in results[1].message
    assert not simulator.items


def test_a_refusal_that_names_none_is_the_batchs(simulator, send, make):
    simulator.name_refused = False

    results = send(make.course("a"), make.course("b", title=""))

    assert [(result.kind, result.batch_refused, result.http_status) for result in results] == [
        (REJECTED, True, 400)
    ] * 2
    assert "title" in results[0].message


@pytest.mark.parametrize(
    ("told", "first", "second"),
    [
        ((200, {"courses": [{"contentId": "a"}, {"contentId": "b", "error": "no"}]}), ACCEPTED, REJECTED),
        ((200, {"errors": [{"contentId": "b", "message": "no"}]}), ACCEPTED, REJECTED),
        ((207, {"failed": [{"contentId": "b", "detail": "no"}]}), ACCEPTED, REJECTED),
        (
            (200, {"courses": [{"contentId": "a", "errors": []}, {"contentId": "b", "error": None}]}),
            ACCEPTED,
            ACCEPTED,
        ),
        ((201, {}), ACCEPTED, ACCEPTED),
        ((200, []), ACCEPTED, ACCEPTED),
        ((400, {"errors": [{"contentId": "b", "message": "no"}]}), TRY_LATER, REJECTED),
        ((500, {"errors": [{"contentId": "b", "message": "no"}]}), TRY_LATER, REJECTED),
        ((200, {"error": "nothing was taken"}), REJECTED, REJECTED),
        ((200, {"errors": [{"contentId": "other", "message": "no"}]}), REJECTED, REJECTED),
        ((200, "<html>log in</html>"), TRY_LATER, TRY_LATER),
        ((200, '"text"'), TRY_LATER, TRY_LATER),
        ((403, {"error": "no"}), BLOCKED, BLOCKED),
        ((404, "<html>no such site</html>"), TRY_LATER, TRY_LATER),
        ((500, {"error": "no"}), TRY_LATER, TRY_LATER),
    ],
)
def test_what_an_answer_means_for_each_course(told, first, second, simulator, send, make):
    simulator.interfere = answer(*told)

    results = send(make.course("a"), make.course("b"))

    assert kinds(results) == [first, second]
    assert {result.http_status for result in results} == {told[0]}
    assert all(result.message or result.confirms for result in results)


@pytest.mark.parametrize(("status", "kind"), [(200, TRY_LATER), (201, ACCEPTED), (204, ACCEPTED)])
def test_an_answer_without_a_body(status, kind, simulator, send, make):
    simulator.interfere = lambda _request: web.Response(status=status)

    assert kinds(send(make.course("a"))) == [kind]


@pytest.mark.parametrize("name", ["reset after accepting", "reset before accepting", "bad gateway"])
def test_a_lost_answer_is_repeated_for_a_course_is_overwritten(name, simulator, send, make):
    simulator.misbehave.append(Misbehaviour(name))

    assert kinds(send(make.course("a"))) == [ACCEPTED]
    assert set(simulator.items) == {"a"}


def test_degreed_asks_to_wait(simulator, send, make, clock):
    simulator.misbehave.append(Misbehaviour("429 with Retry-After", seconds=60))

    with pytest.raises(ThrottledError) as caught:
        send(make.course("a"))

    assert (caught.value.retry_at - clock.now).total_seconds() == 60


def test_a_connection_that_works_changes_nothing(simulator, run, calls):
    said = run(plugin.check_connection)

    assert len(said) == 2
    assert calls(simulator) == [(f"POST {COURSES}", 200)]
    assert not simulator.items
    assert len(run(plugin.check_connection, disable_learner_data_transmissions=True)) == 1


@pytest.mark.parametrize("scope", ["provider_content", "provider_completion"])
def test_a_scope_that_the_client_lacks_is_an_error(scope, simulator, run):
    simulator.scopes.discard(scope)

    with pytest.raises(CredentialsError):
        run(plugin.check_connection)


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ((403, {"error": "no"}), BlockedError),
        ((404, "no"), BlockedError),
        ((200, "<html>"), UnreachableError),
    ],
)
def test_a_connection_that_does_not_work(told, error, simulator, run):
    simulator.interfere = answer(*told)

    with pytest.raises(error):
        run(plugin.check_connection)


def test_an_empty_batch_that_is_refused_as_invalid_has_come_through(simulator, run):
    simulator.interfere = answer(400, {"error": "courses is empty"})

    assert run(plugin.check_connection)
