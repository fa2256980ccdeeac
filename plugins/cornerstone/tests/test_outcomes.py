"""Results: in which words, by which API, and what the portal's answers mean."""

from __future__ import annotations

import base64
import json
import logging
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson
import pytest
from aiohttp import web

from coursewire.configurations.configuration import Configuration
from coursewire.errors import NotExportableError
from coursewire.model.outcomes import Completion
from coursewire.storage.audit import transmissions
from coursewire.storage.audit.states import State
from coursewire.storage.identity_links import IdentityLinks
from coursewire.testing.misbehave import Misbehaviour
from coursewire_cornerstone import plugin
from coursewire_cornerstone.config import CornerstoneConfig
from coursewire_cornerstone.content import KEYS
from coursewire_cornerstone.simulator import (
    ASSIGNMENTS,
    CALLBACK,
    TOKEN,
    TRANSCRIPTS,
    CornerstoneSimulator,
)

from .conftest import CUSTOMER, World, replace_handler

GOLDEN = sorted((Path(__file__).parent / "golden" / "completions").glob("*.json"))
COURSE = "OrchardX+CS210"
CONFIG = {"cornerstone_base_url": "https://acme.csod.com", "key": "k", "secret": "s"}

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def course_id(key: str = COURSE) -> str:
    return str(uuid.uuid5(KEYS, key))


@pytest.mark.parametrize("pair", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_golden_pairs(pair: Path) -> None:
    golden = json.loads(pair.read_text(encoding="utf-8"))
    config = CornerstoneConfig.model_validate({**CONFIG, **golden.get("config", {})})

    payload = plugin.export_completion(
        config=config, completion=Completion.model_validate(golden["completion"])
    )

    assert payload == golden["payload"]


def completion(**fields: Any) -> Completion:
    usual = {
        "enrollment_id": "1",
        "username": "ada",
        "email": None,
        "remote_id": "5c9b",
        "course_key": "id",
        "course_run_key": "run",
        "verdict": "Pass",
        "complete": True,
        "completed_at": "2026-03-01T09:30:15Z",
        "percent": "0.9",
    }
    return Completion.model_validate({**usual, **fields})


@pytest.mark.parametrize("missing", ["remote_id", "completed_at"])
def test_what_is_not_known_is_not_made_up(missing: str) -> None:
    with pytest.raises(NotExportableError) as refusal:
        plugin.export_completion(
            config=CornerstoneConfig.model_validate(CONFIG), completion=completion(**{missing: None})
        )

    assert refusal.value.field == missing


# -- by the callback -------------------------------------------------------------------------------------------


@pytest.fixture
def acme(world: World, portal: CornerstoneSimulator) -> Configuration:
    """Ada and Bob have passed one course; it is listed, and the portal has it."""
    world.course(COURSE)
    world.enroll("ada", COURSE)
    world.enroll("bob", COURSE)
    world.load()
    configuration = world.by_callback()
    world.offer(configuration)
    world.fetch()
    return configuration


def attempts(world: World, configuration: Configuration) -> list[dict[str, Any]]:
    rows = transmissions.history(world.engine, configurations=[configuration.uuid], limit=100)
    return [row for row in rows if row["kind"] == "completions"]


def posts(portal: CornerstoneSimulator) -> list[Any]:
    return [seen for seen in portal.seen if seen.path == f"{CALLBACK}/progress"]


@sqlite
def test_a_completion_goes_to_the_callback_with_the_token(
    world: World, portal: CornerstoneSimulator, acme: Configuration
) -> None:
    world.launch("ada", COURSE)
    token = next(iter(portal._session_tokens))

    summary = world.report(acme)

    assert summary.done == {"created": 1}
    assert summary.skipped == {"learner-unmatched": 1}, "Bob never came from the portal"
    (post,) = posts(portal)
    assert (post.method, post.status) == ("POST", 200)
    assert parse_qsl(post.query) == [("sessionToken", token)], "its plus and slash arrive as what they are"
    assert post.body == [
        {
            "completionDate": "2026-03-01T09:30:15+00:00",
            "courseId": course_id(),
            "status": "Completed",
            "successStatus": "Pass",
            "userGuid": portal.learners["ada"],
        }
    ]
    assert attempts(world, acme)[0]["message"] == "reported by the callback"


@sqlite
def test_the_newest_token_of_any_learner_serves_for_all(
    world: World, portal: CornerstoneSimulator, acme: Configuration
) -> None:
    world.launch("ada", COURSE)
    world.now.later(hours=3)
    world.launch("bob", COURSE)

    assert world.report(acme).done == {"created": 2}
    assert len({post.query for post in posts(portal)}) == 1


@sqlite
def test_each_learner_s_callback_is_kept_apart(world: World, acme: Configuration) -> None:
    world.launch("ada", COURSE)
    world.now.later(seconds=1)
    assert world.save("bob", COURSE, callbackUrl="/services/other/v2").status == 200

    world.report(acme)

    assert sorted(seen.path for seen in world.portal.seen if "progress" in seen.path) == [
        "/services/other/v2/progress",
        f"{CALLBACK}/progress",
    ]


@sqlite
def test_an_old_token_waits_for_the_next_learner(
    world: World, portal: CornerstoneSimulator, acme: Configuration
) -> None:
    world.launch("ada", COURSE)
    world.launch("bob", COURSE)
    world.now.later(hours=2, minutes=1)

    failed = world.report(acme)
    assert failed.failed == {"launch-needed": 2}, "one refusal does not stop the next learner"
    assert failed.error is None
    first = attempts(world, acme)[0]
    assert (first["result"], first["http_status"]) == ("try later", 401)
    assert "session token is of 2026-03-01 12:00 UTC" in first["message"]
    assert "unknown or over" in first["excerpt"]
    world.report(acme)
    assert world.report(acme).waiting == {"waiting-after-failure": 2}

    world.launch("bob", COURSE)

    assert world.report(acme).done == {"created": 2}


@sqlite
def test_nothing_is_told_twice_and_a_new_result_is_told(
    world: World, portal: CornerstoneSimulator, acme: Configuration
) -> None:
    world.enroll("ada", COURSE, mode="audit")
    world.load()
    world.launch("ada", COURSE)
    world.report(acme)
    before = len(posts(portal))
    assert world.report(acme).unchanged == before

    world.enroll("ada", COURSE)
    world.load()
    world.report(acme)

    assert len(posts(portal)) == before + 1
    assert posts(portal)[-1].body[0]["successStatus"] == "Pass"


@sqlite
def test_a_course_that_was_never_listed_has_no_id(world: World, portal: CornerstoneSimulator) -> None:
    world.course(COURSE)
    world.enroll("ada", COURSE)
    world.load()
    configuration = world.by_callback()
    world.launch("ada", COURSE)

    assert world.report(configuration).skipped == {"course-not-at-lms": 1}
    assert posts(portal) == []


@sqlite
def test_a_course_that_was_retired_still_takes_results(
    world: World, portal: CornerstoneSimulator, acme: Configuration
) -> None:
    world.launch("ada", COURSE)
    del world.courses[COURSE]
    world.course("OrchardX+OTHER")
    world.load()
    world.offer(acme, confirm_retire=1)
    world.fetch()

    assert world.report(acme).done["created"] == 1


@sqlite
def test_one_learner_at_two_portals(world: World, now: Any, acme: Configuration) -> None:
    other = CornerstoneSimulator(clock=now)
    with other.running():
        second = world.by_callback(other)
        world.offer(second)
        answer = world.get(ciid=CUSTOMER, config=str(second.uuid))
        for course in orjson.loads(answer.body):
            other._take(course)
        for portal in (world.portal, other):
            given = portal.arrive("ada")
            # Both listen at one address here, so that the name tells nothing: each token is tried at its own.
            world.save("ada", COURSE, **{key: given[key] for key in ("sessionToken", "userGuid")})
            world.now.later(seconds=61)
            configuration = acme if portal is world.portal else second
            assert world.report(configuration).done == {"created": 1}

    assert len(world.portal.outcomes) == len(other.outcomes) == 1


@sqlite
def test_a_link_by_hand_needs_no_launch_of_that_learner(world: World, acme: Configuration) -> None:
    world.launch("ada", COURSE)
    guid = world.portal.arrive("bob")["userGuid"]
    IdentityLinks(world.engine, acme.uuid).link("bob", guid, now=world.now())

    assert world.report(acme).done == {"created": 2}


@sqlite
def test_without_any_launch_a_linked_learner_waits(world: World, acme: Configuration) -> None:
    IdentityLinks(world.engine, acme.uuid).link("bob", "5c9b", now=world.now())

    assert world.report(acme).failed == {"launch-needed": 1}
    assert posts(world.portal) == []


@sqlite
def test_in_progress_then_completed(world: World, portal: CornerstoneSimulator) -> None:
    world.course(COURSE)
    world.enroll("ada", COURSE, passed=False, percent=0.2, passed_timestamp=None)
    world.load()
    configuration = world.by_callback(send_in_progress=True)
    world.offer(configuration)
    world.fetch()
    world.launch("ada", COURSE)
    assert world.report(configuration).done == {"created": 1}
    (begun,) = posts(portal)
    assert begun.body[0]["status"] == "In Progress"
    assert begun.body[0]["completionDate"] is None
    assert "successStatus" not in begun.body[0]

    world.enroll("ada", COURSE)
    world.load()

    assert world.report(configuration).done == {"updated": 1}
    assert posts(portal)[-1].body[0]["status"] == "Completed"


# -- by the portal's own APIs ----------------------------------------------------------------------------------


@pytest.fixture
def apis(world: World, portal: CornerstoneSimulator) -> Configuration:
    """The same two, at a portal that knows them by GUID."""
    world.course(COURSE)
    world.enroll("ada", COURSE)
    world.enroll("bob", COURSE)
    world.load()
    configuration = world.configure(learner_id="launch", learner_field="userGuid")
    world.offer(configuration)
    world.fetch()
    world.launch("ada", COURSE)
    world.launch("bob", COURSE)
    portal.seen.clear()
    return configuration


def calls(portal: CornerstoneSimulator) -> list[tuple[str, str]]:
    return [(seen.method, seen.path) for seen in portal.seen]


@sqlite
def test_a_token_and_one_call_a_learner(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    summary = world.report(apis)

    assert summary.done == {"created": 2}
    assert calls(portal) == [("POST", TOKEN)] + [("PATCH", f"{TRANSCRIPTS}/complete")] * 2
    told = {seen.body["userGuid"]: seen.body for seen in portal.seen if "userGuid" in seen.body}
    assert told == {
        guid: {"userGuid": guid, "learningObjectId": course_id(), "ignoreWorkflow": True}
        for guid in portal.learners.values()
    }
    assert "sessionToken" not in str(portal.seen)
    assert attempts(world, apis)[0]["message"] == "reported by the Transcript API"


@sqlite
def test_the_token_is_asked_for_in_the_documented_way(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    world.report(apis)

    assert portal.seen[0].body == {
        "clientId": portal.client_id,
        "clientSecret": portal.client_secret,
        "grantType": "client_credentials",
        "scope": "transcript:update learningassignment:read learningassignment:update",
    }


@sqlite
def test_learners_may_be_named_by_their_id_in_the_portal(world: World, portal: CornerstoneSimulator) -> None:
    world.course(COURSE)
    world.enroll("ada", COURSE)
    world.load()
    configuration = world.configure()
    world.offer(configuration)
    world.fetch()

    assert world.report(configuration).done == {"created": 1}
    assert portal.seen[-1].body["externalId"] == "ada@example.com"


@sqlite
def test_a_switch_of_the_api_tells_nothing_again(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    world.report(apis)
    world.edit(apis, completion_api="callback", key=portal.key, secret=portal.secret)
    world.enroll("cleo", COURSE)
    world.load()
    world.launch("cleo", COURSE)

    summary = world.report(apis)

    assert summary.done == {"created": 1}
    assert summary.skipped == {"sent-before": 2}
    (post,) = posts(portal)
    assert post.body[0]["userGuid"] == portal.learners["cleo"]


@sqlite
def test_a_finished_audit_learner_has_completed(world: World, portal: CornerstoneSimulator) -> None:
    run = {"key": f"course-v1:{COURSE}+1T2026", "start": "2025-01-01", "end": "2025-06-01T00:00:00Z"}
    world.course(COURSE, course_runs=[{**run, "availability": "Archived"}])
    world.enroll("ada", COURSE, mode="audit", passed=False, incomplete_non_gated_content=0)
    world.load()
    configuration = world.configure()
    world.offer(configuration)
    world.fetch()

    assert world.report(configuration).done == {"created": 1}
    assert portal.seen[-1].path == f"{TRANSCRIPTS}/complete"


@pytest.mark.parametrize(
    "answer",
    [
        "<html>log in</html>",
        {},
        [],
        {"access_token": None, "expires_in": 3600},
        {"access_token": "two\nlines", "expires_in": 3600},
        {"access_token": " ", "expires_in": 3600},
    ],
    ids=str,
)
@sqlite
def test_an_answer_that_is_no_token_settles_nothing(
    world: World, portal: CornerstoneSimulator, apis: Configuration, answer: Any, monkeypatch: Any
) -> None:
    async def rubbish(_request: web.Request) -> web.Response:
        if isinstance(answer, str):
            return web.Response(text=answer, content_type="text/html")
        return web.json_response(answer)

    replace_handler(portal, monkeypatch, "POST", TOKEN, lambda _own: rubbish)

    summary = world.report(apis)

    assert summary.done == {}
    assert summary.failed == {"unreachable": 2}
    assert summary.exit_status == 1
    assert set(calls(portal)) == {("POST", TOKEN)}, "and nothing more in this run"
    assert portal.outcomes == {}
    stored = world.installation.configurations.get(apis.uuid)
    assert stored.failing_since is None


@sqlite
def test_wrong_credentials_stop_the_run_and_leave_everything_pending(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    world.edit(apis, client_secret="another-secret-8c1d")

    summary = world.report(apis)

    assert summary.waiting == {"credentials-broken": 2}
    assert len(calls(portal)) == 1
    assert "another-secret-8c1d" not in str(summary.as_dict())
    world.edit(apis, client_secret=portal.client_secret)
    assert world.report(apis).done == {"created": 2}


@sqlite
def test_a_token_that_is_over_is_renewed_once(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    world.enroll("bob", COURSE, passed=False, passed_timestamp=None)
    world.load()
    world.report(apis)
    portal.expire_tokens()
    portal.seen.clear()
    world.enroll("bob", COURSE)
    world.load()

    assert world.report(apis).done == {"created": 1}
    assert [(seen.path.rpartition("/")[2], seen.status) for seen in portal.seen] == [
        ("complete", 401),
        ("token", 200),
        ("complete", 200),
    ]


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (lambda: web.Response(status=302, headers={"Location": "/login"}), "try later", "redirected"),
        (
            lambda: web.Response(text="<html>log in</html>", content_type="text/html"),
            "try later",
            "no-acknowledgement",
        ),
        (lambda: web.json_response({"status": "400", "error": {"message": "no"}}), "rejected", "refused"),
        (lambda: web.json_response({"error": "not allowed"}), "rejected", "refused"),
        (
            lambda: web.json_response({"message": "no such thing"}, status=404),
            "blocked at the LMS",
            "not-found-at-lms",
        ),
        (lambda: web.json_response({}, status=500), "try later", "lms-error"),
        (lambda: web.json_response({"message": "bad"}, status=400), "rejected", "invalid"),
    ],
    ids=["redirect", "page", "error inside", "error text", "absent", "out of order", "bad"],
)
@sqlite
def test_what_an_answer_means_and_the_next_learner_goes_on(
    world: World,
    portal: CornerstoneSimulator,
    apis: Configuration,
    answer: Callable[[], web.Response],
    result: str,
    reason: str,
    monkeypatch: Any,
) -> None:
    def make(own: Any) -> Any:
        async def for_ada(request: web.Request) -> web.StreamResponse:
            body = orjson.loads(await request.read())
            return answer() if body["userGuid"] == portal.learners["ada"] else await own(request)

        return for_ada

    replace_handler(portal, monkeypatch, "PATCH", f"{TRANSCRIPTS}/complete", make)

    summary = world.report(apis)

    assert summary.done == {"created": 1}
    assert summary.failed == {reason: 1}
    refused = next(row for row in attempts(world, apis) if row["result"] != "accepted")
    assert refused["result"] == result
    assert list(portal.outcomes) == [f"{portal.learners['bob']} {course_id()}"]


@sqlite
def test_a_learner_who_never_came_is_told_of_with_a_reason(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    world.enroll("cleo", COURSE)
    world.load()

    summary = world.report(apis)

    assert summary.skipped == {"learner-unmatched": 1}
    assert len(portal.outcomes) == 2


@sqlite
def test_too_many_calls_defer_the_rest(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    portal.throttle_s = 600

    summary = world.report(apis)

    assert summary.waiting == {"waiting-for-limit": 2}
    portal.throttle_s = 0
    world.now.later(seconds=300)
    assert world.report(apis).done == {}
    world.now.later(seconds=301)
    assert world.report(apis).done == {"created": 2}


@sqlite
def test_a_lost_answer_is_asked_again_and_nothing_is_doubled(
    world: World, portal: CornerstoneSimulator, apis: Configuration
) -> None:
    portal.misbehave.append(Misbehaviour("reset after accepting", path="complete"))

    assert world.report(apis).done == {"created": 2}
    assert len(portal.outcomes) == 2


@sqlite
def test_secrets_are_nowhere_to_be_read(
    world: World, portal: CornerstoneSimulator, acme: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.launch("ada", COURSE)
    token = next(iter(portal._session_tokens))
    portal.expire_tokens()
    world.report(acme)
    pair = base64.b64encode(f"{portal.key}:{portal.secret}".encode()).decode()
    stored = world.installation.configurations.get(acme.uuid)
    with world.engine.connect() as connection:
        dump = "\n".join(str(row) for row in connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]

    for secret in (token, quote(token, safe=""), portal.secret, pair):
        assert secret not in caplog.text
        assert secret not in dump
        assert secret not in repr(stored)
        assert secret not in str(attempts(world, acme))


# -- in progress -----------------------------------------------------------------------------------------------


@pytest.fixture
def begun(world: World, portal: CornerstoneSimulator) -> Configuration:
    world.course(COURSE)
    world.enroll("ada", COURSE, passed=False, percent=0.2, passed_timestamp=None)
    world.load()
    configuration = world.configure(learner_id="launch", learner_field="userGuid", send_in_progress=True)
    world.offer(configuration)
    world.fetch()
    world.launch("ada", COURSE)
    portal.seen.clear()
    return configuration


@sqlite
def test_progress_goes_to_the_transcript(
    world: World, portal: CornerstoneSimulator, begun: Configuration
) -> None:
    assert world.report(begun).done == {"created": 1}

    assert portal.seen[-1].path == f"{TRANSCRIPTS}/progress"
    assert portal.seen[-1].body == {"userGuid": portal.learners["ada"], "learningObjectId": course_id()}
    world.enroll("ada", COURSE)
    world.load()
    assert world.report(begun).done == {"updated": 1}
    assert portal.seen[-1].path == f"{TRANSCRIPTS}/complete"


@sqlite
def test_progress_may_go_to_the_assignment(
    world: World, portal: CornerstoneSimulator, begun: Configuration
) -> None:
    world.edit(begun, in_progress_api="learning_assignments")
    guid = portal.learners["ada"]
    portal.assignments = {key: (guid, course_id(), "Registered") for key in ("b-2", "a-1")}

    assert world.report(begun).done == {"created": 1}

    assert calls(portal)[1:] == [("GET", ASSIGNMENTS), ("PATCH", f"{ASSIGNMENTS}/a-1")]
    assert portal.seen[1].query == f"userId={guid}&loId={course_id()}"
    assert portal.assignments["a-1"][2] == "In Progress"


@pytest.mark.parametrize("found", ["[]", "null", '"text"', "[null]", "{}", '[{"x": 1}]', "<html>"])
@sqlite
def test_without_an_assignment_it_waits(
    world: World, portal: CornerstoneSimulator, begun: Configuration, found: str, monkeypatch: Any
) -> None:
    async def nothing(_request: web.Request) -> web.Response:
        return web.Response(text=found, content_type="application/json")

    replace_handler(portal, monkeypatch, "GET", ASSIGNMENTS, lambda _own: nothing)
    world.edit(begun, in_progress_api="learning_assignments")

    assert world.report(begun).failed == {"no-assignment": 1}
    assert world.outcome(begun).state is State.FAILED


def test_golden_pairs_are_there() -> None:
    assert len(GOLDEN) >= 5
