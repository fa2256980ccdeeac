"""``coursewire learners inactive``: from the list at the LMS to the embedded source, through the command and Host."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web
from sqlalchemy import select

import coursewire as cw
from coursewire.errors import GuardError
from coursewire.installation import Installation
from coursewire.model.results import Consent, ConsentState, CourseFacts, EnrollmentFacts, LearnerFacts
from coursewire.sources.database import load_bundle
from coursewire.storage.tables.records import identity_link, job
from coursewire.storage.tables.source import source_learner

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
STATES = {
    "E0": ("linked", "ann", 1),
    "E1": ("not linked", "ben", 0),
    "E2": ("ambiguous", "", 0),
    "E3": ("unknown", "", 0),
}


def learner(username, remote_id=None, *, customer=ACME, linked=True, **ids):
    return {
        "username": username,
        "email": f"{username}@example.org",
        "customer": customer,
        "active": linked,
        "linked": linked,
        "remote_ids": ({"saml-two": remote_id} if remote_id else {}) | ids,
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
def bundle(tmp_path):
    """A folder with two customers and their learners."""
    providers = [{"provider_id": "saml-one", "default": True}, {"provider_id": "saml-two"}]
    customers = [{"uuid": uuid, "name": uuid[0], "identity_providers": providers} for uuid in (ACME, OTHER)]
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name, rows in {"customers": customers, "learners": LEARNERS}.items():
        write(folder, name, *rows)
    return folder


def write(folder, name, *rows):
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture
def at_sap(bare, bundle, sap):
    """A configuration at an LMS with four inactive accounts and an active one."""
    bare("init")
    bare("load", bundle)
    for remote_id in STATES:
        sap.deactivate(remote_id)
    sap.students.append({"studentID": "S1", "isActive": True})
    return bare.add("SAP", sap, ACME)


@pytest.fixture
def installed(at_sap):
    installation = Installation()
    yield installation
    installation.close()


@pytest.fixture
def inactive(bare, at_sap):
    """Run the command for the configuration, with further arguments."""

    def run(*args, status=0, config=None):
        return bare("learners", "inactive", "--config", config or at_sap[:8], *args, status=status)

    return run


def linked(installed):
    with installed.engine.connect() as connection:
        rows = connection.execute(select(source_learner).order_by("username", "customer"))
        return {(row.username, row.customer[0]): (row.linked, row.active) for row in rows}


def jobs(installed):
    with installed.engine.connect() as connection:
        return connection.execute(select(job)).all()


def test_without_apply_nothing_changes(inactive, installed, at_sap):
    before = linked(installed)

    *rows, summary = inactive("--json").rows

    assert {
        row["remote_id"]: (row["state"], row["username"], row["other_customers"]) for row in rows
    } == STATES
    assert summary == {
        "configuration": at_sap,
        "customer": ACME,
        "complete": True,
        "ambiguous": 1,
        "linked": 1,
        "not linked": 1,
        "unknown": 1,
    }
    assert linked(installed) == before
    assert jobs(installed) == []


def test_the_table(inactive):
    said = inactive()

    for word in ("id at the LMS", "E0", "ann", "linked", "E3", "unknown", "ambiguous"):
        assert word in said.out
    assert "1 ambiguous, 1 linked, 1 not linked, 1 unknown" in said.err
    assert "--apply" in said.err


def test_nobody_is_inactive(inactive, sap):
    sap.students.clear()

    assert "SAP names no inactive learner." in inactive().out
    assert inactive("--apply", "--json").last["complete"] is True


def test_apply_unlinks_here_and_nowhere_else(inactive, installed, at_sap):
    before = linked(installed)

    rows = inactive("--apply", "--json").rows

    assert [row["state"] for row in rows if row.get("remote_id") == "E0"] == ["unlinked"]
    assert rows[-1]["unlinked"] == 1
    assert linked(installed) == {**before, ("ann", "1"): (False, False)}
    (noted,) = jobs(installed)
    assert (noted.kind, str(noted.configuration), noted.state) == ("unlink", at_sap, "finished")
    assert json.loads(noted.summary)["unlinked"] == 1
    assert "ann" not in noted.summary + noted.options

    again = inactive("--apply", "--json").rows
    assert [row["state"] for row in again if row.get("remote_id") == "E0"] == ["not linked"]
    assert len(jobs(installed)) == 1


def test_the_log_counts_and_names_nobody(inactive, caplog, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_LOG_LEVEL", "INFO")

    inactive("--apply", "--json")

    assert "1 learners were unlinked" in caplog.text
    assert "ann" not in caplog.text


def test_who_was_unlinked_can_be_linked_again(inactive, installed, bundle):
    inactive("--apply")

    write(bundle, "learners", learner("ann", "E0"))
    load_bundle(installed.engine, bundle)
    assert linked(installed)["ann", "1"] == (False, False)  # the line says nothing new

    write(bundle, "learners", learner("ann", "S77"))
    load_bundle(installed.engine, bundle)
    assert linked(installed)["ann", "1"] == (True, True)


def test_the_guard(inactive, installed, sap):
    for number in range(20):
        sap.deactivate(f"S{number}")
    before = linked(installed)

    refused = inactive("--apply", "--json", status=4).error
    assert "21 of the customer's 24" in refused["what"]
    assert "--confirm 21" in refused["next_step"]
    inactive("--apply", "--confirm", "20", status=4)
    assert linked(installed) == before

    inactive("--apply", "--confirm", "21")
    assert sum(here for (_, customer), (here, _) in linked(installed).items() if customer == "1") == 3


def answering(status, body):
    """Answer the search for learners; every other request is answered by the simulator."""

    def answer(request):
        return web.json_response(body, status=status) if "searchStudent" in request.path else None

    return answer


def test_a_list_that_is_not_complete_changes_nothing(inactive, installed, sap):
    sap.interfere = answering(200, {"@odata.count": 900, "value": [{"studentID": "E0"}]})
    before = linked(installed)

    said = inactive("--apply", "--json", status=1)

    row, summary, error = said.rows
    assert (row["remote_id"], row["state"]) == ("E0", "linked")
    assert summary["complete"] is False
    assert "could not be read" in error["error"]["what"]
    assert linked(installed) == before
    assert jobs(installed) == []


def test_an_lms_that_refuses(inactive, sap):
    sap.interfere = answering(403, {"error": {"message": "no permission"}})

    said = inactive("--json", status=1)

    assert said.rows[0]["complete"] is False
    assert "no permission" in said.error["why"]


def test_a_link_made_by_hand_counts(bare, inactive, at_sap):
    bare("learners", "link", "--config", at_sap, "--learner", "eve", "--remote-id", "E3")

    rows = inactive("--json").rows

    assert [(row["state"], row["username"]) for row in rows if row.get("remote_id") == "E3"] == [
        ("linked", "eve")
    ]


def test_a_link_that_the_learner_brought_along_counts_where_learners_bring_one(inactive, installed, at_sap):
    with installed.engine.begin() as connection:
        connection.execute(
            identity_link.insert().values(
                configuration=installed.configurations.find(at_sap).uuid,
                username="eve",
                state="linked",
                remote_id="E3",
                origin="launch",
                checked_at=datetime(2026, 3, 1, tzinfo=UTC),
            )
        )
    assert [row["state"] for row in inactive("--json").rows if row.get("remote_id") == "E3"] == ["unknown"]


def test_the_default_provider_comes_first(inactive, installed, bundle):
    write(bundle, "learners", learner("fay", "E3", **{"saml-one": "X1"}))
    load_bundle(installed.engine, bundle)

    rows = inactive("--json").rows

    assert [row["state"] for row in rows if row.get("remote_id") == "E3"] == ["unknown"]


def test_a_channel_that_cannot_tell(bare, at_sap, xapi):
    config = bare.add("XAPI", xapi, ACME)

    error = bare("learners", "inactive", "--config", config, "--json", status=2).error

    assert "XAPI cannot tell" in error["what"]
    assert "SAP" in error["next_step"]


def test_a_customer_that_the_source_does_not_know(bare, inactive, at_sap, sap):
    unknown = bare.add("SAP", sap, "33333333-3333-4333-8333-333333333333", active=False)

    assert "not known to the source" in inactive("--json", config=unknown, status=2).error["what"]


class OtherSource:
    """A source that is not embedded: it tells of learners only through their enrollments."""

    def __init__(self, own):
        self.customer = own.customer

    async def enrollments(self, customer, **_options):
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


def test_another_source_is_reported_on_and_never_changed(inactive, installed, monkeypatch):
    other = OtherSource(installed.source)
    monkeypatch.setattr("coursewire.plugins.loading.load_named", lambda *_: lambda _engine: other)

    rows = inactive("--json").rows
    assert {row["remote_id"]: row["state"] for row in rows[:-1]} == {
        "E0": "linked",
        "E1": "unknown",
        "E2": "unknown",
        "E3": "unknown",
    }
    assert "cannot be changed from here" in inactive("--apply", "--json", status=2).error["what"]


def test_a_program_does_the_same(installed, at_sap, sap):
    async def script():
        async with cw.Host(installed.settings) as host:
            configuration = host.configurations.find(at_sap)
            counts = []
            found = await host.inactive_learners(configuration, on_progress=counts.append)
            states = {each.remote_id: each.state.value for each in found.learners}
            unlinked = host.unlink_inactive_learners(found)
            for number in range(20):
                sap.deactivate(f"S{number}")
            with pytest.raises(GuardError):
                host.unlink_inactive_learners(await host.inactive_learners(configuration), confirm=2)
        return (
            counts,
            states,
            unlinked,
            [each.username for each in found.learners if each.state == "unlinked"],
        )

    counts, states, unlinked, names = asyncio.run(script())

    assert counts == [1, 2, 3, 4]
    assert states == {remote_id: state for remote_id, (state, *_) in STATES.items()}
    assert (unlinked, names) == (1, ["ann"])
    assert [row.actor for row in jobs(installed)] == ["host"]
