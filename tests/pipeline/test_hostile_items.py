"""Texts and addresses that would run something in a reader's browser: none of it arrives at any LMS."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from tests.conftest import CUSTOMER

from coursewire.model.kinds import Kind
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.plugins.simulators import make_simulator
from coursewire.storage.feed import Feed

CONTENT_CHANNELS = ["BLACKBOARD", "CANVAS", "CSOD", "DEGREED", "DEGREED2", "MOODLE", "SAP"]
CHANNELS = [*CONTENT_CHANNELS, "XAPI"]
MARKUP = (
    "<p onclick='steal()'>Tides</p><script>steal()</script><ScRiPt src=//evil.example></sCrIpT>"
    "<img src=x onerror=steal()><svg/onload=steal()><a href=' jav&#x09;ascript:steal()'>more</a>"
    "<iframe src='javascript:steal()'></iframe><style>@import 'javascript:x'</style><a href=JaVaScRiPt:x>y</a>"
)
RUN = "course-v1:RiverU+TIDES+R1"
HOSTILE = ("<script", "onerror=", "javascript:", "steal()", "onclick", "<iframe", "<svg")


@pytest.fixture
def lms(request):
    """The stand-in for one LMS, running."""
    installation = request.getfixturevalue("installation")
    simulator = make_simulator(installation.channels.get(request.param))
    with simulator.running():
        yield simulator


def tides(shelf, **fields):
    shelf.add("RiverU+TIDES")
    shelf.courses["RiverU+TIDES"].update(fields)
    shelf.load()


def arrived(installation, simulator, configuration):
    """Everything that the LMS was sent, or may fetch, in small letters."""
    fetched = Feed(installation.engine, configuration.uuid).bodies(["RiverU+TIDES"])
    sent = [repr(each.body) for each in simulator.seen]
    return " ".join([repr(fetched), repr(simulator.items), repr(simulator.outcomes), *sent]).lower()


@pytest.mark.parametrize("lms", CONTENT_CHANNELS, indirect=True)
@pytest.mark.parametrize("field", ["full_description", "short_description"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_descriptions_arrive_without_anything_that_runs(installation, shelf, configure, transmit, lms, field):
    tides(shelf, **{"full_description": "", "short_description": "", field: MARKUP})
    configuration = configure(lms)
    ended = transmit(configuration)
    summary = ended.summary.as_dict()
    assert summary["created"] + summary["offered"] == 1, summary
    text = arrived(installation, lms, configuration)
    assert "tides" in text
    assert [each for each in HOSTILE if each in text] == []


@pytest.mark.parametrize("lms", CONTENT_CHANNELS, indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_addresses_lead_to_the_web_or_stay_here(installation, shelf, configure, transmit, lms):
    tides(shelf, image_url=" JavaScript:steal()", card_image_url="data:text/html,steal()")
    configuration = configure(lms)
    summary = transmit(configuration).summary.as_dict()
    assert summary["created"] + summary["offered"] == 1, summary
    assert "steal" not in arrived(installation, lms, configuration)
    tides(shelf, enrollment_url="java\tscript:steal()")
    assert transmit(configuration).summary.as_dict()["skipped"] == {"not-exportable": 1}
    assert "steal" not in arrived(installation, lms, configuration)


@pytest.mark.parametrize("lms", ["XAPI"], indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_statements_describe_courses_without_anything_that_runs(installation, shelf, configure, lms):
    run = {
        "key": RUN,
        "content_type": "courserun",
        "pacing_type": "self_paced",
        "start": "2026-01-12T00:00:00Z",
    }
    about = {"username": "ada", "course_id": RUN}
    lines = {
        "learners": {
            "username": "ada",
            "customer": CUSTOMER,
            "email": "ada@example.com",
            "active": True,
            "linked": True,
        },
        "enrollments": {
            **about,
            "customer": CUSTOMER,
            "mode": "verified",
            "is_active": True,
            "consent_granted": True,
        },
        "grades": {**about, "percent": 0.9, "passed": True, "passed_timestamp": "2026-02-10T09:15:00Z"},
    }
    for name, line in lines.items():
        (shelf.folder / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
    tides(shelf, short_description=MARKUP, enrollment_url="javascript:steal()", course_runs=[run])
    configuration = configure(lms)
    job = OutcomeJob(installation, configuration, Kind.COMPLETIONS)
    (ended,) = asyncio.run(InlineRunner().run([job]))
    assert ended.summary.as_dict()["created"] == 1, ended.summary.as_dict()
    text = arrived(installation, lms, configuration)
    assert "tides" in text
    assert [each for each in HOSTILE if each in text] == []


@pytest.mark.parametrize("lms", ["DEGREED2"], indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_payloads_are_built_off_the_event_loop(installation, shelf, configure, transmit, lms, monkeypatch):
    hooks = installation.channels.get("DEGREED2").hook_caller
    build, busy = hooks.export_content, []

    def watched(*args, **options):
        with contextlib.suppress(RuntimeError):
            busy.append(asyncio.get_running_loop())
        return build(*args, **options)

    monkeypatch.setattr(hooks, "export_content", watched)
    tides(shelf)
    assert transmit(configure(lms)).summary.as_dict()["created"] == 1
    assert busy == []
