"""The simulated portal refuses what Cornerstone refuses."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import orjson
import pytest

from coursewire.model.inbound import InboundAnswer
from coursewire_cornerstone.simulator import (
    ASSIGNMENTS,
    CALLBACK,
    TOKEN,
    TRANSCRIPTS,
    CornerstoneSimulator,
)

from .conftest import CUSTOMER, Now

COURSE = {
    "ID": "0f0e6c1c-7a55-4b6e-9a5f-2f6d0f5d9b1a",
    "Title": "Botany",
    "Description": "",
    "URL": "https://learn.example.org/a",
    "IsActive": True,
    "LastModifiedUTC": "2026-02-19T10:00:00.000000Z",
    "Languages": ["en-US"],
    "Partners": [{"Name": "X"}],
}


def listing(*courses: Any) -> Any:
    async def call(*_args: Any, **_more: Any) -> InboundAnswer:
        return InboundAnswer.json(list(courses))

    return call


def ask(portal: CornerstoneSimulator, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async def send() -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, portal.url + path, **options) as answer,
        ):
            return answer.status, orjson.loads(await answer.read())

    return asyncio.run(send())


def bearer(portal: CornerstoneSimulator) -> dict[str, str]:
    body = {
        "clientId": portal.client_id,
        "clientSecret": portal.client_secret,
        "grantType": "client_credentials",
        "scope": "transcript:update",
    }
    status, answer = ask(portal, "POST", TOKEN, json=body)
    assert status == 200
    return {"Authorization": f"Bearer {answer['access_token']}"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"ID": "x" * 51},
        {"ID": "A&B"},
        {"ID": ""},
        {"Title": ""},
        {"URL": None},
        {"IsActive": "true"},
        {"LastModifiedUTC": "2026-02-19T10:00:00+01:00"},
        {"LastModifiedUTC": None},
        {"Languages": []},
        {"Partners": [{"Name": "x" * 501}]},
        {"Duration": "22:30"},
        {"Owners": []},
    ],
)
def test_a_course_that_is_wrong_is_not_taken(portal: CornerstoneSimulator, wrong: dict[str, Any]) -> None:
    asyncio.run(portal.poll(listing({**COURSE, **wrong}), CUSTOMER))

    assert portal.items == {}
    assert len(portal.refused) == 1


def test_only_what_is_newer_is_taken(portal: CornerstoneSimulator) -> None:
    asyncio.run(portal.poll(listing(COURSE), CUSTOMER))
    asyncio.run(portal.poll(listing({**COURSE, "Title": "Other"}), CUSTOMER))
    assert portal.items[COURSE["ID"]]["Title"] == "Botany"
    newer = {**COURSE, "Title": "Other", "LastModifiedUTC": "2026-02-19T10:00:00.000001Z"}
    asyncio.run(portal.poll(listing(newer), CUSTOMER))

    assert portal.items[COURSE["ID"]]["Title"] == "Other"
    assert portal.arrivals[COURSE["ID"]] == 2


@pytest.fixture
def stocked(portal: CornerstoneSimulator) -> CornerstoneSimulator:
    asyncio.run(portal.poll(listing(COURSE), CUSTOMER))
    return portal


def post(portal: CornerstoneSimulator, body: Any, token: str | None = None, key: str = "") -> int:
    given = token if token is not None else portal.arrive("ada")["sessionToken"]
    pair = base64.b64encode(f"{key or portal.key}:{portal.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"}
    status, _ = ask(
        portal, "POST", f"{CALLBACK}/progress", params={"sessionToken": given}, json=body, headers=headers
    )
    return status


def progress(portal: CornerstoneSimulator, **changes: Any) -> dict[str, Any]:
    guid = portal.arrive("ada")["userGuid"]
    usual = {
        "courseId": COURSE["ID"],
        "userGuid": guid,
        "status": "Completed",
        "completionDate": "2026-03-01",
    }
    return {**usual, **changes}


def test_progress_posts(stocked: CornerstoneSimulator, now: Now) -> None:
    good = progress(stocked)
    assert post(stocked, [good]) == 200
    assert post(stocked, good) == 400
    assert post(stocked, [good, good]) == 400
    assert post(stocked, [{**good, "sessionToken": "x"}]) == 400
    assert post(stocked, [{**good, "status": "Passed"}]) == 400
    assert post(stocked, [{**good, "completionDate": None}]) == 400
    assert post(stocked, [{**good, "courseId": "x"}]) == 404
    assert post(stocked, [{**good, "userGuid": "x"}]) == 404
    assert post(stocked, [good], token="x") == 401
    assert post(stocked, [good], key="x") == 401
    old = stocked.arrive("ada")["sessionToken"]
    now.later(hours=2)
    assert post(stocked, [good], token=old) == 401


def test_a_completion_cannot_be_taken_back(stocked: CornerstoneSimulator) -> None:
    done = progress(stocked, successStatus="Fail")
    post(stocked, [done])
    post(stocked, [{**done, "status": "In Progress", "completionDate": None, "successStatus": "Pass"}])

    (told,) = stocked.outcomes.values()
    assert (told["status"], told["completionDate"], told["successStatus"]) == (
        "Completed",
        "2026-03-01",
        "Pass",
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"clientSecret": "x"}, 401),
        ({"grantType": "password"}, 400),
        ({"scope": ""}, 400),
        ({"grant_type": "client_credentials", "grantType": None}, 400),
    ],
)
def test_tokens(portal: CornerstoneSimulator, changes: dict[str, Any], status: int) -> None:
    body = {
        "clientId": portal.client_id,
        "clientSecret": portal.client_secret,
        "grantType": "client_credentials",
        "scope": "x",
    }

    assert ask(portal, "POST", TOKEN, json={**body, **changes})[0] == status
    assert ask(portal, "POST", TOKEN, data=body)[0] == 415


def test_the_transcript_api(stocked: CornerstoneSimulator, now: Now) -> None:
    headers = bearer(stocked)
    body = {"externalId": "ada", "learningObjectId": COURSE["ID"], "ignoreWorkflow": True}

    def patch(path: str, changes: dict[str, Any] | None = None, **more: Any) -> int:
        given = {name: value for name, value in {**body, **(changes or {})}.items() if value is not None}
        return ask(stocked, "PATCH", f"{TRANSCRIPTS}/{path}", json=given, **{"headers": headers, **more})[0]

    assert patch("complete") == 200
    assert patch("progress", {"ignoreWorkflow": None}) == 200
    assert patch("progress") == 400
    assert patch("complete", {"completionDate": "2026-03-01"}) == 400
    assert patch("complete", {"userGuid": "g"}) == 400
    assert patch("complete", {"externalId": None}) == 400
    assert patch("complete", {"learningObjectId": "x"}) == 404
    assert patch("complete", headers={}) == 401
    stocked.known_only = True
    assert patch("complete") == 404
    assert next(iter(stocked.outcomes.values()))["status"] == "Completed"
    now.later(hours=1)
    assert patch("complete") == 401


def test_the_learning_assignments_api(portal: CornerstoneSimulator) -> None:
    headers = bearer(portal)
    portal.assignments["a"] = ("g", "c", "Registered")

    assert ask(portal, "GET", ASSIGNMENTS, params={"userId": "g", "loId": "x"}, headers=headers) == (200, [])
    _, found = ask(portal, "GET", ASSIGNMENTS, params={"userId": "g", "loId": "c"}, headers=headers)
    assert [each["assignmentId"] for each in found] == ["a"]
    assert ask(portal, "PATCH", f"{ASSIGNMENTS}/b", json={"Status": "x"}, headers=headers)[0] == 404
    assert ask(portal, "PATCH", f"{ASSIGNMENTS}/a", json={"x": 1}, headers=headers)[0] == 400
    assert ask(portal, "PATCH", f"{ASSIGNMENTS}/a", json={"Status": "In Progress"}, headers=headers)[0] == 200
    assert ask(portal, "GET", ASSIGNMENTS)[0] == 401


def test_a_portal_says_so_when_the_list_is_none(portal: CornerstoneSimulator) -> None:
    async def call(*_args: Any, **_more: Any) -> InboundAnswer:
        return InboundAnswer.json({"message": "no"}, 404)

    with pytest.raises(RuntimeError, match="answered 404"):
        asyncio.run(portal.poll(call, CUSTOMER))
