"""Inbound routes, through the desk, with a small channel of its own whose LMS fetches by itself."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime

import pytest

from coursewire import hookimpl
from coursewire.configurations.secrets import new_key
from coursewire.inbound.desk import Caller, Inbound
from coursewire.installation import Installation
from coursewire.model.channel import Capabilities, Channel, RetireStrategy
from coursewire.model.configuration import ChannelConfig, LmsUrl
from coursewire.model.inbound import InboundAccess, InboundAnswer, InboundRoute, list_route
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.plugins.loading import load_channel_object
from coursewire.plugins.registry import Registry
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle
from coursewire.storage.audit.records import ContentRecords
from coursewire.storage.audit.states import State
from coursewire.testing.inbound import inbound_server, over_http

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
LIST = "/channels/pull/list"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class PullConfig(ChannelConfig):
    code = "PULL"
    url: LmsUrl = "https://lms.example.com"

    @property
    def lms_url(self):
        return self.url


def entry(item):
    return {**item.body, "at": item.changed_at.isoformat()}


async def broken(request, desk):
    raise ZeroDivisionError("canary")


async def echo(request, desk):
    return InboundAnswer.json([request.path, request.learner, request.headers, list(request.query)])


class PullChannel:
    """No sending, no keys of its own: all that a channel of an LMS that fetches has to say."""

    @hookimpl
    def declare_channel(self):
        can = Capabilities(delivery="pull", retire_strategies=(RetireStrategy.DELETE,))
        return Channel(
            code="PULL", title="Puller", requires_api=">=2.0,<3", config=PullConfig, capabilities=can
        )

    @hookimpl
    def export_content(self, item):
        return {"key": item.content_key, "title": item.title}

    @hookimpl
    def export_retirement(self, confirmed):
        return {"key": confirmed["key"], "gone": True}

    @hookimpl
    def inbound_routes(self):
        return [
            list_route("/list", entry, most=3, customer_from="customer"),
            InboundRoute("/broken", broken, InboundAccess.PUBLIC),
            InboundRoute("/echo/{one}/{two}", echo, InboundAccess.LEARNER, method="POST", max_body_bytes=10),
        ]


@pytest.fixture
def installation(tmp_path, engine):
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
    )
    made = Installation(settings)
    loaded = load_channel_object(PullChannel(), name="pull", distribution="coursewire-pull", version="1.0")
    made.__dict__["channels"] = Registry([], [loaded])
    yield made
    made.close()


@pytest.fixture
def configuration(installation, tmp_path):
    load(installation, tmp_path, "A+1", "A+2")
    channel = installation.channels.get("PULL").channel
    return installation.configurations.add(channel, CUSTOMER, {}, active=True, actor="test")


def load(installation, folder, *keys):
    files = {
        "customers": [{"uuid": CUSTOMER, "name": "Acme", "active": True}],
        "catalogs": [{"uuid": CUSTOMER.replace("1", "2"), "customer": CUSTOMER, "content_keys": list(keys)}],
        "content": [{"content_type": "course", "key": key, "title": key} for key in keys],
    }
    bundle = folder / "bundle"
    bundle.mkdir(exist_ok=True)
    for name, lines in files.items():
        (bundle / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert load_bundle(installation.engine, bundle).problems == []


def transmit(installation, configuration, **options):
    (ended,) = asyncio.run(InlineRunner().run([ContentJob(installation, configuration, **options)]))
    assert ended.error is None
    return ended.summary


def call(installation, method, path, **options):
    return asyncio.run(Inbound(installation).call(method, path, **options))


def poll(installation, query=(), **options):
    pairs = [("customer", CUSTOMER), *query]
    answer = call(installation, "GET", LIST, query=pairs, caller=Caller([CUSTOMER]), **options)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_a_channel_without_any_code_for_it_is_fetched_from(installation, configuration, tmp_path):
    assert transmit(installation, configuration).done == {"offered": 2}
    listed = poll(installation)
    assert [each["key"] for each in listed] == ["A+1", "A+2"]
    assert poll(installation) == listed
    later = {"If-Modified-Since": "Fri, 01 Jan 2027 00:00:00 GMT"}
    installation.clock = lambda: datetime(2027, 1, 1, tzinfo=UTC)
    assert poll(installation, headers=later) == []
    assert transmit(installation, configuration).unchanged == 2

    load(installation, tmp_path, "A+1")
    assert transmit(installation, configuration, confirm_retire=1).done == {"offered": 1}

    (gone,) = poll(installation, headers=later)
    assert (gone["key"], gone["gone"]) == ("A+2", True)
    records = ContentRecords(installation.engine, configuration.uuid).fetch(["A+1", "A+2"])
    assert [records[key].state for key in ("A+1", "A+2")] == [State.CONFIRMED, State.OFFERED]


def test_how_much_is_listed_at_once(installation, tmp_path):
    load(installation, tmp_path, *(f"A+{number}" for number in range(5)))
    channel = installation.channels.get("PULL").channel

    def configure(**fields):
        made = installation.configurations.add(channel, CUSTOMER, fields, active=True, actor="test")
        transmit(installation, made)
        return [("config", str(made.uuid))]

    plain, lowered = configure(), configure(transmission_chunk_size=2)

    assert [len(poll(installation, query)) for query in (plain, lowered)] == [3, 2]
    sizes = [len(poll(installation, [*lowered, ("count", count)])) for count in ("0", "1", "50")]
    assert sizes == [0, 1, 2]


def test_a_dry_run_lists_nothing_and_keeps_what_waits(installation, configuration):
    transmit(installation, configuration)
    channel = installation.channels.get("PULL").channel

    def listed(dry):
        fields = {"dry_run_mode_enabled": dry}
        installation.configurations.edit(configuration.uuid, channel, fields, actor="test")
        return len(poll(installation))

    assert [listed(True), listed(False)] == [0, 2]


def test_a_list_that_cannot_be_given_says_why(installation, configuration):
    def answer(*query):
        return call(
            installation, "GET", LIST, query=[("customer", CUSTOMER), *query], caller=Caller([CUSTOMER])
        )

    assert answer(("count", "many")).status == 400
    assert answer(("config", CUSTOMER)).status == 404
    channel = installation.channels.get("PULL").channel
    second = installation.configurations.add(channel, CUSTOMER, {}, active=True, actor="test")
    refused = answer()
    assert (refused.status, str(second.uuid) in json.loads(refused.body)["message"]) == (409, True)


def test_who_is_let_in(installation, configuration):
    query = [("customer", CUSTOMER)]

    def status(caller):
        return call(installation, "GET", LIST, query=query, caller=caller).status

    assert [status(None), status(Caller()), status(Caller(["other"]))] == [401, 403, 403]
    assert [status(Caller([CUSTOMER])), status(Caller(None))] == [200, 200]
    assert call(installation, "GET", LIST, caller=Caller(None)).status == 400
    assert call(installation, "GET", LIST, query=[("customer", "x")], caller=Caller(None)).status == 404


def test_what_a_handler_is_given(installation):
    answer = call(
        installation,
        "POST",
        "/channels/pull/echo/A%2FB+C/x",
        query=[("a", "1"), ("a", "2")],
        headers={"Authorization": "Bearer canary", "Cookie": "canary", "X-Thing": "y"},
        caller=Caller(learner="ada"),
    )

    assert json.loads(answer.body) == [
        {"one": "A/B+C", "two": "x"},
        "ada",
        {"x-thing": "y"},
        [["a", "1"], ["a", "2"]],
    ]
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_what_is_not_there_or_not_wanted(installation):
    assert call(installation, "GET", "/channels/pull/nothing").status == 404
    assert call(installation, "GET", "/channels/sap/list").status == 404
    assert call(installation, "PUT", LIST, caller=Caller(None)).status == 405
    large = call(
        installation, "POST", "/channels/pull/echo/a/b", body=b"x" * 11, caller=Caller(learner="ada")
    )
    assert large.status == 413


def test_a_handler_that_breaks_tells_nobody_but_the_log(installation, caplog):
    with caplog.at_level(logging.ERROR):
        answer = call(installation, "GET", "/channels/pull/broken")

    assert answer.status == 500
    assert b"canary" not in answer.body
    assert "coursewire-pull 1.0" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_same_over_real_http(installation, configuration):
    transmit(installation, configuration)
    with inbound_server(installation) as url:

        async def ask(caller, token=None):
            reach = over_http(url, token)
            return await reach("GET", LIST, query=[("customer", CUSTOMER)], caller=caller)

        answers = [
            asyncio.run(ask(caller)) for caller in (None, Caller(["x"]), Caller([CUSTOMER]), Caller(None))
        ]
        by_token = asyncio.run(ask(None, token="staff"))

    assert [answer.status for answer in [*answers, by_token]] == [401, 403, 200, 200, 200]
    assert len(json.loads(answers[2].body)) == 2
