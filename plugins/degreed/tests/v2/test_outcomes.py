"""Completions by API v2: payloads, and over real HTTP what each answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from aiohttp import web

from coursewire.errors import NotExportableError, OutcomeUnknownError, ThrottledError
from coursewire.model.outcomes import Completion
from coursewire.model.payload import ResultKind
from coursewire.testing.misbehave import Misbehaviour
from coursewire_degreed.v2 import plugin
from coursewire_degreed.v2.config import Degreed2Config

ACCEPTED, REJECTED, BLOCKED, IN_DOUBT = (
    ResultKind.ACCEPTED,
    ResultKind.REJECTED,
    ResultKind.BLOCKED,
    ResultKind.IN_DOUBT,
)
COMPLETIONS = "v2/completions"
GOOD = {"client_id": "a", "client_secret": "b", "degreed_base_url": "https://api.degreed.com"}


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
    outcome = Completion.model_validate({**usual, **fields})
    body = plugin.export_completion(config=Degreed2Config.model_validate(GOOD), completion=outcome)
    return body["data"]["attributes"]


@pytest.fixture(autouse=True)
def course(simulator):
    simulator.add_course("Ex+1")


@pytest.mark.parametrize("minutes", range(-14 * 60, 14 * 60, 97))
def test_the_instant_is_that_of_utc_in_nineteen_characters_from_any_zone(minutes):
    instant = datetime(2030, 12, 31, 23, 30, 15, 999, tzinfo=timezone(timedelta(minutes=minutes)))

    sent = exported(completed_at=instant)["completed-at"]

    assert len(sent) == 19
    assert datetime.fromisoformat(sent).replace(tzinfo=UTC) == instant.replace(microsecond=0)


@pytest.mark.parametrize(
    ("percent", "sent"), [("0", 0), ("0.875", 87.5), ("1", 100), ("0.3333", 33.33), (None, None)]
)
def test_a_grade_is_per_cent_and_zero_is_one(percent, sent):
    assert exported(percent=percent)["percentile"] == sent


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"remote_id": None}, "remote_id"),
        ({"remote_id": ""}, "remote_id"),
        ({"completed_at": None}, "completed_at"),
    ],
)
def test_what_degreed_demands_is_named(fields, at_fault):
    with pytest.raises(NotExportableError) as refusal:
        exported(**fields)

    assert refusal.value.field == at_fault


def test_a_completion_is_one_request_and_its_answer_has_the_id(simulator, report, make, calls):
    (result,) = report(make.completion())

    assert (result.kind, result.http_status) == (ACCEPTED, 201)
    assert calls(simulator) == [(f"POST {COMPLETIONS}", 201)]
    assert set(simulator.seen[-1].body["data"]) == {"attributes"}
    assert (
        simulator.completions[result.remote_id]["attributes"] == make.completion().body["data"]["attributes"]
    )


def test_a_correction_changes_the_completion_that_is_there(simulator, report, make, calls):
    (made,) = report(make.completion())

    raised, lowered = report(
        make.completion(remote_id=made.remote_id, percentile=99.0),
        make.completion(remote_id=made.remote_id, percentile=1.0),
    )

    assert (raised.kind, lowered.kind, lowered.remote_id) == (ACCEPTED, ACCEPTED, made.remote_id)
    assert [each["attributes"]["percentile"] for each in simulator.completions.values()] == [1.0]
    assert calls(simulator)[-1] == (f"PATCH {COMPLETIONS}/{made.remote_id}", 200)


def test_a_correction_of_what_was_deleted_there_makes_it_anew(simulator, report, make):
    (result,) = report(make.completion(remote_id="gone"))

    assert (result.kind, [*simulator.completions]) == (ACCEPTED, [result.remote_id])


def test_a_completion_is_taken_back_and_may_come_again(simulator, report, make, calls):
    (made,) = report(make.completion())

    gone, again, back = report(
        make.completion(remote_id=made.remote_id, completed_at=None),
        make.completion(remote_id=made.remote_id, completed_at=None),
        make.completion(remote_id=made.remote_id),
    )

    assert (gone.kind, gone.http_status) == (ACCEPTED, 204)
    assert (again.kind, again.reason) == (ResultKind.ALREADY_SO, "already-gone")
    assert [*simulator.completions] == [back.remote_id]
    assert calls(simulator)[1] == (f"DELETE {COMPLETIONS}/{made.remote_id}", 204)


def test_what_has_no_known_id_cannot_be_taken_back(simulator, report, make, calls):
    (result,) = report(make.completion(completed_at=None))

    assert (result.kind, result.reason) == (BLOCKED, "completion-id-unknown")
    assert calls(simulator) == []


def test_a_learner_whom_degreed_does_not_know_is_for_a_person_and_the_next_one_is_sent(
    simulator, report, make
):
    simulator.users_only = True
    simulator.enroll("Ex+1", "known@example.org")

    unknown, known = report(make.completion("stranger@example.org"), make.completion("known@example.org"))

    assert (unknown.kind, unknown.reason, unknown.http_status) == (BLOCKED, "learner-unmatched", 400)
    assert known.kind is ACCEPTED


@pytest.mark.parametrize("address", ["a+b@example.org", "o'neil@example.org", "ü@example.org"])
def test_odd_addresses_arrive_as_they_are(address, simulator, report, make):
    report(make.completion(address))

    (kept,) = simulator.completions.values()
    assert kept["attributes"]["user-id"] == address


def test_a_course_that_degreed_does_not_have_is_for_a_person(report, make):
    (result,) = report(make.completion(key="Ex+404"))

    assert (result.kind, result.reason, result.http_status) == (BLOCKED, "course-not-at-lms", 404)


def _error(detail, **more):
    return {"errors": [{"title": "Bad Request", "detail": detail}], **more}


@pytest.mark.parametrize(
    ("told", "kind", "reason"),
    [
        ((400, _error("percentile: wrong")), REJECTED, "invalid"),
        ((400, _error("INVALID user identifier")), BLOCKED, "learner-unmatched"),
        ((400, {"errors": "text"}), REJECTED, "invalid"),
        ((400, {}), REJECTED, "invalid"),
        ((403, _error("no")), BLOCKED, "forbidden"),
        ((409, _error("exists")), REJECTED, "conflict"),
        ((200, "<html>log in</html>"), IN_DOUBT, "no-acknowledgement"),
        ((200, {}), IN_DOUBT, "no-acknowledgement"),
        ((201, {"data": {"attributes": {}}}), IN_DOUBT, "no-acknowledgement"),
        ((200, _error("inside")), REJECTED, "refused"),
    ],
)
def test_what_an_answer_means(told, kind, reason, simulator, report, make):
    def interfere(_request):
        status, body = told
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.json_response(body, status=status)

    simulator.interfere = interfere

    (result,) = report(make.completion())

    assert (result.kind, result.reason, result.http_status) == (kind, reason, told[0])
    assert result.message


@pytest.mark.parametrize(
    "told", [(400, "<html>bad</html>"), (404, "<html>no</html>"), (500, "no"), (524, "no")]
)
def test_what_is_not_an_answer_of_degreed_leaves_it_in_doubt(told, simulator, report, make):
    status, body = told
    simulator.interfere = lambda _request: web.Response(status=status, text=body, content_type="text/html")

    (error,) = report(make.completion())

    assert isinstance(error, OutcomeUnknownError)
    assert error.http_status == status


def test_a_correction_may_be_repeated_and_a_first_report_may_not(simulator, report, make):
    (made,) = report(make.completion())
    for payload, confirmed in (
        (make.completion(remote_id=made.remote_id), True),
        (make.completion("b"), False),
    ):
        simulator.misbehave.append(Misbehaviour("reset after accepting"))
        (result,) = report(payload)
        assert isinstance(result, OutcomeUnknownError) is not confirmed
        assert getattr(result, "confirms", False) is confirmed

    assert len(simulator.completions) == 2


def test_trouble_with_one_learner_leaves_the_next_alone(simulator, report, make):
    simulator.misbehave.append(Misbehaviour("bad gateway"))

    first, second = report(make.completion("a"), make.completion("b"))

    assert isinstance(first, OutcomeUnknownError)
    assert second.kind is ACCEPTED


def test_degreed_asks_to_wait(simulator, report, make, clock):
    simulator.misbehave.append(Misbehaviour("429 with Retry-After", seconds=60))

    (error,) = report(make.completion())

    assert isinstance(error, ThrottledError)
    assert (error.retry_at - clock.now).total_seconds() == 60
