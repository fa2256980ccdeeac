"""A customer's people see their customer's things only: every route, with every id of another customer's."""

from __future__ import annotations

import asyncio
import itertools
import json
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.routing import APIRoute

from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.service.authorization import right_of
from coursewire.sources.database.load import load_bundle
from coursewire.storage.audit import jobs as job_log
from coursewire_canvas.simulator import CanvasSimulator

THEIRS = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
OURS = "3fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e3333"
THEIR_CATALOG = "2fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222"
OUR_CATALOG = "4fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e4444"
THEIR_KEY = "ZebraU+SECRET1"
OUR_KEY = "RiverU+OPEN1"
TEXTS = ("key", "item", "search", "learner", "course", "reason", "result", "username", "remote_id")


def course(key: str, title: str) -> dict[str, Any]:
    """A line of ``content.jsonl``."""
    return {
        "content_type": "course",
        "key": key,
        "uuid": f"{sum(map(ord, key)):032x}",
        "title": title,
        "short_description": title,
        "full_description": f"<p>{title}</p>",
        "enrollment_url": f"https://portal.example.com/{key}",
        "course_runs": [],
    }


@pytest.fixture
def lms():
    """A Canvas in which both customers have an account."""
    with (made := CanvasSimulator()).running():
        yield made


@pytest.fixture
def world(installation, engine, lms, tmp_path):
    """Two customers: theirs has run a job, and ours asks."""
    folder = tmp_path / "two"
    folder.mkdir()
    lines = {
        "customers": [
            {"uuid": THEIRS, "name": "Zebra Holding", "slug": "zebra", "active": True},
            {"uuid": OURS, "name": "River", "slug": "river", "active": True},
        ],
        "catalogs": [
            {
                "uuid": THEIR_CATALOG,
                "customer": THEIRS,
                "title": "Zebra catalog",
                "content_keys": [THEIR_KEY],
            },
            {"uuid": OUR_CATALOG, "customer": OURS, "title": "River", "content_keys": [OUR_KEY]},
        ],
        "content": [course(THEIR_KEY, "Stripes of the zebra"), course(OUR_KEY, "Rivers")],
    }
    for name, rows in lines.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert load_bundle(engine, folder).problems == []
    channel = installation.channels.get("CANVAS").channel
    theirs, ours = (
        installation.configurations.add(
            channel, customer, {**lms.sample_config(), "display_name": name}, active=True, actor=name
        )
        for customer, name in ((THEIRS, "Zebra's Canvas"), (OURS, "River's Canvas"))
    )
    (ended,) = asyncio.run(InlineRunner().run([ContentJob(installation, theirs)]))
    assert ended.summary.as_dict()["created"] == 1
    (job,) = job_log.recent(engine, configurations=[theirs.uuid], limit=5)
    return SimpleNamespace(theirs=theirs.uuid, ours=ours.uuid, job=job["uuid"])


def needles(world):
    """Everything of theirs that must not be told."""
    return [
        str(world.theirs),
        world.theirs.hex[:8],
        THEIRS,
        THEIR_CATALOG,
        THEIR_KEY,
        THEIR_KEY.replace("+", "%2B"),
        "Stripes of the zebra",
        "Zebra",
    ]


def requests(client, world):
    """Yield (method, path, parameters, body) of every route, with every kind of id of theirs in every place."""
    ids = {
        "uuid": [world.theirs, world.job, THEIRS, THEIR_CATALOG],
        "customer": [THEIRS],
        "course": [THEIR_KEY],
        "username": [THEIR_KEY],
        "kind": [each.value for each in Kind],
        "code": ["CANVAS"],
        "digest": ["0"],
        "name": ["x"],
    }
    for route in client.app.routes:
        if not isinstance(route, APIRoute) or right_of(route.endpoint) is None:
            continue
        for method in sorted(route.methods - {"HEAD"}):
            pools = dict(ids)
            if method == "GET" and "configurations/{uuid}" in route.path:
                pools["uuid"] = [*ids["uuid"], world.ours]
            names = list(route.param_convertors)
            queries = [each.name for each in route.dependant.query_params]
            for values in itertools.product(*(pools[name] for name in names)):
                path = route.path
                for name, value in zip(names, values, strict=True):
                    path = path.replace(f"{{{name}}}", str(value))
                asked: list[dict[str, str]] = [{}]
                for name in queries:
                    given = [THEIR_KEY] if name in TEXTS else [str(world.theirs), str(world.job), THEIRS]
                    asked += [{name: value} for value in given]
                asked.append({"learner": THEIR_KEY, "course": THEIR_KEY})
                for query in asked:
                    yield method, path, query
                    if method == "GET" and "configuration" in queries and "configuration" not in query:
                        yield method, path, {**query, "configuration": str(world.ours)}


def body_of(world):
    return {
        "configuration": str(world.theirs),
        "customer": THEIRS,
        "channel": "CANVAS",
        "kind": "content",
        "key": THEIR_KEY,
        "keys": [THEIR_KEY],
        "learner": THEIR_KEY,
        "remote_id": THEIR_KEY,
        "fields": {},
    }


def test_no_route_tells_anything_of_another_customer(client, token, world):
    headers = token("administrator", OURS)
    told: list[Any] = []
    count = 0
    for method, path, query in requests(client, world):
        bodies: list[dict[str, Any]] = [{}]
        if method != "GET":
            form = {name: value for name, value in body_of(world).items() if isinstance(value, str)}
            whole = body_of(world)
            bodies = [{"json": {}}, {"json": {"configuration": str(world.theirs), "kind": "content"}}]
            bodies += [{"json": whole}, {"data": form}]
        for body in bodies:
            answer = client.request(
                method, path, params=query, headers=headers, follow_redirects=False, **body
            )
            count += 1
            sent = f"{path} {query} {body}"
            # What the caller has sent may come back: it tells nothing.
            seen = answer.text + str(answer.headers)
            leaked = [each for each in needles(world) if each in seen and each not in sent]
            if "Zebra" in leaked and THEIR_KEY in sent and THEIR_KEY in seen:
                rest = seen.replace(THEIR_KEY, "").replace(THEIR_KEY.replace("+", "%2B"), "")
                leaked = [each for each in needles(world) if each in rest and each not in sent]
            if leaked:
                told.append((method, path, query, answer.status_code, leaked))
            assert answer.status_code < 500, (method, path, query, answer.text)
    assert told == []
    assert count > 300


def test_a_preview_shows_what_the_customer_may_use_and_nothing_else(client, token, world):
    headers = token("viewer", OURS)
    page = f"/console/configurations/{world.ours}/preview"
    assert "Rivers" in client.get(page, params={"key": OUR_KEY}, headers=headers).text
    hidden = client.get(page, params={"key": THEIR_KEY}, headers=headers).text
    assert "Stripes" not in hidden
    unknown = client.get(page, params={"key": "Nobody+1"}, headers=headers).text
    assert hidden.replace(THEIR_KEY, "Nobody+1") == unknown


def test_the_job_of_another_customer_is_as_unknown_as_one_that_never_was(client, token, world):
    headers = token("viewer", OURS)
    never = "9fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e9999"
    theirs = client.get(f"/api/v1/jobs/{world.job}", headers=headers)
    unknown = client.get(f"/api/v1/jobs/{never}", headers=headers)
    assert theirs.status_code == unknown.status_code == 404
    assert theirs.text.replace(str(world.job), never) == unknown.text
