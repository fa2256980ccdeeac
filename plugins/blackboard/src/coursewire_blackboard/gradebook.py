"""Grades in Learn: written straight into the learner's cell of a column, which is made where it is missing.

A remote id is ``column/user/score``: what was last written, so that an instructor's change shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import coursewire as cw
from coursewire_blackboard import learn
from coursewire_blackboard.config import API

SAME_SCORE = 0.00002
"""Learn shows five decimals."""
WORDS = cw.packaged_data(__package__, "words.json")
"""What a person at Learn, or whoever links learners, can mend; core asks again once a day."""


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Write a batch, which is one grade."""
    return [await _write(session, payload) for payload in batch.payloads]


async def _write(session: cw.Session, payload: cw.Payload) -> cw.Result:
    """Write one grade, or with a score of null take it away; accepted is the score that Learn answers with."""
    body, wanted = payload.body, payload.body["grade"]["score"]
    course = await session.once(("course", body["course"]), lambda: _course(session, body["course"]))
    column = await session.once(
        ("column", course, body["column"]["externalId"], wanted is None),
        lambda: _column(session, course, body["column"], create=wanted is not None),
    )
    user = column if isinstance(column, cw.Result) else await _user(session, course, body["learner"])
    if isinstance(user, cw.Result):
        absent = replace(user, kind=cw.ResultKind.ALREADY_SO, message="")
        return absent if wanted is None else user  # what is not there need not be taken away
    path = f"{API}/v2/courses/{course}/gradebook/columns/{column}/users/{user}"
    settled = await _settled(session, path, payload.remote_id, wanted)
    if settled is not None:
        return settled
    response = await learn.patch(session, path, {"score": wanted})
    grade, status = cw.read_object(response), response.status_code
    if learn.is_missing(response):
        return _blocked("learner-unmatched")
    if not response.is_success or "userId" not in grade:
        return learn.said(session, response, {"userId": ""})
    if _same(grade.get("score"), wanted):
        return cw.Result(cw.ResultKind.ACCEPTED, "", "", f"{column}/{grade['userId']}/{wanted}", status)
    message = f"Learn took the grade and shows {grade.get('score')!r:.40}. Is the column locked or calculated there?"
    return cw.Result(cw.ResultKind.TRY_LATER, "grade-not-shown", message, http_status=status)


async def _settled(
    session: cw.Session, path: str, told: str | None, wanted: float | None
) -> cw.Result | None:
    """What is said without writing: the grade is there already, or another's stands in its place."""
    response = await session.get(path) if told and learn.settings(session).keep_instructor_changes else None
    if response is None or told is None or learn.is_missing(response):
        return None
    shown, ours = cw.read_success(response, next_step=learn.RIGHTS), told.rpartition("/")[2]
    score, exempt = shown.get("score"), shown.get("exempt")
    if _same(score, wanted) and not exempt:
        return cw.Result(cw.ResultKind.ALREADY_SO, remote_id=told, http_status=response.status_code)
    changed = score is not None and not _same(score, None if ours == "None" else float(ours))
    return replace(_blocked("instructor-changed-it"), remote_id=told) if changed or exempt else None


def _same(shown: Any, wanted: float | None) -> bool:
    if isinstance(shown, bool) or not isinstance(shown, int | float) or wanted is None:
        return shown is None and wanted is None
    return abs(shown - wanted) < SAME_SCORE


def _blocked(reason: str) -> cw.Result:
    return cw.Result(cw.ResultKind.BLOCKED, reason, WORDS[reason])


# -- where and whom, asked for once a run ----------------------------------------------------------------


async def _course(session: cw.Session, key: str) -> str:
    """How to address a course: by its external id, or where that cannot stand in a path, by Learn's own."""
    if not learn.unnameable(key):
        return learn.named(key)
    found = await learn.by_external_id(session, learn.COURSES, key)
    return str(found["id"]) if found else ""


async def _column(
    session: cw.Session, course: str, wanted: Mapping[str, Any], *, create: bool
) -> str | cw.Result:
    """Learn's id of the column with this external id, made where it is missing and to be made."""
    if not course:
        return _blocked("course-not-at-lms")
    collection = f"{API}/v2/courses/{course}/gradebook/columns"
    held = await learn.by_external_id(session, collection, wanted["externalId"])
    if held and held.get("includeInCalculations") is True and not wanted["includeInCalculations"]:
        # An earlier integration let it count. Where Learn refuses, as in Ultra courses, the grade is no less right.
        await learn.patch(session, f"{collection}/{held['id']}", {"includeInCalculations": False})
    if held or not create:
        return str(held["id"]) if held else cw.Result(cw.ResultKind.ALREADY_SO, "no-such-column")
    found = await session.get(f"{learn.COURSES}/{course}")
    if learn.is_missing(found):
        return _blocked("course-not-at-lms")
    # An Ultra course refuses to be told whether a column counts.
    ultra = cw.read_success(found, next_step=learn.RIGHTS).get("ultraStatus") == "Ultra"
    body = {name: value for name, value in wanted.items() if not (ultra and name == "includeInCalculations")}
    # Learn lets no two columns of a course have one external id, so that a repeat meets 409.
    response = await session.post(collection, json=body, safe_to_repeat=True)
    if response.status_code == 409:
        held = await learn.by_external_id(session, collection, wanted["externalId"])
    made = str(held["id"]) if held else learn.id_of(response)
    return made or learn.said(session, response, {"id": ""})


async def _user(session: cw.Session, course: str, learner: str) -> str | cw.Result:
    """A learner in a path."""
    field = learn.settings(session).learner_field
    if field != "email":
        return learn.named(learner, field)
    students = await session.once(("students", course), lambda: _students(session, course))
    found = students.get(learner.strip().casefold(), set())
    return (
        next(iter(found)) if len(found) == 1 else _blocked(f"learner-{'ambiguous' if found else 'unmatched'}")
    )


async def _students(session: cw.Session, course: str) -> Mapping[str, set[str]]:
    """E-mail addresses of a course's students, without regard to capitals, to the ids of the users who have them."""
    roles = learn.settings(session).student_roles
    wanted = {"expand": "user", "fields": "userId,courseRoleId,user.contact.email"}
    only = {"role": roles[0]} if len(roles) == 1 else {}
    found: defaultdict[str, set[str]] = defaultdict(set)
    async for row in learn.rows(session, f"{API}/v1/courses/{course}/users", {**wanted, **only}):
        email = ((row.get("user") or {}).get("contact") or {}).get("email")
        if row.get("courseRoleId") in roles and row.get("userId") and email:
            found[email.strip().casefold()].add(str(row["userId"]))
    return found
