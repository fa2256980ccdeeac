"""What the enrollment tests share: a small world in a real database, a clock that stands, backends to install."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from coursewire.enrollment import BulkEnrollment, EnrollmentApi
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
CATALOG = "33333333-3333-4333-8333-333333333333"
OTHERS_CATALOG = "44444444-4444-4444-8444-444444444444"
NOW = datetime(2026, 5, 17, 12, 30, 15, 123456, tzinfo=UTC)


def run_key(name: str) -> str:
    return f"course-v1:FarmU+{name}+2026_T1"


SOIL = run_key("SOIL101")


def seat(slug: str, price: str = "0.00", deadline: str | None = None) -> dict[str, Any]:
    return {
        "type": slug,
        "price": price,
        "currency": "USD",
        "upgrade_deadline": deadline,
        "sku": f"SKU-{slug}",
    }


def course(name: str, *seats: dict[str, Any], **run: Any) -> dict[str, Any]:
    return {
        "key": f"FarmU+{name}",
        "content_type": "course",
        "title": f"Course {name}",
        "course_runs": [{"key": run_key(name), "title": f"Run {name}", "seats": list(seats), **run}],
    }


CONTENT = [
    course(
        "SOIL101",
        seat("audit"),
        seat("verified", "49.50", "2026-07-01T00:00:00Z"),
        start="2026-01-10T00:00:00Z",
        end="2026-12-10T00:00:00Z",
        pacing_type="self_paced",
    ),
    course("HONOR", seat("honor"), seat("verified", "49.00")),
    course("PAID", seat("verified", "49.00"), seat("professional", "199.00")),
    course("BARE"),
    course("LAPSED", seat("verified", "49.00", "2026-01-01T00:00:00Z")),
    course("LATE", seat("audit"), seat("verified", "49.00", "2026-01-01T00:00:00Z")),
    course("ENDED", seat("audit"), enrollment_end="2026-05-01T00:00:00Z"),
    course("EARLY", seat("audit"), enrollment_start="2026-06-01T00:00:00Z"),
    course("CREDIT", seat("credit", "500.00")),
]
"""``SOIL101`` is in a catalog of ACME, ``HONOR`` in one of OTHER's too; the rest is in nobody's."""

LEARNERS = [
    {"username": "ada", "email": "Ada@acme.example", "customer": ACME, "active": True, "linked": True},
    {"username": "bob", "email": "b@acme.example", "customer": ACME, "active": True, "linked": True},
    {"username": "bob", "email": "b@acme.example", "customer": OTHER, "active": True, "linked": True},
    {"username": "gone", "email": "g@acme.example", "customer": ACME, "active": False, "linked": False},
    {"username": "eve", "email": "e@other.example", "customer": OTHER, "active": True, "linked": True},
]


class StandingClock:
    """Gives the instant it was set to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)


@pytest.fixture
def load(engine, tmp_path) -> Callable[..., None]:
    """Load lines of a bundle, each of which must be sound."""

    def write(**files: list[dict[str, Any]]) -> None:
        folder = tmp_path / "bundle"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, rows in files.items():
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        report = load_bundle(engine, folder)
        assert not report.problems, report.problems

    return write


@pytest.fixture
def world(load) -> None:
    load(
        customers=[{"uuid": ACME, "name": "Acme"}, {"uuid": OTHER, "name": "Other"}],
        content=CONTENT,
        catalogs=[
            {"uuid": CATALOG, "customer": ACME, "content_keys": ["FarmU+SOIL101", "FarmU+HONOR"]},
            {"uuid": OTHERS_CATALOG, "customer": OTHER, "content_keys": ["FarmU+HONOR"]},
        ],
        learners=LEARNERS,
    )


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings.load(data_dir=tmp_path)


@pytest.fixture
def api(engine, world, settings, clock) -> EnrollmentApi:
    return EnrollmentApi(engine, settings, clock=clock)


@pytest.fixture
def notices() -> list[tuple[str, str, list[str | None]]]:
    """What learners were told: customer, course run, addresses."""
    return []


@pytest.fixture
def bulk(api, engine, clock, notices) -> BulkEnrollment:
    def notify(customer, course_run_key, entries):
        notices.append((customer, course_run_key, [entry.email for entry in entries]))

    return BulkEnrollment(api, engine, notify=notify, clock=clock)


@pytest.fixture
def install_backend(tmp_path, monkeypatch):
    """Install a distribution of one module that offers a backend; its target is a name in that module."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)

    def install(name: str, source: str, target: str = ":make") -> None:
        module = f"backend_{name}_{folder.stat().st_ino}"
        info = folder / f"{module}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0.0\n")
        (info / "entry_points.txt").write_text(f"[coursewire.enrollment_data]\n{name} = {module}{target}\n")
        if source:
            (folder / f"{module}.py").write_text(source)

    yield install
    for module in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]


@pytest.fixture
def rows(engine):
    """How many rows a table has, or those of its columns that are asked for, in order of its key."""

    def read(table, *columns):
        with engine.connect() as connection:
            if not columns:
                return connection.scalar(select(func.count()).select_from(table))
            chosen = select(*(table.c[name] for name in columns)).order_by(*table.primary_key)
            return [tuple(row) for row in connection.execute(chosen)]

    return read
