"""Why: every decision in order, with what to do next; the same that a run decides."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from coursewire.model.channel import Support
from coursewire.model.kinds import Kind
from coursewire.model.reasons import Reason
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.transmit.run import Stop
from coursewire.pipeline.why import why_content, why_outcome
from coursewire.sources.base import Answer, CatalogDiff
from coursewire.sources.database import DatabaseSource
from coursewire.testing.database import count_statements

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RUN = "course-v1:Org+C1+R1"
CATALOG = "33333333-3333-4333-8333-333333333333"


def why(world, uuid, learner="ada", course=RUN, kind=Kind.COMPLETIONS):
    with count_statements(world.engine) as statements:
        found = asyncio.run(why_outcome(world.job(uuid, kind, learner=learner, course=course)))
    assert all(text.lstrip().upper().startswith("SELECT") for text in statements.texts), "it only reads"
    orjson.dumps(found)  # plain data
    return found


def load(world, lines, **fields):
    world.load(
        learners=[lines.learner("ada")],
        enrollments=[lines.enrollment("ada")],
        grades=[lines.grade("ada", **fields)],
    )


def test_one_that_would_be_sent(world, lines):
    load(world, lines)
    (found,) = why(world, world.configure())
    steps = [decision["step"] for decision in found["decisions"]]
    assert steps == ["record", "permission", "identity", "course", "rule", "payload", "comparison"]
    assert all(decision["passed"] for decision in found["decisions"])
    assert (found["operation"], found["answer"]["reason"]) == ("create", "new")
    assert found["answer"]["text"]
    assert (found["record"], found["attempts"]) == (None, [])
    rule = found["decisions"][4]["details"]
    assert (rule["policy"], rule["verdict"], rule["date_from"]) == ("passed", "Pass", "first-passed")


def test_one_that_was_sent(world, lines):
    load(world, lines)
    uuid = world.configure()
    world.run(uuid)
    (found,) = why(world, uuid)
    assert (found["operation"], found["answer"]["reason"]) == (None, "unchanged")
    assert found["record"]["state"] == "confirmed"
    (attempt,) = found["attempts"]
    assert (attempt["operation"], attempt["result"]) == ("create", "accepted")


@pytest.mark.parametrize(
    ("change", "step", "reason"),
    [
        ({"enrollments": {"consent_granted": False}}, "permission", "consent-refused"),
        ({"learners": {"remote_ids": {}}}, "identity", "learner-unmatched"),
        ({"grades": {"passed": False}}, "rule", "not-complete"),
        ({"learners": {"email": "no-export@example.com"}}, "payload", "not-exportable"),
    ],
)
def test_the_first_closed_door_is_the_answer_and_the_run_agrees(world, lines, change, step, reason):
    load(world, lines)
    makers = {"learners": lines.learner, "enrollments": lines.enrollment, "grades": lines.grade}
    for name, fields in change.items():
        world.load(**{name: [makers[name]("ada", **fields)]})
    uuid = world.configure()
    (found,) = why(world, uuid)
    last = found["decisions"][-1]
    assert (last["step"], last["passed"], last["reason"]) == (step, False, reason)
    assert found["answer"]["reason"] == reason
    assert found["answer"]["next_step"] or not Reason(reason).info.command_step
    assert dict(world.run(uuid).skipped) == {reason: 1}
    (after,) = why(world, uuid)
    assert after["decisions"] == found["decisions"] or after["record"]["reason"] == reason


def test_what_a_person_must_know_of_a_refusal(world, lines):
    load(world, lines)
    uuid = world.configure()
    world.lms.refused.add("id-ada")
    world.run(uuid)
    (found,) = why(world, uuid)
    assert found["answer"]["reason"] == "rejected-before"
    assert found["answer"]["message"] == "refused id-ada"
    assert found["attempts"][0]["message"] == "refused id-ada"


def test_a_stranger_and_a_closed_configuration(world, lines, channel_of):
    uuid = world.configure()
    (found,) = why(world, uuid, learner="nobody")
    assert found["answer"]["reason"] == "enrollment-unknown"
    world.edit(uuid, disable_learner_data_transmissions=True)
    (found,) = why(world, uuid)
    assert (found["decisions"][0]["step"], found["answer"]["reason"]) == (
        "configuration",
        "learner-data-disabled",
    )
    world.edit(uuid, disable_learner_data_transmissions=False)
    world.install(channel_of(assessments=Support.IMPOSSIBLE))
    (found,) = why(world, uuid, kind=Kind.ASSESSMENTS)
    assert found["answer"]["reason"] == "kind-not-supported"


def test_each_assessment_is_explained(world, lines):
    load(world, lines, subsections=[lines.quiz("one", 5), lines.quiz("two", None, attempted=False)])
    found = why(world, world.configure(), kind=Kind.ASSESSMENTS)
    assert [(one["subsection"], one["answer"]["reason"]) for one in found] == [
        ("one", "new"),
        ("two", "not-attempted"),
    ]


class TestContent:
    @pytest.fixture
    def item(self, world, lines, channel_of):
        """A configuration of a channel that sends content, and what explains the one course."""
        world.install(channel_of(content=Support.FULL))
        world.load(
            catalogs=[
                {"uuid": CATALOG, "customer": lines.ACME, "title": "All", "content_keys": ["Org+C1", "Gone"]}
            ]
        )
        uuid = world.configure()

        def explain(key="Org+C1", **options):
            job = ContentJob(world.installation, world.installation.configurations.get(uuid), **options)
            found = asyncio.run(why_content(job, key))
            orjson.dumps(found)
            return found

        explain.uuid = uuid
        return explain

    def run(self, world, uuid):
        job = ContentJob(world.installation, world.installation.configurations.get(uuid), confirm_retire=5)
        return asyncio.run(job.run(Stop()))

    def test_new_then_unchanged_then_forced(self, world, item):
        found = item()
        assert (found["operation"], found["answer"]["reason"]) == ("create", "new")
        assert found["catalogs"] == [CATALOG]
        assert self.run(world, item.uuid).done["created"] == 1
        found = item()
        assert (found["operation"], found["answer"]["reason"]) == (None, "unchanged")
        assert [decision["step"] for decision in found["decisions"]] == ["catalogs", "record"]
        assert found["attempts"][0]["result"] == "accepted"
        assert item(force=True)["operation"] == "update"

    def test_named_by_the_catalog_but_not_there(self, item):
        found = item("Gone")
        assert (found["operation"], found["answer"]["reason"]) == (None, "waiting-for-source")

    def test_nobody_knows_it(self, item):
        assert item("Nobody")["answer"]["reason"] == "not-in-catalog"

    def test_it_left_the_catalog(self, world, lines, item):
        self.run(world, item.uuid)
        world.load(catalogs=[{"uuid": CATALOG, "customer": lines.ACME, "title": "All", "content_keys": []}])
        found = item()
        assert (found["operation"], found["answer"]["reason"]) == (None, "retire-not-supported")
        gone = item("Gone")
        assert gone["answer"]["reason"] == "withdrawn"
        self.run(world, item.uuid)
        assert item("Gone")["answer"]["reason"] == "withdrawn"

    def test_a_catalog_that_does_not_answer(self, world, item):
        class Silent(DatabaseSource):
            async def diff(self, catalog, known):
                return CatalogDiff(catalog, Answer.FAILED, reason="no answer")

        self.run(world, item.uuid)
        world.installation.__dict__["source"] = Silent(world.engine)
        assert item()["answer"]["reason"] == "source-failed"
        found = item("Nobody")
        assert found["answer"]["reason"] == "source-failed"
        assert found["decisions"][0]["details"]["failures"] == {CATALOG: "no answer"}


def test_what_stays_at_an_earlier_address_is_said(world, lines):
    world.load(
        learners=[lines.learner("ada")], enrollments=[lines.enrollment("ada")], grades=[lines.grade("ada")]
    )
    uuid = world.configure(learner_id="email")
    world.run(uuid)
    world.load(learners=[lines.learner("ada", email="ada.new@example.com")])
    for _ in range(2):
        (told,) = asyncio.run(why_outcome(world.job(uuid, learner="ada", course="course-v1:Org+C1+R1")))
        step = next(each for each in told["decisions"] if each["step"] == "identity")
        assert step["details"]["earlier_ids"] == "ada@example.com"
        assert "stays there" in step["message"]
        world.run(uuid)
