"""A large bundle at the portal: every course is listed, every result told, once; and the counts add up."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.sources.database.load import load_bundle
from coursewire_cornerstone.simulator import CornerstoneSimulator

from .conftest import World

LARGE = Path(
    os.environ.get("COURSEWIRE_TEST_BUNDLE", Path(__file__).parents[4] / "shared" / "data" / "edx-2020")
)


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (LARGE / f"{name}.jsonl").read_text("utf-8").splitlines() if line]


def everything(summary: Any) -> int:
    parts = (summary.done, summary.skipped, summary.failed, summary.waiting)
    return int(summary.unchanged + sum(part.total() for part in parts))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_large_bundle(world: World, now: Any) -> None:
    if not LARGE.is_dir():
        pytest.skip(f"there is no bundle at {LARGE}; name one in COURSEWIRE_TEST_BUNDLE to run this")
    load_bundle(world.engine, LARGE)
    held = {each["uuid"]: each["content_keys"] for each in lines("catalogs")}
    catalogs = {each["uuid"]: each["customer"] for each in lines("catalogs")}
    wanted = Counter(dict.fromkeys(catalogs.values(), 0))
    for customer in wanted:
        wanted[customer] = len(
            {key for uuid, keys in held.items() if catalogs[uuid] == customer for key in keys}
        )
    customers = [each["uuid"] for each in lines("customers") if each["active"]]
    channel = world.installation.channels.get("CSOD").channel
    told = 0
    enrollments = Counter(each["customer"] for each in lines("enrollments"))

    def run(job: Any) -> Any:
        (ended,) = asyncio.run(InlineRunner().run([job]))
        assert ended.error is None
        return ended.summary

    for customer in customers:
        portal = CornerstoneSimulator(clock=now)
        with portal.running():
            configuration = world.installation.configurations.add(
                channel, customer, portal.sample_config(), active=True, actor="test"
            )
            offered = run(ContentJob(world.installation, configuration))
            assert everything(offered) == wanted[customer]
            asyncio.run(portal.fetch(world.inbound.call, customer))
            assert portal.refused == []
            assert len(portal.items) == offered.done["offered"] == offered.done.total()
            assert set(portal.arrivals.values()) <= {1}
            again = run(ContentJob(world.installation, configuration))
            assert again.unchanged == offered.done["offered"]
            results = run(OutcomeJob(world.installation, configuration, Kind.COMPLETIONS))
            assert everything(results) == enrollments[customer]
            assert len(portal.outcomes) == results.done["created"] == results.done.total()
            assert not results.failed
            told += len(portal.outcomes)
            repeated = run(OutcomeJob(world.installation, configuration, Kind.COMPLETIONS))
            assert repeated.unchanged == results.done["created"]
    assert told > 100
