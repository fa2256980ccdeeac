"""One learner in one course at the LMS, through the jobs of the channels and their simulators."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coursewire.configurations.secrets import new_key
from coursewire.installation import Installation
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.pipeline.summary import Summary
from coursewire.settings import Settings
from coursewire.sources.database.load import load_bundle
from coursewire.testing.simulator import Simulator
from coursewire_blackboard.simulator import BlackboardSimulator
from coursewire_canvas.simulator import CanvasSimulator
from coursewire_degreed.v2.simulator import Degreed2Simulator
from coursewire_moodle.simulator.site import MoodleSimulator
from coursewire_sap.simulator import SapSimulator

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
COURSE = "RiverU+KNOTS"
ADA = "ada@example.com"
R1, R2 = (f"course-v1:RiverU+KNOTS+R{number}" for number in (1, 2))

SIMULATORS = [BlackboardSimulator, CanvasSimulator, Degreed2Simulator, MoodleSimulator, SapSimulator]
GRADEBOOKS = [BlackboardSimulator, CanvasSimulator, MoodleSimulator]


class World:
    """One customer, one course with two runs, one learner, and an LMS."""

    def __init__(self, folder: Path, database_url: str, lms: Simulator) -> None:
        settings = Settings.load(
            data_dir=folder, database_url=database_url, secret_key=new_key(), allow_insecure_urls=True
        )
        self.lms = lms
        self.installation = Installation(settings)
        self._folder = folder / "bundle"
        self._folder.mkdir()
        self._grades: dict[str, dict[str, Any]] = {}
        channel = self.installation.channels.get(lms.code).channel
        fields = {**lms.sample_config(), "learner_id": "email"}
        self._load(
            customers=[{"uuid": CUSTOMER, "name": "Example"}],
            catalogs=[
                {"uuid": CUSTOMER.replace("1fb", "2fb"), "customer": CUSTOMER, "content_keys": [COURSE]}
            ],
            content=[
                {
                    "content_type": "course",
                    "key": COURSE,
                    "title": "Knots",
                    "full_description": "<p>Knots.</p>",
                    "enrollment_url": "https://portal.example.com/knots",
                    "course_runs": [{"key": key, "pacing_type": "self_paced"} for key in (R1, R2)],
                }
            ],
            learners=[
                {"username": "ada", "customer": CUSTOMER, "email": ADA, "active": True, "linked": True}
            ],
        )
        self.configuration = self.installation.configurations.add(
            channel, CUSTOMER, fields, active=True, actor="test"
        )
        self._run(ContentJob(self.installation, self.configuration))
        if lms.enroll is not None:
            lms.enroll(COURSE, ADA)

    def _load(self, **files: list[dict[str, Any]]) -> None:
        for name, lines in files.items():
            (self._folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert not load_bundle(self.installation.engine, self._folder).problems

    def _run(self, job: Any) -> Summary:
        (ended,) = asyncio.run(InlineRunner().run([job]))
        assert ended.summary is not None, ended.error
        return ended.summary

    def grade(self, run: str, percent: float, **fields: Any) -> None:
        """Let the learner have this grade in a run; 0.5 is passing."""
        passed = {"passed": percent >= 0.5, "passed_timestamp": "2026-02-10T09:15:00Z"}
        self._grades[run] = {"username": "ada", "course_id": run, "percent": percent, **passed, **fields}
        enrolled = [
            {
                "username": "ada",
                "customer": CUSTOMER,
                "course_id": key,
                "mode": "verified",
                "is_active": True,
                "consent_granted": True,
            }
            for key in self._grades
        ]
        self._load(enrollments=enrolled, grades=list(self._grades.values()))

    def send(self, kind: Kind = Kind.COMPLETIONS) -> Summary:
        return self._run(OutcomeJob(self.installation, self.configuration, kind))

    @property
    def score(self) -> float:
        """The score that the gradebook shows."""
        if isinstance(self.lms, CanvasSimulator):
            found = self.lms.gradebook.grade_of(COURSE, ADA)
        elif isinstance(self.lms, BlackboardSimulator):
            found = self.lms.gradebook.score(COURSE, "edx_final_grade", ADA)
        else:
            found = self.lms.outcomes[f"{COURSE} {ADA}"]
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path: Path, engine: Any) -> Iterator[Callable[[type[Simulator]], World]]:
    running: list[Any] = []

    def make(simulator: type[Simulator]) -> World:
        lms = simulator()
        context = lms.running()
        context.__enter__()
        made = World(tmp_path, engine.url.render_as_string(hide_password=False), lms)
        running.append((context, made))
        return made

    yield make
    for context, made in running:
        made.installation.close()
        context.__exit__(None, None, None)


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_a_later_lower_result_is_covered_and_nothing_is_sent(world, simulator):
    one = world(simulator)
    one.grade(R1, 0.95)
    first = one.send()
    assert (first.done["created"], first.failed) == (1, {})
    arrivals = dict(one.lms.arrivals)
    one.grade(R2, 0.61)
    for _ in range(2):
        again = one.send()
        assert (dict(again.skipped), again.unchanged, again.exit_status) == ({"covered": 1}, 1, 0)
    assert dict(one.lms.arrivals) == arrivals


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_in_one_batch_only_the_better_is_sent(world, simulator):
    one = world(simulator)
    one.grade(R1, 0.61)
    one.grade(R2, 0.95)
    summary = one.send()
    assert (summary.done["created"], dict(summary.skipped), summary.failed) == (1, {"covered": 1}, {})


@pytest.mark.parametrize("simulator", GRADEBOOKS)
def test_the_better_of_another_run_is_never_taken_for_an_instructors_change(world, simulator):
    one = world(simulator)
    for run, percent, shown in [
        (R1, 0.61, 61),
        (R2, 0.95, 95),
        (R1, 0.97, 97),
        (R1, 0.7, 95),
        (R2, 0.66, 70),
    ]:
        one.grade(run, percent)
        assert one.send().failed == {}
        assert one.score == shown


@pytest.mark.parametrize("simulator", GRADEBOOKS)
def test_when_the_better_is_revoked_the_next_best_is_told(world, simulator):
    one = world(simulator)
    one.grade(R1, 0.95)
    one.send()
    one.grade(R2, 0.61)
    one.send()
    one.grade(R1, 0.2)
    assert one.send().failed == {}
    assert one.score == 61


@pytest.mark.parametrize("simulator", [BlackboardSimulator, CanvasSimulator])
def test_what_an_instructor_changed_after_us_stays(world, simulator):
    one = world(simulator)
    one.grade(R1, 0.61)
    one.send()
    if isinstance(one.lms, CanvasSimulator):
        one.lms.gradebook.change_grade(COURSE, ADA, 80)
    else:
        for cell in one.lms.gradebook.grades.values():
            cell["score"] = 80.0
    one.grade(R2, 0.95)
    assert dict(one.send().failed) == {"instructor-changed-it": 1}


@pytest.mark.parametrize("simulator", [BlackboardSimulator, CanvasSimulator])
def test_bonus_points_and_artefacts(world, simulator):
    one = world(simulator)
    quiz = {"subsection_id": "b2", "subsection_name": "Bonus", "points_possible": 10, "attempted": True}
    one.grade(R1, 1.0000000000000002, subsections=[quiz | {"points_earned": 11}])
    assert one.send().done["created"] == 1
    assert one.score == 100
    summary = one.send(Kind.ASSESSMENTS)
    assert (summary.done["created"], summary.failed) == (1, {})
    if isinstance(one.lms, CanvasSimulator):
        assert one.lms.gradebook.grade_of("b2", ADA) == 11
    else:
        assert one.lms.gradebook.score(COURSE, "b2", ADA) == 11
