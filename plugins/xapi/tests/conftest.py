"""An installation with the xAPI channel, a small bundle, and the stores that it is tried on."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from coursewire.configurations.secrets import new_key
from coursewire.installation import Installation
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Completion, EnrollmentReport
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.summary import Summary
from coursewire.pipeline.transmit.run import Stop
from coursewire.plugins.loading import load_channel_object
from coursewire.plugins.registry import Registry
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle
from coursewire.storage.database.schema import migrate
from coursewire.storage.tables.records import outcome_record
from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database
from coursewire_xapi import plugin
from coursewire_xapi.config import XapiConfig
from coursewire_xapi.simulator import XapiSimulator

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
COURSE = "FarmU+SOIL101"
RUN = "course-v1:FarmU+SOIL101+2026_T1"
PASSED = "2026-03-02T09:15:00Z"
JOINED = "2026-01-12T08:30:00Z"
COURSE_FIELDS = {
    "key": COURSE,
    "uuid": "6f0e5b8e-6b6b-4b53-9f0a-2f6a6f0f4c11",
    "content_type": "course",
    "title": "Soil Health Basics",
    "short_description": "How soil lives and how to keep it alive.",
    "enrollment_url": f"https://learn.example.org/courses/{RUN}/about",
    "course_runs": [{"key": RUN, "content_language": "en", "pacing_type": "self_paced"}],
}


def _stores() -> Any:
    """The module beside this one; test folders are no packages."""
    name = "coursewire_xapi_real_stores"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("real_stores.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def ralph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with _stores().ralph(tmp_path_factory.mktemp("ralph")) as store:
        yield store


@pytest.fixture(scope="session")
def learning_locker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with _stores().learning_locker(tmp_path_factory.mktemp("learning-locker")) as store:
        yield store


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **kwargs: float) -> None:
        self.now += timedelta(**kwargs)


@dataclass
class World:
    """An installation, and the lines that its source holds."""

    installation: Installation
    clock: FakeClock
    folder: Path
    files: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def load(self, **files: list[dict[str, Any]]) -> None:
        """Load lines; those that were loaded before under the same key are replaced."""
        self.folder.mkdir(exist_ok=True)
        for name, lines in files.items():
            kept = self.files.setdefault(name, {})
            parts = ("uuid",) if name == "customers" else ("key", "username", "customer", "course_id")
            kept.update({"|".join(str(line.get(part)) for part in parts): line for line in lines})
            text = "".join(json.dumps(line) + "\n" for line in kept.values())
            (self.folder / f"{name}.jsonl").write_text(text)
        report = load_bundle(self.installation.engine, self.folder)
        assert not report.problems, report.problems

    def learner(self, name: str = "ada", **fields: Any) -> None:
        line = {
            "username": name,
            "customer": ACME,
            "email": f"{name}@example.com",
            "active": True,
            "linked": True,
            "remote_ids": {"saml-acme": f"E-{name}"},
        }
        self.load(learners=[line | fields])

    def enrollment(self, name: str = "ada", **fields: Any) -> None:
        line = {
            "username": name,
            "customer": ACME,
            "course_id": RUN,
            "mode": "verified",
            "is_active": True,
            "consent_granted": True,
            "created": JOINED,
        }
        self.load(enrollments=[line | fields])

    def grade(self, name: str = "ada", percent: float | None = 0.87, **fields: Any) -> None:
        line = {
            "username": name,
            "course_id": RUN,
            "percent": percent,
            "passed": True,
            "passed_timestamp": PASSED,
        }
        self.load(grades=[line | fields])

    def student(self, name: str = "ada", percent: float | None = 0.87) -> None:
        """A learner who has joined and passed."""
        self.learner(name)
        self.enrollment(name)
        self.grade(name, percent)

    def students(self, count: int) -> list[str]:
        names = [f"s{number:03}" for number in range(count)]
        lines = {"customer": ACME, "active": True, "linked": True}
        enrolled = {"customer": ACME, "course_id": RUN, "mode": "verified", "is_active": True}
        self.load(
            learners=[
                {
                    **lines,
                    "username": name,
                    "email": f"{name}@example.com",
                    "remote_ids": {"saml-acme": f"E-{name}"},
                }
                for name in names
            ],
            enrollments=[
                {**enrolled, "username": name, "consent_granted": True, "created": JOINED} for name in names
            ],
            grades=[
                {
                    "username": name,
                    "course_id": RUN,
                    "percent": 0.8,
                    "passed": True,
                    "passed_timestamp": PASSED,
                }
                for name in names
            ],
        )
        return names

    def configure(self, fields: dict[str, Any], customer: str = ACME, **more: Any) -> UUID:
        made = self.installation.configurations.add(
            plugin.CHANNEL, customer, {**fields, **more}, active=True, actor="test"
        )
        return made.uuid

    def run(self, uuid: UUID, kind: Kind, **options: Any) -> Summary:
        stored = self.installation.configurations.get(uuid)
        return asyncio.run(OutcomeJob(self.installation, stored, kind, **options).run(Stop()))

    def completions(self, uuid: UUID, **options: Any) -> Summary:
        return self.run(uuid, Kind.COMPLETIONS, **options)

    def enrollments(self, uuid: UUID, **options: Any) -> Summary:
        return self.run(uuid, Kind.ENROLLMENTS, **options)

    def check(self, uuid: UUID) -> list[str]:
        loaded = self.installation.channels.get("XAPI")
        config = self.installation.configurations.load(uuid, loaded.channel)

        async def ask() -> list[str]:
            async with self.installation.session(loaded, config, uuid) as session:
                return await loaded.hook_caller.check_connection(session)

        return asyncio.run(ask())

    def rows(self) -> list[dict[str, Any]]:
        with self.installation.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(outcome_record))]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("COURSEWIRE_SECRET_KEY", new_key())
    clock = FakeClock()
    settings = Settings.load(
        data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'coursewire.db'}", allow_insecure_urls=True
    )
    from coursewire.storage.database.engine import open_engine

    engine = open_engine(settings.database_url)
    migrate(engine)
    engine.dispose()
    made = World(Installation(settings, clock=clock), clock, tmp_path / "bundle")
    loaded = load_channel_object(plugin, name="xapi", distribution="coursewire-xapi", version="0.1.0")
    made.installation.__dict__["channels"] = Registry([], [loaded])
    customer = {
        "name": "Acme",
        "enable_data_sharing_consent": True,
        "identity_providers": [{"provider_id": "saml-acme", "default": True}],
    }
    made.load(customers=[{**customer, "uuid": ACME}, {**customer, "uuid": OTHER}], content=[COURSE_FIELDS])
    yield made
    made.installation.close()


@pytest.fixture
def store() -> Iterator[XapiSimulator]:
    """The simulated store."""
    simulator = XapiSimulator()
    with simulator.running():
        yield simulator


@pytest.fixture
def config_of() -> Any:
    """Makes a configuration; plain http is allowed."""

    def make(**fields: Any) -> XapiConfig:
        given = {
            "endpoint": "https://lrs.example.com/xAPI",
            "key": "k",
            "secret": "a secret",
            "site_domain": "learn.example.org",
            "account_home_page": "https://idp.acme.example",
        }
        return XapiConfig.model_validate(given | fields)

    return make


_COMMON = {
    "enrollment_id": "e1",
    "username": "ada",
    "email": "ada@example.com",
    "remote_id": "E-4417",
    "remote_id_origin": "only-provider",
    "course_key": COURSE,
    "course_run_key": RUN,
    "content_key": COURSE,
    "course": {
        "title": "Soil Health Basics",
        "description": "How soil lives and how to keep it alive.",
        "language": "en",
        "uuid": "6f0e5b8e-6b6b-4b53-9f0a-2f6a6f0f4c11",
        "url": f"https://learn.example.org/courses/{RUN}/about",
    },
}


@pytest.fixture
def completion() -> Any:
    """Makes a completion."""

    def make(**fields: Any) -> Completion:
        given = {"verdict": "Pass", "complete": True, "completed_at": PASSED, "percent": "0.87"}
        return Completion.model_validate(_COMMON | given | fields)

    return make


@pytest.fixture
def report() -> Any:
    """Makes the report of an enrollment."""

    def make(**fields: Any) -> EnrollmentReport:
        given = {"mode": "verified", "active": True, "enrolled_at": JOINED}
        return EnrollmentReport.model_validate(_COMMON | given | fields)

    return make
