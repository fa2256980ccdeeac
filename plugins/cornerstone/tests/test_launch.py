"""Learners who come from the portal: what they bring is stored, and they reach their course."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from coursewire.configurations.configuration import Configuration
from coursewire.configurations.rotation import rotate
from coursewire.configurations.secrets import SecretBox, new_key
from coursewire.errors import SourceError
from coursewire.inbound.desk import Caller
from coursewire.model.inbound import InboundAnswer, Launch
from coursewire.storage.identity_links import IdentityLinks
from coursewire.storage.launches import Launches
from coursewire.storage.tables.records import launch as launch_table
from coursewire_cornerstone.simulator import CALLBACK

from .conftest import CUSTOMER, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

COURSE = "OrchardX+CS210"
ENROLL = "https://learn.example.org/enroll/OrchardX+CS210"


@pytest.fixture
def acme(world: World) -> Configuration:
    world.course(COURSE)
    world.course("OrchardX+CS211")
    world.learner("ada")
    world.learner("stranger", linked=False)
    world.load()
    return world.by_callback()


def brought(world: World, configuration: Configuration, learner: str = "ada") -> list[Launch]:
    return Launches(world.engine, world.installation.secrets, configuration.uuid).of(learner)


def launch(world: World, course: str = COURSE, learner: str | None = "ada", **query: str) -> InboundAnswer:
    path = f"/channels/csod/launch/{CUSTOMER}/{course.replace('+', '%2B')}"
    caller = Caller(learner=learner) if learner else None
    return asyncio.run(world.inbound.call("GET", path, query=[*query.items()], caller=caller))


def test_a_launch_stores_token_time_guid_and_callback(world: World, acme: Configuration) -> None:
    world.launch("ada", COURSE)

    (kept,) = brought(world, acme)

    assert (kept.course_key, kept.callback, kept.received_at) == (COURSE, CALLBACK, world.now())
    assert kept.remote_id == world.portal.learners["ada"]
    link = IdentityLinks(world.engine, acme.uuid).fetch(["ada"])["ada"]
    assert (link.value, link.origin) == (kept.remote_id, "launch")


def test_a_second_launch_replaces_the_first_and_another_course_stands_beside_it(
    world: World, acme: Configuration
) -> None:
    world.launch("ada", COURSE)
    (first,) = brought(world, acme)
    world.now.later(minutes=5)
    world.launch("ada", COURSE)
    world.now.later(minutes=5)
    world.launch("ada", "OrchardX+CS211")

    newest, older = brought(world, acme)

    assert (newest.course_key, older.course_key) == ("OrchardX+CS211", COURSE)
    assert older.token != first.token
    assert older.received_at > first.received_at


def test_only_the_portal_of_that_name_is_meant(world: World, acme: Configuration) -> None:
    stage = world.by_callback(cornerstone_base_url="http://acme-stg.example.com")
    plain = world.by_callback(cornerstone_base_url="http://acme.example.com")

    assert world.save("ada", subdomain="acme").status == 200

    assert [bool(brought(world, each)) for each in (plain, stage, acme)] == [True, False, False]
    assert world.save("ada", subdomain="ACME-STG.example.com").status == 200
    assert len(brought(world, stage)) == 1


@pytest.mark.parametrize("missing", ["sessionToken", "subdomain", "userGuid", "callbackUrl", "courseKey"])
def test_a_front_end_is_told_what_is_missing(world: World, acme: Configuration, missing: str) -> None:
    answer = world.save("ada", **{missing: None})

    assert answer.status == 400
    assert missing.removesuffix("Key") in json.loads(answer.body)["error"]
    assert brought(world, acme) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"subdomain": "other"}, 404),
        ({"subdomain": "acm"}, 404),
        ({"enterpriseUUID": "nonsense"}, 404),
        ({"enterpriseUUID": str(uuid.uuid4())}, 404),
        ({"enterpriseUUID": None}, 400),
        ({"userGuid": "ada@example.com"}, 400),
        ({"sessionToken": "x" * 5000}, 400),
        ({"courseKey": "k" * 256}, 400),
        ({"courseKey": 7}, 400),
    ],
)
def test_what_is_wrong_is_refused(
    world: World, acme: Configuration, changes: dict[str, Any], status: int
) -> None:
    assert world.save("ada", **changes).status == status
    assert brought(world, acme) == []


@pytest.mark.parametrize(
    "callback",
    [
        "https://evil.example.net/x",
        "//evil.example.net/x",
        "services/x",
        "/../x",
        "/x?y=1",
        "/x#y",
        "/x\\y",
        "/@evil.example.net",
        "/x y",
        "/%2e%2e/x",
        "/",
        "/x\r\nHost: evil",
    ],
)
def test_a_callback_is_a_path_at_the_portal(world: World, acme: Configuration, callback: str) -> None:
    assert world.save("ada", callbackUrl=callback).status == 400
    assert brought(world, acme) == []


def test_a_learner_of_somebody_else_is_not_taken(world: World, acme: Configuration) -> None:
    assert world.save("stranger").status == 404
    assert world.save("nobody-knows").status == 404
    assert world.save(None).status == 401
    with world.engine.connect() as connection:
        assert connection.execute(select(launch_table)).all() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff"])
def test_a_body_that_is_no_object(world: World, acme: Configuration, body: bytes) -> None:
    call = world.inbound.call(
        "POST", "/channels/csod/save-learner-information", body=body, caller=Caller(learner="ada")
    )

    assert asyncio.run(call).status == 400


def test_a_huge_body_is_not_even_read(world: World, acme: Configuration) -> None:
    assert world.save("ada", padding="x" * 70_000).status == 413


def test_a_learner_is_sent_on_to_the_course(world: World, acme: Configuration) -> None:
    world.offer(acme)
    given = world.portal.arrive("ada")

    answer = launch(world, **given)

    assert (answer.status, answer.headers["Location"]) == (302, ENROLL)
    (kept,) = brought(world, acme)
    assert kept.token == given["sessionToken"]
    assert given["sessionToken"] not in str(answer)


def test_courses_may_begin_at_our_own_page(world: World, acme: Configuration) -> None:
    here = f"https://coursewire.example.com/channels/csod/launch/{CUSTOMER}"
    world.edit(acme, launch_url=here)
    world.offer(acme)
    listed = {course["Title"]: course for course in world.poll()}

    assert listed[f"Course {COURSE}"]["URL"].startswith(f"{here}/OrchardX%2BCS210?url=https")
    assert launch(world).headers["Location"] == ENROLL
    assert launch(world, url="https://evil.example.net").headers["Location"] == ENROLL


def test_whatever_is_wrong_the_learner_reaches_the_course(
    world: World, acme: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    world.offer(acme)
    given = world.portal.arrive("ada")
    with caplog.at_level(logging.WARNING):
        for changes in (
            {"callbackUrl": ""},
            {"callbackUrl": "//evil"},
            {"userGuid": "x"},
            {"subdomain": "o"},
        ):
            assert launch(world, **{**given, **changes}).headers["Location"] == ENROLL
        assert launch(world, learner="stranger", **given).headers["Location"] == ENROLL

    assert brought(world, acme) == []
    assert len([record for record in caplog.records if "was not stored" in record.message]) == 5
    assert given["sessionToken"] not in caplog.text


def test_a_source_that_cannot_answer_stops_no_learner(
    world: World, acme: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_args: Any) -> None:
        raise SourceError("the source is away")

    world.offer(acme)
    monkeypatch.setattr(world.installation.source, "learner", silent)

    assert launch(world, **world.portal.arrive("ada")).headers["Location"] == ENROLL
    assert world.save("ada").status == 503, "a front end may try again"


def test_an_ordinary_visit_stores_nothing_and_says_nothing(
    world: World, acme: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    world.offer(acme)

    assert launch(world).status == 302
    assert launch(world, course="OrchardX+NONE").status == 404
    assert launch(world, learner=None).status == 401
    assert caplog.text == ""


def test_tokens_lie_encrypted_and_survive_a_new_key(world: World, acme: Configuration) -> None:
    world.launch("ada", COURSE)
    world.launch("ada", "OrchardX+CS211")
    before = {each.course_key: each.token for each in brought(world, acme)}
    with world.engine.connect() as connection:
        rows = str(connection.execute(select(launch_table)).all())
    assert not any(token in rows for token in before.values())
    new = new_key()
    old = world.installation.settings.secret_key
    assert old is not None

    report = rotate(world.engine, SecretBox([new, old.get_secret_value()]), batch_size=1)

    assert report.unreadable == ()
    after = Launches(world.engine, SecretBox([new]), acme.uuid).of("ada")
    assert {each.course_key: each.token for each in after} == before


def test_a_learner_who_is_forgotten_leaves_nothing(world: World, acme: Configuration) -> None:
    world.launch("ada", COURSE)

    assert world.installation.forget("ada")["launch"] == 1

    assert brought(world, acme) == []
    assert IdentityLinks(world.engine, acme.uuid).fetch(["ada"]) == {}
