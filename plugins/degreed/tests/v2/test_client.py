"""Courses over real HTTP against the simulator: what arrives, and what each answer means."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote_plus

import pytest
from aiohttp import web

from coursewire.errors import (
    BlockedError,
    CredentialsError,
    IncompleteListError,
    ThrottledError,
    UnreachableError,
)
from coursewire.model.payload import Batch, Operation, ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire_degreed.v2 import plugin

CREATE, UPDATE = Operation.CREATE, Operation.UPDATE
ACCEPTED, REJECTED, TRY_LATER = ResultKind.ACCEPTED, ResultKind.REJECTED, ResultKind.TRY_LATER
COURSES = "v2/content/courses"


def answer(status, body, headers=None):
    """A fixed answer to every call of the API."""

    def interfere(_request):
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html", headers=headers)
        return web.json_response(body, status=status, headers=headers)

    return interfere


def errors(detail, status=400):
    return {
        "errors": [
            {"id": "x", "code": "bad-request", "status": status, "title": "Bad Request", "detail": detail}
        ]
    }


# -- tokens ------------------------------------------------------------------------------------------


def test_the_first_call_asks_the_token_host_and_then_the_api(simulator, send, make):
    hosts = []
    simulator.answer_token = lambda request: hosts.append(request.host)
    port = simulator.url.rpartition(":")[2]

    send(make.course(), make.course("Ex+2"), degreed_token_fetch_base_url=f"http://localhost:{port}")

    token, first, second = simulator.seen
    assert hosts == [f"localhost:{port}"]
    assert (token.method, token.path) == ("POST", "/oauth/token")
    assert token.body == (
        "grant_type=client_credentials&scope=content%3Aread%2Ccontent%3Awrite%2Ccompletions%3Awrite%2Ccompletions%3Aread"
        "&client_id=simulated-client&client_secret=simulated-secret-4c7e"
    )
    assert [seen.path for seen in (first, second)] == ["/api/v2/content/courses"] * 2


def test_a_token_that_is_over_is_replaced_and_one_that_is_refused_once(simulator, run, make, clock):
    async def create(session):
        return await plugin.send_content(session, Batch(CREATE, (make.course(f"Ex+{len(simulator.seen)}"),)))

    async def later(_session):
        clock.forward(simulator.token_lifetime_s)

    async def refused(_session):
        simulator.expire_tokens()

    run(create, later, create, refused, create)

    statuses = [(seen.path.rpartition("/")[2], seen.status) for seen in simulator.seen]
    assert statuses == [
        ("token", 200), ("courses", 201),
        ("token", 200), ("courses", 201),
        ("courses", 401), ("token", 200), ("courses", 201),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        (200, {}, UnreachableError),
        (200, {"access_token": "two\nlines"}, UnreachableError),
        (200, {"access_token": "x", "expires_in": -5}, UnreachableError),
        (200, "<html>", UnreachableError),
        (403, "<html>", UnreachableError),
        (403, errors("no"), CredentialsError),
    ],
)
def test_a_token_answer_without_a_usable_token_sends_nothing(told, simulator, send, make, calls):
    status, body, error = told
    simulator.answer_token = answer(status, body)

    with pytest.raises(error):
        send(make.course())

    assert calls(simulator) == []
    assert not simulator.items


def test_without_learner_data_only_the_scopes_of_content_are_asked_for(simulator, send, make):
    simulator.scopes = {"content:read", "content:write"}

    (result,) = send(make.course(), disable_learner_data_transmissions=True)

    assert result.confirms
    assert "completions" not in simulator.seen[0].body


# -- create, change, retire --------------------------------------------------------------------------


def test_a_create_is_one_request_and_its_answer_has_the_id(simulator, send, make, calls):
    (result,) = send(make.course())

    assert (result.kind, result.http_status) == (ACCEPTED, 201)
    assert simulator.items["Ex+1"]["id"] == result.remote_id
    assert calls(simulator) == [(f"POST {COURSES}", 201)]
    assert set(simulator.seen[-1].body["data"]) == {"type", "attributes"}


def test_a_change_of_a_known_course_is_one_request_with_its_id(simulator, send, make, calls):
    (made,) = send(make.course())
    simulator.seen.clear()

    (result,) = send(make.course("Ex+1", UPDATE, made.remote_id, title="New", confirmed={}))

    assert (result.kind, result.remote_id) == (ACCEPTED, made.remote_id)
    assert simulator.items["Ex+1"]["attributes"]["title"] == "New"
    assert calls(simulator) == [(f"PATCH {COURSES}/{made.remote_id}", 200)]
    assert simulator.seen[-1].body["data"]["id"] == made.remote_id


@pytest.mark.parametrize("key", ["BrackenX+TIDE101", "A&B+C", "course-v1:Ex+1", "100%ü", "a=b#c?d/e"])
def test_every_key_survives_the_look_up(key, simulator, send, make, calls):
    simulator.add_course("another")
    course_id = simulator.add_course(key)
    asked = []
    simulator.interfere = lambda request: asked.append(request.raw_path)

    (result,) = send(make.course(key, UPDATE))

    assert (result.kind, result.remote_id) == (ACCEPTED, course_id)
    assert calls(simulator) == [(f"GET {COURSES}", 200), (f"PATCH {COURSES}/{course_id}", 200)]
    path, _, query = asked[0].partition("?filter%5Bexternal_id%5D=")
    assert path == "/api/v2/content/courses"
    assert unquote_plus(query) == key
    assert not {"&", "+", "#"} & set(query.replace("%20", ""))


def test_a_create_that_meets_our_external_id_adopts_the_course_and_revives_it(simulator, send, make, calls):
    course_id = simulator.add_course("Ex+1", obsolete=True, title="Old")

    (result,) = send(make.course())

    assert (result.kind, result.remote_id) == (ACCEPTED, course_id)
    assert simulator.items["Ex+1"]["attributes"]["obsolete"] is False
    assert simulator.items["Ex+1"]["attributes"]["title"] == "Course Ex+1"
    assert [status for _, status in calls(simulator)] == [409, 200, 200]


@pytest.mark.parametrize("known", [False, True])
def test_a_url_that_another_course_has_is_a_rejection_with_that_reason(known, simulator, send, make):
    simulator.add_course("stranger", url="https://learn.example.org/taken")
    remote_id = simulator.add_course("Ex+1") if known else None

    (result,) = send(
        make.course("Ex+1", UPDATE if known else CREATE, remote_id, url="https://learn.example.org/taken")
    )

    assert (result.kind, result.reason, result.http_status) == (REJECTED, "url-taken", 409)
    assert "another enrollment URL" in result.message
    assert simulator.items["stranger"]["attributes"]["title"] == "A course"


@pytest.mark.parametrize("remote_id", [None, "gone"])
def test_a_change_of_a_course_that_is_not_there_creates_it(remote_id, simulator, send, make, calls):
    (result,) = send(make.course("Ex+1", UPDATE, remote_id))

    assert result.confirms
    assert simulator.items["Ex+1"]["id"] == result.remote_id
    assert calls(simulator)[-2:] == [(f"GET {COURSES}", 200), (f"POST {COURSES}", 201)]


def test_a_course_that_was_made_anew_there_is_found_again(simulator, send, make):
    course_id = simulator.add_course("Ex+1")

    (result,) = send(make.course("Ex+1", UPDATE, "stale"))

    assert (result.kind, result.remote_id) == (ACCEPTED, course_id)
    assert len(simulator.courses) == 1


def test_an_id_that_belongs_to_another_organisation_is_not_used(simulator, send, make):
    first = send(make.course())[0].remote_id
    simulator.reset()
    other = simulator.add_course("Ex+1")

    (result,) = send(make.course("Ex+1", UPDATE, first))

    assert (first != other, result.remote_id) == (True, other)


def test_an_id_that_degreed_forbids_is_looked_up_again(simulator, send, make, calls):
    course_id = simulator.add_course("Ex+1")

    def interfere(request):
        foreign = request.path.endswith("/foreign")
        return web.json_response(errors("private", 403), status=403) if foreign else None

    simulator.interfere = interfere

    changed, retired = send(make.course("Ex+1", UPDATE, "foreign"), make.retired("Ex+1", "foreign"))

    assert [(result.kind, result.remote_id) for result in (changed, retired)] == [(ACCEPTED, course_id)] * 2
    assert not simulator.is_live("Ex+1")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([{"id": "c1", "attributes": {}}], "c1"),
        ([{"id": "c1", "attributes": {"external-id": "other"}}], None),
        ([{"id": "c1"}, {"id": "c2"}], None),
        ([{"id": "c1"}, {"id": "c2", "attributes": {"external-id": "Ex+1"}}], "c2"),
        ([{"id": "", "attributes": {"external-id": "Ex+1"}}], None),
    ],
)
def test_only_our_own_external_id_makes_a_course_ours(rows, found, simulator, run):
    simulator.interfere = answer(200, {"data": rows})

    item = run(lambda session: plugin.find_remote(session, "Ex+1"))

    assert (item and item.remote_id) == found


@pytest.mark.parametrize("remote_id", [True, False])
def test_a_retired_course_is_obsolete_and_comes_back_as_the_same(remote_id, simulator, send, make):
    (made,) = send(make.course())
    known = made.remote_id if remote_id else None

    (gone,) = send(make.retired("Ex+1", known))
    assert (gone.kind, simulator.is_live("Ex+1")) == (ACCEPTED, False)
    (back,) = send(make.course("Ex+1", CREATE, known))

    assert (back.kind, back.remote_id, simulator.is_live("Ex+1")) == (ACCEPTED, made.remote_id, True)


@pytest.mark.parametrize("remote_id", [True, False])
def test_a_deletion_has_no_body(remote_id, simulator, send, make, calls):
    course_id = simulator.add_course("Ex+1")

    (result,) = send(make.retired("Ex+1", course_id if remote_id else None), retire_strategy="delete")

    assert (result.kind, result.http_status) == (ACCEPTED, 204)
    assert not simulator.items
    assert calls(simulator)[-1] == (f"DELETE {COURSES}/{course_id}", 204)
    assert simulator.seen[-1].body is None


@pytest.mark.parametrize("strategy", ["deactivate", "delete"])
@pytest.mark.parametrize("remote_id", [None, "gone"])
def test_taking_away_what_is_not_there_is_a_success(strategy, remote_id, send, make):
    (result,) = send(make.retired("Ex+1", remote_id), retire_strategy=strategy)

    assert (result.kind, result.reason) == (ResultKind.ALREADY_SO, "already-retired")


def test_a_chunk_of_two_is_two_requests_and_none_is_lost(simulator, run, make, calls):
    batch = Batch(CREATE, (make.course("Ex+1"), make.course("Ex+2")))

    results = run(lambda session: plugin.send_content(session, batch))

    assert [result.kind for result in results] == [ACCEPTED, ACCEPTED]
    assert set(simulator.items) == {"Ex+1", "Ex+2"}
    assert len(calls(simulator)) == 2


# -- skills ------------------------------------------------------------------------------------------


def test_skills_go_with_a_new_course(simulator, send, make):
    (result,) = send(make.course(skills=("Navigation", "Seamanship")))

    assert (result.kind, result.reason) == (ACCEPTED, "")
    assert simulator.items["Ex+1"]["skills"] == ["Navigation", "Seamanship"]
    assert simulator.seen[-1].path == f"/api/v2/content/{result.remote_id}/relationships/skills"
    assert simulator.seen[-1].body == {
        "data": [{"type": "skills", "id": "Navigation"}, {"type": "skills", "id": "Seamanship"}]
    }


@pytest.mark.parametrize(
    ("before", "now", "sent"),
    [
        (("a",), ("a",), None),
        (("a",), ("a", "b"), ["a", "b"]),
        (("a",), (), []),
        ((), (), None),
        ((), ("a",), ["a"]),
        (None, ("a",), ["a"]),
        (None, (), []),
    ],
    ids=["same", "more", "none left", "none", "first", "unknown", "unknown, none now"],
)
def test_skills_go_with_a_change_only_when_they_changed(before, now, sent, simulator, send, make):
    course_id = simulator.add_course("Ex+1")
    confirmed = None if before is None else make.course(skills=before).body

    (result,) = send(make.course("Ex+1", UPDATE, course_id, skills=now, confirmed=confirmed))

    bodies = [seen.body for seen in simulator.seen if seen.path.endswith("/skills")]
    assert result.confirms
    assert bodies == ([] if sent is None else [{"data": [{"type": "skills", "id": name} for name in sent]}])


def test_a_course_that_had_to_be_made_anew_gets_its_skills_again(simulator, send, make):
    confirmed = make.course(skills=("a",)).body

    send(make.course("Ex+1", UPDATE, "gone", skills=("a",), confirmed=confirmed))

    assert simulator.items["Ex+1"]["skills"] == ["a"]


def test_skills_that_degreed_refuses_are_noted_and_the_course_counts_as_sent(simulator, send, make):
    simulator.unknown_skills = {"Nonsense"}

    (result,) = send(make.course(skills=("Nonsense",)))

    assert (result.kind, result.reason, result.http_status) == (ACCEPTED, "skills-refused", 201)
    assert "Nonsense" in result.message
    assert result.remote_id == simulator.items["Ex+1"]["id"]


@pytest.mark.parametrize("name", ["HTML error page", "empty answer", "bad gateway", "reset before accepting"])
def test_skills_that_did_not_arrive_are_sent_again_with_the_course(name, simulator, send, make):
    simulator.misbehave.append(Misbehaviour(name, path="/skills", times=None))

    (result,) = send(make.course(skills=("a",)))

    assert result.kind is TRY_LATER
    assert result.remote_id == simulator.items["Ex+1"]["id"]
    simulator.misbehave.clear()
    (again,) = send(make.course("Ex+1", UPDATE, result.remote_id, skills=("a",)))
    assert again.confirms
    assert simulator.items["Ex+1"]["skills"] == ["a"]


def test_a_limit_met_at_the_skills_keeps_the_id_of_the_course(simulator, send, make, clock):
    simulator.misbehave.append(Misbehaviour("429 with Retry-After", path="/skills", times=None, seconds=30))

    (result,) = send(make.course(skills=("a",)))

    assert (result.kind, result.remote_id) == (ResultKind.THROTTLED, simulator.items["Ex+1"]["id"])
    assert (result.retry_at - clock.now).total_seconds() == 30


# -- answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "kind", "reason"),
    [
        ((400, errors("duration: wrong")), REJECTED, "invalid"),
        ((422, errors("no")), REJECTED, "invalid"),
        ((500, errors("oops")), TRY_LATER, "lms-error"),
        ((500, "<html>oops</html>"), TRY_LATER, "lms-error"),
        ((200, "<html>log in</html>"), TRY_LATER, "no-acknowledgement"),
        ((200, {"data": []}), TRY_LATER, "no-acknowledgement"),
        ((200, {"data": {"id": ""}}), TRY_LATER, "no-acknowledgement"),
        ((200, errors("inside")), REJECTED, "refused"),
        ((201, {"data": {"id": "c1", "attributes": {"external-id": "other"}}}), TRY_LATER, "other-course"),
        ((302, "", {"Location": "/login"}), TRY_LATER, "redirected"),
    ],
)
@pytest.mark.parametrize("operation", [CREATE, UPDATE])
def test_what_an_answer_means(operation, told, kind, reason, simulator, send, make):
    remote_id = simulator.add_course("Ex+1") if operation is UPDATE else None
    simulator.interfere = answer(*told)

    (result,) = send(make.course("Ex+1", operation, remote_id))

    assert (result.kind, result.reason, result.http_status) == (kind, reason, told[0])
    assert result.message
    if isinstance(told[1], dict) and "errors" in told[1]:
        assert told[1]["errors"][0]["detail"] in result.message


def test_what_is_forbidden_is_for_a_person(simulator, send, make):
    course_id = simulator.add_course("Ex+1")
    simulator.interfere = answer(403, errors("no scope", 403))

    (created,) = send(make.course("Ex+2"))
    with pytest.raises(BlockedError, match="no scope"):
        send(make.course("Ex+1", UPDATE, course_id))

    assert (created.kind, created.reason) == (ResultKind.BLOCKED, "forbidden")
    assert "scopes that the channel's page lists" in created.message


def test_an_answer_without_a_body_acknowledges_a_change_but_not_a_create(simulator, send, make):
    course_id = simulator.add_course("Ex+1")
    simulator.interfere = lambda _request: web.Response(status=204)

    changed, created = send(
        make.course("Ex+1", UPDATE, course_id), make.course("Ex+2", CREATE), retire_strategy="delete"
    )

    assert (changed.kind, changed.remote_id) == (ACCEPTED, course_id)
    assert created.kind is TRY_LATER


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ((404, "<html>no such site</html>"), BlockedError),
        ((500, "x"), UnreachableError),
        ((200, "<html>"), UnreachableError),
        ((200, {"data": {}}), UnreachableError),
    ],
)
def test_a_look_up_that_could_not_tell_creates_and_retires_nothing(told, error, simulator, run, make):
    simulator.interfere = answer(*told)

    for payload in (make.course("Ex+1", UPDATE), make.retired()):
        with pytest.raises(error) as caught:
            run(
                lambda session, payload=payload: plugin.send_content(
                    session, Batch(payload.operation, (payload,))
                )
            )
        assert caught.value.http_status == told[0]
    assert {seen.method for seen in simulator.seen if "token" not in seen.path} == {"GET"}


def test_a_look_up_that_is_forbidden_is_for_a_person(simulator, run):
    simulator.interfere = answer(403, errors("no"))

    with pytest.raises(BlockedError, match="scopes"):
        run(lambda session: plugin.find_remote(session, "Ex+1"))


# -- limits and trouble ------------------------------------------------------------------------------


def test_a_429_without_a_time_is_repeated_after_a_pause(simulator, send, make, calls, clock):
    simulator.misbehave.append(Misbehaviour("429 without Retry-After"))

    (result,) = send(make.course())

    assert result.confirms
    assert [status for _, status in calls(simulator)] == [429, 201]
    assert len(clock.slept) == 1


def test_a_short_retry_after_is_waited_for_and_a_long_one_is_not(simulator, run, make, calls, clock):
    batch = Batch(CREATE, (make.course(),))
    simulator.misbehave.append(Misbehaviour("429 with Retry-After", seconds=2))
    run(lambda session: plugin.send_content(session, batch))
    assert 2 <= sum(clock.slept) < 2.5

    simulator.reset()
    clock.slept.clear()
    simulator.misbehave.append(Misbehaviour("429 with Retry-After", seconds=7))
    with pytest.raises(ThrottledError) as caught:
        run(lambda session: plugin.send_content(session, batch))

    assert (caught.value.retry_at - clock.now).total_seconds() == 7
    assert (calls(simulator), clock.slept) == ([(f"POST {COURSES}", 429)], [])


def test_no_more_calls_leave_in_a_minute_than_the_key_has(simulator, run, make, clock):
    simulator.calls_per_minute = 3

    async def create(session):
        try:
            key = f"Ex+{len(simulator.seen)}"
            return await plugin.send_content(session, Batch(CREATE, (make.course(key),)))
        except ThrottledError as error:
            return (error.retry_at - clock.now).total_seconds()

    results = run(*[create] * 5)

    assert [isinstance(result, list) for result in results] == [True] * 3 + [False] * 2
    assert 0 < results[3] <= 60
    assert {seen.status for seen in simulator.seen} == {200, 201}


def test_calls_that_others_use_up_are_noticed_before_one_is_refused(simulator, run, make, clock):
    simulator.calls_per_minute = 3

    async def create(session):
        key = f"Ex+{len(simulator.seen)}"
        return await plugin.send_content(session, Batch(CREATE, (make.course(key),)))

    async def too_many(session):
        clock.forward(10)
        with pytest.raises(ThrottledError) as caught:
            await create(session)
        return (caught.value.retry_at - clock.now).total_seconds()

    results = run(create, create, create, too_many, calls_per_minute=1000)

    assert results[-1] == 50
    assert 429 not in {seen.status for seen in simulator.seen}


def test_two_configurations_with_one_key_share_its_limit(simulator, clock, make):
    from functools import partial

    from coursewire.http.session import HttpSession
    from coursewire.http.token_store import MemoryTokenStore
    from coursewire.model.configuration import INSECURE_URLS
    from coursewire.storage.locks.rate_buckets import MemoryBuckets

    simulator.calls_per_minute = 3
    buckets = MemoryBuckets()
    config = plugin.declare_channel().config.model_validate(
        simulator.sample_config(), context={INSECURE_URLS: True}
    )

    async def send_two(number):
        async with HttpSession(
            channel=plugin.declare_channel(),
            config=config,
            configuration=f"configuration-{number}",
            authenticate=partial(plugin.authenticate, config),
            token_store=MemoryTokenStore(),
            buckets=buckets,
            insecure_urls=True,
            clock=clock,
            sleep=clock.sleep,
        ) as session:
            for each in range(2):
                await plugin.send_content(session, Batch(CREATE, (make.course(f"Ex+{number}{each}"),)))

    asyncio.run(send_two(1))
    with pytest.raises(ThrottledError):
        asyncio.run(send_two(2))
    assert 429 not in {seen.status for seen in simulator.seen}


@pytest.mark.parametrize("name", ["reset after accepting", "bad gateway", "reset before accepting"])
@pytest.mark.parametrize("operation", [CREATE, UPDATE])
def test_a_lost_answer_is_repeated_and_doubles_nothing(operation, name, simulator, send, make):
    remote_id = simulator.add_course("Ex+1") if operation is UPDATE else None
    simulator.misbehave.append(Misbehaviour(name))

    (result,) = send(make.course("Ex+1", operation, remote_id))

    assert result.confirms
    assert len(simulator.courses) == 1


# -- looking and checking ----------------------------------------------------------------------------


def test_the_list_is_read_to_its_end_over_a_hole(simulator, run):
    for number in range(25):
        simulator.add_course(f"Ex+{number}", obsolete=number == 3)
    simulator.largest_page = 10
    simulator.misbehave.append(Misbehaviour("empty page in the middle"))

    found = run(plugin.list_remote)

    assert [item.remote_key for item in found] == [f"Ex+{number}" for number in range(25)]
    assert [item.remote_key for item in found if not item.live] == ["Ex+3"]
    assert simulator.pages_served == 4
    assert simulator.seen[-1].query.startswith("limit=1000&next=")


@pytest.mark.parametrize("told", [(200, {"data": {}}), (200, "<html>"), (500, errors("no"))])
def test_a_list_with_an_unreadable_page_proves_nothing(told, simulator, run):
    simulator.interfere = answer(*told)

    with pytest.raises(IncompleteListError):
        run(plugin.list_remote)


def test_one_course_is_found_by_its_external_id(simulator, run):
    course_id = simulator.add_course("Ex+1")

    found, missing = run(
        lambda session: plugin.find_remote(session, "Ex+1"),
        lambda session: plugin.find_remote(session, "Ex+2"),
    )

    assert (found.remote_key, found.remote_id, found.live) == ("Ex+1", course_id, True)
    assert missing is None


def test_a_connection_that_works(run):
    said = run(plugin.check_connection)

    assert len(said) == 2
    assert "completions:write" in said[0]


@pytest.mark.parametrize("missing", ["content:write", "completions:write"])
def test_the_check_names_the_scopes_that_the_key_lacks(missing, simulator, run):
    simulator.scopes.discard(missing)

    with pytest.raises(BlockedError) as caught:
        run(plugin.check_connection)

    assert missing in str(caught.value)
    assert "content:read" not in str(caught.value)


def test_wrong_credentials_are_not_taken_for_missing_scopes(simulator, run):
    with pytest.raises(CredentialsError) as caught:
        run(plugin.check_connection, client_secret="wrong")

    assert caught.value.http_status == 403
    assert "wrong" not in str(caught.value)


def test_a_place_that_is_not_degreed_is_told(simulator, run):
    simulator.interfere = answer(200, "<html>hello</html>")

    with pytest.raises(UnreachableError, match="degreed_base_url"):
        run(plugin.check_connection)
