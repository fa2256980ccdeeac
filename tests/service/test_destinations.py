"""A secret goes only where it was entered for, by every way in: command, REST API and console, for every channel."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from coursewire.configurations.destinations import digest_of_destination, hosts_of
from coursewire.configurations.fields import FieldKind, describe
from coursewire.service.accounts import Accounts
from coursewire.service.rights import Role, RoleAssignment
from coursewire.testing.simulator import Simulator, json_response

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
PASSWORD = "correct horse battery"
API = "/api/v1/configurations"
SIMULATORS = {
    "BLACKBOARD": "coursewire_blackboard.simulator:BlackboardSimulator",
    "CANVAS": "coursewire_canvas.simulator:CanvasSimulator",
    "CSOD": "coursewire_cornerstone.simulator:CornerstoneSimulator",
    "DEGREED": "coursewire_degreed.v1.simulator:DegreedV1Simulator",
    "DEGREED2": "coursewire_degreed.v2.simulator:Degreed2Simulator",
    "MOODLE": "coursewire_moodle.simulator:MoodleSimulator",
    "SAP": "coursewire_sap.simulator:SapSimulator",
    "XAPI": "coursewire_xapi.simulator:XapiSimulator",
}


class Listener(Simulator):
    """A host that keeps all that it is sent, and answers with whatever a token endpoint would."""

    code = "LISTENER"

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{tail:.*}", self._hear)]

    async def _hear(self, request: Any) -> Any:
        self.heard.append(f"{request.path_qs} {dict(request.headers)} {await request.text()}")
        return json_response({"access_token": "t", "token_type": "Bearer", "expires_in": 3600})


@pytest.fixture
def listener():
    made = Listener()
    with made.running():
        yield made


@pytest.fixture(params=sorted(SIMULATORS))
def lms(request):
    """Each channel's simulator in turn."""
    module, _, name = SIMULATORS[request.param].partition(":")
    with (made := getattr(import_module(module), name)()).running():
        yield made


@pytest.fixture
def draft(installation, lms):
    """A draft with all that the channel needs."""
    channel = installation.channels.get(lms.code).channel
    return installation.configurations.add(channel, CUSTOMER, lms.sample_config(), actor="ada")


def destinations(installation, code):
    model = installation.channels.get(code).channel.config
    return [info for info in describe(model) if info.destination]


def test_every_channel_says_what_its_destination_is(installation, lms):
    loaded = installation.channels.get(lms.code)
    store, channel = installation.configurations, loaded.channel
    uuid = store.add(channel, CUSTOMER, lms.sample_config(), actor="ada").uuid
    before = store.load(uuid, channel)
    assert destinations(installation, lms.code)
    for info in describe(channel.config):
        other = {FieldKind.URL: "https://moved.example.com", FieldKind.TEXT: "moved.example.com"}
        if info.type.kind in other and not info.secret:
            after = before.model_copy(update={info.name: other[info.type.kind]})
            if hosts_of(after) != hosts_of(before):
                assert info.destination, info.name
                assert digest_of_destination(after) != digest_of_destination(before), info.name


def test_a_patch_of_the_destination_leaves_nothing_to_send(client, token, installation, draft, lms, listener):
    """Whoever may administer a customer's configuration gets no secret out by pointing it at a host of their own."""
    headers = token("administrator", CUSTOMER)
    for info in destinations(installation, lms.code):
        value = listener.url if info.type.holds(FieldKind.URL) else "another-tenant"
        given = dict(lms.sample_config())
        channel = installation.channels.get(lms.code).channel
        uuid = installation.configurations.add(channel, CUSTOMER, given, actor="ada").uuid
        answer = client.patch(f"{API}/{uuid}", json={"fields": {info.name: value}}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["secrets_set"] == []
        secrets = {name for name in channel.config.secret_fields() if given.get(name)}
        assert set(answer.json()["secrets_dropped"]) == secrets
        newest = client.get(f"{API}/{uuid}/history", headers=headers).json()[-1]["changes"]
        assert {newest[name] for name in secrets} == {"dropped"}
        client.post(f"{API}/{uuid}/check", headers=headers)
    assert listener.heard == []


def test_an_active_configuration_refuses_the_patch_and_stays_as_it_is(
    client, token, installation, configured, listener
):
    headers = token("administrator", CUSTOMER)
    moved = {"fields": {"canvas_base_url": listener.url}}
    answer = client.patch(f"{API}/{configured.uuid}", json=moved, headers=headers)
    assert answer.status_code == 422
    assert "entered for another destination" in answer.text
    assert client.get(f"{API}/{configured.uuid}", headers=headers).json()["version"] == 1
    client.post(f"{API}/{configured.uuid}/check", headers=headers)
    assert listener.heard == []


def test_the_console_says_that_the_secrets_were_erased(client, installation, canvas, listener):
    Accounts(installation.engine).add(
        "ada@example.com", SecretStr(PASSWORD), [RoleAssignment(Role.ADMINISTRATOR, "")]
    )
    channel = installation.channels.get("CANVAS").channel
    uuid = installation.configurations.add(channel, CUSTOMER, canvas.sample_config(), actor="ada").uuid
    client.post("/console/sign-in", data={"name": "ada@example.com", "password": PASSWORD})
    page = client.get(f"/console/configurations/{uuid}").text
    proof = page.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": proof, "canvas_base_url": listener.url}
    answer = client.post(f"/console/configurations/{uuid}", data=form)
    assert "entered for another destination" in answer.text
    assert installation.configurations.get(uuid).secrets_set == ()
    client.post(f"/console/configurations/{uuid}/check", data={"csrf": proof})
    assert listener.heard == []
