"""The simulated API v2 refuses what Degreed refuses."""

from __future__ import annotations

import pytest

from coursewire_degreed.v2 import plugin

COURSES, COMPLETIONS = "/api/v2/content/courses", "/api/v2/completions"


def attributes(**changes):
    given = {"title": "T", "external-id": "Ex+9", "duration": 1, "duration-type": "Hours"}
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**given, **changed}.items() if value is not ...}


@pytest.fixture
def ask(run):
    def asked(method, path, body=None, **options):
        async def call(session):
            return await session.request(method, path, json=body, **options)

        return run(call)

    return asked


def course(**changes):
    return {"data": {"type": "content/courses", "attributes": attributes(**changes)}}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ...}, {"title": ""}, {"title": None}, {"external_id": ...}, {"duration": ...}, {"duration": 1.5},
        {"duration": -1}, {"duration": True}, {"duration": "1"}, {"duration_type": ...}, {"duration_type": "hours"},
        {"summary": "x" * 2001}, {"obsolete": "false"}, {"cost_units": 9.5}, {"cost_unit_type": "dollars"},
        {"surprise": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_a_wrong_course_is_refused(changes, simulator, ask):
    response = ask("POST", COURSES, course(**changes))

    assert response.status_code == 400
    assert response.json()["errors"][0]["detail"]
    assert not simulator.items


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"data": []}, {"data": {}}, {"data": {"type": "content/courses"}}, {"data": {"attributes": attributes()}},
        {"data": {"type": "courses", "attributes": attributes()}}, {**course(), "meta": {}},
        {"data": {**course()["data"], "id": "mine"}},
    ],
    ids=repr,
)  # fmt: skip
def test_a_document_of_another_shape_is_refused(body, simulator, ask):
    assert ask("POST", COURSES, body).status_code in (400, 409)
    assert not simulator.items


def test_an_external_id_and_a_url_are_one_courses_own(simulator, ask):
    first = simulator.add_course("Ex+1", url="https://x.example.org/1")
    second = simulator.add_course("Ex+2", url="https://x.example.org/2")

    assert ask("POST", COURSES, course(external_id="Ex+1")).status_code == 409
    assert ask("POST", COURSES, course(url="https://x.example.org/1")).status_code == 409
    patch = {
        "data": {"type": "content/courses", "id": second, "attributes": {"url": "https://x.example.org/1"}}
    }
    assert ask("PATCH", f"{COURSES}/{second}", patch).status_code == 409
    assert ask("DELETE", f"{COURSES}/{first}").status_code == 204
    assert ask("PATCH", f"{COURSES}/{second}", patch).status_code == 200
    assert ask("POST", COURSES, course(url="https://x.example.org/2")).status_code == 201


def test_a_change_names_the_course_twice_and_leaves_the_rest(simulator, ask):
    course_id = simulator.add_course("Ex+1", summary="kept")
    change = {"type": "content/courses", "id": course_id, "attributes": {"title": "New"}}

    assert ask("PATCH", f"{COURSES}/{course_id}", {"data": {**change, "id": "other"}}).status_code == 409
    assert ask("PATCH", f"{COURSES}/{course_id}", {"data": change}).status_code == 200
    assert simulator.items["Ex+1"]["attributes"]["summary"] == "kept"
    assert simulator.items["Ex+1"]["attributes"]["title"] == "New"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("SKILLS", "")])
def test_what_is_not_there_is_not_found(method, path, ask):
    path = "/api/v2/content/none/relationships/skills" if method == "SKILLS" else f"{COURSES}/none"
    response = ask("PATCH" if method == "SKILLS" else method, path, None if method == "GET" else {"data": []})

    assert response.status_code == 404
    assert response.json()["errors"]


@pytest.mark.parametrize(
    "body",
    [["a"], {"data": ["a"]}, {"data": [{"id": "a"}]}, {"data": [{"type": "skills", "id": ""}]}, {"data": {}}],
)
def test_skills_of_another_shape_are_refused(body, simulator, ask):
    course_id = simulator.add_course("Ex+1")

    assert ask("PATCH", f"/api/v2/content/{course_id}/relationships/skills", body).status_code == 400


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"next": "stale"}, {"filter[title]": "x"}]
)
def test_a_list_has_its_limits(query, ask):
    assert ask("GET", COURSES, params=query).status_code == 400


def test_a_list_goes_on_where_it_says(simulator, ask):
    for number in range(5):
        simulator.add_course(f"Ex+{number}")

    first = ask("GET", COURSES, params={"limit": "2"})
    second = ask("GET", first.json()["links"]["next"])

    assert [row["attributes"]["external-id"] for row in second.json()["data"]] == ["Ex+2", "Ex+3"]
    assert ask("GET", first.json()["links"]["next"]).status_code == 400  # each is good for once


def completion(**changes):
    given = {
        "user-id": "a@example.org",
        "user-identifier-type": "Email",
        "content-id": "Ex+1",
        "content-id-type": "ExternalId",
        "content-type": "Course",
        "completed-at": "2031-01-02T12:00:00",
    }
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    kept = {name: value for name, value in {**given, **changed}.items() if value is not ...}
    return {"data": {"attributes": kept}}


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": ""}, {"user_id": ...}, {"user_identifier_type": "email"}, {"content_id": ...},
        {"content_id_type": "Key"}, {"content_type": "Program"}, {"completed_at": None}, {"completed_at": ...},
        {"completed_at": "2031-01-02"}, {"completed_at": "soon, perhaps tomorrow"}, {"percentile": 101}, {"percentile": "5"},
        {"grade": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_a_wrong_completion_is_refused(changes, simulator, ask):
    simulator.add_course("Ex+1")

    assert ask("POST", COMPLETIONS, completion(**changes)).status_code == 400
    assert ask("POST", COMPLETIONS, completion()).status_code == 201
    assert len(simulator.completions) == 1


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "password"},
        {"scope": "users:read"},
        {"scope": ""},
        {"client_secret": "wrong"},
        {"client_id": ...},
        {"scope": "content:read content:write"},
    ],
    ids=repr,
)
def test_a_wrong_request_for_a_token_is_refused(form, simulator):
    import httpx

    good = {
        "grant_type": "client_credentials",
        "scope": "content:read",
        "client_id": simulator.client_id,
        "client_secret": simulator.client_secret,
    }
    made = {name: value for name, value in {**good, **form}.items() if value is not ...}

    with httpx.Client(trust_env=False) as client:
        assert client.post(f"{simulator.url}/oauth/token", data=good).status_code == 200
        assert client.post(f"{simulator.url}/oauth/token", data=made).status_code in (400, 403)
        assert client.post(f"{simulator.url}/oauth/token", json=good).status_code == 400


def test_a_token_does_not_open_what_it_was_not_asked_for(simulator, run):
    async def call(session):
        from coursewire_degreed.v2.config import scoped

        narrow = scoped(session.config, session.tokens, "content:read")
        listed = await session.get(COURSES, auth=narrow)
        made = await session.post(COURSES, json=course(), auth=narrow)
        return listed.status_code, made.status_code

    assert run(call) == (200, 403)


def test_only_json_is_taken_and_given(simulator, ask):
    assert (
        ask("POST", COURSES, None, content=b"a=b", headers={"Content-Type": "text/plain"}).status_code == 406
    )
    assert (
        ask("POST", COURSES, None, content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )
    assert ask("GET", COURSES, headers={"Accept": "text/html"}).status_code == 406


def test_calls_are_counted_and_every_answer_says_what_is_left(simulator, run, clock):
    simulator.calls_per_minute = 2

    async def two(session):
        return [await session.get(COURSES) for _ in range(2)]

    first, second = run(two, calls_per_minute=1000)
    assert (first.headers["X-Rate-Limit-Limit"], first.headers["X-Rate-Limit-Remaining"]) == ("1m", "1")
    assert second.headers["X-Rate-Limit-Remaining"] == "0"
    assert second.headers["X-Rate-Limit-Reset"].startswith("2031-02-01T12:01:00")

    import httpx

    token = next(iter(simulator._tokens))
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
        clock.forward(15)
        refused = client.get(simulator.url + COURSES)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "45")
        assert refused.json()["errors"][0]["code"] == "quota-exceeded"
        clock.forward(45)
        assert client.get(simulator.url + COURSES).status_code == 200


def test_reset_forgets_everything_but_tokens(simulator, run, make):
    from coursewire.model.payload import Batch, Operation

    run(lambda session: plugin.send_content(session, Batch(Operation.CREATE, (make.course(),))))
    simulator.reset()

    left = [simulator.items, simulator.courses, simulator.completions, simulator.outcomes, simulator.seen]
    assert not any(left)
    assert simulator._tokens
