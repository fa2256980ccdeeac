"""Completions: what their payloads demand, and both endpoints over real HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from coursewire.errors import (
    BlockedError,
    CredentialsError,
    NotExportableError,
    OutcomeUnknownError,
    SendError,
    ThrottledError,
    UnreachableError,
)
from coursewire.model.configuration import LearnerId, Resend
from coursewire.model.outcomes import Completion
from coursewire.model.payload import ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire_sap import plugin
from coursewire_sap.config import AuthType
from coursewire_sap.outcomes import GENERIC_PATH

GOLDEN = Path(__file__).parent / "golden" / "completions"
OWN_PATH = "learning/odatav4/public/admin/ocn/v1/current-user/item/learning-event"
ACCEPTED, REJECTED, TRY_LATER = ResultKind.ACCEPTED, ResultKind.REJECTED, ResultKind.TRY_LATER
BLOCKED, IN_DOUBT = ResultKind.BLOCKED, ResultKind.IN_DOUBT
GENERIC = {"prevent_self_submit_grades": True}
MODES = {"own": {}, "generic": GENERIC}


@pytest.fixture(autouse=True)
def students(simulator):
    """Ten users; the last one has left."""
    simulator.students = [{"studentID": f"u{number}", "isActive": number < 9} for number in range(10)]


@pytest.fixture
def report(open_session):
    """Send completions one after the other in one session: each one's result, or the error it raised."""

    def sent(*batches, **options):
        async def run():
            told = []
            async with open_session(**options) as session:
                for batch in batches:
                    try:
                        told += await plugin.send_outcomes(session, batch)
                    except SendError as error:
                        told.append(error)
            return told

        return asyncio.run(run())

    return sent


def calls(simulator):
    return [(seen.path.rsplit("/", 1)[-1], seen.status) for seen in simulator.seen]


# -- payloads ---------------------------------------------------------------------------------------


def completion(**changes):
    pair = json.loads((GOLDEN / "worked_example.json").read_text("utf-8"))
    return Completion.model_validate({**pair["completion"], **changes})


@pytest.mark.parametrize("field", ["remote_id", "completed_at"])
def test_what_sap_demands(field, make_config):
    with pytest.raises(NotExportableError) as caught:
        plugin.export_completion(config=make_config(), completion=completion(**{field: None}))

    assert caught.value.field == field
    assert caught.value.next_step


def test_defaults_of_outcomes(make_config):
    assert make_config().resend_outcomes is Resend.NEVER
    assert make_config().learner_id is LearnerId.SSO
    assert make_config(resend_outcomes="changed").resend_outcomes is Resend.CHANGED


# -- as the learner ---------------------------------------------------------------------------------


def test_as_the_learner(simulator, make_outcome, report):
    (result,) = report(make_outcome("u1"), user_type="admin")

    assert (result.kind, result.http_status, result.reason) == (ACCEPTED, 201, "")
    token, event = simulator.seen
    assert token.body["scope"] == {
        "userId": "u1",
        "userType": "user",
        "companyId": simulator.company,
        "resourceType": "learning_public_api",
    }
    assert (event.method, event.path) == ("POST", f"/{OWN_PATH}")
    assert event.body["courseCompleted"] == "true"
    assert simulator.completions == [event.body]
    assert simulator.arrivals == {"u1 Ex+1": 1}


def test_as_the_learner_with_an_assertion(simulator, make_outcome, report):
    (result,) = report(make_outcome("u1"), auth_type=AuthType.SELF_SIGNED)

    assert result.kind is ACCEPTED
    assert calls(simulator) == [("token", 200), ("learning-event", 201)]


@pytest.mark.parametrize("auth_type", AuthType)
def test_one_token_for_each_learner(auth_type, simulator, make_outcome, report):
    told = report(
        make_outcome("u1"), make_outcome("u1", "Ex+2"), make_outcome("u2"), make_outcome("u1", "Ex+3"),
        auth_type=auth_type,
    )  # fmt: skip

    assert [result.kind for result in told] == [ACCEPTED] * 4
    assert [name for name, _ in calls(simulator)].count("token") == 2


def test_a_learner_called_service_does_not_get_the_service_users_token(
    simulator, make_outcome, report, open_session
):
    simulator.students.append({"studentID": "service", "isActive": True})

    async def run():
        async with open_session() as session:
            await plugin.check_connection(session)
            return await plugin.send_outcomes(session, make_outcome("service"))

    assert asyncio.run(run())[0].kind is ACCEPTED
    assert [seen.body["scope"]["userId"] for seen in simulator.seen if seen.path.endswith("/token")] == [
        simulator.user,
        "service",
    ]


def test_a_learners_token_ends(simulator, make_outcome, open_session, clock):
    async def run():
        async with open_session() as session:
            await plugin.send_outcomes(session, make_outcome("u1"))
            clock.forward(1800)
            await plugin.send_outcomes(session, make_outcome("u1", "Ex+2"))
            simulator.expire_tokens()
            return await plugin.send_outcomes(session, make_outcome("u1", "Ex+3"))

    assert asyncio.run(run())[0].kind is ACCEPTED
    assert [status for _, status in calls(simulator)] == [200, 201, 200, 201, 401, 200, 201]


# -- as the service user ----------------------------------------------------------------------------


def test_as_the_service_user(simulator, make_outcome, report):
    told = report(make_outcome("u1", generic=True), make_outcome("u2", generic=True), **GENERIC)

    assert [result.kind for result in told] == [ACCEPTED] * 2
    token, *events = simulator.seen
    assert token.body["scope"]["userId"] == simulator.user
    assert {event.path for event in events} == {f"/{GENERIC_PATH}"}
    assert [event.body["courseCompleted"] for event in events] == [True, True]


# -- what answers mean ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        pytest.param((200, {}), ACCEPTED, "", id="empty object"),
        pytest.param((201, ""), ACCEPTED, "", id="201 empty"),
        pytest.param((200, ""), IN_DOUBT, "no-acknowledgement", id="200 empty"),
        pytest.param((201, {"errorMessage": None, "errors": [], "userID": "u1"}), ACCEPTED, "", id="no errors"),
        pytest.param((201, {"error": {"code": "X", "message": "no"}}), REJECTED, "refused", id="201 error"),
        pytest.param((201, {"value": [{"errorMessage": "no"}]}), REJECTED, "refused", id="201 row"),
        pytest.param((200, {"exception": "e", "message": "no"}), REJECTED, "refused", id="200 exception"),
        pytest.param((200, "<html>log in</html>"), IN_DOUBT, "no-acknowledgement", id="200 page"),
        pytest.param((400, {"error": {"code": None, "message": "bad grade"}}), REJECTED, "invalid", id="400"),
        pytest.param((409, {"error": "twice"}), REJECTED, "conflict", id="409"),
        pytest.param((400, {"error": "User not found"}), BLOCKED, "not-found-at-lms", id="no such user"),
        pytest.param((201, {"value": [{"errorMessage": "No such course"}]}), BLOCKED, "not-found-at-lms", id="row"),
    ],
)  # fmt: skip
def test_what_an_answer_means(answer, kind, reason, mode, simulator, make_outcome, report):
    simulator.event_answer = answer

    (result,) = report(make_outcome("u1"), **MODES[mode])

    assert (result.kind, result.reason, result.http_status) == (kind, reason, answer[0])
    assert result.confirms or result.message
    if isinstance(answer[1], dict) and not result.confirms and answer[0] != 500:
        assert result.message in ("X: no", "no", "bad grade", "twice", "User not found", "No such course")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "answer", [(403, {"error": "no permission"}), (404, ""), (301, "", {"Location": "/login"})]
)
def test_what_is_refused_whatever_it_carries(answer, mode, simulator, make_outcome, report):
    simulator.event_answer = answer

    (error,) = report(make_outcome("u1"), **MODES[mode])

    assert isinstance(error, BlockedError)
    assert error.http_status == answer[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "answer",
    [
        (302, "", {"Location": "/login"}),
        (404, "<html>no such page</html>"),
        (499, ""),
        (500, "<html>oops</html>"),
        (500, {"error": "no"}),
        (524, "<html>oops</html>"),
    ],
)
def test_what_is_not_an_answer_of_sap_leaves_it_in_doubt(answer, mode, simulator, make_outcome, report):
    simulator.event_answer = answer

    (error,) = report(make_outcome("u1"), **MODES[mode])

    assert isinstance(error, OutcomeUnknownError)
    assert error.http_status == answer[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["reset after accepting", "bad gateway"])
def test_no_answer_is_in_doubt_and_nothing_is_repeated(name, mode, simulator, make_outcome, report):
    simulator.misbehave.append(Misbehaviour(name, path=OWN_PATH if mode == "own" else GENERIC_PATH))

    first, second = report(
        make_outcome("u1", generic=mode == "generic"),
        make_outcome("u2", generic=mode == "generic"),
        **MODES[mode],
    )

    assert isinstance(first, OutcomeUnknownError)
    assert second.kind is ACCEPTED
    assert set(simulator.arrivals.values()) == {1}


def test_a_fault_at_one_learner_leaves_the_others_alone(simulator, make_outcome, report):
    simulator.misbehave.append(Misbehaviour("reset after accepting", path="learning-event", every=3, times=1))

    told = report(*(make_outcome(f"u{number % 9}", f"Ex+{number}") for number in range(10)))

    assert isinstance(told[2], OutcomeUnknownError)
    assert [result.kind for result in told[:2] + told[3:]] == [ACCEPTED] * 9


def test_sap_asks_to_wait(simulator, make_outcome, report, clock):
    simulator.event_answer = (429, {"error": "API calling limit exceeded"}, {"Retry-After": "300"})

    (error,) = report(make_outcome("u1"))

    assert isinstance(error, ThrottledError)
    assert (error.retry_at - clock.now).total_seconds() == 300
    assert calls(simulator).count(("learning-event", 429)) == 1


def test_completions_evenly_spread(simulator, make_outcome, report, clock):
    started = clock.now
    report(*(make_outcome("u1", f"Ex+{number}") for number in range(5)), completions_per_minute=100)

    assert (clock.now - started).total_seconds() == pytest.approx(2.4, abs=0.1)


# -- learners at SAP --------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["user account is inactive", "The User Account Is Inactive."])
@pytest.mark.parametrize("status", [201, 400, 403, 404, 500])
@pytest.mark.parametrize("mode", MODES)
def test_an_inactive_learner(mode, status, words, simulator, make_outcome, report):
    simulator.event_answer = (status, {"error": {"code": None, "message": words}})

    (result,) = report(make_outcome("u1"), **MODES[mode])

    assert (result.kind, result.reason, result.http_status) == (BLOCKED, "learner-inactive-at-lms", status)
    assert "`coursewire learners inactive`" in result.message


@pytest.mark.parametrize("at_token", [False, True])
@pytest.mark.parametrize("auth_type", AuthType)
def test_an_inactive_learner_at_the_completion_or_at_the_token(
    auth_type, at_token, simulator, make_outcome, report
):
    simulator.inactive_get_tokens = not at_token

    told = report(make_outcome("u9"), make_outcome("u1"), auth_type=auth_type)

    assert [result.kind for result in told] == [BLOCKED, ACCEPTED]
    assert told[0].reason == "learner-inactive-at-lms"
    assert told[0].http_status == (401 if at_token else 400)
    names = [name for name, _ in calls(simulator)]
    assert names == ["token"] * (1 if at_token else 0) + ["token", "learning-event"] * (1 if at_token else 2)


def test_the_service_users_own_account_is_inactive(simulator, make_outcome, report):
    simulator.token_answer = (401, {"error": "user account is inactive"})

    (error,) = report(make_outcome("u1", generic=True), **GENERIC)

    assert isinstance(error, CredentialsError)


@pytest.mark.parametrize("auth_type", AuthType)
def test_a_learner_who_gets_no_token_stops_nobody_else(auth_type, simulator, make_outcome, report):
    told = report(make_outcome("stranger"), make_outcome("u1"), auth_type=auth_type)

    assert [result.kind for result in told] == [BLOCKED, ACCEPTED]
    assert (told[0].reason, told[0].http_status) == ("learner-refused-at-lms", 401)
    assert "does not exist" in told[0].message
    # refused, the service user's trial, and then the next learner's
    assert [status for name, status in calls(simulator) if name == "token"] == [401, 200, 200]


@pytest.mark.parametrize(
    ("status", "error"), [(401, CredentialsError), (403, CredentialsError), (500, UnreachableError)]
)
def test_no_token_for_anybody_is_not_the_learners_fault(status, error, simulator, make_outcome, report):
    simulator.token_answer = (status, {"error": "no"})

    (raised,) = report(make_outcome("u1"))

    assert isinstance(raised, error)
    assert simulator.completions == []


def test_nobody_reports_for_somebody_else(simulator, make_outcome, open_session):
    from coursewire_sap.auth import sap_auth

    async def run():
        async with open_session() as session:
            auth = sap_auth(session.config, session.tokens, "u1")
            own = await session.post(OWN_PATH, json=dict(make_outcome("u2").payloads[0].body), auth=auth)
            generic = await session.post(GENERIC_PATH, json={}, auth=auth)
            return own.status_code, generic.status_code

    assert asyncio.run(run()) == (403, 403)


# -- the simulator ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "changes",
    [
        {"courseCompleted": 1},
        {"courseCompleted": "True"},
        {"completedTimestamp": None},
        {"completedTimestamp": 1772357415},
        {"completedTimestamp": "1772357415250"},
        {"completedTimestamp": 1772357415250.0},
        {"courseID": ""},
        {"providerID": "OTHER"},
        {"grade": 1},
        {"totalHours": "1"},
        {"surprise": 1},
    ],
    ids=repr,
)
def test_the_simulator_is_strict(changes, mode, simulator, make_outcome, report):
    (result,) = report(make_outcome("u1", generic=mode == "generic", **changes), **MODES[mode])

    assert (result.confirms, result.http_status) == (False, 400)
    assert simulator.completions == []


@pytest.mark.parametrize("mode", MODES)
def test_each_endpoint_has_its_own_form_of_the_flag(mode, simulator, make_outcome, report):
    (result,) = report(make_outcome("u1", generic=mode != "generic"), **MODES[mode])

    assert result.kind is REJECTED
    assert "courseCompleted" in result.message


def test_hours_may_be_unknown(make_outcome, report):
    (result,) = report(make_outcome("u1", totalHours=None, creditHours=None))

    assert result.kind is ACCEPTED


def test_courses_that_are_not_there_or_refused(simulator, make_outcome, report):
    simulator.imported_only, simulator.items = True, {"Ex+1": {}, "Ex+3": {}, "Ex+4": {}}
    simulator.poisoned, simulator.refuse_inside = {"Ex+3"}, {"Ex+4"}

    told = report(*(make_outcome("u1", f"Ex+{number}") for number in (1, 2, 3, 4)))

    assert [(result.kind, result.http_status) for result in told] == [
        (ACCEPTED, 201),
        (BLOCKED, 400),
        (REJECTED, 400),
        (REJECTED, 201),
    ]
    assert told[3].message == "it cannot be recorded"
    assert simulator.arrivals == {"u1 Ex+1": 1}


def test_what_arrives_twice_is_there_twice_and_the_future_does_not_show(
    simulator, make_outcome, report, clock
):
    tomorrow = int(clock.now.timestamp() * 1000) + 86_400_000
    told = report(
        make_outcome("u1"), make_outcome("u1"), make_outcome("u1", "Ex+2", completedTimestamp=tomorrow)
    )

    assert [result.kind for result in told] == [ACCEPTED] * 3
    assert simulator.arrivals == {"u1 Ex+1": 2, "u1 Ex+2": 1}
    assert [each["courseID"] for each in simulator.history()] == ["Ex+1", "Ex+1"]
    simulator.reset()
    assert simulator.completions == []


def test_anybody_is_a_user_unless_told_otherwise(make_outcome, open_session, clock):
    from coursewire_sap.simulator import SapSimulator

    with SapSimulator(clock=clock).running() as tenant:

        async def run():
            async with open_session(sapsf_base_url=tenant.url) as session:
                return await plugin.send_outcomes(session, make_outcome("whoever"))

        assert asyncio.run(run())[0].kind is ACCEPTED
