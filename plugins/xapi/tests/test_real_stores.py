"""The channel's jobs against real Learning Record Stores: what they hold afterwards is what counts."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from coursewire.errors import CredentialsError

COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
REGISTERED = "http://adlnet.gov/expapi/verbs/registered"
UNREGISTERED = "http://id.tincanapi.com/verb/unregistered"
VERSION = {"X-Experience-API-Version": "1.0.3"}
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@pytest.fixture(params=["ralph", "learning_locker"])
def real(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def who():
    """A learner of this test's own: the stores outlive it, and statements cannot be deleted."""
    return f"ada-{uuid4().hex[:10]}"


def of(real, who):
    """What the store shows of a learner, the oldest first."""
    return [each for each in real.statements() if who in str(each["actor"])]


def verbs(statements):
    return [each["verb"]["id"] for each in statements]


def test_an_enrollment_and_its_completion_are_there_once(world, real, who):
    world.student(who)
    uuid = world.configure(real.config())
    assert world.enrollments(uuid).done["created"] == 1
    assert world.completions(uuid).done["created"] == 1
    assert sorted(verbs(of(real, who))) == [COMPLETED, REGISTERED]
    again = (world.enrollments(uuid), world.completions(uuid))
    assert [(each.unchanged, each.requests) for each in again] == [(1, 0), (1, 0)]
    assert len(of(real, who)) == 2


def test_sent_by_another_installation_too_they_stay_two(world, real, who):
    """As if every answer had been lost: the same ids, and the store keeps one of each."""
    world.student(who)
    one, two = world.configure(real.config()), world.configure(real.config())
    for uuid in (one, two):
        for run in (world.enrollments, world.completions):
            assert (run(uuid).done["created"], run(uuid).failed.total()) == (1, 0)
    assert len(of(real, who)) == 2


def test_a_title_that_has_changed_before_the_repeat_settles_as_delivered(world, real, who):
    world.student(who)
    world.completions(world.configure(real.config()))
    content = dict(next(iter(world.files["content"].values())), title="Soil Health, revised")
    world.load(content=[content])
    summary = world.completions(world.configure(real.config()))
    assert (summary.done["created"], summary.failed.total()) == (1, 0)
    assert len(of(real, who)) == 1


def test_texts_and_numbers_are_there_as_they_are(world, real, who):
    content = dict(
        next(iter(world.files["content"].values())), title="Café 土壌", short_description="Größe 😀"
    )
    world.load(content=[content])
    world.student(who, 0.57)
    world.grade(who, 0.57, passed_timestamp="2026-03-02T10:15:00+01:00")
    world.completions(world.configure(real.config()))
    (statement,) = of(real, who)
    definition = statement["object"]["definition"]
    assert (definition["name"], definition["description"]) == ({"en": "Café 土壌"}, {"en": "Größe 😀"})
    assert statement["result"]["score"] == {"scaled": 0.57, "raw": 57, "min": 0, "max": 100}
    assert statement["timestamp"].startswith("2026-03-02T09:15:00")


def test_120_travel_in_three(world, real, who):
    world.students(120)
    home_page = f"https://{who}.example.com"
    uuid = world.configure(real.config(), transmission_chunk_size=50, account_home_page=home_page)
    summary = world.completions(uuid)
    assert (summary.done["created"], summary.requests) == (120, 3)
    assert len(of(real, home_page)) == 120


def test_the_connection_is_checked(world, real):
    said = world.check(world.configure(real.config()))
    assert said[1:] == ["The credentials may read statements.", "The credentials may write statements."]
    assert "1.0.3" in said[0]
    assert ("does not say" in said[0]) is not real.strict


def test_wrong_credentials_stop_the_run(world, ralph):
    world.student()
    uuid = world.configure({**ralph.config(), "secret": "another-secret"})
    with pytest.raises(CredentialsError):
        world.check(uuid)
    summary = world.completions(uuid)
    assert (summary.exit_status, summary.done.total()) == (1, 0)
    assert "another-secret" not in str(summary.as_dict())
    assert "another-secret" not in str(world.rows())


class TestTheStrictStore:
    """What Ralph does not do, or does otherwise than the specification says."""

    def test_a_correction_leaves_one_result(self, world, learning_locker, who):
        real = learning_locker
        world.student(who)
        uuid = world.configure(real.config())
        world.completions(uuid)
        (first,) = of(real, who)
        world.grade(who, 0.91)
        assert world.completions(uuid).done["updated"] == 1
        (second,) = of(real, who)
        assert second["id"] != first["id"]
        assert second["result"]["score"]["raw"] == 91
        assert real.get(statementId=first["id"]).status_code == 404
        assert real.get(voidedStatementId=first["id"]).status_code == 200

    def test_back_to_the_first_grade_is_a_third_statement(self, world, learning_locker, who):
        real = learning_locker
        world.student(who)
        uuid = world.configure(real.config())
        for percent in (0.87, 0.91, 0.87):
            world.grade(who, percent)
            assert world.completions(uuid).done.total() == 1
            (standing,) = of(real, who)
            assert standing["result"]["score"]["scaled"] == percent

    def test_leaving_and_a_completion_that_proves_wrong(self, world, learning_locker, who):
        real = learning_locker
        world.student(who)
        uuid = world.configure(real.config())
        world.enrollments(uuid)
        world.completions(uuid)
        completed = next(each for each in of(real, who) if each["verb"]["id"] == COMPLETED)
        world.grade(who, 0.4, passed=False)
        assert world.completions(uuid).done["updated"] == 1
        assert real.get(statementId=completed["id"]).status_code == 404
        world.enrollment(who, is_active=False, unenrolled_at="2026-04-01T00:00:00Z")
        assert world.enrollments(uuid).done["updated"] == 1
        assert verbs(of(real, who)) == [REGISTERED, UNREGISTERED]

    def test_one_that_it_refuses_among_ten(self, world, learning_locker, who):
        world.students(10)
        world.learner("s004", email="two@at@example.com", remote_ids={})
        uuid = world.configure(learning_locker.config(), account_home_page=f"https://{who}.example.com")
        summary = world.completions(uuid)
        assert (summary.done["created"], dict(summary.failed)) == (9, {"invalid": 1})
        (row,) = [row for row in world.rows() if row["username"] == "s004"]
        assert (row["state"], "mailbox" in row["message"].lower() or "mbox" in row["message"]) == (
            "rejected",
            True,
        )

    def test_another_statement_under_our_id_is_a_conflict(self, world, learning_locker, who):
        real = learning_locker
        world.student(who)
        world.completions(world.configure(real.config()))
        (ours,) = of(real, who)
        foreign = {name: ours[name] for name in ("id", "verb", "object")}
        foreign["actor"] = {"mbox": "mailto:somebody@example.com"}
        # The same id with another actor, as if ours had come second.
        told = httpx.post(
            f"{real.endpoint}/statements", json=foreign, headers=VERSION, auth=(real.key, real.secret)
        )
        assert told.status_code == 409
