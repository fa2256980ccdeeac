"""The fifteen behaviours that users of a channel to a Learning Record Store rely on, through the real jobs.

What a stand-in cannot prove is tried on real stores in ``test_real_stores.py``.
"""

from __future__ import annotations

import logging
from datetime import datetime

import orjson
import pytest

from coursewire.errors import CredentialsError
from coursewire.testing.misbehave import Misbehaviour
from coursewire_xapi.outcomes import COMPLETED, REGISTERED, UNREGISTERED, VOIDED


def verbs(store):
    return [each["verb"]["id"] for each in store.standing]


def posts(store):
    return [seen for seen in store.seen if seen.method == "POST"]


def test_01_an_enrollment_run_then_a_completion_run(world, store):
    world.student()
    uuid = world.configure(store.sample_config())
    assert world.enrollments(uuid).done["created"] == 1
    assert world.completions(uuid).done["created"] == 1
    assert verbs(store) == [REGISTERED, COMPLETED]


def test_01_the_other_way_round(world, store):
    world.student()
    uuid = world.configure(store.sample_config())
    world.completions(uuid)
    world.enrollments(uuid)
    assert verbs(store) == [COMPLETED, REGISTERED]


def test_02_the_same_runs_twice(world, store):
    world.student()
    uuid = world.configure(store.sample_config())
    for _ in range(2):
        again = [world.enrollments(uuid), world.completions(uuid)]
    assert [(each.unchanged, each.requests, each.exit_status) for each in again] == [(1, 0, 0)] * 2
    assert store.arrivals.total() == 2


@pytest.mark.parametrize("names_new_only", [False, True])
def test_03_an_answer_that_was_lost(world, store, names_new_only):
    """The store has it; the repeat is the same statement, whatever the store answers to that."""
    world.students(3)
    uuid = world.configure(store.sample_config())
    store.names_new_only = names_new_only
    store.misbehave.append(Misbehaviour("reset after accepting", times=None))
    first = world.completions(uuid)
    assert (first.done.total(), first.exit_status) == (0, 1)
    store.misbehave.clear()
    assert world.completions(uuid).done["created"] == 3
    bodies = {orjson.dumps(seen.body) for seen in posts(store)}
    assert len(bodies) == 1
    assert len(store.outcomes) == 3


def test_03_some_were_there_before(world, store):
    """The answer names the new ones alone; the others are asked for."""
    world.students(3)
    one = world.configure(store.sample_config())
    world.completions(one)
    world.student("new")
    store.names_new_only = True
    summary = world.completions(world.configure(store.sample_config()))
    assert (summary.done["created"], summary.failed.total()) == (4, 0)
    assert len(store.outcomes) == 4


def test_03_a_statement_that_is_neither_named_nor_shown_is_not_delivered(world, store):
    world.students(2)
    config = store.sample_config()
    world.completions(world.configure(config))
    lost = next(iter(store.outcomes))
    store.names_new_only = True
    uuid = world.configure(config)
    world.student("new")
    # As if the store had taken the array and lost one statement of it.
    original = store._take

    def take(statements):
        answer = original(statements)
        store.outcomes.pop(lost, None)
        return answer

    store._take = take
    summary = world.completions(uuid)
    assert summary.done["created"] == 2
    assert dict(summary.failed) == {"not-shown-yet": 1}


def test_04_a_course_is_renamed_between_attempt_and_repeat(world, store):
    world.students(3)
    uuid = world.configure(store.sample_config())
    store.misbehave.append(Misbehaviour("reset after accepting", times=None))
    world.completions(uuid)
    store.misbehave.clear()
    content = dict(next(iter(world.files["content"].values())), title="Soil, revised")
    world.load(content=[content])
    assert world.completions(uuid).done["created"] == 3
    names = {each["object"]["definition"]["name"]["en"] for each in store.standing}
    assert (len(store.outcomes), names) == (3, {"Soil Health Basics"})
    assert world.completions(uuid).requests == 0


def test_04_a_course_is_renamed_after_delivery(world, store):
    """The statement tells what was true then; it is not told again in other words."""
    world.student()
    uuid = world.configure(store.sample_config())
    world.completions(uuid)
    content = dict(next(iter(world.files["content"].values())), title="Soil, revised")
    world.load(content=[content])
    summary = world.completions(uuid)
    assert (summary.requests, dict(summary.skipped)) == (0, {"sent-before": 1})
    assert world.completions(uuid, force=True).done["updated"] == 1
    assert len(store.outcomes) == 1


def test_05_our_id_with_another_actor(world, store):
    world.students(5)
    uuid = world.configure(store.sample_config())
    world.completions(uuid)
    taken = next(iter(store.outcomes.values()))
    taken["actor"] = {"objectType": "Agent", "mbox": "mailto:somebody@example.com"}
    summary = world.completions(world.configure(store.sample_config()))
    assert (summary.done["created"], dict(summary.failed)) == (4, {"conflict": 1})
    (row,) = [row for row in world.rows() if row["state"] == "rejected"]
    assert "actor differ" in row["message"]
    assert row["configuration"] != uuid
    sent = len(posts(store))
    assert dict(world.completions(row["configuration"]).skipped) == {"rejected-before": 1}
    assert len(posts(store)) == sent


def test_06_120_statements_in_arrays_of_50(world, store):
    world.students(120)
    uuid = world.configure(store.sample_config(), transmission_chunk_size=50)
    summary = world.completions(uuid)
    assert (summary.done["created"], summary.requests) == (120, 3)
    assert sorted(len(seen.body) for seen in posts(store)) == [20, 50, 50]


def test_06_nothing_but_an_array_of_our_ids_is_an_acknowledgement(world, store):
    world.student()
    for name in ("200 with error body", "empty answer"):
        uuid = world.configure(store.sample_config())
        store.misbehave.append(Misbehaviour(name, times=None))
        summary = world.completions(uuid)
        assert (summary.done.total(), dict(summary.failed)) == (0, {"unreadable-answer": 1})
        store.misbehave.clear()
        assert world.completions(uuid).done["created"] == 1


def test_07_one_invalid_statement_among_ten(world, store):
    world.students(10)
    store.poisoned.add("E-s004")
    summary = world.completions(world.configure(store.sample_config()))
    assert (summary.done["created"], dict(summary.failed)) == (9, {"invalid": 1})
    (row,) = [row for row in world.rows() if row["state"] == "rejected"]
    assert row["username"] == "s004"
    assert "is not welcome" in row["message"]


def test_08_an_array_that_is_too_large_is_halved(world, store):
    world.students(16)
    store.largest_body = 5000
    summary = world.completions(world.configure(store.sample_config()))
    assert (summary.done["created"], summary.failed.total()) == (16, 0)
    assert 413 in {seen.status for seen in store.seen}


def test_08_a_single_one_that_is_too_large_is_refused_for_good(world, store):
    world.student()
    store.largest_body = 100
    uuid = world.configure(store.sample_config())
    assert dict(world.completions(uuid).failed) == {"too-large": 1}
    assert dict(world.completions(uuid).skipped) == {"rejected-before": 1}


def test_09_slowing_down_when_asked_to(world, store):
    world.student()
    store.misbehave.append(Misbehaviour("429 with Retry-After", seconds=2))
    summary = world.completions(world.configure(store.sample_config()))
    assert (summary.done["created"], summary.requests) == (1, 2)
    first, second = (datetime.fromisoformat(seen.at) for seen in store.seen)
    assert (second - first).total_seconds() >= 2


def test_09_a_long_pause_is_not_sat_out(world, store):
    world.student()
    store.misbehave.append(Misbehaviour("429 with Retry-After", seconds=600))
    uuid = world.configure(store.sample_config())
    assert dict(world.completions(uuid).waiting) == {"waiting-for-limit": 1}
    world.clock.forward(seconds=601)
    assert world.completions(uuid).done["created"] == 1


@pytest.mark.parametrize("how", ["HTML error page", "bad gateway", "reset before accepting"])
def test_10_one_customers_store_is_out_of_order(world, store, how):
    world.student()
    world.load(
        learners=[{**next(iter(world.files["learners"].values())), "customer": world_other()}],
        enrollments=[{**next(iter(world.files["enrollments"].values())), "customer": world_other()}],
    )
    one = world.configure(store.sample_config())
    two = world.configure(store.sample_config(), customer=world_other())
    store.misbehave.append(Misbehaviour(how, times=None))
    summary = world.completions(one)
    assert (summary.done.total(), summary.failed.total()) == (0, 1)
    store.misbehave.clear()
    assert world.completions(two).done["created"] == 1
    (row,) = [row for row in world.rows() if row["configuration"] == one]
    assert (row["state"] in ("failed", "in doubt"), bool(row["message"])) == (True, True)
    world.clock.forward(days=2)
    assert world.completions(one).done["created"] == 1


def world_other():
    return "22222222-2222-4222-8222-222222222222"


def test_10_nobody_listens(world, store):
    world.student()
    uuid = world.configure(store.sample_config(), endpoint="http://127.0.0.1:9/xAPI")
    assert dict(world.completions(uuid).failed) == {"unreachable": 1}


def test_11_credentials_that_are_refused(world, store, caplog):
    caplog.set_level(logging.DEBUG)
    world.students(3)
    uuid = world.configure(store.sample_config(), secret="planted-canary", transmission_chunk_size=1)
    with pytest.raises(CredentialsError) as refused:
        world.check(uuid)
    summary = world.completions(uuid)
    assert (summary.exit_status, summary.done.total()) == (1, 0)
    assert world.installation.configurations.get(uuid).failing_since is not None
    assert len(posts(store)) <= 4
    everything = f"{refused.value!r} {refused.value} {summary.as_dict()} {world.rows()} {caplog.text}"
    assert "planted-canary" not in everything


CLOSED = {
    "consent-refused": ({}, {"consent_granted": False}),
    "consent-unknown": ({}, {"consent_granted": None}),
    "learner-inactive": ({"active": False}, {}),
    "learner-unlinked": ({"linked": False}, {}),
}


@pytest.mark.parametrize("reason", CLOSED)
def test_12_nothing_is_sent_of_whom_the_gates_hold_back(world, store, reason):
    who, where = CLOSED[reason]
    world.learner(**who)
    world.enrollment(**where)
    world.grade()
    uuid = world.configure(store.sample_config())
    for run in (world.enrollments, world.completions):
        assert dict(run(uuid).skipped) == {reason: 1}
    assert list(store.seen) == []


def test_12_a_private_enrollment_is_another_customers_business(world, store):
    world.student()
    uuid = world.configure(store.sample_config(), customer=world_other())
    assert (world.enrollments(uuid).requests, world.completions(uuid).requests) == (0, 0)


def test_13_an_account_else_an_address_else_nothing(world, store):
    world.student("ada")
    world.student("ben")
    world.student("cleo")
    world.learner("ada", remote_ids={"saml-acme": "tenant:7:E-1"})
    world.learner("ben", remote_ids={})
    world.learner("cleo", remote_ids={}, email=None)
    uuid = world.configure(store.sample_config())
    summary = world.completions(uuid)
    assert (summary.done["created"], dict(summary.skipped)) == (2, {"learner-unmatched": 1})
    address, account = sorted((each["actor"] for each in store.standing), key=len)
    assert account["account"] == {"homePage": "https://learn.example.org", "name": "tenant:7:E-1"}
    assert address == {"objectType": "Agent", "mbox": "mailto:ben@example.com"}


def test_13_without_the_address_they_wait(world, store):
    world.student()
    world.learner(remote_ids={})
    uuid = world.configure(store.sample_config(), email_without_account=False)
    assert dict(world.completions(uuid).skipped) == {"learner-unmatched": 1}


def test_14_texts_numbers_and_times_are_exact(world, store):
    content = dict(next(iter(world.files["content"].values())), title="Café 土壌")
    world.load(content=[content])
    world.student()
    world.grade(percent=0.57, passed_timestamp="2026-03-02T10:15:00+01:00")
    world.completions(world.configure(store.sample_config()))
    (statement,) = store.standing
    assert statement["object"]["definition"]["name"] == {"en": "Café 土壌"}
    assert statement["result"]["score"] == {"scaled": 0.57, "raw": 57, "min": 0, "max": 100}
    assert statement["timestamp"] == "2026-03-02T09:15:00.000Z"


def test_15_a_raised_grade_an_end_and_a_completion_that_proves_wrong(world, store):
    world.student()
    uuid = world.configure(store.sample_config())
    world.enrollments(uuid)
    world.completions(uuid)
    first = store.standing[1]
    world.grade(percent=0.91)
    assert world.completions(uuid).done["updated"] == 1
    second = next(each for each in store.standing if each["verb"]["id"] == COMPLETED)
    assert (second["id"] != first["id"], second["result"]["score"]["raw"]) == (True, 91)

    world.grade(percent=0.3, passed=False)
    assert world.completions(uuid).done["updated"] == 1
    assert second["id"] in store.voided
    assert verbs(store) == [REGISTERED, VOIDED, VOIDED]
    assert dict(world.completions(uuid).skipped) == {"not-complete": 1}

    world.enrollment(is_active=False, unenrolled_at="2026-04-01T00:00:00Z")
    assert world.enrollments(uuid).done["updated"] == 1
    assert store.standing[-1]["verb"]["id"] == UNREGISTERED
    assert store.standing[-1]["timestamp"] == "2026-04-01T00:00:00.000Z"
    assert (world.enrollments(uuid).unchanged, world.enrollments(uuid).requests) == (1, 0)


def test_15_passed_again_after_it_was_voided_it_is_a_new_statement(world, store):
    """A store ignores what comes under the id of a voided statement."""
    world.student()
    uuid = world.configure(store.sample_config())
    for passed in (True, False, True, False, True):
        world.grade(passed=passed)
        assert world.completions(uuid).done.total() == 1
        completed = [each for each in store.standing if each["verb"]["id"] == COMPLETED]
        assert len(completed) == passed
    assert len(store.outcomes) == 5


def test_15_grades_that_go_back_and_forth_leave_the_last_one(world, store):
    world.student()
    uuid = world.configure(store.sample_config())
    for percent in (0.87, 0.91, 0.87, 0.91, 0.87):
        world.grade(percent=percent)
        assert world.completions(uuid).done.total() == 1
        (standing,) = [each for each in store.standing if each["verb"]["id"] == COMPLETED]
        assert standing["result"]["score"]["scaled"] == percent
    assert world.completions(uuid, force=True).done["updated"] == 1
    assert len([each for each in store.standing if each["verb"]["id"] == COMPLETED]) == 1


def test_15_a_correction_whose_answer_was_lost_is_repeated_as_it_was(world, store):
    world.student()
    uuid = world.configure(store.sample_config())
    world.completions(uuid)
    world.grade(percent=0.91)
    store.misbehave.append(Misbehaviour("reset after accepting", times=None))
    world.completions(uuid)
    store.misbehave.clear()
    assert world.completions(uuid).done["updated"] == 1
    assert len(store.outcomes) == 3
    assert verbs(store) == [COMPLETED, VOIDED]


def test_15_joining_again_after_leaving(world, store):
    world.student()
    uuid = world.configure(store.sample_config())
    for active in (True, False, True, False):
        world.enrollment(is_active=active, unenrolled_at=None if active else "2026-04-01T00:00:00Z")
        assert world.enrollments(uuid).done.total() == 1
    assert verbs(store) == [REGISTERED, UNREGISTERED] * 2
