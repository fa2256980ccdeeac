"""Moodle through core's real jobs: a bundle from load to grades, and results that are raised or taken away.

The large bundle is used where it is found; COURSEWIRE_TEST_BUNDLE names it.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from pathlib import Path

import pytest

from coursewire.configurations.secrets import new_key
from coursewire.installation import Installation
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.settings import Settings
from coursewire.sources.database.load import load_bundle
from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database
from coursewire_moodle.client import CREATE
from coursewire_moodle.outcomes import GRADE
from coursewire_moodle.simulator import MoodleSimulator

from .conftest import calls

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]

LARGE = Path(
    os.environ.get("COURSEWIRE_TEST_BUNDLE", Path(__file__).parents[4] / "shared" / "data" / "edx-2020")
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def installation(tmp_path, engine):
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
    )
    made = Installation(settings)
    yield made
    made.close()


@pytest.fixture
def bundle():
    if not LARGE.is_dir():
        pytest.skip(f"there is no bundle at {LARGE}; name one in COURSEWIRE_TEST_BUNDLE to run this")
    return LARGE


def lines(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines() if line]


def run(*jobs):
    ended = list(asyncio.run(InlineRunner().run(jobs)))
    assert [each.error for each in ended] == [None] * len(jobs)
    return [each.summary for each in ended]


def everything(summary):
    parts = (summary.done, summary.skipped, summary.failed, summary.waiting)
    return summary.unchanged + sum(part.total() for part in parts)


@pytest.fixture
def configured(installation):
    """Add an active configuration for a simulator."""

    def add(moodle, customer, **fields):
        channel = installation.channels.get("MOODLE").channel
        given = {**moodle.sample_config(), **fields}
        return installation.configurations.add(channel, customer, given, active=True, actor="test")

    return add


def test_a_large_bundle_arrives_and_its_counts_add_up(installation, bundle, configured, tmp_path):
    load_bundle(installation.engine, bundle)
    runs = {one["key"]: item["key"] for item in lines(bundle, "content") for one in item["course_runs"]}
    percents = {(row["username"], row["course_id"]): row["percent"] for row in lines(bundle, "grades")}
    certified = {(row["username"], row["course_id"]) for row in lines(bundle, "certificates")}
    counted = 0
    for customer in lines(bundle, "customers"):
        uuid = customer["uuid"]
        catalogs = (row["content_keys"] for row in lines(bundle, "catalogs") if row["customer"] == uuid)
        keys = {key for listed in catalogs for key in listed}
        learners = {
            row["username"]: row["email"] for row in lines(bundle, "learners") if row["customer"] == uuid
        }
        mine = [row for row in lines(bundle, "enrollments") if row["customer"] == uuid]
        with MoodleSimulator().running() as moodle:
            stored = configured(moodle, uuid)

            (content,) = run(ContentJob(installation, stored))
            assert set(moodle.items) == keys
            assert content.done == {"created": len(keys)}
            assert set(moodle.arrivals.values()) == {1}
            assert calls(moodle).count(CREATE) == math.ceil(len(keys) / 25)

            told = {}
            for row in mine:
                course, email = runs.get(row["course_id"]), learners.get(row["username"])
                if course in moodle.items and email:
                    moodle.enroll(course, email)
                    told[f"{course} {email}"] = (row["username"], row["course_id"])
            (results,) = run(OutcomeJob(installation, stored, Kind.COMPLETIONS))
            assert everything(results) == len(mine)
            assert not results.failed
            assert results.done.total() == len(moodle.outcomes) > 20
            for key, points in moodle.outcomes.items():
                assert points == pytest.approx(percents[told[key]] * 100, abs=0.0001)
            counted += everything(results)

            moodle.seen.clear()
            again = run(ContentJob(installation, stored), OutcomeJob(installation, stored, Kind.COMPLETIONS))
            assert [each.unchanged for each in again] == [len(keys), len(moodle.outcomes)]
            assert not moodle.seen

            # One grade rises at the source: exactly that one goes out again.
            key = min(key for key in moodle.outcomes if told[key] not in certified)
            username, course_run = told[key]
            (row,) = (
                row
                for row in lines(bundle, "grades")
                if (row["username"], row["course_id"]) == (username, course_run)
            )
            changed = tmp_path / uuid
            changed.mkdir()
            (changed / "grades.jsonl").write_text(json.dumps({**row, "percent": 0.9731}))
            load_bundle(installation.engine, changed)
            (third,) = run(OutcomeJob(installation, stored, Kind.COMPLETIONS))
            assert third.done == {"updated": 1}
            assert moodle.outcomes[key] == pytest.approx(97.31)
            assert calls(moodle).count(GRADE) == 1
    assert counted == len(lines(bundle, "enrollments"))
