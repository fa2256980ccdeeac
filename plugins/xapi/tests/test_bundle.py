"""The bundle of 974 courses and 747 enrollments, where it is: every count adds up, and so does what arrived."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from coursewire.model.kinds import Kind
from coursewire.sources.database import load_bundle
from coursewire_xapi.outcomes import COMPLETED, REGISTERED


@pytest.fixture(scope="module")
def bundle() -> Path:
    beside = Path(__file__).resolve().parents[4]
    named = os.environ.get("COURSEWIRE_TEST_BUNDLE")
    for folder in (
        [Path(named)] if named else [beside / "shared/data/edx-2020", beside.parent / "shared/data/edx-2020"]
    ):
        if (folder / "enrollments.jsonl").exists():
            return folder
    pytest.skip("the bundle is not here; COURSEWIRE_TEST_BUNDLE names its folder")


def lines(bundle: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (bundle / f"{name}.jsonl").read_text().splitlines()]


def everything(summary) -> int:
    counted = (summary.done, summary.skipped, summary.failed, summary.waiting)
    return summary.unchanged + sum(counts.total() for counts in counted)


def test_every_enrollment_is_sent_or_has_a_reason(world, store, bundle):
    load_bundle(world.installation.engine, bundle)
    customers = [each for each in lines(bundle, "customers") if each.get("active", True)]
    enrollments = Counter(each["customer"] for each in lines(bundle, "enrollments"))
    sent = Counter()
    for customer in customers:
        config = {**store.sample_config(), "site_domain": "courses.example.org"}
        uuid = world.configure(config, customer=customer["uuid"])
        for kind in (Kind.ENROLLMENTS, Kind.COMPLETIONS):
            summary = world.run(uuid, kind)
            assert everything(summary) == enrollments[customer["uuid"]]
            assert (summary.failed.total(), summary.exit_status) == (0, 0)
            sent[kind] += summary.done.total()
            again = world.run(uuid, kind)
            assert (again.unchanged, again.requests) == (summary.done.total(), 0)
    verbs = Counter(each["verb"]["id"] for each in store.standing)
    assert verbs == {REGISTERED: sent[Kind.ENROLLMENTS], COMPLETED: sent[Kind.COMPLETIONS]}
    assert sent[Kind.ENROLLMENTS] > sent[Kind.COMPLETIONS] > 0
    assert max(store.arrivals.values()) == 1
    languages = {tag for each in store.standing for tag in each["object"]["definition"]["name"]}
    assert len(languages) > 3
