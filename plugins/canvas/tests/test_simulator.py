"""The simulator is as strict as Canvas: what it must refuse, and the shape in which it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from coursewire_canvas.simulator import ACCOUNT, CanvasSimulator

COURSE = {"name": "Botany", "course_code": "BOT", "integration_id": "BOT"}


@pytest.fixture
def http(canvas: CanvasSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=canvas.url) as client:
        form = {
            "grant_type": "refresh_token",
            "client_id": canvas.client_id,
            "client_secret": canvas.client_secret,
            "refresh_token": canvas.refresh_token,
        }
        answer = client.post("/login/oauth2/token", data=form).json()
        assert answer["expires_in"] == 3600
        assert "refresh_token" not in answer
        client.headers["Authorization"] = f"Bearer {answer['access_token']}"
        yield client


Create = Callable[..., httpx.Response]


@pytest.fixture
def create(http: httpx.Client) -> Create:
    def post(**course: Any) -> httpx.Response:
        return http.post(f"/api/v1/accounts/{ACCOUNT}/courses", json={"course": {**COURSE, **course}})

    return post


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "wrong"}, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_refuses(
    canvas: CanvasSimulator, form: dict[str, str], status: int, error: str
) -> None:
    good = {
        "grant_type": "refresh_token",
        "client_id": canvas.client_id,
        "client_secret": canvas.client_secret,
        "refresh_token": canvas.refresh_token,
    }

    answer = httpx.post(f"{canvas.url}/login/oauth2/token", data={**good, **form})

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_the_token_endpoint_takes_a_form_only(canvas: CanvasSimulator) -> None:
    assert httpx.post(f"{canvas.url}/login/oauth2/token", json={"grant_type": "x"}).status_code == 400


def test_a_code_is_exchanged_for_both_tokens(canvas: CanvasSimulator) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": canvas.client_id,
        "client_secret": canvas.client_secret,
        "code": canvas.authorization_code,
    }

    answer = httpx.post(f"{canvas.url}/login/oauth2/token", data=form).json()

    assert answer["refresh_token"] == canvas.refresh_token


def test_a_bad_token_is_challenged_and_a_missing_right_is_not(
    canvas: CanvasSimulator, http: httpx.Client, create: Create
) -> None:
    bad = httpx.get(f"{canvas.url}/api/v1/accounts", headers={"Authorization": "Bearer x"})
    canvas.rights.clear()

    forbidden = create()

    assert (bad.status_code, forbidden.status_code) == (401, 401)
    assert bad.headers["www-authenticate"].startswith("Bearer")
    assert "www-authenticate" not in forbidden.headers


def test_tokens_end_by_the_clock() -> None:
    now = [datetime(2024, 1, 1, tzinfo=UTC)]
    simulator = CanvasSimulator(clock=lambda: now[0])
    simulator._access_tokens["t"] = now[0] + timedelta(hours=1)
    with simulator.running():
        ask = {"url": f"{simulator.url}/api/v1/accounts", "headers": {"Authorization": "Bearer t"}}
        assert httpx.get(**ask).status_code == 200
        now[0] += timedelta(hours=1)
        assert httpx.get(**ask).status_code == 401


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"colour": "red"}, "colour"),
        ({"is_public": "true"}, "is_public"),
        ({"start_at": "soon"}, "start_at"),
        ({"start_at": "2024-04-01T00:00:00"}, "start_at"),
        ({"name": "x" * 256}, "name"),
        ({"event": "offer"}, "event"),
    ],
)
def test_unknown_and_wrong_parameters_are_refused(
    canvas: CanvasSimulator, create: Create, fields: dict[str, Any], at_fault: str
) -> None:
    answer = create(**fields)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [at_fault]
    assert not canvas.courses


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"course": 1}', b'{"courses": {}}'])
def test_a_body_without_a_course_is_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post(
        f"/api/v1/accounts/{ACCOUNT}/courses", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400


def test_a_form_is_not_json(http: httpx.Client) -> None:
    assert http.post(f"/api/v1/accounts/{ACCOUNT}/courses", data={"course[name]": "x"}).status_code == 415


def test_an_integration_id_is_unique_below_the_root(
    canvas: CanvasSimulator, http: httpx.Client, create: Create
) -> None:
    assert create().status_code == 200
    second = http.post("/api/v1/accounts/18/courses", json={"course": COURSE})

    assert second.status_code == 400
    assert second.json()["errors"]["integration_id"][0]["type"] == "taken"
    assert canvas.arrivals == {"BOT": 1}


def test_courses_without_an_integration_id_double(canvas: CanvasSimulator, http: httpx.Client) -> None:
    for _ in range(2):
        http.post(f"/api/v1/accounts/{ACCOUNT}/courses", json={"course": {"name": "Botany"}})

    assert len(canvas.courses) == 2
    assert not canvas.items


def test_an_image_is_taken_only_in_an_update(
    canvas: CanvasSimulator, http: httpx.Client, create: Create
) -> None:
    course = create(image_url="https://cdn.example.org/x.png").json()
    assert canvas.items["BOT"]["image_url"] is None

    http.put(
        f"/api/v1/courses/{course['id']}", json={"course": {"image_url": "https://cdn.example.org/x.png"}}
    )

    assert canvas.items["BOT"]["image_url"] == "https://cdn.example.org/x.png"


def test_a_deleted_course_is_seen_only_on_request_and_takes_only_undelete(
    canvas: CanvasSimulator, http: httpx.Client, create: Create
) -> None:
    path = f"/api/v1/courses/{create().json()['id']}"
    assert http.request("DELETE", path, json={"event": "destroy"}).status_code == 400
    assert http.request("DELETE", path, json={"event": "delete"}).json() == {"delete": True}

    assert http.get(path).status_code == 404
    assert http.get(path, params={"include[]": "all_courses"}).json()["workflow_state"] == "deleted"
    assert http.put(path, json={"course": {"name": "x"}}).status_code == 404
    assert http.request("DELETE", path, json={"event": "conclude"}).status_code == 404
    canvas.may_undelete = False
    assert http.put(path, json={"course": {"event": "undelete"}}).status_code == 401
    canvas.may_undelete = True
    assert http.put(path, json={"course": {"event": "undelete"}}).json()["workflow_state"] == "unpublished"
    assert http.put(path, json={"course": {"event": "dance"}}).status_code == 400


def test_a_changed_integration_id_moves_the_course(
    canvas: CanvasSimulator, http: httpx.Client, create: Create
) -> None:
    course = create().json()

    http.put(f"/api/v1/courses/{course['id']}", json={"course": {"integration_id": "BOT2"}})

    assert list(canvas.items) == ["BOT2"]


def test_pages_are_ten_long_and_linked_as_canvas_does(canvas: CanvasSimulator, http: httpx.Client) -> None:
    for number in range(25):
        canvas.add_course(f"k{number}", workflow_state="deleted" if number == 3 else "available")

    first = http.get(f"/api/v1/accounts/{ACCOUNT}/courses")
    second = http.get(first.links["next"]["url"])
    everything = http.get(f"/api/v1/accounts/{ACCOUNT}/courses", params={"state[]": "all", "per_page": 500})

    assert len(first.json()) == 10
    assert set(first.links) == {"current", "next", "first", "last"}
    assert ">; rel=" in first.headers["link"]
    assert ",<" in first.headers["link"]
    assert set(second.links) == {"current", "next", "prev", "first", "last"}
    assert first.json()[-1]["id"] < second.json()[0]["id"]
    assert len(everything.json()) == 25


def test_the_root_account_lists_the_courses_below_it_and_search_narrows(
    canvas: CanvasSimulator, http: httpx.Client
) -> None:
    canvas.add_course("a", name="Botany")
    canvas.add_course("b", account=18, name="Zoology")

    everything = http.get("/api/v1/accounts/self/courses").json()
    found = http.get("/api/v1/accounts/1/courses", params={"search_term": "zoo"}).json()

    assert [course["integration_id"] for course in everything] == ["a", "b"]
    assert [course["integration_id"] for course in found] == ["b"]
    assert {account["id"] for account in http.get("/api/v1/accounts").json()} == {1, 17, 18}
    assert http.get("/api/v1/accounts/99/courses").status_code == 404


def test_reset_forgets_courses_and_tokens(
    canvas: CanvasSimulator, http: httpx.Client, create: Create
) -> None:
    create()

    httpx.post(f"{canvas.url}/_simulator/reset")

    assert not canvas.courses
    assert create().status_code == 401


# -- the gradebook -----------------------------------------------------------------------------------


@pytest.fixture
def course(canvas: CanvasSimulator) -> str:
    made = canvas.add_course("BOT", workflow_state="available")
    canvas.gradebook.enroll("BOT", "pat@example.org")
    return f"/api/v1/courses/{made['id']}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/accounts/17/users?search_term=pa", None, 400),
        ("GET", "{course}/users", None, 400),
        ("GET", "{course}/students/submissions", None, 401),
        ("GET", "{course}/students/submissions?student_ids[]=99", None, 401),
        ("GET", "{course}/assignments/{assignment}/submissions/99", None, 404),
        ("GET", "{course}/assignments/99/submissions/{user}", None, 404),
        ("GET", "/api/v1/progress/99", None, 404),
        ("DELETE", "{course}/assignments/99", None, 404),
        ("POST", "{course}/assignments", {"assignment": {}}, 400),
        ("POST", "{course}/assignments", {"assignment": {"name": "x" * 256}}, 400),
        ("POST", "{course}/assignments", {"assignment": {"name": "x", "points_possible": "ten"}}, 400),
        ("POST", "{course}/assignments", {"assignment": {"name": "x", "colour": "red"}}, 400),
        ("POST", "{course}/submissions/update_grades", {}, 400),
        (
            "POST",
            "{course}/submissions/update_grades",
            {"grade_data": {"99": {"1": {"posted_grade": 1}}}},
            400,
        ),
        ("PUT", "{course}/assignments/{assignment}/submissions/{user}", {"submission": {"grade": 1}}, 400),
        (
            "PUT",
            "{course}/assignments/{assignment}/submissions/{user}",
            {"submission": {"posted_grade": "A"}},
            400,
        ),
        (
            "PUT",
            "{course}/assignments/{assignment}/submissions/{user}",
            {"submission": {"posted_grade": True}},
            400,
        ),
    ],
)
def test_the_gradebook_refuses(
    canvas: CanvasSimulator, http: httpx.Client, course: str, method: str, path: str, body: Any, status: int
) -> None:
    names = {
        "course": course,
        "assignment": canvas.gradebook.add_assignment("BOT", "BOT")["id"],
        "user": next(iter(canvas.gradebook.users)),
    }

    assert http.request(method, path.format_map(names), json=body).status_code == status
    assert canvas.gradebook.submissions == {}


@pytest.mark.parametrize(
    ("posted", "score"), [(7, 7.0), ("7.5", 7.5), ("90%", 9.0), ("110%", 11.0), ("", None)]
)
def test_grades_are_points_or_percentages(
    canvas: CanvasSimulator, http: httpx.Client, course: str, posted: Any, score: float | None
) -> None:
    assignment = canvas.gradebook.add_assignment("BOT", "BOT", points_possible=10)
    user = next(iter(canvas.gradebook.users))
    path = f"{course}/assignments/{assignment['id']}/submissions/{user}"

    answer = http.put(path, json={"submission": {"posted_grade": posted}}).json()

    assert (answer["score"], answer["grader_id"]) == (score, 42)


def test_users_are_searched_by_parts_and_numbers_are_ids_first(
    canvas: CanvasSimulator, http: httpx.Client, course: str
) -> None:
    (first,) = canvas.gradebook.users
    canvas.gradebook.add_user(f"{first}@example.org", login="other")

    def search(term: str) -> list[Any]:
        found = http.get("/api/v1/accounts/17/users", params={"search_term": term, "include[]": "email"})
        return [user["email"] for user in found.json()]

    assert search("EXAMPLE") == ["pat@example.org", f"{first}@example.org"]
    assert search(str(first)) == ["pat@example.org"]
    assert search("nobody") == []


def test_a_bulk_is_queued_runs_and_ends(canvas: CanvasSimulator, http: httpx.Client, course: str) -> None:
    assignment = canvas.gradebook.add_assignment("BOT", "BOT")
    canvas.gradebook.progress_polls = 1
    data = {
        assignment["id"]: {
            str(next(iter(canvas.gradebook.users))): {"posted_grade": 5},
            "99": {"posted_grade": 5},
        }
    }

    job = http.post(f"{course}/submissions/update_grades", json={"grade_data": data}).json()
    states = [job["workflow_state"]]
    for _ in range(3):
        states.append(http.get(job["url"]).json()["workflow_state"])

    assert states == ["queued", "running", "failed", "failed"]
    assert "99" in http.get(job["url"]).json()["message"]
    assert canvas.gradebook.grade_of("BOT", "pat@example.org") == 5.0


def test_reset_forgets_people_and_grades(canvas: CanvasSimulator, course: str) -> None:
    canvas.gradebook.add_assignment("BOT", "BOT")
    canvas.gradebook.change_grade("BOT", "pat@example.org", 5.0)

    canvas.reset()

    assert canvas.gradebook.users == canvas.gradebook.assignments == canvas.gradebook.submissions == {}
    assert canvas.gradebook.grade_of("BOT", "pat@example.org") is None
