"""Grades in Learn: written straight into the learner's cell of a column, which is made where it is missing.

A remote id is ``column/user/score``: what was last written, so that an instructor's change shows.
"""

from __future__ import annotations

from dataclasses import replace

import coursewire as cw
from coursewire_blackboard import learn
from coursewire_blackboard.config import API

SAME_SCORE = 0.00002
"""Learn shows five decimals."""


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Write a batch, which is one grade."""
    return [await _write(session, payload) for payload in batch.payloads]


async def _write(session: cw.Session, payload: cw.Payload) -> cw.Result:
    """Write one grade, or with a score of null take it away."""
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

    def place(shown: cw.JsonObject) -> str:
        return f"{column}/{shown['userId']}"

    path = f"{API}/v2/courses/{course}/gradebook/columns/{column}/users/{user}"
    cell = cw.Cell(path, wanted, SAME_SCORE, "userId", place, "PATCH", {"score": wanted})
    told = payload.remote_id if learn.settings(session).keep_instructor_changes else None
    return await cw.write_score(
        session, cell, told=told, permission_hint=learn.RIGHTS, not_found_member=learn.OWN_404
    )


# -- where and whom, asked for once a run ----------------------------------------------------------------


async def _course(session: cw.Session, key: str) -> str:
    """How to address a course: by its external id, or where that cannot stand in a path, by Learn's own."""
    if not learn.unnameable(key):
        return learn.named(key)
    found = await learn.by_external_id(session, learn.COURSES, key)
    return str(found["id"]) if found else ""


async def _column(
    session: cw.Session, course: str, wanted: cw.JsonObject, *, create: bool
) -> str | cw.Result:
    """Learn's id of the column with this external id, made where it is missing and to be made."""
    if not course:
        return cw.blocked("course-not-at-lms")
    collection = f"{API}/v2/courses/{course}/gradebook/columns"
    held = await learn.by_external_id(session, collection, wanted["externalId"])
    if held and held.get("includeInCalculations") is True and not wanted["includeInCalculations"]:
        # An earlier integration let it count. Where Learn refuses, as in Ultra courses, the grade is no less right.
        change = {"includeInCalculations": False}
        await session.patch(f"{collection}/{held['id']}", json=change, safe_to_repeat=True)
    if held or not create:
        return str(held["id"]) if held else cw.Result(cw.ResultKind.ALREADY_SO, "no-such-column")
    found = await session.get(f"{learn.COURSES}/{course}")
    if cw.is_missing(found, learn.OWN_404):
        return cw.blocked("course-not-at-lms")
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
    return cw.only_one(students, learner)


async def _students(session: cw.Session, course: str) -> dict[str, set[str]]:
    """E-mail addresses of a course's students to the ids of the users who have them."""
    roles = learn.settings(session).student_roles
    wanted = {"expand": "user", "fields": "userId,courseRoleId,user.contact.email"}
    only = {"role": roles[0]} if len(roles) == 1 else {}
    people = learn.rows(session, f"{API}/v1/courses/{course}/users", {**wanted, **only})
    students = (row async for row in people if row.get("courseRoleId") in roles)
    email = ("user", "contact", "email")
    return await cw.people_by_name((cw.dig(row, *email), row.get("userId")) async for row in students)
