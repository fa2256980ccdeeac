"""What channels let the LMS call is served with access, size and rate settled, over real HTTP as any client sees it."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from coursewire.host import Host
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.transmit.run import Stop
from coursewire.service.accounts import Accounts
from coursewire.service.app import create_app
from coursewire.service.rights import Role, RoleAssignment
from coursewire_cornerstone.simulator import CornerstoneSimulator

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
STRANGER = "3fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e3333"
LIST = "/channels/csod/course-list"


@pytest.fixture
def offered(installation, configure, shelf):
    """A portal's configuration with three courses that lie ready."""
    portal = CornerstoneSimulator()
    with portal.running():
        configuration = configure(portal)
        shelf.fill(3)
        asyncio.run(ContentJob(installation, configuration).run(Stop()))
        yield configuration


def test_a_portal_fetches_its_list_with_a_token_for_its_customer(client, offered, token):
    answer = client.get(LIST, params={"ciid": CUSTOMER}, headers=token("lms", CUSTOMER))
    assert answer.status_code == 200
    assert len(answer.json()) == 3
    again = client.get(LIST, params={"ciid": CUSTOMER}, headers=token("viewer"))
    assert again.json() == answer.json()


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), (("lms", STRANGER), 403), (("administrator", STRANGER), 403)]
)
def test_others_get_nothing(client, offered, token, who, status):
    headers = token(*who) if who else {}
    answer = client.get(LIST, params={"ciid": CUSTOMER}, headers=headers)
    assert answer.status_code == status
    assert "RiverU" not in answer.text


def test_a_token_for_fetching_opens_nothing_else(client, offered, token):
    for path in ("configurations", "content-records", "transmissions", "me"):
        assert client.get(f"/api/v1/{path}", headers=token("lms", CUSTOMER)).status_code == 403


def test_a_learner_is_whom_the_platform_says(installation, offered):
    settings = installation.settings.model_copy(update={"learner_header": "X-Learner"})
    installation.settings = settings
    with TestClient(create_app(Host(installation=installation)), raise_server_exceptions=False) as client:
        body = {"enterpriseUUID": CUSTOMER, "courseKey": "RiverU+C0001"}
        path = "/channels/csod/save-learner-information"
        assert client.post(path, json=body).status_code == 401
        assert client.post(path, json=body, headers={"X-Learner": "ada"}).status_code == 400


def test_bodies_of_a_route_are_bounded(client, offered):
    answer = client.post("/channels/csod/save-learner-information", content=b"x" * 70_000)
    assert answer.status_code in (401, 413)


def test_a_browser_that_is_signed_in_may_look_but_a_form_elsewhere_may_not_post(
    installation, client, offered
):
    accounts = Accounts(installation.engine)
    accounts.add("ada", SecretStr("correct horse battery"), [RoleAssignment(Role.VIEWER, "")])
    cookie = accounts.sign_in("ada", "correct horse battery").cookie
    client.cookies.set("coursewire_session", cookie)
    assert client.get(LIST, params={"ciid": CUSTOMER}).status_code == 200
    assert client.post("/channels/csod/save-learner-information", json={}).status_code == 401


def test_the_document_names_the_routes_of_channels(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert paths[LIST]["get"]["tags"] == ["inbound"]
