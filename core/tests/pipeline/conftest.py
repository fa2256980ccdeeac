"""A small LMS with a channel of its own, an installation around it, and a source made of plain objects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiohttp import web
from sqlalchemy import Engine, select

from coursewire import hookimpl
from coursewire.configurations.secrets import new_key
from coursewire.errors import NotExportableError
from coursewire.installation import Installation
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Support
from coursewire.model.configuration import ChannelConfig, LmsUrl
from coursewire.model.kinds import Kind
from coursewire.model.payload import Result, ResultKind
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.summary import Summary
from coursewire.pipeline.transmit.run import Stop
from coursewire.plugins.loading import load_channel_object
from coursewire.plugins.registry import Registry
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle
from coursewire.storage.audit.records import ContentRecord, ContentRecords
from coursewire.storage.audit.states import State
from coursewire.storage.tables.records import outcome_record, transmission
from coursewire.testing.simulator import Simulator, json_response

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
COURSE = "Org+C1"
RUN = "course-v1:Org+C1+R1"


class Lms(Simulator):
    """Takes outcomes in batches and answers for each of them.

    Attributes:
        unknown: Learners whom it does not know.
        poison: Learners because of whom it refuses a whole batch.
        refused: Learners whose outcomes it refuses, alone.
        busy: Learners whose outcomes it cannot take at the moment.
    """

    code = "LMS"

    def __init__(self) -> None:
        super().__init__()
        self.unknown: set[str] = set()
        self.poison: set[str] = set()
        self.refused: set[str] = set()
        self.busy: set[str] = set()

    def routes(self):
        return [web.post("/outcomes", self._outcomes), web.put("/content", self._content)]

    async def _content(self, request: web.Request) -> web.Response:
        item = await request.json()
        self.items[item["key"]] = item
        return json_response({})

    async def _outcomes(self, request: web.Request) -> web.Response:
        items = (await request.json())["items"]
        if any(item["learner"] in self.poison for item in items):
            return json_response({"error": "the batch is refused"}, status=400)
        return json_response({"results": [self._take(item) for item in items]})

    def _take(self, item: dict[str, Any]) -> str:
        if item["learner"] in self.unknown:
            return "unknown learner"
        if item["learner"] in self.busy:
            return "busy"
        if item["learner"] in self.refused:
            return f"refused {item['learner']}"
        self.items[item["key"]] = item
        self.arrivals[item["key"]] += 1
        return "ok"


class LmsConfig(ChannelConfig):
    code = "LMS"
    base_url: LmsUrl

    @property
    def lms_url(self) -> str:
        return self.base_url


_ANSWERS = {
    "busy": Result(ResultKind.TRY_LATER, reason="busy"),
    "ok": Result(ResultKind.ACCEPTED),
    "unknown learner": Result(ResultKind.BLOCKED, reason="learner-unmatched", message="nobody of this name"),
}


class LmsChannel:
    """The channel, with whatever the test says that it can do."""

    def __init__(self, *, batch_items: int = 50, before_send: Any = None, **can: Any) -> None:
        abilities = {
            "completions": Support.FULL,
            "assessments": Support.FULL,
            "enrollments": Support.FULL,
            "in_progress": Support.FULL,
            "raise_grade": Support.FULL,
            "lower_grade": Support.FULL,
            "revoke": Support.FULL,
            "content": Support.IMPOSSIBLE,
            "outcome_idempotency": Idempotency.UPSERT,
        }
        self._capabilities = Capabilities(**(abilities | can))
        self._limits = Limits(outcome_batch_items=batch_items, concurrency=2, read_timeout_s=0.5)
        self._before_send = before_send

    @hookimpl
    def declare_channel(self) -> Channel:
        return Channel(
            code="LMS",
            title="Lms",
            requires_api=">=2.0,<3",
            config=LmsConfig,
            capabilities=self._capabilities,
            limits=self._limits,
        )

    @hookimpl
    def authenticate(self) -> httpx.Auth:
        return httpx.BasicAuth("coursewire", "secret")

    @hookimpl
    async def check_connection(self, session):
        return []

    @hookimpl
    def export_content(self, item):
        return {"key": item.content_key}

    @hookimpl
    async def send_content(self, session, batch):
        for payload in batch.payloads:
            await session.put("/content", json=payload.body)
        return [Result(ResultKind.ACCEPTED)] * len(batch)

    @hookimpl
    def export_completion(self, completion):
        if completion.email == "no-export@example.com":
            raise NotExportableError("email", "is none that this LMS takes")
        if completion.email == "fault@example.com":
            raise KeyError("a fault of the channel's author")
        return {
            "course": completion.course_key,
            "verdict": completion.verdict.value,
            "complete": completion.complete,
            "at": completion.completed_at.isoformat() if completion.completed_at else None,
            "percent": None if completion.percent is None else str(completion.percent),
        }

    @hookimpl
    def export_assessment(self, assessment):
        return {
            "course": assessment.course_key,
            "subsection": assessment.subsection_id,
            "percent": str(assessment.percent),
        }

    @hookimpl
    def export_enrollment(self, enrollment):
        return {
            "course": enrollment.course_key,
            "title": enrollment.course.title,
            "active": enrollment.active,
            "mode": enrollment.mode,
            "since": enrollment.enrolled_at.isoformat() if enrollment.enrolled_at else None,
        }

    @hookimpl
    async def send_outcomes(self, session, batch):
        if self._before_send:
            self._before_send(batch)
        items = [{"key": p.key, "learner": p.remote_key, **p.body} for p in batch.payloads]
        answer = await session.post("/outcomes", json={"items": items})
        if answer.status_code != 200:
            refused = Result(
                ResultKind.REJECTED,
                "refused",
                answer.text,
                http_status=answer.status_code,
                batch_refused=True,
            )
            return [refused] * len(batch)
        return [
            _ANSWERS.get(word) or Result(ResultKind.REJECTED, reason="refused", message=word)
            for word in answer.json()["results"]
        ]


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **kwargs: float) -> None:
        self.now += timedelta(**kwargs)


def learner(username: str, *, customer: str = ACME, **fields: Any) -> dict[str, Any]:
    """A line of learners.jsonl: linked, active, with an id at the customer's provider."""
    line = {
        "username": username,
        "customer": customer,
        "email": f"{username}@example.com",
        "active": True,
        "linked": True,
        "remote_ids": {"saml-acme": f"id-{username}"},
    }
    return line | fields


def enrollment(username: str, *, customer: str = ACME, course_id: str = RUN, **fields: Any) -> dict[str, Any]:
    """A line of enrollments.jsonl, with consent."""
    line = {
        "username": username,
        "customer": customer,
        "course_id": course_id,
        "mode": "verified",
        "is_active": True,
        "consent_granted": True,
    }
    return line | fields


def grade(
    username: str, percent: float | None = 0.8, *, course_id: str = RUN, **fields: Any
) -> dict[str, Any]:
    """A line of grades.jsonl: passed, and since when."""
    line = {
        "username": username,
        "course_id": course_id,
        "percent": percent,
        "passed": True,
        "passed_timestamp": "2026-04-10T08:00:00Z",
    }
    return line | fields


def quiz(name: str, earned: float | None, *, possible: float = 10, attempted: bool = True) -> dict[str, Any]:
    """A subsection of a line of grades.jsonl."""
    return {
        "subsection_id": name,
        "subsection_name": name.title(),
        "points_possible": possible,
        "points_earned": earned,
        "attempted": attempted,
    }


@dataclass
class World:
    """An installation with one channel, its LMS, and what was loaded."""

    installation: Installation
    lms: Lms
    clock: FakeClock
    folder: Path
    hooks: list[object] = field(default_factory=list)
    files: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        return self.installation.engine

    def install(self, channel: LmsChannel) -> None:
        loaded = load_channel_object(
            channel, name="LMS", distribution="coursewire-lms", version="1.0", operators=self.hooks
        )
        self.installation.__dict__["channels"] = Registry([], [loaded])

    def load(self, **files: list[dict[str, Any]]) -> None:
        """Load lines; those that were loaded before under the same key are replaced."""
        self.folder.mkdir(exist_ok=True)
        keys = {
            "learners": ("username", "customer"),
            "enrollments": ("username", "customer", "course_id"),
            "grades": ("username", "course_id"),
        }
        for name, lines in files.items():
            of = keys.get(name, ("uuid", "key"))
            kept = self.files.setdefault(name, {})
            kept.update({"|".join(str(line.get(part)) for part in of): line for line in lines})
            text = "".join(json.dumps(line) + "\n" for line in kept.values())
            (self.folder / f"{name}.jsonl").write_text(text)
        report = load_bundle(self.engine, self.folder)
        assert not report.problems, report.problems

    def configure(self, customer: str = ACME, **fields: Any) -> UUID:
        channel = self.installation.channels.get("LMS").channel
        made = self.installation.configurations.add(
            channel, customer, {"base_url": self.lms.url, **fields}, active=True, actor="test"
        )
        return made.uuid

    def edit(self, uuid: UUID, **fields: Any) -> None:
        channel = self.installation.channels.get("LMS").channel
        self.installation.configurations.edit(uuid, channel, fields, actor="test")

    def job(self, uuid: UUID, kind: Kind = Kind.COMPLETIONS, **options: Any) -> OutcomeJob:
        return OutcomeJob(self.installation, self.installation.configurations.get(uuid), kind, **options)

    def run(
        self, uuid: UUID, kind: Kind = Kind.COMPLETIONS, *, stop: Stop | None = None, **options: Any
    ) -> Summary:
        return asyncio.run(self.job(uuid, kind, **options).run(stop or Stop()))

    def hold(self, uuid: UUID, *keys: str, remote_key: str = "", present: bool = True) -> None:
        """Say that content is at the LMS."""
        records = [
            ContentRecord(
                configuration=uuid,
                content_key=key,
                content_type="course",
                remote_key=remote_key or key,
                state=State.CONFIRMED if present else State.RETIRED,
                present=present,
                confirmed_at=self.clock(),
            )
            for key in keys
        ]
        ContentRecords(self.engine, uuid).save(records, now=self.clock())

    def rows(self, table: Any = outcome_record) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table))]

    def row(self, username: str, **where: Any) -> dict[str, Any]:
        wanted = {"username": username, **where}
        (found,) = [row for row in self.rows() if all(row[name] == wanted[name] for name in wanted)]
        return found

    def attempts(self) -> int:
        return len(self.rows(transmission))

    @property
    def told(self) -> dict[str, dict[str, Any]]:
        """What the LMS holds, by learner's id."""
        return {item["learner"]: item for item in self.lms.items.values()}


@pytest.fixture
def lms() -> Iterator[Lms]:
    lms = Lms()
    with lms.running():
        yield lms


@pytest.fixture
def world(database_url: str, lms: Lms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An installation on an empty database, one customer with one course."""
    monkeypatch.setenv("COURSEWIRE_SECRET_KEY", new_key())
    clock = FakeClock()
    settings = Settings.load(data_dir=tmp_path, database_url=database_url, allow_insecure_urls=True)
    made = World(Installation(settings, clock=clock), lms, clock, tmp_path / "bundle")
    made.install(LmsChannel())
    made.load(
        customers=[customer(ACME), customer(OTHER)],
        content=[
            {
                "key": COURSE,
                "content_type": "course",
                "title": "One",
                "course_runs": [{"key": RUN, "pacing_type": "self_paced"}],
            }
        ],
    )
    yield made
    made.installation.close()


def customer(uuid: str, **fields: Any) -> dict[str, Any]:
    """A line of customers.jsonl that asks for consent and has one provider."""
    line = {
        "uuid": uuid,
        "name": "Acme",
        "enable_data_sharing_consent": True,
        "identity_providers": [{"provider_id": "saml-acme", "default": True}],
    }
    return line | fields


@pytest.fixture
def lines() -> SimpleNamespace:
    """What makes lines of a bundle."""
    return SimpleNamespace(
        customer=customer,
        learner=learner,
        enrollment=enrollment,
        grade=grade,
        quiz=quiz,
        ACME=ACME,
        OTHER=OTHER,
    )


@pytest.fixture
def channel_of() -> type[LmsChannel]:
    """Makes a channel with other abilities, for :meth:`World.install`."""
    return LmsChannel
