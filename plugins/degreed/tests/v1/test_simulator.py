"""The simulated API v1 refuses what is not known to be taken."""

from __future__ import annotations

import httpx
import pytest

COURSES, COMPLETIONS = "/api/v1/provider/content/course", "/api/v1/provider/completion/course"


@pytest.fixture
def ask(run):
    def asked(method, path, body, *, scope="provider_content"):
        from coursewire_degreed.v1.client import scoped

        async def call(session):
            auth = scoped(session.config, session.tokens, scope)
            return await session.request(method, path, json=body, auth=auth)

        return run(call)

    return asked


def courses(*rows, **changes):
    return {"courses": [*rows], "orgCode": "SIMULATED", "providerCode": "EDX", **changes}


def row(**changes):
    given = {"contentId": "a", "title": "T", **changes}
    return {name: value for name, value in given.items() if value is not ...}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (courses(row(title="")), 400),
        (courses(row(title=...)), 400),
        (courses(row(contentId="")), 400),
        (courses(row(description="x" * 2001)), 400),
        (courses(row(surprise=1)), 400),
        (courses(row(publishDate="2031-1-2")), 400),
        (courses("a"), 400),
        (courses(row(), row()), 400),
        (courses(row(), more=1), 400),
        ({"courses": [row()]}, 400),
        (courses(row(), orgCode="OTHER"), 403),
        (courses(row(), providerCode="OTHER"), 403),
        (courses(*(row(contentId=str(number)) for number in range(501))), 413),
        ([], 400),
    ],
)
def test_a_wrong_batch_is_refused_whole(body, status, simulator, ask):
    assert ask("POST", COURSES, body).status_code == status
    assert not simulator.items


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": ...},
        {"email": ""},
        {"employeeId": "E-1"},
        {"id": "unknown"},
        {"id": ...},
        {"completionDate": ...},
        {"completionDate": None},
        {"completionDate": "2031-01-02T00:00:00"},
        {"completionDate": "02.01.2031"},
        {"grade": 1},
    ],
    ids=repr,
)
def test_a_wrong_completion_is_refused(wrong, simulator, ask):
    simulator.items["a"] = {}
    given = {"email": "x@example.org", "id": "a", "completionDate": "2031-01-02", **wrong}
    body = {"completions": [{k: v for k, v in given.items() if v is not ...}], "orgCode": "SIMULATED"}

    assert ask("POST", COMPLETIONS, body, scope="provider_completion").status_code == 400
    assert not simulator.completions


def test_a_token_opens_only_what_it_was_asked_for(ask):
    assert ask("POST", COURSES, courses(), scope="provider_completion").status_code == 403
    assert ask("POST", COMPLETIONS, {"completions": [], "orgCode": "SIMULATED"}).status_code == 403


@pytest.mark.parametrize(
    ("pair", "form", "status"),
    [
        (("simulated-client", "wrong"), {}, 401),
        (None, {}, 401),
        (..., {"password": "wrong"}, 401),
        (..., {"scope": "everything"}, 403),
        (..., {"grant_type": "client_credentials"}, 400),
        (..., {"scope": ...}, 400),
    ],
)
def test_a_wrong_request_for_a_token_is_refused(pair, form, status, simulator):
    good = {
        "grant_type": "password",
        "username": simulator.user,
        "password": simulator.password,
        "scope": "provider_content",
    }
    made = {name: value for name, value in {**good, **form}.items() if value is not ...}
    right = (simulator.client_id, simulator.client_secret)

    with httpx.Client(trust_env=False) as client:
        assert client.post(f"{simulator.url}/oauth/token", data=good, auth=right).status_code == 200
        auth = right if pair is ... else pair
        assert client.post(f"{simulator.url}/oauth/token", data=made, auth=auth).status_code == status
