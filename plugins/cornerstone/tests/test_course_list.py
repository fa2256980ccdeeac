"""The course list: who gets it, what is on it, and what counts as arrived. Facts: the connector's own behaviour."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from coursewire.configurations.configuration import Configuration
from coursewire.inbound.desk import Caller
from coursewire.installation import Installation
from coursewire.storage.audit import transmissions
from coursewire.storage.audit.states import State
from coursewire.testing.inbound import inbound_server, over_http
from coursewire_cornerstone.simulator import CornerstoneSimulator

from .conftest import CUSTOMER, NOON, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def stocked(world: World) -> Configuration:
    for number in range(5):
        world.course(f"OrchardX+CS{number}")
    world.load()
    configuration = world.configure()
    assert world.offer(configuration).done == {"offered": 5}
    return configuration


def courses(answer: Any) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.body
    listed = json.loads(answer.body)
    assert isinstance(listed, list)
    return listed


def titles(answer: Any) -> list[str]:
    return [course["Title"][-1] for course in courses(answer)]


def http_date(course: dict[str, Any]) -> str:
    return format_datetime(datetime.fromisoformat(course["LastModifiedUTC"]), usegmt=True)


# -- 1, 2: who may ask, and for whom -----------------------------------------------------------------------


def test_who_gets_an_answer(world: World, stocked: Configuration) -> None:
    assert world.get().status == 400
    assert world.get(ciid="nonsense").status == 404
    assert world.get(ciid=str(uuid.uuid4())).status == 404
    assert world.get(ciid=CUSTOMER, caller=None).status == 401
    assert world.get(ciid=CUSTOMER, caller=Caller(customers=[str(uuid.uuid4())])).status == 403
    assert world.get(ciid=CUSTOMER, caller=Caller(customers=[CUSTOMER.upper()])).status == 200
    assert world.get(ciid=CUSTOMER).status == 200
    assert "ciid is missing" in json.loads(world.get().body)["message"]


def test_a_customer_without_an_active_configuration(world: World, stocked: Configuration) -> None:
    world.installation.configurations.deactivate(stocked.uuid, actor="test")

    answer = world.get(ciid=CUSTOMER)

    assert answer.status == 404
    assert "no active" in json.loads(answer.body)["message"]


def test_a_customer_with_two_configurations_must_name_one(world: World, stocked: Configuration) -> None:
    second = world.configure()

    refused = world.get(ciid=CUSTOMER)

    assert refused.status == 409
    assert str(second.uuid) in json.loads(refused.body)["message"]
    assert courses(world.get(ciid=CUSTOMER, config=str(second.uuid))) == []
    assert len(courses(world.get(ciid=CUSTOMER, config=str(stocked.uuid)))) == 5
    assert world.get(ciid=CUSTOMER, config=str(uuid.uuid4())).status == 404


# -- 3, 4: how much, and again -----------------------------------------------------------------------------


def test_two_at_a_time(world: World, stocked: Configuration) -> None:
    seen: list[str] = []
    since = ""
    while page := courses(world.get(ciid=CUSTOMER, count="2", since=since)):
        assert len(page) <= 2
        seen += [course["Title"] for course in page]
        since = http_date(page[-1])

    assert seen == [f"Course OrchardX+CS{number}" for number in range(5)]


@pytest.mark.parametrize("count", ["abc", "-1", "1.5", "", "２"])
def test_a_count_that_is_none(world: World, stocked: Configuration, count: str) -> None:
    assert world.get(ciid=CUSTOMER, count=count).status == 400


def test_a_large_count_is_capped_and_none_is_none(world: World) -> None:
    for number in range(1003):
        world.course(f"OrchardX+CS{number}")
    world.load()
    world.offer(world.configure())

    assert len(courses(world.get(ciid=CUSTOMER, count="5000"))) == 1000
    assert len(courses(world.get(ciid=CUSTOMER))) == 1000
    assert courses(world.get(ciid=CUSTOMER, count="0")) == []


def test_the_configuration_may_lower_what_is_listed_at_once(world: World) -> None:
    for number in range(4):
        world.course(f"OrchardX+CS{number}")
    world.load()
    world.offer(world.configure(transmission_chunk_size=3))

    assert len(courses(world.get(ciid=CUSTOMER))) == 3


def test_to_look_is_not_to_take(world: World, stocked: Configuration) -> None:
    first, second = world.get(ciid=CUSTOMER), world.get(ciid=CUSTOMER)

    assert first == second
    assert len(courses(first)) == 5
    assert world.record(stocked, "OrchardX+CS0").state is State.OFFERED


# -- 5: times ----------------------------------------------------------------------------------------------


def test_an_item_older_than_the_header_is_listed_with_a_later_time(
    world: World, stocked: Configuration
) -> None:
    header = NOON.astimezone(timezone(timedelta(hours=-7))) + timedelta(hours=6)

    listed = courses(world.get(ciid=CUSTOMER, since=format_datetime(header.astimezone(UTC), usegmt=True)))

    assert len(listed) == 5
    for course in listed:
        assert course["LastModifiedUTC"].endswith("Z")
        assert datetime.fromisoformat(course["LastModifiedUTC"]) > header


@pytest.mark.parametrize("header", ["yesterday", "0", "Sat, 99 Feb 2026 00:00:00 GMT"])
def test_a_header_that_cannot_be_read_is_left_out_of_account(
    world: World, stocked: Configuration, header: str
) -> None:
    assert len(courses(world.get(ciid=CUSTOMER, since=header))) == 5


def test_nobody_may_keep_the_answer_for_somebody_else(world: World, stocked: Configuration) -> None:
    answer = world.get(ciid=CUSTOMER)

    assert answer.headers["Cache-Control"] == "private, no-store"


# -- 6: gone, and back -------------------------------------------------------------------------------------


def test_a_removed_course_goes_inactive_and_comes_back_with_the_same_id(
    world: World, stocked: Configuration, portal: CornerstoneSimulator
) -> None:
    world.fetch()
    key = "OrchardX+CS0"
    (course_id,) = [each["ID"] for each in portal.items.values() if each["Title"].endswith(key)]
    kept = world.courses.pop(key)
    world.load()
    world.now.later(days=1)
    assert world.offer(stocked, confirm_retire=1).done == {"offered": 1}

    (gone,) = world.poll()
    assert (gone["ID"], gone["IsActive"]) == (course_id, False)
    assert datetime.fromisoformat(gone["LastModifiedUTC"]) == world.now()
    assert world.poll() == []
    assert world.record(stocked, key).state is State.RETIRED
    assert not portal.is_live(course_id)

    world.courses[key] = kept
    world.load()
    world.now.later(days=1)
    assert world.offer(stocked).done == {"offered": 1}
    (back,) = world.poll()
    assert (back["ID"], back["IsActive"]) == (course_id, True)
    assert world.poll() == []
    assert portal.is_live(course_id)
    history = transmissions.history(world.engine, configurations=[stocked.uuid], item=key, limit=10)
    assert [row["operation"] for row in history] == ["create", "retire", "create"]


def test_a_change_is_listed_once_more_and_nothing_else_is(
    world: World, stocked: Configuration, portal: CornerstoneSimulator
) -> None:
    world.fetch()
    world.course("OrchardX+CS3", title="Better")
    world.load()
    world.now.later(hours=1)

    summary = world.offer(stocked)

    assert (summary.done, summary.unchanged) == ({"offered": 1}, 4)
    assert [course["Title"] for course in world.poll()] == ["Better"]
    assert world.poll() == []


def test_a_new_configuration_of_the_channel_s_own_fields_is_listed(
    world: World, stocked: Configuration
) -> None:
    world.fetch()
    world.edit(stocked, disable_subject_metadata_transmission=True)

    assert world.offer(stocked).done == {"offered": 5}
    assert all("Subjects" not in course for course in world.poll())


# -- the portal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", ["newest", "clock", "nothing"])
def test_a_portal_has_everything_after_its_polls(
    world: World, stocked: Configuration, portal: CornerstoneSimulator, says: str
) -> None:
    portal.says, portal.count = says, 2
    for _ in range(6):
        world.poll()
        world.now.later(hours=24)
    world.offer(stocked)

    assert sorted(each["Title"] for each in portal.items.values()) == [
        f"Course OrchardX+CS{number}" for number in range(5)
    ]
    assert portal.refused == []
    assert {world.record(stocked, key).state for key in world.courses} == {State.CONFIRMED}


def test_a_lost_answer_loses_nothing(
    world: World, stocked: Configuration, portal: CornerstoneSimulator
) -> None:
    for _ in range(3):
        asyncio.run(portal.ask(world.inbound.call, CUSTOMER))
        world.now.later(minutes=5)

    world.fetch()

    assert len(portal.items) == 5


def test_the_portal_polls_over_real_http(
    world: World, stocked: Configuration, portal: CornerstoneSimulator
) -> None:
    with inbound_server(world.installation) as url:
        asyncio.run(portal.fetch(over_http(url), CUSTOMER))
        stranger = over_http(url)
        refused = asyncio.run(
            stranger("GET", "/channels/csod/course-list", query=[("ciid", CUSTOMER)], caller=None)
        )

    assert len(portal.items) == 5
    assert refused.status == 401
    assert world.record(stocked, "OrchardX+CS0").state is State.CONFIRMED


def test_a_dry_run_lists_nothing_and_keeps_what_waits(world: World, stocked: Configuration) -> None:
    world.edit(stocked, dry_run_mode_enabled=True)
    assert courses(world.get(ciid=CUSTOMER)) == []
    world.edit(stocked, dry_run_mode_enabled=False)
    assert len(courses(world.get(ciid=CUSTOMER))) == 5


HOOKS = """
from dataclasses import replace
from coursewire.hooks import hookimpl

@hookimpl
def batch_sending(batch):
    kept = [each for each in batch.payloads if not each.title.endswith("CS0")]
    return replace(batch, payloads=tuple(replace(each, body={**each.body, "Title": "Hooked"}) for each in kept))
"""


def test_an_operator_s_hook_may_hold_back_and_change_what_is_listed(world: World) -> None:
    hooks = world.folder / "hooks.py"
    hooks.write_text(HOOKS)
    for number in range(3):
        world.course(f"OrchardX+CS{number}")
    world.load()
    configuration = world.configure()
    settings = world.installation.settings.model_copy(update={"hooks_file": hooks})
    world.installation = Installation(settings, clock=world.now)

    summary = world.offer(configuration)

    assert (summary.done, summary.waiting) == ({"offered": 2}, {"held-by-hook": 1})
    assert [course["Title"] for course in world.poll()] == ["Hooked", "Hooked"]
    world.poll()
    assert world.offer(configuration).unchanged == 2, "what was planned counts, not what the hook made of it"
    world.installation.close()


# -- what people are told ----------------------------------------------------------------------------------


def test_a_run_tells_what_waits_to_be_fetched(world: World, stocked: Configuration) -> None:
    assert world.offer(stocked).waiting == {"not-fetched": 5}
    world.poll()
    assert world.offer(stocked).waiting == {"not-acknowledged": 5}
    world.poll()
    assert world.offer(stocked).unchanged == 5


def test_what_nobody_fetched_and_nobody_wants_any_more_is_withdrawn(
    world: World, stocked: Configuration
) -> None:
    del world.courses["OrchardX+CS0"]
    world.load()

    summary = world.offer(stocked, confirm_retire=1)

    assert summary.skipped == {"withdrawn": 1}
    assert len(courses(world.get(ciid=CUSTOMER))) == 4


def test_an_item_that_cannot_be_listed_any_more_says_why(world: World, stocked: Configuration) -> None:
    world.course("OrchardX+CS0", enrollment_url=None)
    world.load()

    assert world.offer(stocked).skipped == {"not-exportable": 1}
    record = world.record(stocked, "OrchardX+CS0")
    assert (record.state, record.reason) == (State.PLANNED, "not-exportable")
    assert "enrollment_url" in (record.message or "")
