from __future__ import annotations

import asyncio

from coursewire.model.payload import Operation, Payload, Result, ResultKind, fingerprint
from coursewire.toolkit.gradebook import send_best

PEOPLE = {"pat": {"7"}, "lee": {"8"}, "twin": {"1", "2"}}


def outcome(key, learner, grade):
    return Payload(key, Operation.UPDATE, {"learner": learner, "grade": grade}, fingerprint(key), key, None)


def send(*payloads, kind=ResultKind.ACCEPTED):
    written = []

    async def write(grades):
        written.append({user: payload.body["grade"] for user, payload in grades.items()})
        return {user: Result(kind, remote_id=user) for user in grades}

    results = asyncio.run(
        send_best(
            payloads,
            learner=lambda payload: PEOPLE.get(payload.body["learner"], ()),
            grade=lambda payload: payload.body["grade"],
            write=write,
        )
    )
    return written, [(result.kind, result.reason or result.remote_id) for result in results]


def test_each_learner_has_one_grade_and_it_is_the_best():
    written, results = send(
        outcome("a", "pat", 0.5), outcome("b", "lee", 0.7), outcome("c", "pat", 0.9), outcome("d", "pat", 0.9)
    )
    assert written == [{"7": 0.9, "8": 0.7}]
    assert results == [
        (ResultKind.REJECTED, "covered"),
        (ResultKind.ACCEPTED, "8"),
        (ResultKind.ACCEPTED, "7"),
        (ResultKind.ACCEPTED, "7"),
    ]


def test_a_worse_grade_shares_the_fate_of_a_better_one_that_was_not_written():
    _, results = send(outcome("a", "pat", 0.5), outcome("b", "pat", 0.9), kind=ResultKind.TRY_LATER)
    assert results == [(ResultKind.TRY_LATER, "7")] * 2


def test_who_cannot_be_told_is_named_and_nothing_is_written_without_grades():
    written, results = send(outcome("a", "nobody", 1.0), outcome("b", "twin", 1.0))
    assert written == []
    assert results == [
        (ResultKind.BLOCKED, "learner-unmatched"),
        (ResultKind.BLOCKED, "learner-ambiguous"),
    ]
