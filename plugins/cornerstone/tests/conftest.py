"""A simulated portal, an installation with a bundle that tests change, and sessions on the portal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, select

from coursewire.configurations.configuration import Configuration
from coursewire.configurations.secrets import new_key
from coursewire.http.opening import open_draft_session
from coursewire.inbound.desk import Caller, Inbound
from coursewire.installation import Installation
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.inbound import InboundAnswer
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.settings import Settings
from coursewire.sources.database.load import load_bundle
from coursewire.storage.audit.records import ContentRecord, ContentRecords, OutcomeRecords
from coursewire.storage.tables.records import outcome_record
from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database
from coursewire_cornerstone import plugin
from coursewire_cornerstone.simulator import COURSE_LIST, SAVE, CornerstoneSimulator

if TYPE_CHECKING:
    from coursewire.model.session import Session
    from coursewire.pipeline.summary import Summary

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
CATALOG = "2fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222"
NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


class Now:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)


class World:
    """One customer with its catalog and learners, our installation, and the portal."""

    def __init__(self, folder: Path, engine: Engine, portal: CornerstoneSimulator, now: Now) -> None:
        self.folder, self.engine, self.portal, self.now = folder, engine, portal, now
        settings = Settings.load(
            data_dir=folder,
            database_url=engine.url.render_as_string(hide_password=False),
            secret_key=new_key(),
            allow_insecure_urls=True,
        )
        self.installation = Installation(settings, clock=now)
        self.inbound = Inbound(self.installation)
        self.courses: dict[str, dict[str, Any]] = {}
        self.learners: list[dict[str, Any]] = []
        self.enrollments: list[dict[str, Any]] = []
        self.grades: list[dict[str, Any]] = []

    # -- the source ------------------------------------------------------------------------------

    def course(self, key: str, **changes: Any) -> str:
        run = {"key": f"course-v1:{key}+1T2026", "start": "2026-01-15T00:00:00Z", "availability": "Current"}
        self.courses[key] = {
            "content_type": "course",
            "key": key,
            "title": f"Course {key}",
            "enrollment_url": f"https://learn.example.org/enroll/{key}",
            "course_runs": [run],
            **changes,
        }
        return key

    def enroll(self, learner: str, course: str, *, mode: str = "verified", **grade: Any) -> None:
        run = f"course-v1:{course}+1T2026"
        if learner not in [each["username"] for each in self.learners]:
            self.learner(learner)
        self.enrollments = [
            each for each in self.enrollments if (each["username"], each["course_id"]) != (learner, run)
        ]
        self.enrollments.append(
            {
                "username": learner,
                "customer": CUSTOMER,
                "course_id": run,
                "mode": mode,
                "is_active": True,
                "created": "2026-01-20T08:00:00Z",
                "consent_granted": True,
            }
        )
        self.grades = [
            each for each in self.grades if (each["username"], each["course_id"]) != (learner, run)
        ]
        passed = {"passed": True, "percent": 0.9, "passed_timestamp": "2026-03-01T09:30:15.250Z"}
        self.grades.append({"username": learner, "course_id": run, **passed, **grade})

    def learner(self, name: str, *, linked: bool = True) -> None:
        self.learners.append(
            {
                "username": name,
                "email": f"{name}@example.com",
                "customer": CUSTOMER,
                "active": linked,
                "linked": linked,
                "remote_ids": {},
            }
        )

    def load(self) -> None:
        customer = {"uuid": CUSTOMER, "name": "Acme", "active": True, "enable_audit_enrollment": True}
        catalog = {"uuid": CATALOG, "customer": CUSTOMER, "title": "All", "content_keys": [*self.courses]}
        lines = {
            "customers": [{**customer, "enable_audit_data_reporting": True}],
            "catalogs": [catalog],
            "content": [*self.courses.values()],
            "learners": self.learners,
            "enrollments": self.enrollments,
            "grades": self.grades,
        }
        bundle = self.folder / "bundle"
        bundle.mkdir(exist_ok=True)
        for name, rows in lines.items():
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (bundle / f"{name}.jsonl").write_text(text, encoding="utf-8")
        report = load_bundle(self.engine, bundle)
        assert report.problems == []

    # -- our side --------------------------------------------------------------------------------

    def configure(self, portal: CornerstoneSimulator | None = None, **fields: Any) -> Configuration:
        channel = self.installation.channels.get("CSOD").channel
        given = {**(portal or self.portal).sample_config(), **fields}
        return self.installation.configurations.add(channel, CUSTOMER, given, active=True, actor="test")

    def by_callback(self, portal: CornerstoneSimulator | None = None, **fields: Any) -> Configuration:
        sample = (portal or self.portal).sample_config("callback")
        other = {"client_id": "", "client_secret": "", "learner_id": "launch", "learner_field": "userGuid"}
        return self.configure(portal, **{**other, **sample, **fields})

    def edit(self, configuration: Configuration, **fields: Any) -> None:
        channel = self.installation.channels.get("CSOD").channel
        self.installation.configurations.edit(configuration.uuid, channel, fields, actor="test")

    def run(self, job: ContentJob | OutcomeJob) -> Summary:
        (ended,) = asyncio.run(InlineRunner().run([job]))
        assert ended.error is None, ended.error
        assert ended.summary is not None
        return ended.summary

    def offer(self, configuration: Configuration, **options: Any) -> Summary:
        fresh = self.installation.configurations.get(configuration.uuid)
        return self.run(ContentJob(self.installation, fresh, **options))

    def report(self, configuration: Configuration, **options: Any) -> Summary:
        fresh = self.installation.configurations.get(configuration.uuid)
        return self.run(OutcomeJob(self.installation, fresh, Kind.COMPLETIONS, **options))

    def record(self, configuration: Configuration, key: str) -> ContentRecord:
        return ContentRecords(self.engine, configuration.uuid).fetch([key])[key]

    def outcome(self, configuration: Configuration) -> Any:
        store = OutcomeRecords(self.engine, configuration.uuid, Kind.COMPLETIONS)
        with self.engine.connect() as connection:
            keys = connection.scalars(
                select(outcome_record.c.outcome_key).where(
                    outcome_record.c.configuration == configuration.uuid
                )
            ).all()
        (found,) = store.fetch(list(keys)).values()
        return found

    # -- the portal's side -----------------------------------------------------------------------

    def get(self, *, caller: Caller | None = Caller(None), since: str = "", **query: str) -> InboundAnswer:  # noqa: B008
        headers = {"If-Modified-Since": since} if since else {}
        call = self.inbound.call("GET", COURSE_LIST, query=[*query.items()], headers=headers, caller=caller)
        return asyncio.run(call)

    def fetch(self, portal: CornerstoneSimulator | None = None) -> None:
        asyncio.run((portal or self.portal).fetch(self.inbound.call, CUSTOMER))

    def poll(self) -> list[dict[str, Any]]:
        return asyncio.run(self.portal.poll(self.inbound.call, CUSTOMER))

    def launch(self, learner: str, course: str, portal: CornerstoneSimulator | None = None) -> None:
        asyncio.run((portal or self.portal).launch(self.inbound.call, CUSTOMER, course, learner))

    def save(self, learner: str | None, course: str = "OrchardX+CS210", **changes: Any) -> InboundAnswer:
        brought = {"enterpriseUUID": CUSTOMER, "courseKey": course, **self.portal.arrive(learner or "")}
        body = json.dumps(
            {name: value for name, value in {**brought, **changes}.items() if value is not None}
        )
        caller = Caller(learner=learner) if learner else None
        return asyncio.run(self.inbound.call("POST", SAVE, body=body.encode(), caller=caller))


def replace_handler(
    portal: CornerstoneSimulator, monkeypatch: Any, method: str, path: str, make: Any
) -> None:
    """Let another handler answer a path of the portal; ``make`` is given the portal's own."""
    assert portal._runner is not None
    for route in portal._runner.app.router.routes():
        if route.resource is not None and (route.resource.canonical, route.method) == (path, method):
            monkeypatch.setattr(route, "_handler", make(route.handler))


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def portal(now: Now) -> Iterator[CornerstoneSimulator]:
    simulator = CornerstoneSimulator(clock=now)
    with simulator.running():
        yield simulator


@pytest.fixture
def world(tmp_path: Path, engine: Engine, portal: CornerstoneSimulator, now: Now) -> Iterator[World]:
    made = World(tmp_path, engine, portal, now)
    yield made
    made.installation.close()


@pytest.fixture
def connected(portal: CornerstoneSimulator, now: Now) -> Callable[..., Any]:
    """Run an async function of a session; further arguments change the configuration."""

    def run(call: Callable[[Session], Awaitable[Any]], *, transport: Any = None, **fields: Any) -> Any:
        config = plugin.CHANNEL.config.model_validate(
            {**portal.sample_config(), **fields}, context={INSECURE_URLS: True}
        )

        async def no_sleep(_seconds: float) -> None:
            await asyncio.sleep(0)

        async def in_session() -> Any:
            async with open_draft_session(
                channel=plugin.declare_channel(),
                config=config,
                authenticate=lambda tokens: plugin.authenticate(config=config, tokens=tokens),
                insecure_urls=True,
                sleep=no_sleep,
                clock=now,
                transport=transport,
            ) as session:
                return await call(session)

        return asyncio.run(in_session())

    return run
