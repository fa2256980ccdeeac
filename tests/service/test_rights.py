"""Nobody reaches what was not granted: every route, with no token, a stranger's, and each role."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from coursewire.host import Host
from coursewire.service.app import create_app
from coursewire.service.authorization import GuardedRoute, right_of
from coursewire.service.rights import RIGHTS, Right, Role, RoleAssignment, parse_assignments
from coursewire.service.tokens import ApiTokens

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
STRANGER = "3fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e3333"
OPEN = {
    "/",
    "/console",
    "/healthz",
    "/readyz",
    "/api/v1/openapi.json",
    "/api/v1/events",
    "/console/sign-in",
    "/console/sign-out",
    "/console/oidc",
    "/console/oidc/back",
    "/console/static/{digest}/{name}",
}


def routes(client: TestClient):
    """Every (method, path, right) that the application has."""
    for route in client.app.routes:
        for method in sorted(route.methods or ()):
            if method != "HEAD":
                yield method, route.path, right_of(route.endpoint) if isinstance(route, APIRoute) else None


def call(client, method, path, uuid, headers=None):
    values = {
        "{uuid}": str(uuid),
        "{code}": "CANVAS",
        "{digest}": "0",
        "{name}": "x",
        "{kind}": "content",
        "{username}": "ada",
        "{customer}": CUSTOMER,
        "{course}": "c",
    }
    for name, value in values.items():
        path = path.replace(name, value)
    assert "{" not in path, f"say what to put into {path}"
    body = {} if method in ("POST", "PATCH", "PUT") else None
    return client.request(method, path, headers=headers, json=body, follow_redirects=False)


def test_a_stranger_gets_401_on_every_route_that_is_not_open(client, configured):
    for method, path, right in routes(client):
        answer = call(client, method, path, configured.uuid)
        if path.startswith("/channels/"):
            assert answer.status_code == 401, (method, path)  # what the route of the channel declares
        elif path in OPEN:
            assert right is None
            assert answer.status_code in (200, 303, 307, 401, 404, 503)
        elif path.startswith("/console"):
            assert right is not None, path
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/console/sign-in?next=")
        else:
            assert right is not None, path
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_that_is_no_good_is_a_401_even_where_all_is_open(client):
    headers = {"Authorization": "Bearer cw_guessed"}
    assert client.get("/readyz", headers=headers).status_code == 401
    assert client.get("/api/v1/me", headers=headers).status_code == 401


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_its_rights_say_and_nothing_else(client, configured, token, role):
    headers = token(role.value, CUSTOMER)
    for method, path, right in routes(client):
        if right is None:
            continue
        answer = call(client, method, path, configured.uuid, headers)
        if right in RIGHTS[role]:
            # An empty body may not do, and a token for one customer may not see to all.
            allowed = answer.status_code != 401 and (
                answer.status_code != 403 or "all customers" in answer.text or "signed in here" in answer.text
            )
            assert allowed, (method, path, answer.text)
        else:
            assert answer.status_code == 403, (method, path)


def test_another_customers_things_are_not_there(client, configured, token):
    headers = token("administrator", STRANGER)
    for method, path, right in routes(client):
        if right is None or "{uuid}" not in path:
            continue
        answer = call(client, method, path, configured.uuid, headers)
        if path.startswith("/api/v1/configurations/"):
            expected = {404, 422}  # what is asked for may be looked at before whose it is
            assert answer.status_code in expected, (method, path)
            assert CUSTOMER not in answer.text
        else:
            assert answer.status_code in (403, 404, 422), (method, path)
    assert client.get("/api/v1/configurations", headers=headers).json() == []
    made = {"channel": "CANVAS", "customer": CUSTOMER, "fields": {}}
    assert client.post("/api/v1/configurations", headers=headers, json=made).status_code == 404


def test_who_may_see_but_not_change_is_told_so(client, configured, installation):
    tokens = ApiTokens(installation.engine)
    grants = [RoleAssignment(Role.VIEWER, CUSTOMER), RoleAssignment(Role.ADMINISTRATOR, STRANGER)]
    _made, value = tokens.add("mixed", grants, created_by="test", expires_at=None)
    headers = {"Authorization": f"Bearer {value}"}

    shown = client.get(f"/api/v1/configurations/{configured.uuid}", headers=headers)
    removed = client.delete(f"/api/v1/configurations/{configured.uuid}", headers=headers)

    assert (shown.status_code, removed.status_code) == (200, 403)


def test_a_route_that_does_not_say_who_may_call_it_cannot_be_made(installation):
    def leaky() -> None: ...

    with pytest.raises(TypeError, match=r"leaky.*does not say who may call it"):
        GuardedRoute("/leak", leaky)
    assert all(
        isinstance(route, GuardedRoute)
        for route in create_app(Host(installation=installation)).routes
        if isinstance(route, APIRoute)
    )


def test_a_token_ends_when_it_is_revoked_or_over(client, installation):
    now = datetime(2026, 5, 1, tzinfo=UTC)
    tokens = ApiTokens(installation.engine, clock=lambda: now)
    grants = parse_assignments(["viewer"])
    soon, value = tokens.add("soon over", grants, created_by="test", expires_at=now + timedelta(days=1))
    other, second = tokens.add("other", grants, created_by="test", expires_at=None)

    assert tokens.caller(value).name == "token soon over"
    assert ApiTokens(installation.engine, clock=lambda: now + timedelta(days=1)).caller(value) is None
    assert tokens.revoke(other.uuid)
    assert not tokens.revoke(other.uuid)
    assert tokens.caller(second) is None
    assert value not in repr(tokens.list()) + repr(soon)


def test_grants_are_read_as_people_write_them():
    customer = str(uuid4())
    assert parse_assignments(["Viewer", f"operator@{customer.upper()}", "viewer"]) == [
        RoleAssignment(Role.OPERATOR, customer),
        RoleAssignment(Role.VIEWER, ""),
    ]
    for wrong in ("king", "viewer@acme"):
        with pytest.raises(ValueError, match=r"king|badly formed"):
            parse_assignments([wrong])


def test_a_right_is_held_for_the_customers_it_was_granted_for():
    from coursewire.service.rights import Caller

    caller = Caller(uuid4(), "ada", (RoleAssignment(Role.OPERATOR, "a"), RoleAssignment(Role.VIEWER, "b")))
    assert caller.customers(Right.READ) == {"a", "b"}
    assert caller.customers(Right.OPERATE) == {"a"}
    assert not caller.may(Right.OPERATE, "b")
    assert not caller.has(Right.ADMINISTER)
