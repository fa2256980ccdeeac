"""Coursewire inside another process: scripts, and an application that mounts it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.requests import Request
from starlette.testclient import TestClient

import coursewire as cw
from coursewire.errors import ConfigurationError, DatabaseError, UnknownChannelError
from coursewire.service.accounts import Accounts
from coursewire.service.rights import Role, RoleAssignment
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle
from coursewire.sources.sample import sample_bundle
from coursewire.testing.misbehave import Misbehaviour

PASSWORD = "correct horse battery"


@pytest.fixture
def host(installation):
    return cw.Host(installation.settings)


def test_a_script_plans_and_transmits(host, shelf, canvas, configured):
    shelf.fill(3)

    async def script():
        async with host:
            (plan,) = await host.plan("content", channel="canvas")
            items = [item async for item in plan.items()]
            (first,) = await host.transmit("content")
            (second,) = await host.transmit(cw.Kind.CONTENT, customer=configured.customer)
        return plan, items, first, second

    plan, items, first, second = asyncio.run(script())
    assert (plan.error, plan.guard, plan.reason) == (None, None, "")
    assert [item.operation.value for item in items] == ["create"] * 3
    assert (first.exit_status, first.summary.as_dict()["created"]) == (0, 3)
    assert (second.exit_status, second.summary.as_dict()["unchanged"]) == (0, 3)
    assert first.job.actor == "host"
    assert len(canvas.items) == 3


def test_a_synchronous_script_may_use_several_event_loops(host, shelf, configured):
    shelf.fill(2)
    with host:
        assert [row.state for row in host.load_report if row.code == "CANVAS"] == ["loaded"]
        assert host.channels.get("CANVAS").channel.code == "CANVAS"
        assert [each.uuid for each in host.configurations.list()] == [configured.uuid]
        for _ in range(2):
            (ended,) = asyncio.run(host.transmit("content", config=str(configured.uuid)[:8]))
            assert ended.error is None


def test_what_cannot_be_asked_for_is_one_of_our_errors(host, configured):
    async def ask(what):
        async with host:
            await what()

    for what, fault in (
        (lambda: host.transmit("contents"), "there is no kind"),
        (lambda: host.transmit("content", learner="ada"), "learner and course are for outcomes"),
        (lambda: host.plan("completions", customer="1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e9999"), "--customer"),
        (lambda: host.transmit("completions", confirm_retire=3), "confirm_retire is for content"),
    ):
        with pytest.raises(ConfigurationError, match=fault):
            asyncio.run(ask(what))
    with pytest.raises(UnknownChannelError):
        asyncio.run(ask(lambda: host.plan("content", channel="moodl")))


def test_a_configuration_that_may_not_run_is_among_the_ended(host, installation, shelf, canvas, configured):
    shelf.fill(1)
    installation.configurations.mark_needs_reconnect(configured.uuid, "the token is refused")

    async def script():
        async with host:
            return await host.plan("content"), await host.transmit("content")

    (plan,), (ended,) = asyncio.run(script())
    assert "reconnect" in str(plan.error)
    assert "reconnect" in str(ended.error)
    assert ended.summary is None
    assert not canvas.items


def test_the_guard_is_in_the_plan_and_can_be_confirmed(host, shelf, canvas, configured):
    shelf.fill(12)

    async def first():
        async with host:
            await host.transmit("content")

    asyncio.run(first())
    shelf.courses.clear()
    shelf.add("RiverU+LAST")
    shelf.load()

    async def then():
        async with host:
            (plan,) = await host.plan("content")
            (stopped,) = await host.transmit("content")
            (done,) = await host.transmit("content", confirm_retire=12)
        return plan, stopped, done

    plan, stopped, done = asyncio.run(then())
    assert plan.guard is not None
    assert stopped.exit_status == 4
    assert done.summary.as_dict()["retired"] == 12


def test_a_database_that_is_missing_is_said_at_once(tmp_path):
    settings = Settings.load(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(DatabaseError), cw.Host(settings):
        pass


def test_a_cancelled_run_ends_what_is_under_way(host, shelf, canvas, configured):
    shelf.fill(60)
    canvas.misbehave.append(Misbehaviour("slow answer", times=None, seconds=0.05))

    async def script():
        async with host:
            task = asyncio.create_task(host.transmit("content"))
            while not canvas.items:  # noqa: ASYNC110 - the simulator runs in a thread of its own
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            held = len(canvas.items)
            (rest,) = await host.transmit("content")
            return held, rest.summary.as_dict()

    held, rest = asyncio.run(script())
    assert rest["created"] == 60 - held
    assert len(canvas.items) == 60


def test_learner_changed_sends_what_differs(host, installation, sap):
    load_bundle(installation.engine, sample_bundle())
    channel = installation.channels.get("SAP").channel

    async def script():
        async with host:
            for customer in await host.installation.source.customers():
                host.configurations.add(
                    channel, customer.uuid, sap.sample_config(), active=True, actor="test"
                )
            everybody = [
                (facts.learner.username, facts.course.run_key)
                for customer in await host.installation.source.customers()
                async for page in host.installation.source.enrollments(customer.uuid)
                for facts in page
                if facts.grade and facts.grade.passed
            ]
            jobs = [uuid for about in everybody for uuid in await host.learner_changed(*about)]
            ended = await host.wait(jobs)
            again = await host.wait(await host.learner_changed(*everybody[0]))
            nobody = await host.learner_changed("nobody-at-all", "course-v1:X+Y+Z")
        return ended, again, nobody

    ended, again, nobody = asyncio.run(script())
    assert {each.job.actor for each in ended} == {"event"}
    created = sum(each.summary.as_dict()["created"] for each in ended)
    assert created == len(sap.completions) > 0
    assert all(each.summary.as_dict()["created"] == 0 for each in again)
    assert nobody == []


def test_a_script_needs_neither_fastapi_nor_its_friends():
    """Imported only by what serves: a script must work without the extra."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('fastapi', 'starlette', 'jinja2', 'argon2', 'limits',"
        " 'apscheduler', 'uvicorn', 'prometheus_client', 'standardwebhooks')))\n"
        "import coursewire as cw\n"
        "host = cw.Host\n"
        "try:\n"
        "    from coursewire.host import _extra\n"
        "    with _extra():\n"
        "        from coursewire.service.app import create_app\n"
        "except cw.Host.__init__.__globals__['SetupError'] as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert "pip install 'coursewire[service]'" in done.stdout, done.stderr


@pytest.fixture
def mounted(host, installation):
    """A platform's own application that mounts the service below a prefix."""
    Accounts(installation.engine).add(
        "ada@example.com", SecretStr(PASSWORD), [RoleAssignment(Role.ADMINISTRATOR, "")]
    )

    @asynccontextmanager
    async def lifespan(_app):
        async with host, host.serving():
            yield

    async def learner_of(request: Request) -> str:
        return request.headers.get("x-platform-user", "")

    platform = FastAPI(lifespan=lifespan)
    platform.mount("/links/lms", host.asgi(learner_of=learner_of))
    with TestClient(platform, raise_server_exceptions=False) as client:
        yield client


def sign_in(client):
    return client.post(
        "/links/lms/console/sign-in",
        data={"name": "ada@example.com", "password": PASSWORD, "next": "/jobs?after=x"},
        follow_redirects=False,
    )


def test_below_a_prefix_every_link_stays_below_it(mounted, configured):
    asked = mounted.get("/links/lms/console/configurations?a=b", follow_redirects=False)
    assert asked.headers["location"] == "/links/lms/console/sign-in?next=%2Fconfigurations%3Fa%3Db"
    begun = sign_in(mounted)
    assert begun.headers["location"] == "/links/lms/console/jobs?after=x"
    assert "; Path=/links/lms;" in begun.headers["set-cookie"]
    assert mounted.get("/links/lms/", follow_redirects=False).headers["location"] == "/links/lms/console/"
    seen = set()
    queue = ["/links/lms/console/"]
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        page = mounted.get(path)
        assert page.status_code == 200, (path, page.text[:300])
        if "text/html" not in page.headers["content-type"]:
            continue
        found = [
            part.split('"')[0].replace("&amp;", "&")
            for mark in (' href="', ' src="', ' action="')
            for part in page.text.split(mark)[1:]
        ]
        local = [each for each in found if not each.startswith(("http", "#"))]
        assert local
        assert [each for each in local if not each.startswith("/links/lms/")] == []
        if len(seen) < 40:
            posts = {part.split('"')[0] for part in page.text.split(' action="')[1:]}
            queue += [each for each in local if each not in posts and "/plan/" not in each]
    assert f"/links/lms/console/configurations/{configured.uuid}" in seen
    assert any("/static/" in path for path in seen)
    current = mounted.get("/links/lms/console/jobs").text
    assert 'href="/links/lms/console/jobs" aria-current="page"' in current


def test_below_a_prefix_the_api_works_and_jobs_run(mounted, host, shelf, configured, token):
    shelf.fill(2)
    headers = token("operator")
    started = mounted.post(
        "/links/lms/api/v1/jobs",
        json={"kind": "content", "configuration": str(configured.uuid)},
        headers=headers,
    )
    assert started.status_code == 202, started.text
    uuid = started.json()["uuid"]
    for _ in range(500):
        found = mounted.get(f"/links/lms/api/v1/jobs/{uuid}", headers=headers).json()
        if found["state"] == "finished":
            break
    assert found["summary"]["created"] == 2
    document = mounted.get("/links/lms/api/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/links/lms"}]
    assert (
        'coursewire_jobs_total{kind="content",state="finished"} 1.0'
        in mounted.get("/links/lms/metrics", headers=token("viewer")).text
    )


def test_below_a_prefix_problems_are_pages_and_sign_out_works(mounted, configured):
    sign_in(mounted)
    missing = mounted.get("/links/lms/console/jobs/1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e9999")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")
    out = mounted.post("/links/lms/console/sign-out", follow_redirects=False)
    assert "Path=/links/lms;" in out.headers["set-cookie"]
    assert mounted.get("/links/lms/console/", follow_redirects=False).status_code == 303


def test_access_by_an_administrator_comes_back_below_the_prefix(mounted, configured):
    sign_in(mounted)
    page = mounted.get(f"/links/lms/console/configurations/{configured.uuid}").text
    proof = page.split('name="csrf" value="')[1].split('"')[0]
    asked = mounted.post(f"/links/lms/console/configurations/{configured.uuid}/connect", data={"csrf": proof})
    assert "http://testserver/links/lms/console/connected" in asked.text
