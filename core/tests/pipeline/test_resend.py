"""What goes out again: by the configuration's rule, by the channel's own, and by what the LMS can take back."""

from __future__ import annotations

import pytest

from coursewire import hookimpl
from coursewire.model.channel import Support
from coursewire.model.kinds import Kind

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RUN = "course-v1:Org+C1+R1"
BETTER = {"percent": 0.9}
WORSE = {"percent": 0.7}
LATER = {"passed_timestamp": "2026-05-01T08:00:00Z"}
FAILED = {"passed": False, "percent": 0.2}


@pytest.fixture
def sent(world, lines):
    """A learner whose completion the LMS has confirmed; gives what runs the job with another grade."""
    world.load(
        learners=[lines.learner("ada")], enrollments=[lines.enrollment("ada")], grades=[lines.grade("ada")]
    )

    def again(uuid, **fields):
        world.load(grades=[lines.grade("ada", **({"percent": 0.8} | fields))])
        return world.run(uuid)

    return again


@pytest.mark.parametrize(
    ("rule", "change", "reason"),
    [
        ("changed", BETTER, None),
        ("changed", WORSE, None),
        ("changed", LATER, None),
        ("changed", FAILED, None),
        ("improved", BETTER, None),
        ("improved", WORSE, "not-improved"),
        ("improved", LATER, "not-improved"),
        ("improved", FAILED, "not-improved"),
        ("never", BETTER, "sent-before"),
        ("never", WORSE, "sent-before"),
        ("never", FAILED, "sent-before"),
    ],
)
def test_the_rule_of_the_configuration(world, sent, rule, change, reason):
    uuid = world.configure(resend_outcomes=rule)
    world.run(uuid)
    summary = sent(uuid, **change)
    if reason is None:
        assert (summary.done["updated"], summary.skipped.total()) == (1, 0)
        assert sent(uuid, **change).requests == 0
    else:
        assert (dict(summary.skipped), summary.requests) == ({reason: 1}, 0)
        row = world.row("ada")
        assert (row["state"], row["reason"]) == ("confirmed", reason)
        # What the LMS was told stands as what later results are held against.
        assert dict(sent(uuid, **change).skipped) == {reason: 1}
        assert sent(uuid).unchanged == 1


@pytest.mark.parametrize("rule", ["changed", "improved", "never"])
def test_a_completion_follows_a_report_of_progress_under_every_rule(world, sent, rule):
    uuid = world.configure(resend_outcomes=rule, send_in_progress=True)
    assert sent(uuid, passed=False, percent=0.9).done["created"] == 1
    assert sent(uuid, percent=0.6).done["updated"] == 1
    assert world.told["id-ada"]["complete"] is True


def test_a_better_grade_on_the_way_is_an_improvement(world, sent):
    uuid = world.configure(resend_outcomes="improved", send_in_progress=True)
    sent(uuid, passed=False, percent=0.3)
    assert sent(uuid, passed=False, percent=0.4).done["updated"] == 1
    assert dict(sent(uuid, passed=False, percent=0.2).skipped) == {"not-improved": 1}


@pytest.mark.parametrize("rule", ["improved", "never"])
def test_force_sends_whatever_the_rule_is(world, sent, rule):
    uuid = world.configure(resend_outcomes=rule)
    world.run(uuid)
    sent(uuid, **WORSE)
    assert world.run(uuid, force=True, learner="ada", course=RUN).done["updated"] == 1
    assert world.told["id-ada"]["percent"] == "0.7"
    assert world.run(uuid).unchanged == 1


@pytest.mark.parametrize(
    ("ability", "change", "reason"),
    [
        ("lower_grade", WORSE, "cannot-lower"),
        ("revoke", FAILED, "cannot-revoke"),
        ("raise_grade", BETTER, "cannot-correct"),
        ("raise_grade", LATER, "cannot-correct"),
    ],
)
@pytest.mark.parametrize("can", [Support.FULL, Support.IMPOSSIBLE, Support.UNKNOWN])
def test_what_the_lms_cannot_do_is_said_and_not_tried(world, sent, channel_of, can, ability, change, reason):
    world.install(channel_of(**{ability: can}))
    uuid = world.configure()
    world.run(uuid)
    summary = sent(uuid, **change)
    if can is Support.FULL:
        assert summary.done["updated"] == 1
    else:
        assert (dict(summary.skipped), summary.requests) == ({reason: 1}, 0)
        assert world.row("ada")["reason"] == reason


def test_a_pass_that_is_none_any_more_is_taken_back_and_comes_again(world, sent):
    uuid = world.configure()
    world.run(uuid)
    assert sent(uuid, **FAILED).done["updated"] == 1
    assert (world.told["id-ada"]["complete"], world.told["id-ada"]["verdict"]) == (False, "In Progress")
    assert dict(sent(uuid, **FAILED).skipped) == {"not-complete": 1}
    assert sent(uuid).done["updated"] == 1
    assert world.told["id-ada"]["complete"] is True


def test_another_id_of_the_learner_is_no_correction(world, sent, lines, channel_of):
    world.install(channel_of(raise_grade=Support.IMPOSSIBLE))
    uuid = world.configure()
    world.run(uuid)
    world.load(learners=[lines.learner("ada", remote_ids={"saml-acme": "new"})])
    assert world.run(uuid).done["updated"] == 1


def test_the_channel_may_have_a_rule_of_its_own(world, sent, channel_of):
    asked = []

    class Rule:
        @hookimpl
        def should_transmit(self, outcome, record, last_reported):
            asked.append((outcome.percent, record["percent"], last_reported.percent))
            return False

    world.hooks.append(Rule())
    world.install(channel_of())
    uuid = world.configure()
    world.run(uuid)
    assert asked == [], "nothing was confirmed yet"
    assert dict(sent(uuid, **BETTER).skipped) == {"sent-before": 1}
    ((now, record, told),) = asked
    assert (str(now), record, str(told)) == ("0.9", "0.8", "0.8")


def test_assessments_go_by_the_same_rules(world, sent, lines, channel_of):
    world.install(channel_of(lower_grade=Support.IMPOSSIBLE))
    uuid = world.configure(resend_outcomes="improved")

    def run(points):
        world.load(grades=[lines.grade("ada", subsections=[lines.quiz("one", points)])])
        return world.run(uuid, Kind.ASSESSMENTS)

    assert run(5).done["created"] == 1
    assert run(7).done["updated"] == 1
    assert dict(run(6).skipped) == {"not-improved": 1}
    world.edit(uuid, resend_outcomes="changed")
    assert dict(run(6).skipped) == {"cannot-lower": 1}


def test_an_update_that_was_refused_and_is_not_needed_any_more(world, sent):
    uuid = world.configure()
    world.run(uuid)
    world.lms.refused.add("id-ada")
    sent(uuid, **BETTER)
    assert world.row("ada")["state"] == "rejected"
    assert sent(uuid).unchanged == 1
    row = world.row("ada")
    assert (row["state"], row["reason"], row["attempts"]) == ("confirmed", None, 0)


def test_what_never_arrived_was_not_told(world, sent):
    uuid = world.configure(resend_outcomes="improved")
    world.run(uuid)
    world.lms.busy.add("id-ada")
    assert sent(uuid, percent=0.9).failed.total() == 1
    world.lms.busy.clear()
    assert sent(uuid, percent=0.85).done["updated"] == 1
    assert dict(sent(uuid, percent=0.84).skipped) == {"not-improved": 1}


def test_a_better_verdict_is_an_improvement_whatever_the_grade(world, sent):
    uuid = world.configure(resend_outcomes="improved", completion_policy="pacing")
    world.load(content=[course(end="2026-05-01T00:00:00Z")])
    assert sent(uuid, passed=False, percent=0.7).done["created"] == 1
    assert world.told["id-ada"]["verdict"] == "Fail"
    assert sent(uuid, percent=0.6).done["updated"] == 1
    assert dict(sent(uuid, passed=False, percent=0.9).skipped) == {"not-improved": 1}


def course(**run):
    runs = [{"key": RUN, "pacing_type": "self_paced"} | run]
    return {"key": "Org+C1", "content_type": "course", "title": "One", "course_runs": runs}
