"""Writing scores into cells of a gradebook, against an LMS that keeps one cell."""

import asyncio

import pytest

from coursewire.errors import BlockedError, ContractError
from coursewire.model.payload import Result, ResultKind
from coursewire.model.reasons import Reason
from coursewire.testing.simulator import json_response
from coursewire.toolkit.gradebook import Cell, blocked, only_one, people_by_name, same_score, write_score


class Gradebook:
    """One cell; ``refusal`` is the answer to a write in its place, ``rounds`` what writing makes of a score."""

    def __init__(self, **shown):
        self.shown = {"user": "u1", **shown}
        self.writes = []
        self.refusal = None
        self.rounds = lambda score: score

    async def __call__(self, request):
        if request.method != "GET":
            if self.refusal:
                status, body = self.refusal
                return json_response(body, status=status)
            score = (await request.json())["score"]
            self.writes.append(score)
            self.shown = {**self.shown, "score": self.rounds(score)}
        return json_response(self.shown)


@pytest.fixture
def write(kit, lms, time):
    def run(gradebook, score, told=None, **options):
        lms.answer = gradebook
        cell = Cell("cells/1", score, 0.01, "user", lambda shown: shown["user"], "PATCH", {"score": score})

        async def main():
            async with kit.draft(lms.url, time) as session:
                return await write_score(session, cell, told=told, **options)

        return asyncio.run(main())

    return run


def test_a_score_is_accepted_when_the_lms_shows_it_and_its_place_is_remembered(write):
    gradebook = Gradebook()
    gradebook.rounds = lambda score: round(score, 2)

    result = write(gradebook, 84.996)

    assert (result.kind, result.remote_id, result.http_status) == (ResultKind.ACCEPTED, "u1/84.996", 200)


def test_a_score_that_is_shown_otherwise_is_not_accepted(write):
    gradebook = Gradebook()
    gradebook.rounds = lambda _score: 50.0

    result = write(gradebook, 85.0)

    assert (result.kind, result.reason) == (ResultKind.TRY_LATER, "grade-not-shown")
    assert "50.0" in result.message


def test_a_score_that_is_there_is_not_written_again(write):
    gradebook = Gradebook(score=90.0)

    result = write(gradebook, 90.0, "u1/85.0")

    assert (result.kind, result.remote_id) == (ResultKind.ALREADY_SO, "u1/90.0")
    assert gradebook.writes == []


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"score": 99.0}, "u1/85.0"),
        ({"score": 0}, "u1/None"),
        ({"score": 90.0, "exempt": True}, "u1/90.0"),
        ({"score": None, "excused": True}, "u1/85.0"),
    ],
)
def test_what_somebody_else_wrote_stays(write, shown, told):
    gradebook = Gradebook(**shown)

    result = write(gradebook, 90.0, told)

    assert (result.kind, result.reason, result.remote_id) == (
        ResultKind.BLOCKED,
        "instructor-changed-it",
        told,
    )
    assert gradebook.writes == []


@pytest.mark.parametrize(
    ("shown", "told"), [({"score": 85.0}, "u1/85.0"), ({"score": None}, "u1/85.0"), ({}, "u1/None")]
)
def test_ours_is_overwritten_and_so_is_nothing(write, shown, told):
    gradebook = Gradebook(**shown)

    assert write(gradebook, 90.0, told).kind is ResultKind.ACCEPTED
    assert gradebook.writes == [90.0]


def test_where_the_lms_names_the_grader_the_grade_of_another_stays_also_the_first_time(write):
    async def is_others(shown):
        return shown.get("grader") == "somebody"

    theirs, ours = Gradebook(score=70.0, grader="somebody"), Gradebook(score=70.0, grader="us")

    assert write(theirs, 90.0, is_others=is_others).reason == "instructor-changed-it"
    assert write(ours, 90.0, is_others=is_others).kind is ResultKind.ACCEPTED
    assert (theirs.writes, ours.writes) == ([], [90.0])


def test_no_score_is_already_so_where_the_learner_need_not_be_graded(write):
    gradebook = Gradebook(score=None, excused=True)

    assert write(gradebook, None, "u1/85.0").kind is ResultKind.ALREADY_SO
    assert gradebook.writes == []


def test_a_channel_may_say_what_a_missing_cell_means(write):
    gradebook = Gradebook()
    gradebook.refusal = (404, {"status": 404})
    missing = Result(ResultKind.BLOCKED, "learner-not-enrolled", "Enrol the learner.")

    assert write(gradebook, 85.0, missing=missing) is missing


def test_without_a_look_everything_is_overwritten(write):
    gradebook = Gradebook(score=99.0, exempt=True)

    assert write(gradebook, 90.0).kind is ResultKind.ACCEPTED


def test_a_score_is_taken_away(write):
    gradebook = Gradebook(score=85.0)

    gone = write(gradebook, None, "u1/85.0")

    assert (gone.kind, gone.remote_id) == (ResultKind.ACCEPTED, "u1/None")


@pytest.mark.parametrize(
    ("refusal", "kind", "reason"),
    [
        ((404, {"status": 404}), ResultKind.BLOCKED, "learner-unmatched"),
        ((404, {"page": "of a proxy"}), ResultKind.TRY_LATER, "unreadable-answer"),
        ((403, {"status": 403, "message": "no"}), ResultKind.BLOCKED, "forbidden"),
        ((400, {"status": 400, "message": "too high"}), ResultKind.REJECTED, "invalid"),
        ((200, {"score": 85.0}), ResultKind.TRY_LATER, "no-acknowledgement"),
    ],
)
def test_what_is_no_acknowledgement_is_said_as_it_is(write, refusal, kind, reason):
    gradebook = Gradebook()
    gradebook.refusal = refusal

    result = write(gradebook, 85.0, permission_hint="Ask somebody.", not_found_member="status")

    assert (result.kind, result.reason) == (kind, reason)


def test_a_look_that_is_refused_says_who_can_give_the_right(write, lms):
    def refuse(_request):
        return json_response({"error": "no"}, status=403)

    with pytest.raises(BlockedError) as caught:
        write(refuse, 85.0, "u1/80.0", permission_hint="Ask somebody.")
    assert caught.value.next_step == "Ask somebody."


@pytest.mark.parametrize(
    ("shown", "wanted", "same"),
    [
        (85, 85.0, True),
        (85.009, 85.0, True),
        (85.011, 85.0, False),
        (None, None, True),
        (0, None, False),
        (None, 0.0, False),
        (True, 1.0, False),
        ("85", 85.0, False),
    ],
)
def test_scores_are_the_same_within_rounding_and_none_is_not_zero(shown, wanted, same):
    assert same_score(shown, wanted, 0.01) is same


def test_people_are_told_apart_without_regard_to_capitals():
    async def people():
        for person in (
            ("Pat@Example.org ", 1),
            ("kim@example.org", 2),
            ("KIM@example.org", 3),
            (None, 4),
            ("x@example.org", None),
        ):
            yield person

    found = asyncio.run(people_by_name(people()))

    assert only_one(found, " pat@example.ORG") == "1"
    assert only_one(found, "kim@example.org").reason == "learner-ambiguous"
    assert only_one(found, "x@example.org").reason == "learner-unmatched"
    assert only_one(found, "x@example.org").kind is ResultKind.BLOCKED


def test_blocked_takes_the_code_as_text_or_as_a_member_and_says_what_to_do():
    assert blocked("learner-unmatched") == blocked(Reason.LEARNER_UNMATCHED)
    assert blocked("course-not-at-lms", "7").remote_id == "7"
    assert "Transmit content first." in blocked("course-not-at-lms").message


def test_a_wrong_code_is_answered_with_a_sentence_that_names_the_right_ones():
    with pytest.raises(ContractError) as caught:
        blocked("learner-unmatchd")
    assert str(caught.value) == (
        "cw.blocked() has no words for the reason 'learner-unmatchd': it knows course-not-at-lms, learner-unmatched, "
        "learner-ambiguous, instructor-changed-it. Use one of these, or return a cw.Result with a reason that the "
        "channel declares."
    )
