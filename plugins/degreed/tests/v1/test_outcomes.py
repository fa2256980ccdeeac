"""Completions by API v1: payloads, and over real HTTP what each answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from aiohttp import web

from coursewire.errors import CredentialsError, NotExportableError, OutcomeUnknownError
from coursewire.model.outcomes import Completion
from coursewire.model.payload import Batch, Operation, ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire_degreed.v1 import plugin

ACCEPTED, REJECTED, TRY_LATER, IN_DOUBT = (
    ResultKind.ACCEPTED,
    ResultKind.REJECTED,
    ResultKind.TRY_LATER,
    ResultKind.IN_DOUBT,
)
COMPLETIONS = "v1/provider/completion/course"


def kinds(results):
    return [result.kind for result in results]


def exported(**fields):
    usual = {
        "enrollment_id": "77",
        "username": "lee",
        "email": "lee.moor@example.org",
        "remote_id": "lee.moor@example.org",
        "course_key": "Ex+1",
        "course_run_key": "course-v1:Ex+1+R",
        "verdict": "Pass",
        "complete": True,
        "completed_at": "2031-01-02T12:00:00Z",
        "percent": "0.5",
    }
    config = plugin.declare_channel().config.model_construct()
    return plugin.export_completion(config=config, completion=Completion.model_validate({**usual, **fields}))


@pytest.fixture(autouse=True)
def courses(simulator):
    simulator.items |= {"Ex+1": {}, "Ex+2": {}}


@pytest.mark.parametrize("minutes", range(-14 * 60, 14 * 60, 97))
def test_the_day_is_that_of_utc_from_any_zone(minutes):
    instant = datetime(2030, 12, 31, 23, 30, tzinfo=timezone(timedelta(minutes=minutes)))

    assert exported(completed_at=instant)["completionDate"] == f"{instant.astimezone(UTC):%Y-%m-%d}"


@pytest.mark.parametrize(
    ("fields", "at_fault"), [({"remote_id": None}, "remote_id"), ({"completed_at": None}, "completed_at")]
)
def test_what_degreed_demands_is_named(fields, at_fault):
    with pytest.raises(NotExportableError) as refusal:
        exported(**fields)

    assert refusal.value.field == at_fault


def test_completions_go_together_with_a_token_of_their_own(simulator, report, make):
    results = report(make.completion("a@example.org"), make.completion("b@example.org", "Ex+2"))

    token, batch = simulator.seen
    assert token.body.endswith("scope=provider_completion")
    assert (batch.method, batch.path) == ("POST", "/api/v1/provider/completion/course")
    assert batch.body == {
        "completions": [
            {"completionDate": "2031-01-02", "email": "a@example.org", "id": "Ex+1"},
            {"completionDate": "2031-01-02", "email": "b@example.org", "id": "Ex+2"},
        ],
        "orgCode": "SIMULATED",
    }
    assert kinds(results) == [ACCEPTED, ACCEPTED]


def test_courses_and_completions_of_one_session_have_a_token_each(simulator, run, make):
    async def both(session):
        await plugin.send_content(session, Batch(Operation.CREATE, (make.course("Ex+1"),)))
        await plugin.send_outcomes(session, Batch(Operation.CREATE, (make.completion("a"),)))
        await plugin.send_content(session, Batch(Operation.CREATE, (make.course("Ex+1"),)))

    run(both)

    bodies = [seen.body for seen in simulator.seen if seen.path == "/oauth/token"]
    assert [body.rpartition("=")[2] for body in bodies] == ["provider_content", "provider_completion"]
    assert {seen.status for seen in simulator.seen} == {200}


def test_a_learner_who_is_named_is_refused_alone(simulator, report, make):
    simulator.users_only, simulator.users = True, {"a", "c"}

    results = report(make.completion("a"), make.completion("b"), make.completion("c"))

    assert kinds(results) == [TRY_LATER, REJECTED, TRY_LATER]
    assert [result.batch_refused for result in results] == [True, False, True]
    assert "unknown" in results[1].message
    assert not simulator.completions


def test_learners_of_one_course_and_courses_of_one_learner_are_told_apart(simulator, report, make):
    simulator.interfere = lambda _request: web.json_response(
        {"errors": [{"email": "b", "id": "Ex+1", "message": "no"}]}, status=200
    )

    results = report(make.completion("a"), make.completion("b"), make.completion("b", "Ex+2"))

    assert kinds(results) == [ACCEPTED, REJECTED, ACCEPTED]


def test_completions_are_taken_back_beside_those_that_are_reported(simulator, report, make, calls):
    report(make.completion("a"), make.completion("b"))

    results = report(make.completion("c"), make.completion("a", completionDate=...), make.completion("d"))

    assert kinds(results) == [ACCEPTED] * 3
    assert set(simulator.completions) == {"b Ex+1", "c Ex+1", "d Ex+1"}
    assert calls(simulator)[-2:] == [(f"DELETE {COMPLETIONS}", 200), (f"POST {COMPLETIONS}", 200)]
    assert simulator.seen[-2].body == {"completions": [{"email": "a", "id": "Ex+1"}], "orgCode": "SIMULATED"}


def test_taking_back_what_is_not_there_is_a_success(report, make):
    (result,) = report(make.completion("a", completionDate=...))

    assert (result.kind, result.reason) == (ResultKind.ALREADY_SO, "already-gone")


def test_what_was_taken_back_stays_so_when_the_report_beside_it_is_lost(simulator, report, make):
    report(make.completion("a"))
    simulator.misbehave.append(Misbehaviour("reset after accepting", every=2))

    gone, lost = report(make.completion("a", completionDate=...), make.completion("b"))

    assert (gone.kind, lost.kind) == (ACCEPTED, IN_DOUBT)


@pytest.mark.parametrize("name", ["reset after accepting", "bad gateway"])
def test_a_lost_answer_is_in_doubt_and_nothing_is_repeated(name, simulator, report, make):
    simulator.misbehave.append(Misbehaviour(name))

    assert isinstance(report(make.completion("a")), OutcomeUnknownError)
    assert simulator.arrivals.total() <= 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, "<html>log in</html>", IN_DOUBT),
        (200, "", IN_DOUBT),
        (204, "", ACCEPTED),
        (200, '{"error": "no"}', REJECTED),
        (400, "{}", REJECTED),
        (403, "{}", ResultKind.BLOCKED),
    ],
)
def test_what_an_answer_means(status, body, kind, simulator, report, make):
    simulator.interfere = lambda _request: web.Response(status=status, text=body)

    assert kinds(report(make.completion("a"), make.completion("b"))) == [kind] * 2


@pytest.mark.parametrize("status", [500, 524])
def test_what_is_not_an_answer_of_degreed_leaves_it_in_doubt(status, simulator, report, make):
    simulator.interfere = lambda _request: web.Response(status=status, text="<html>oops</html>")

    assert isinstance(report(make.completion("a")), OutcomeUnknownError)


def test_a_refused_scope_settles_nothing(simulator, report, make):
    simulator.scopes.discard("provider_completion")

    assert isinstance(report(make.completion("a")), CredentialsError)
    assert not simulator.completions


def test_the_id_of_the_employee_is_sent_under_its_own_name(simulator, report, make):
    results = report(make.completion("x", email=..., employeeId="E-1"))

    assert kinds(results) == [ACCEPTED]
    assert set(simulator.completions) == {"E-1 Ex+1"}
