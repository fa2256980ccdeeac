"""The report of inactive learners, from SAP's pages to the embedded source, and through the command."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from coursewire.errors import BlockedError, ConfigurationError, GuardError, IncompleteListError
from coursewire.installation import Installation
from coursewire.model.results import Consent, ConsentState, CourseFacts, EnrollmentFacts, LearnerFacts
from coursewire.sources.database import learners_of, load_bundle
from coursewire.storage.database.engine import open_engine
from coursewire.storage.database.schema import migrate
from coursewire.storage.tables.records import identity_link
from coursewire.storage.tables.records import job as job_table
from coursewire.storage.tables.source import source_learner
from coursewire_sap import plugin
from coursewire_sap.inactive import read_inactive

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
LEFT = [{"studentID": f"E{number}", "isActive": False} for number in range(4)]


# -- reading ----------------------------------------------------------------------------------------


def read(open_session):
    async def run():
        pages, fault = [], None
        async with open_session() as session:
            try:
                async for page in read_inactive(session):
                    pages.append(page)
            except IncompleteListError as error:
                fault = error
        return pages, fault

    return asyncio.run(run())


def searches(simulator):
    return [seen.query for seen in simulator.seen if seen.method == "GET"]


def test_twelve_hundred_and_one_students(simulator, open_session, clock):
    simulator.search_spacing_seconds = 0.5
    simulator.students = [{"studentID": f"s{n}", "isActive": n % 2 == 0} for n in range(2402)]
    started = clock.now

    pages, fault = read(open_session)

    assert fault is None
    assert [len(page) for page in pages] == [500, 500, 201]
    assert [student for page in pages for student in page] == [f"s{n}" for n in range(1, 2402, 2)]
    assert searches(simulator) == [
        f"$filter=criteria/isActive eq False&$select=studentID&$count=true&$top=500&$skip={skip}"
        for skip in (0, 500, 1000)
    ]
    assert (clock.now - started).total_seconds() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (500, 1), (501, 2), (1000, 2)])
def test_the_last_page_ends_it(count, pages, simulator, open_session):
    simulator.students = [{"studentID": f"s{n}", "isActive": False} for n in range(count)]

    found, fault = read(open_session)

    assert fault is None
    assert sum(map(len, found)) == count
    assert len(searches(simulator)) == pages


@pytest.mark.parametrize(
    "answer",
    [
        (200, "<html>log in</html>"),
        (200, {"error": {"code": None, "message": "no"}}),
        (200, {"error": "no"}),
        (200, {"value": []}),
        (200, {"@odata.count": 1}),
        (200, {"@odata.count": None, "value": []}),
        (200, {"@odata.count": 1, "value": [{"id": "x"}]}),
        (200, {"@odata.count": 1, "value": ["x"]}),
        (200, ["x"]),
        (400, {"error": "no"}),
        (500, ""),
    ],
    ids=repr,
)
def test_a_page_that_is_none(answer, simulator, open_session):
    simulator.search_answer = answer

    pages, fault = read(open_session)

    assert pages == []
    assert isinstance(fault, IncompleteListError)
    assert f"status {answer[0]}" in fault.why


def test_a_list_that_repeats_itself_is_given_up(simulator, open_session):
    simulator.search_answer = (
        200,
        {"@odata.count": 10_000, "value": [{"studentID": "a"}, {"studentID": "a"}]},
    )

    pages, fault = read(open_session)

    assert pages == [["a"], []]
    assert "10000 users only 1 came" in str(fault)
    assert len(searches(simulator)) == 2


def test_pages_that_are_smaller_than_asked_for(simulator, open_session):
    simulator.students = [{"studentID": f"s{n}", "isActive": False} for n in range(700)]
    simulator.largest_page = 300

    pages, fault = read(open_session)

    assert fault is None
    assert [len(page) for page in pages] == [300, 300, 100]


def test_a_list_that_ends_early_is_incomplete(simulator, open_session):
    simulator.search_answer = (200, {"@odata.count": 501, "value": []})

    assert read(open_session)[1] is not None


def test_no_permission(simulator, open_session):
    simulator.search_answer = (403, {"error": "no permission"})

    with pytest.raises(BlockedError):
        read(open_session)


# -- the command ------------------------------------------------------------------------------------


def learner(username, student=None, *, customer=ACME, linked=True, **ids):
    remote_ids = ({"saml-two": student} if student else {}) | ids
    return {
        "username": username,
        "email": f"{username}@example.org",
        "customer": customer,
        "active": linked,
        "linked": linked,
        "remote_ids": remote_ids,
    }


LEARNERS = [
    learner("ann", "E0"),
    learner("ann", "E0", customer=OTHER),
    learner("ben", "E1", linked=False),
    learner("cy", "E2"),
    learner("dan", "E2"),
    learner("eve", "F9"),
    *(learner(f"stays{number}", f"S{number}") for number in range(20)),
    learner("zoe", "E3", customer=OTHER),
]


@pytest.fixture
def installed(tmp_path, simulator, monkeypatch):
    """An installation with two customers, and a configuration of the first on the simulator."""
    monkeypatch.setenv("COURSEWIRE_DATABASE_URL", f"sqlite:///{tmp_path}/coursewire.db")
    monkeypatch.setenv("COURSEWIRE_SECRET_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    monkeypatch.setenv("COURSEWIRE_ALLOW_INSECURE_URLS", "1")
    monkeypatch.setenv("COURSEWIRE_LOG_LEVEL", "INFO")
    monkeypatch.chdir(tmp_path)
    simulator.students = [*LEFT, {"studentID": "S1", "isActive": True}]
    database = open_engine(f"sqlite:///{tmp_path}/coursewire.db")
    migrate(database)
    database.dispose()
    providers = [{"provider_id": "saml-one", "default": True}, {"provider_id": "saml-two"}]
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for name, rows in {
        "customers": [
            {"uuid": uuid, "name": uuid[0], "identity_providers": providers} for uuid in (ACME, OTHER)
        ],
        "learners": LEARNERS,
    }.items():
        (bundle / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    installation = Installation()
    assert load_bundle(installation.engine, bundle).refused == 0
    added = installation.configurations.add(
        plugin.declare_channel(), ACME, simulator.sample_config(), active=True, actor="test"
    )
    installation.configuration = added.uuid
    yield installation
    installation.close()


@pytest.fixture
def command(installed):
    """Run ``inactive-learners`` with further arguments: its error or None, and its JSON lines or its text."""

    def run(*args, config=None):
        # As the host mounts it.
        app = typer.Typer(rich_markup_mode=None)
        app.add_typer(plugin.channel_commands(), name="sap")
        arguments = [
            "sap",
            "inactive-learners",
            "--config",
            config or str(installed.configuration)[:8],
            *args,
        ]
        result = CliRunner().invoke(app, arguments)
        text = result.stdout
        lines = [json.loads(line) for line in text.splitlines()] if "--json" in args else text
        return result.exception, lines

    return run


def standing(installed):
    with installed.engine.connect() as connection:
        rows = connection.execute(select(source_learner).order_by("username", "customer"))
        return {(row.username, row.customer[0]): (row.linked, row.active) for row in rows}


STATES = {
    "E0": ("linked", "ann", 1),
    "E1": ("not linked", "ben", 0),
    "E2": ("ambiguous", "", 0),
    "E3": ("unknown", "", 0),
}


def test_without_apply_nothing_changes(command, installed):
    before = standing(installed)

    error, lines = command("--json")

    assert error is None
    *rows, summary = lines
    assert {row["student_id"]: (row["state"], row["username"], row["elsewhere"]) for row in rows} == STATES
    assert summary == {
        "configuration": str(installed.configuration),
        "customer": ACME,
        "complete": True,
        "ambiguous": 1,
        "linked": 1,
        "not linked": 1,
        "unknown": 1,
    }
    assert standing(installed) == before


def test_the_table(command):
    error, text = command()

    assert error is None
    for word in ("student", "E0", "ann", "linked", "E3", "unknown", "ambiguous"):
        assert word in text


def test_nobody_is_inactive(command, simulator):
    simulator.students = []

    assert "no inactive user" in command()[1]
    assert command("--apply", "--json")[1][0]["complete"] is True


def test_apply_unlinks_here_and_nowhere_else(command, installed, caplog):
    before = standing(installed)

    error, lines = command("--apply", "--json")

    assert error is None
    assert [row["state"] for row in lines if row.get("student_id") == "E0"] == ["unlinked"]
    assert standing(installed) == {**before, ("ann", "1"): (False, False)}
    assert "learner ann was unlinked" in caplog.text
    with installed.engine.connect() as connection:
        (noted,) = connection.execute(select(job_table)).all()
    assert (noted.kind, noted.configuration, noted.state) == ("unlink", installed.configuration, "finished")
    assert json.loads(noted.summary)["unlinked"] == 1
    assert "ann" not in noted.summary + noted.options

    again = command("--apply", "--json")[1]
    assert [row["state"] for row in again if row.get("student_id") == "E0"] == ["not linked"]
    with installed.engine.connect() as connection:
        assert len(connection.execute(select(job_table)).all()) == 1


def test_who_was_unlinked_can_be_linked_again(command, installed, tmp_path):
    command("--apply")
    lines = tmp_path / "bundle" / "learners.jsonl"

    lines.write_text(json.dumps(learner("ann", "E0")) + "\n", "utf-8")
    load_bundle(installed.engine, tmp_path / "bundle")
    assert standing(installed)["ann", "1"] == (False, False)  # the line says nothing new

    lines.write_text(json.dumps(learner("ann", "S77")) + "\n", "utf-8")
    load_bundle(installed.engine, tmp_path / "bundle")
    assert standing(installed)["ann", "1"] == (True, True)


def test_the_guard(command, installed, simulator):
    simulator.students = [{"studentID": f"S{number}", "isActive": False} for number in range(20)]
    before = standing(installed)

    error, _ = command("--apply")
    assert isinstance(error, GuardError)
    assert "20 of the customer's 24" in error.what
    assert "--confirm 20" in error.next_step
    assert isinstance(command("--apply", "--confirm", "19")[0], GuardError)
    assert standing(installed) == before

    assert command("--apply", "--confirm", "20")[0] is None
    assert sum(linked for (_, customer), (linked, _) in standing(installed).items() if customer == "1") == 4


def test_a_list_that_is_not_complete_changes_nothing(command, installed, simulator):
    simulator.search_answer = (200, {"@odata.count": 900, "value": [{"studentID": "E0"}]})
    before = standing(installed)

    error, lines = command("--apply", "--json")

    assert isinstance(error, IncompleteListError)
    assert [row.get("state") for row in lines] == ["linked", None]
    assert lines[-1]["complete"] is False
    assert standing(installed) == before


def test_a_link_made_by_hand_counts(command, installed):
    with installed.engine.begin() as connection:
        connection.execute(
            identity_link.insert().values(
                configuration=installed.configuration,
                username="eve",
                state="linked",
                remote_id="E3",
                origin="by-hand",
                checked_at=datetime(2026, 3, 1, tzinfo=UTC),
            )
        )

    rows = command("--json")[1]

    assert [(row["state"], row["username"]) for row in rows if row.get("student_id") == "E3"] == [
        ("linked", "eve")
    ]


def test_the_default_provider_comes_first(command, installed, tmp_path):
    both = learner("fay", "E3", **{"saml-one": "X1"})
    (tmp_path / "bundle" / "learners.jsonl").write_text(json.dumps(both) + "\n", "utf-8")
    load_bundle(installed.engine, tmp_path / "bundle")

    rows = command("--json")[1]

    assert [row["state"] for row in rows if row.get("student_id") == "E3"] == ["unknown"]


class OtherSource:
    """A source that is not ours: it tells of learners only through their enrollments."""

    def __init__(self, own):
        self.customer = own.customer

    async def enrollments(self, customer):
        for number in range(2):
            yield [
                EnrollmentFacts(
                    id=f"{number}",
                    customer=customer,
                    learner=LearnerFacts(
                        username="ann", email=None, active=True, linked=True, remote_ids={"saml-two": "E0"}
                    ),
                    course=CourseFacts(course_key=None, run_key="r"),
                    mode="verified",
                    is_active=True,
                    created_at=None,
                    consent=Consent(ConsentState.UNKNOWN),
                )
            ]


def test_another_source_is_reported_on_and_never_changed(command, installed, monkeypatch):
    other = OtherSource(installed.source)
    monkeypatch.setattr("coursewire.plugins.loading.load_named", lambda *_: lambda _engine: other)

    rows = command("--json")[1]
    assert {row["student_id"]: row["state"] for row in rows[:-1]} == {
        "E0": "linked",
        "E1": "unknown",
        "E2": "unknown",
        "E3": "unknown",
    }

    error, _ = command("--apply")
    assert isinstance(error, ConfigurationError)
    assert error.next_step


def test_a_customer_that_the_source_does_not_know(command, installed, simulator):
    added = installed.configurations.add(
        plugin.declare_channel(),
        "33333333-3333-4333-8333-333333333333",
        simulator.sample_config(),
        actor="test",
    )

    assert isinstance(command(config=str(added.uuid))[0], ConfigurationError)


def test_the_learners_of_a_customer(installed):
    found = {each.username: each for each in learners_of(installed.engine, ACME)}

    assert list(found) == sorted(found)
    assert len(found) == 25
    assert found["ann"].remote_ids == {"saml-two": "E0"}
    assert not found["ben"].linked
