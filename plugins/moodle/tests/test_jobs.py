"""Moodle through core's real jobs: a bundle from load to grades, and results that are raised or taken away.

The large bundle is used where it is found; COURSEWIRE_TEST_BUNDLE names it.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from datetime import UTC, datetime, timedelta
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
from coursewire.sources.sample import sample_bundle
from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database
from coursewire.testing.misbehave import Misbehaviour
from coursewire_moodle.client import CREATE, FIND
from coursewire_moodle.outcomes import GRADE
from coursewire_moodle.simulator import MoodleSimulator
from coursewire_moodle.simulator.releases import MOODLE_4_5, MOODLE_5_0, RELEASES

from .conftest import calls

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]

LARGE = Path(
    os.environ.get("COURSEWIRE_TEST_BUNDLE", Path(__file__).parents[4] / "shared" / "data" / "edx-2020")
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def clock():
    """The time of the installation and of the simulators, which tests move on."""

    class Clock:
        now = datetime(2026, 3, 1, 9, tzinfo=UTC)

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def installation(tmp_path, engine, clock):
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
    )
    made = Installation(settings, clock=clock)
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


@pytest.mark.parametrize("release", [MOODLE_4_5.full, MOODLE_5_0.full])
def test_a_large_bundle_arrives_and_its_counts_add_up(installation, bundle, configured, tmp_path, release):
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
        with MoodleSimulator(release=release).running() as moodle:
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


def simulated(release, clock):
    return MoodleSimulator(release=release, clock=clock).running()


@pytest.mark.parametrize("release", [release.full for release in RELEASES])
@pytest.mark.parametrize("strategy", ["hide", "delete"])
def test_the_sample_bundle_lives_at_every_release(installation, configured, clock, release, strategy):
    load_bundle(installation.engine, sample_bundle())
    (customer, *_) = lines(sample_bundle(), "customers")
    with simulated(release, clock) as moodle:
        stored = configured(moodle, customer["uuid"], retire_strategy=strategy)

        (made,) = run(ContentJob(installation, stored))
        assert made.done == {"created": len(moodle.items)}
        assert made.done.total() > 20
        assert not made.failed
        held = moodle.items["RiverU+BOAT101"]
        assert held["fullname"] == "How Rivers Carry Goods - via edX.org (River University)"
        assert held["startdate"] == datetime(2026, 1, 12, tzinfo=UTC).timestamp()
        moodle.seen.clear()
        (again,) = run(ContentJob(installation, stored))
        assert again.unchanged == len(moodle.items)
        assert not moodle.seen

        # What an administrator deletes by hand is made again.
        before = dict(moodle.items)
        moodle.lose("RiverU+BOAT101")
        (forced,) = run(ContentJob(installation, stored, force=True))
        assert not forced.failed
        assert moodle.items.keys() == before.keys()


@pytest.fixture
def catalogue(installation, tmp_path):
    """Load a catalogue with nothing but these courses: key to title."""
    customer = "00000000-0000-4000-8000-000000000001"

    def load(**titles):
        folder = tmp_path / f"bundle-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        link = "https://learn.example.org/enroll"
        rows = {
            "customers": [{"uuid": customer, "name": "Harbour Co", "slug": "harbour", "active": True}],
            "catalogs": [
                {"uuid": customer.replace("1", "2"), "customer": customer, "content_keys": list(titles)}
            ],
            "content": [
                {"content_type": "course", "key": key, "title": title, "enrollment_url": link}
                for key, title in titles.items()
            ],
        }
        for name, each in rows.items():
            (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in each), "utf-8")
        assert not load_bundle(installation.engine, folder).refused
        return customer

    return load


@pytest.mark.parametrize("release", [release.full for release in RELEASES])
@pytest.mark.parametrize("strategy", ["hide", "delete"])
def test_courses_that_left_come_back(installation, configured, catalogue, clock, release, strategy):
    customer = catalogue(K1="One", K2="Two")
    with simulated(release, clock) as moodle:
        stored = configured(moodle, customer, retire_strategy=strategy)
        run(ContentJob(installation, stored))

        catalogue(K1="One")
        (left,) = run(ContentJob(installation, stored, confirm_retire=1))
        assert left.done == {"retired": 1}
        assert not moodle.is_live("K2")
        catalogue(K1="One", K2="Two")
        (back,) = run(ContentJob(installation, stored))

        assert not back.failed
        assert moodle.is_live("K2")


@pytest.mark.parametrize("release", [release.full for release in RELEASES])
def test_what_an_administrator_hid_stays_hidden(installation, configured, catalogue, clock, release):
    customer = catalogue(K1="One", K2="Two")
    with simulated(release, clock) as moodle:
        stored = configured(moodle, customer)
        run(ContentJob(installation, stored))

        moodle.items["K2"]["visible"] = 0
        catalogue(K1="One", K2="Two, revised")
        (changed,) = run(ContentJob(installation, stored))

        assert changed.done == {"updated": 1}
        assert moodle.items["K2"]["fullname"].startswith("Two, revised")
        assert not moodle.is_live("K2")


@pytest.mark.parametrize("release", [release.full for release in RELEASES])
def test_a_course_whose_retirement_was_not_answered_is_shown_when_it_comes_back(
    installation, configured, catalogue, clock, release
):
    customer = catalogue(K1="One", K2="Two")
    with simulated(release, clock) as moodle:
        stored = configured(moodle, customer)
        run(ContentJob(installation, stored))
        catalogue(K1="One")
        moodle.misbehave.append(Misbehaviour("reset after accepting", path="server.php", times=None))
        (left,) = run(ContentJob(installation, stored, confirm_retire=1))
        assert not left.done
        assert not moodle.is_live("K2")

        moodle.misbehave.clear()
        clock.now += timedelta(hours=25)
        catalogue(K1="One", K2="Two")
        (back,) = run(ContentJob(installation, stored))

        assert not back.failed
        assert moodle.is_live("K2")


@pytest.mark.parametrize("release", [release.full for release in RELEASES])
def test_one_clash_does_not_keep_the_others_from_being_made(
    installation, configured, catalogue, clock, release
):
    titles = {f"O+GOOD{number}": f"Good {number}" for number in range(22)}
    customer = catalogue(**{"A+ONE": "Alpha", "a+one": "Beta", "O+TAKEN": "Taken"}, **titles)
    with simulated(release, clock) as moodle:
        stranger = moodle.courses.add("", shortname="Taken (O+TAKEN)")
        stored = configured(moodle, customer)

        (first,) = run(ContentJob(installation, stored))

        assert first.done == {"created": 23}
        assert sum(first.failed.values()) == 2
        (one,) = moodle.items.keys() - titles.keys()
        assert one in ("A+ONE", "a+one")

        # Both heal by themselves, once somebody has mended what was in the way.
        stranger["shortname"] = "renamed"
        clock.now += timedelta(hours=25)
        catalogue(**{one: "Alpha" if one == "A+ONE" else "Beta", "O+TAKEN": "Taken"}, **titles)
        (second,) = run(ContentJob(installation, stored))

        assert second.done == {"created": 1}
        assert not second.failed
        assert "O+TAKEN" in moodle.items


def test_a_catalogue_that_is_at_moodle_already_is_taken_over_with_few_calls(
    installation, configured, catalogue, clock
):
    titles = {f"K{number}": f"Course {number}" for number in range(200)}
    customer = catalogue(**titles)
    with simulated(MOODLE_5_0.full, clock) as moodle:
        for key in titles:
            moodle.courses.add(key, shortname=f"by hand {key}")
        stored = configured(moodle, customer)

        (taken,) = run(ContentJob(installation, stored))

        assert not taken.failed
        assert len(moodle.courses.held) == 200
        assert all(held["shortname"].startswith("Course") for held in moodle.items.values())
        assert calls(moodle).count(FIND) <= 4  # at most one for each call under way at the first clash
        assert len(moodle.seen) <= 20
