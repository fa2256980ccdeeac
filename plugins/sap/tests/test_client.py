"""The import over real HTTP against the simulator: what arrives, and what each answer means."""

from __future__ import annotations

import asyncio

import pytest

from coursewire.errors import BlockedError, CredentialsError, SendError, ThrottledError, UnreachableError
from coursewire.model.channel import Idempotency, Support
from coursewire.model.payload import Operation, ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire_sap import plugin

IMPORT_PATH = "/learning/odatav4/public/admin/ocn/v1/OcnCourses"
RETIRED = {"status": "INACTIVE"}
ACCEPTED, REJECTED, TRY_LATER = ResultKind.ACCEPTED, ResultKind.REJECTED, ResultKind.TRY_LATER


def imports(simulator):
    return [seen for seen in simulator.seen if seen.path == IMPORT_PATH]


def kinds(results):
    return [result.kind for result in results]


def test_one_call_carries_all_operations(simulator, make_batch, send):
    batch = make_batch(
        "new", ("old", Operation.UPDATE, {"revisionNumber": 1}), ("gone", Operation.RETIRE, RETIRED), "Ünï+1"
    )

    results = send(batch)

    assert kinds(results) == [ACCEPTED] * 4
    (call,) = imports(simulator)
    assert call.body == {"ocnCourses": [payload.body for payload in batch.payloads]}
    assert simulator.items["gone"]["status"] == "INACTIVE"
    assert set(simulator.arrivals.values()) == {1}
    assert results[3].http_status == 200
    assert "gone" not in results[3].excerpt


@pytest.mark.parametrize("path", ["/" + IMPORT_PATH.lstrip("/"), IMPORT_PATH.lstrip("/")])
@pytest.mark.parametrize("slash", ["", "/"])
def test_slashes_make_no_difference(path, slash, simulator, make_batch, send):
    send(make_batch("a"), sapsf_base_url=simulator.url + slash, course_api_path=path)

    assert len(imports(simulator)) == 1


def test_sending_again_changes_nothing(simulator, make_batch, send):
    assert kinds(send(make_batch("a"), make_batch("a"))) == [ACCEPTED, ACCEPTED]
    assert len(simulator.items) == 1


def test_a_course_that_the_answer_names_is_refused_alone(simulator, make_batch, send):
    results = send(make_batch("Ex+A", ("Ex+AB", Operation.CREATE, {"title": []}), "Ex+ABC"))

    assert kinds(results) == [TRY_LATER, REJECTED, TRY_LATER]
    assert "title" in results[1].message
    assert (results[1].http_status, results[1].reason) == (400, "refused")
    assert [result.batch_refused for result in results] == [True, False, True]
    assert [result.reason for result in results] == ["batch-refused", "refused", "batch-refused"]
    assert simulator.items == {}


def test_a_refusal_without_a_name_is_the_batchs(simulator, make_batch, send):
    simulator.name_refused = False
    results = send(make_batch("a", ("b", Operation.CREATE, {"title": []})))

    assert kinds(results) == [REJECTED, REJECTED]
    assert all(result.batch_refused for result in results)
    assert "title" in results[0].message


def test_splitting_finds_the_course_that_sap_did_not_name(simulator, make_batch, send):
    simulator.name_refused = False
    simulator.poisoned = {"c7"}
    keys = [f"c{number}" for number in range(10)]
    accepted, refused = [], []

    def halves(some):
        results = send(make_batch(*some))
        if not results[0].batch_refused:
            accepted.extend(some)
        elif len(some) == 1:
            refused.extend(some)
        else:
            halves(some[: len(some) // 2])
            halves(some[len(some) // 2 :])

    halves(keys)

    assert refused == ["c7"]
    assert sorted(accepted) == sorted(set(keys) - {"c7"})


def test_hours_are_refused_where_the_tenant_does_not_know_them(simulator, make_batch, send):
    (result,) = send(make_batch(("a", Operation.CREATE, {"creditHours": 1.0, "totalHours": 1.0})))

    assert result.kind is REJECTED
    assert "creditHours" in result.message


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("reset before accepting", ACCEPTED),
        ("reset after accepting", ACCEPTED),
        ("bad gateway", ACCEPTED),
        ("expired token", ACCEPTED),
        ("429 with Retry-After", ACCEPTED),
        ("200 with error body", TRY_LATER),
        ("empty answer", TRY_LATER),
        ("HTML error page", TRY_LATER),
    ],
)
def test_misbehaviours(name, kind, simulator, make_batch, send):
    simulator.misbehave.append(Misbehaviour(name, path="OcnCourses"))

    assert kinds(send(make_batch("a"))) == [kind]
    assert kinds(send(make_batch("a"))) == [ACCEPTED]
    assert list(simulator.items) == ["a"]


def answered(simulator, send, make_batch, answer, *keys):
    simulator.import_answer = answer
    return send(make_batch(*(keys or ("a", "b"))))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"code": None, "message": "A field is missing"}}, "A field is missing"),
        (
            {"error": {"code": "X1", "message": {"lang": "en-US", "value": "A field is missing"}}},
            "X1: A field is missing",
        ),
        ({"error": "user account is inactive"}, "user account is inactive"),
        ({"error": {"detail": 7}}, '{"detail": 7}'),
        ({"errors": ["one", "two"]}, '["one", "two"]'),
        ("<html><body>Bad <b>request</b></body></html>", "Bad request"),
        ('<?xml version="1.0"?><error/>', None),
        ("", None),
        ({}, None),
        ([], None),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_error_bodies(status, body, words, simulator, make_batch, send):
    results = answered(simulator, send, make_batch, (status, body))

    assert kinds(results) == [REJECTED, REJECTED]
    assert all(result.batch_refused and result.http_status == status and result.message for result in results)
    if words:
        assert results[0].message == words


def test_success_with_an_error_inside_is_a_refusal(simulator, make_batch, send):
    results = answered(simulator, send, make_batch, (200, {"error": {"code": "X", "message": "no"}}))

    assert kinds(results) == [REJECTED, REJECTED]
    assert results[0].batch_refused
    assert results[0].message == "X: no"


@pytest.mark.parametrize(
    "body",
    [
        "<html>log in</html>",
        "",
        {},
        [],
        {"ocnCourses": []},
        {"ocnCourses": [{"courseID": "other"}]},
        {"ocnCourses": [{"courseID": "A"}, {"courseID": None}]},
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_success_without_an_echo_accepts_nothing(status, body, simulator, make_batch, send):
    results = answered(simulator, send, make_batch, (status, body))

    assert kinds(results) == [TRY_LATER, TRY_LATER]
    assert {result.reason for result in results} == {"no-acknowledgement"}


@pytest.mark.parametrize(
    "body",
    [
        {"@odata.context": "$metadata#OcnCourses/$entity", "ocnCourses": [{"courseID": "a"}]},
        {"value": [{"courseID": "a", "error": None}]},
        {"courseID": "a", "@odata.metadataEtag": "x"},
        [{"courseID": "a", "errorMessage": ""}],
    ],
)
def test_each_course_needs_its_own_echo(body, simulator, make_batch, send):
    assert kinds(answered(simulator, send, make_batch, (200, body))) == [ACCEPTED, TRY_LATER]


def test_a_row_may_carry_an_error_of_its_own(simulator, make_batch, send):
    rows = {
        "ocnCourses": [{"courseID": "a"}, {"courseID": "b", "error": {"code": "T", "message": "no title"}}]
    }
    results = answered(simulator, send, make_batch, (200, rows))

    assert kinds(results) == [ACCEPTED, REJECTED]
    assert results[1].message == "T: no title"


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"error": {"message": "Course Ex+A, locale: unknown"}}, {"Ex+A"}),
        ({"error": {"message": "'Ex+AB' is wrong, so is Ex+A."}}, {"Ex+A", "Ex+AB"}),
        (
            {"error": {"message": "refused"}, "details": [{"courseID": "Ex+AB", "message": "no title"}]},
            {"Ex+AB"},
        ),
        ({"errors": [{"courseID": "Ex+AB", "message": "no title"}]}, {"Ex+AB"}),
        ({"error": {"message": "PreEx+A and Ex+ABCD and Ex+A+1"}}, set()),
        ({"error": {"message": "wrong"}, "details": [{"courseID": "foreign"}]}, set()),
        ({"error": {"message": "Ex+A.1: wrong"}}, {"Ex+A.1"}),
    ],
)
def test_which_courses_a_refusal_names(body, refused, simulator, make_batch, send):
    keys = ("Ex+A", "Ex+A.1", "Ex+AB", "Ex+C")
    results = dict(zip(keys, answered(simulator, send, make_batch, (400, body), *keys), strict=True))

    named = {key for key, result in results.items() if result.kind is REJECTED and not result.batch_refused}
    assert named == refused
    if refused:
        assert results["Ex+C"].kind is TRY_LATER
        assert all(results[key].message for key in refused)


@pytest.mark.parametrize("status", [500, 501])
def test_an_ill_sap_is_tried_later(status, simulator, make_batch, send):
    results = answered(simulator, send, make_batch, (status, "<html>oops</html>"))

    assert kinds(results) == [TRY_LATER, TRY_LATER]
    assert results[0].http_status == status
    assert not results[0].batch_refused


@pytest.mark.parametrize(
    "answer", [(403, {"error": {"message": "no permission"}}), (404, "<html>no</html>"), (405, "")]
)
def test_a_call_that_is_refused_whatever_it_carries(answer, simulator, make_batch, send):
    with pytest.raises(BlockedError) as caught:
        answered(simulator, send, make_batch, answer)

    assert caught.value.http_status == answer[0]
    assert caught.value.next_step
    assert len(imports(simulator)) == 1


def test_a_redirect_is_not_a_success(simulator, make_batch, send):
    with pytest.raises(BlockedError):
        answered(simulator, send, make_batch, (302, "", {"Location": "/login"}))


def test_refused_credentials(simulator, make_batch, send):
    with pytest.raises(CredentialsError):
        answered(simulator, send, make_batch, (401, {"error": {"code": "LGN0022", "message": "expired"}}))


# -- the window -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("interval", "wait"), [(300, 300), (500, 500), (10, 300)])
def test_one_call_in_a_window(interval, wait, simulator, make_batch, open_session, clock):
    async def run():
        async with open_session(call_interval_seconds=interval) as session:
            assert kinds(await plugin.send_content(session, make_batch("a"))) == [ACCEPTED]
            clock.forward(wait - 10)
            with pytest.raises(ThrottledError) as caught:
                await plugin.send_content(session, make_batch("b"))
            retry_at = caught.value.retry_at
            clock.now = retry_at
            assert kinds(await plugin.send_content(session, make_batch("b"))) == [ACCEPTED]
            return retry_at

    started = clock.now
    retry_at = asyncio.run(run())

    assert (retry_at - started).total_seconds() == pytest.approx(wait, abs=2)
    assert len(imports(simulator)) == 2


def test_no_window(simulator, make_batch, send):
    assert (
        kinds(send(make_batch("a"), make_batch("b"), make_batch("c"), call_interval_seconds=0))
        == [ACCEPTED] * 3
    )


def test_the_window_is_for_imports_alone(simulator, open_session, make_batch):
    async def run():
        async with open_session(call_interval_seconds=300) as session:
            await plugin.send_content(session, make_batch("a"))
            await plugin.check_connection(session)

    asyncio.run(run())


def test_sap_asks_to_wait(simulator, make_batch, open_session, clock):
    simulator.window_seconds = 300

    async def run():
        async with open_session(call_interval_seconds=0) as session:
            await plugin.send_content(session, make_batch("a"))
            with pytest.raises(ThrottledError) as caught:
                await plugin.send_content(session, make_batch("b"))
            assert (caught.value.retry_at - clock.now).total_seconds() == 300
            clock.forward(301)
            return await plugin.send_content(session, make_batch("b"))

    assert kinds(asyncio.run(run())) == [ACCEPTED]
    assert [seen.status for seen in imports(simulator)] == [200, 429, 200]


# -- the connection test ----------------------------------------------------------------------------


def check(open_session, **options):
    async def run():
        async with open_session(**options) as session:
            return await plugin.check_connection(session)

    return asyncio.run(run())


def test_the_connection_test_changes_nothing(simulator, open_session):
    simulator.students = [{"studentID": "u1", "isActive": True}]

    sentences = check(open_session)

    assert all(sentence.endswith(".") for sentence in sentences)
    assert simulator.items == {}
    assert [seen.method for seen in simulator.seen] == ["POST", "GET"]
    assert simulator.seen[1].query.replace("%24", "$") == "$select=studentID&$top=1"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((403, {"error": {"message": "no permission"}}), BlockedError),
        ((404, ""), BlockedError),
        ((302, "", {"Location": "/login"}), SendError),
        ((500, ""), UnreachableError),
        ((200, "<html>log in</html>"), UnreachableError),
        ((200, {"error": "no"}), UnreachableError),
        ((200, ["value"]), UnreachableError),
    ],
)
def test_the_connection_test_tells_what_does_not_work(answer, error, simulator, open_session):
    simulator.search_answer = answer

    with pytest.raises(error) as caught:
        check(open_session)

    assert caught.value.next_step


# -- the simulator is strict ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"title": []},
        {"title": [{"locale": "English", "value": ""}]},
        {"description": []},
        {"content": []},
        {"courseID": ""},
        {"courseID": 7},
        {"providerID": "OTHER"},
        {"status": "active"},
        {"revisionNumber": "1"},
        {"schedule": [{"startDate": None, "endDate": 1, "active": True}]},
        {"schedule": [{"startDate": 1, "endDate": 1, "active": "true"}]},
        {"price": [{"currency": "USD", "value": "1"}]},
        {"price": [{"currency": "usd", "value": 1}]},
        {"surprise": 1},
    ],
    ids=repr,
)
def test_the_simulator_refuses_a_wrong_course(changes, simulator, make_batch, send):
    results = send(make_batch("good", ("bad", Operation.CREATE, changes)))

    assert REJECTED in kinds(results)
    assert simulator.items == {}


def test_the_simulator_takes_hours_where_the_tenant_does(make_batch, open_session, clock):
    from coursewire_sap.simulator import SapSimulator

    course = make_batch(("a", Operation.CREATE, {"creditHours": 1.0, "totalHours": 1.0}))
    with SapSimulator(clock=clock, allow_hours=True).running() as tenant:

        async def run():
            async with open_session(sapsf_base_url=tenant.url) as session:
                return await plugin.send_content(session, course)

        assert kinds(asyncio.run(run())) == [ACCEPTED]
        assert tenant.items["a"]["totalHours"] == 1.0


def test_the_simulator_takes_a_thousand_courses_and_no_more(simulator, make_batch, send):
    keys = [f"c{number}" for number in range(1001)]

    assert set(kinds(send(make_batch(*keys[:1000])))) == {ACCEPTED}
    assert set(kinds(send(make_batch(*keys)))) == {REJECTED}
    assert set(kinds(send(make_batch("x", "x")))) == {REJECTED}


def test_the_simulator_pages_through_students(simulator, open_session):
    simulator.students = [{"studentID": f"u{n}", "isActive": n % 2 == 0} for n in range(10)]

    async def run():
        async with open_session() as session:
            path = session.config.search_student_api_path
            first = await session.get(
                path,
                params={"$filter": "criteria/isActive eq False", "$count": "true", "$top": 3, "$skip": 3},
            )
            wrong = [await session.get(path, params=params) for params in ({"$top": 1001}, {"$top": "x"})]
            return first.json(), [answer.status_code for answer in wrong]

    body, wrong = asyncio.run(run())

    assert body == {"@odata.count": 5, "value": [{"studentID": "u7"}, {"studentID": "u9"}]}
    assert wrong == [400, 400]


def test_the_simulator_forgets(simulator, make_batch, send):
    simulator.window_seconds = 300
    send(make_batch("a"))
    simulator.reset()

    assert kinds(send(make_batch("b"))) == [ACCEPTED]
    assert list(simulator.items) == ["b"]


def test_the_channel_declares_what_it_does():
    channel = plugin.declare_channel()

    assert channel.code == "SAP"
    assert channel.capabilities.mixed_operations
    assert channel.limits.batch_items == 1000
    assert channel.capabilities.completions.usable
    assert channel.limits.outcome_batch_items == 1
    assert channel.capabilities.outcome_idempotency is Idempotency.NONE
    for never in ("assessments", "raise_grade", "lower_grade", "revoke"):
        assert getattr(channel.capabilities, never) is Support.IMPOSSIBLE
    module, _, name = channel.simulator.partition(":")
    assert hasattr(__import__(module, fromlist=[name]), name)
