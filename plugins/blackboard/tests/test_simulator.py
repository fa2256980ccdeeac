"""The simulated Learn refuses what Learn refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coursewire_blackboard.simulator import BlackboardSimulator

API = "/learn/api/public"


@pytest.fixture
def client(learn: BlackboardSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=learn.url) as client:
        body = token(client, learn, learn.grant()).json()
        client.headers["Authorization"] = f"Bearer {body['access_token']}"
        yield client


def token(client: httpx.Client, learn: BlackboardSimulator, refresh: str, **form: str) -> httpx.Response:
    return client.post(
        f"{API}/v1/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": refresh, **form},
        auth=(learn.client_id, learn.client_secret),
    )


def course(**fields: Any) -> dict[str, Any]:
    return {"courseId": "BOT101", "externalId": "RiverU+BOT101", "name": "Botany", **fields}


def test_a_refresh_token_is_good_once_and_the_access_token_before_it_stays_good(
    learn: BlackboardSimulator, client: httpx.Client
) -> None:
    granted = learn.grant()
    first = token(client, learn, granted)

    assert first.json()["refresh_token"] != granted
    assert token(client, learn, granted).json()["error"] == "invalid_grant"
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert token(client, learn, first.json()["refresh_token"]).status_code == 200
    assert client.get(f"{API}/v1/users/me", headers=bearer).status_code == 200


def test_tokens_are_given_to_the_application_alone(learn: BlackboardSimulator) -> None:
    with httpx.Client(base_url=learn.url) as client:
        path, form = f"{API}/v1/oauth2/token", {"grant_type": "refresh_token", "refresh_token": learn.grant()}
        assert client.post(path, data=form).status_code == 401
        assert client.post(path, data=form, auth=(learn.client_id, "wrong")).status_code == 401
        other = {"grant_type": "password"}
        assert client.post(path, data=other, auth=(learn.client_id, learn.client_secret)).status_code == 400


def test_a_code_needs_its_redirect_uri(learn: BlackboardSimulator, client: httpx.Client) -> None:
    answer = token(client, learn, "", grant_type="authorization_code", code="x")

    assert answer.json() == {"error": "invalid_request", "error_description": "Missing redirect uri"}


def test_calls_without_a_good_token_are_refused(learn: BlackboardSimulator, client: httpx.Client) -> None:
    learn.expire_tokens()

    assert client.get(f"{API}/v3/courses").status_code == 401


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"title": "x"}, "unknown field 'title'"),
        ({"name": 7}, "name has a wrong type"),
        ({"name": "x" * 256}, "more than 255"),
        ({"name": ""}, "name is required"),
        ({"availability": "Yes"}, "must be an object"),
        ({"availability": {"available": "yes"}}, "must be one of"),
        ({"courseId": "River+BOT"}, "not allowed"),
        ({"courseId": "x" * 51}, "more than 50"),
    ],
)
def test_a_course_that_is_not_right_is_refused(
    learn: BlackboardSimulator, client: httpx.Client, change: dict[str, Any], why: str
) -> None:
    answer = client.post(f"{API}/v3/courses", json=course(**change))

    assert answer.status_code == 400
    assert answer.json()["status"] == 400
    assert why in answer.json()["message"]
    assert not learn.courses


@pytest.mark.parametrize("same", [{"courseId": "Other"}, {"externalId": "Other"}])
def test_ids_are_taken_once(client: httpx.Client, same: dict[str, str]) -> None:
    assert client.post(f"{API}/v3/courses", json=course()).status_code == 201
    answer = client.post(f"{API}/v3/courses", json=course(**same))

    assert answer.status_code == 409
    assert "Unique ID conflicts" in answer.json()["message"]


def test_only_folders_stand_at_the_top_and_a_document_has_an_availability_that_is_an_object(
    learn: BlackboardSimulator, client: httpx.Client
) -> None:
    path = f"{API}/v1/courses/{learn.add_course('X')['id']}/contents"
    document = {"title": "Page", "contentHandler": {"id": "resource/x-bb-document"}, "body": "x"}

    assert client.post(path, json=document).status_code == 400
    folder = client.post(path, json={"title": "F", "contentHandler": {"id": "resource/x-bb-folder"}}).json()
    below = f"{path}/{folder['id']}/children"
    assert client.post(below, json={**document, "availability": "Yes"}).status_code == 400
    assert client.post(below, json={**document, "availability": {"available": "Yes"}}).status_code == 201
    assert client.patch(f"{path}/{folder['id']}", json={"contentHandler": {"id": "x"}}).status_code == 400


def test_a_search_is_for_parts_and_pages_are_relative(
    learn: BlackboardSimulator, client: httpx.Client
) -> None:
    for number in range(3):
        learn.add_course(f"RiverU+{number}")
    page = client.get(f"{API}/v3/courses", params={"externalId": "riveru", "limit": 2}).json()

    assert len(page["results"]) == 2
    assert page["paging"]["nextPage"].startswith(f"{API}/v3/courses?")
    last = client.get(page["paging"]["nextPage"]).json()
    assert len(last["results"]) == 1
    assert "paging" not in last


def test_a_deletion_is_a_task(learn: BlackboardSimulator, client: httpx.Client) -> None:
    held = learn.add_course("X")
    learn.polls = 1
    answer = client.delete(f"{API}/v3/courses/{held['id']}")

    assert answer.status_code == 202
    assert client.get(answer.headers["Location"]).json()["status"] == "Running"
    assert client.get(answer.headers["Location"]).json()["status"] == "Complete"
    assert client.get(f"{API}/v3/courses/{held['id']}").status_code == 404


def test_columns_are_as_strict(learn: BlackboardSimulator, client: httpx.Client) -> None:
    held = learn.add_course("X")
    path = f"{API}/v2/courses/externalId:X/gradebook/columns"
    column = {"externalId": "final", "name": "Final", "score": {"possible": 100}}

    assert client.post(path, json={**column, "points": 1}).status_code == 400
    assert client.post(path, json={**column, "score": 100}).status_code == 400
    assert client.post(path, json={**column, "grading": {"type": "manual"}}).status_code == 400
    made = client.post(path, json=column)
    assert made.json()["includeInCalculations"] is True
    assert client.post(path, json=column).status_code == 409
    held["ultraStatus"] = "Ultra"
    answer = client.patch(f"{path}/externalId:final", json={"includeInCalculations": False})
    assert "Ultra" in answer.json()["message"]


def test_a_grade_is_a_students_alone_and_shows_five_decimals(
    learn: BlackboardSimulator, client: httpx.Client
) -> None:
    student, teacher = (
        learn.gradebook.enroll("X", "s@example.org"),
        learn.gradebook.enroll("X", "t@example.org", "Instructor"),
    )
    learn.gradebook.add_column(learn.items["X"], externalId="final", name="Final")
    path = f"{API}/v2/courses/externalId:X/gradebook/columns/externalId:final/users"

    assert client.patch(f"{path}/{teacher['id']}", json={"score": 1}).status_code == 404
    assert client.patch(f"{path}/nobody", json={"score": 1}).status_code == 404
    assert client.patch(f"{path}/{student['id']}", json={"score": "85"}).status_code == 400
    assert client.patch(f"{path}/{student['id']}", json={"grade": 85}).status_code == 400
    shown = client.patch(f"{path}/userName:s@example.org", json={"score": 33.333333333}).json()
    assert shown["score"] == 33.33333
    assert client.patch(f"{path}/{student['id']}", json={"score": None}).json()["score"] is None


@pytest.mark.parametrize("status", [429, 403])
def test_calls_are_counted_and_told(learn: BlackboardSimulator, client: httpx.Client, status: int) -> None:
    learn.daily_calls, learn.throttle_status = 2, status
    left = [client.get(f"{API}/v1/users/me").headers["X-Rate-Limit-Remaining"] for _ in range(2)]
    answer = client.get(f"{API}/v1/users/me")

    assert left == ["1", "0"]
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is (status == 429)


@pytest.mark.parametrize(
    ("method", "path", "body", "entitlement"),
    [
        ("GET", "v3/courses", None, "system.course.VIEW"),
        ("POST", "v3/courses", course(), "system.course.CREATE"),
        ("PATCH", "v3/courses/externalId:X", {"name": "x"}, "system.course.properties.MODIFY"),
        ("DELETE", "v3/courses/externalId:X", None, "system.course.DELETE"),
        ("GET", "v1/courses/externalId:X/users", None, "course.user.VIEW"),
        ("GET", "v2/courses/externalId:X/gradebook/columns", None, "course.gradebook.MODIFY"),
    ],
)
def test_each_call_needs_its_entitlement(
    learn: BlackboardSimulator, client: httpx.Client, method: str, path: str, body: Any, entitlement: str
) -> None:
    learn.add_course("X")
    learn.entitlements.discard(entitlement)

    answer = client.request(method, f"{API}/{path}", json=body)
    assert answer.status_code == 403
    assert entitlement in answer.json()["message"]


def test_what_is_reset_is_forgotten_and_grants_stay(learn: BlackboardSimulator, client: httpx.Client) -> None:
    granted = learn.grant()
    learn.enroll("X", "s@example.org")
    client.get(f"{API}/v1/users/me")
    learn.reset()

    kept = [learn.items, learn.courses, learn.gradebook.users, learn.calls, learn.outcomes]
    assert not any(kept)
    assert token(client, learn, granted).status_code == 200
