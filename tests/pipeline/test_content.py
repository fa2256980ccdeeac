"""The content job on every database, against both simulators, over real HTTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from coursewire.errors import ConfigurationError, GuardError, LeaseHeldError, SourceError
from coursewire.model.instant import utc_now
from coursewire.model.payload import fingerprint
from coursewire.pipeline.content_job import ContentJob
from coursewire.sources.base import Answer, CatalogDiff
from coursewire.storage.audit.records import ContentRecord, ContentRecords
from coursewire.storage.audit.states import Event, State
from coursewire.storage.audit.transmissions import history
from coursewire.storage.locks.leases import Lease
from coursewire.storage.tables import metadata
from coursewire.storage.tables.records import content_record, job, transmission
from coursewire.testing.database import count_statements
from coursewire.testing.misbehave import Misbehaviour
from coursewire_canvas.simulator import CanvasSimulator
from coursewire_sap.simulator import SapSimulator

COUNT = 30


@pytest.fixture
def sap():
    simulator = SapSimulator()
    with simulator.running():
        yield simulator


@pytest.fixture
def canvas():
    simulator = CanvasSimulator()
    with simulator.running():
        yield simulator


def counts(ended):
    assert ended.error is None, ended.error
    return {name: value for name, value in ended.summary.as_dict().items() if name in COUNTED and value}


COUNTED = ("created", "updated", "retired", "unchanged", "failed", "waiting", "skipped")


def records(installation, configuration):
    return ContentRecords(installation.engine, configuration.uuid)


def test_everything_arrives_once_and_a_second_run_sends_nothing(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    assert counts(transmit(configuration)) == {"created": COUNT}
    assert set(simulator.items) == set(shelf.courses)
    assert set(simulator.arrivals.values()) == {1}
    seen = len(simulator.seen)
    with count_statements(installation.engine) as statements:
        assert counts(transmit(configuration)) == {"unchanged": COUNT}
    assert len(simulator.seen) == seen
    assert statements.count <= 20


def test_exactly_what_changed_goes_out(shelf, simulator, configure, transmit):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    keys = list(shelf.courses)
    for key in keys[:5]:
        shelf.courses[key]["title"] += ", revised"
    for key in keys[5:8]:
        del shelf.courses[key]
    shelf.add("RiverU+N1")
    shelf.add("RiverU+N2")
    shelf.load()
    result = counts(transmit(configuration))
    assert result == {"created": 2, "updated": 5, "retired": 3, "unchanged": COUNT - 8}


def test_a_plan_names_each_item_its_reason_and_the_changed_fields(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    keys = list(shelf.courses)
    shelf.courses[keys[0]]["title"] = "Another title"
    del shelf.courses[keys[1]]
    shelf.load()

    async def planned():
        plan = await ContentJob(installation, configuration).plan()
        return plan, [item async for item in plan.items()]

    plan, items = asyncio.run(planned())
    by_key = {item.key: item for item in items}
    assert {key: (item.operation.value, item.reason) for key, item in by_key.items()} == {
        keys[0]: ("update", "changed"),
        keys[1]: ("retire", "left-catalog"),
    }
    assert any("title" in path.lower() or "name" in path for path in by_key[keys[0]].fields)
    assert by_key[keys[0]].title == "Another title"
    assert plan.left["unchanged"] == COUNT - 2


def test_one_refused_item_in_a_batch_of_500_has_its_reason_and_the_others_arrive(
    installation, shelf, sap, configure, transmit
):
    for named in (True, False):
        sap.reset()
        sap.name_refused = named
        shelf.courses.clear()
        shelf.fill(500)
        bad = "RiverU+C0123"
        sap.poisoned = {bad}
        configuration = configure(sap)
        ended = transmit(configuration)
        assert counts(ended) == {"created": 499, "failed": 1}
        assert ended.exit_status == 1
        assert len(sap.items) == 499
        record = records(installation, configuration).fetch([bad])[bad]
        # Blamed by the channel, or by core from the status once the item was alone in its batch.
        assert (record.state, record.reason) == (State.REJECTED, "refused" if named else "invalid")
        assert record.message
        tried = history(installation.engine, configurations=[configuration.uuid], item=bad)
        assert tried[0]["result"] == "rejected"
        # Refused for good: the next run leaves it alone, until it changes.
        assert counts(transmit(configuration)) == {"unchanged": 499, "skipped": {"rejected-before": 1}}
        sap.poisoned = set()
        shelf.courses[bad]["title"] = "Mended"
        shelf.load()
        assert counts(transmit(configuration)) == {"created": 1, "unchanged": 499}


def test_an_emptied_catalog_stops_at_the_guard_until_a_person_confirms(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    kept = shelf.courses
    shelf.courses = {}
    shelf.load()
    ended = transmit(configuration)
    assert isinstance(ended.error, GuardError)
    assert ended.exit_status == 4
    assert f"--confirm-retire {COUNT}" in str(ended.error)
    assert counts(transmit(configuration, confirm_retire=COUNT)) == {"retired": COUNT}
    # And back again: visible, under the same ids.
    before = {
        r.content_key: r.remote_id for r in records(installation, configuration).fetch([*kept]).values()
    }
    shelf.courses = kept
    shelf.load()
    assert counts(transmit(configuration)) == {"created": COUNT}
    after = records(installation, configuration).fetch([*kept])
    assert {key: record.remote_id for key, record in after.items()} == before
    assert all(record.present for record in after.values())


class FailingSource:
    """A source whose catalogs cannot be read."""

    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        return getattr(self.real, name)

    async def diff(self, catalog, known):
        return CatalogDiff(catalog, Answer.FAILED, reason="the catalog service does not answer")


def test_a_source_that_fails_retires_nothing(installation, shelf, simulator, configure, transmit):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    seen = len(simulator.seen)
    installation.source = FailingSource(installation.source)
    ended = transmit(configuration)
    assert ended.summary.exit_status == 1
    assert "does not answer" in str(ended.summary.source_failures)
    assert ended.summary.done.total() == 0
    assert ended.summary.skipped["source-failed"] == COUNT
    assert len(simulator.seen) == seen


class MuteSource(FailingSource):
    """A source that cannot even name its catalogs."""

    async def catalogs(self, customer):
        raise SourceError("the source is away")


def test_a_source_that_is_away_ends_the_job_and_says_so(installation, shelf, simulator, configure, transmit):
    shelf.fill(1)
    configuration = configure(simulator)
    installation.source = MuteSource(installation.source)
    ended = transmit(configuration)
    assert isinstance(ended.error, SourceError)
    with installation.engine.connect() as connection:
        row = connection.execute(select(job)).one()
    assert (row.state, row.error) == ("failed", "the source is away.")


class UnchangedSource(FailingSource):
    """A source that knows that nothing happened since."""

    async def diff(self, catalog, known):
        self.known = dict(known)
        return CatalogDiff(catalog, Answer.UNCHANGED)


def test_a_source_that_answers_unchanged_costs_nothing_and_retires_nothing(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    installation.source = source = UnchangedSource(installation.source)
    assert counts(transmit(configuration)) == {"unchanged": COUNT}
    assert set(source.known) == set(shelf.courses)
    assert all(source.known.values())


def test_the_import_window_lets_one_batch_go_and_the_rest_waits_without_blocking(
    installation, shelf, sap, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(sap, call_interval_seconds=300, transmission_chunk_size=10)
    ended = transmit(configuration)
    assert counts(ended) == {"created": 10, "waiting": 20}
    assert ended.exit_status == 0
    assert ended.summary.seconds < 30
    until = ended.summary.waiting_until
    assert timedelta(seconds=200) < until - utc_now() <= timedelta(seconds=300)
    assert len(sap.items) == 10
    # Another process, or the next run, finds the bucket closed and sends nothing.
    again = transmit(configuration)
    assert counts(again) == {"unchanged": 10, "waiting": 20}
    assert len(sap.items) == 10
    # When the window is over, the next batch goes.
    installation.clock = lambda: utc_now() + timedelta(seconds=301)
    assert counts(transmit(configuration)) == {"created": 10, "unchanged": 10, "waiting": 10}


def test_creates_updates_and_retirements_travel_in_one_call(shelf, sap, configure, transmit):
    shelf.fill(COUNT)
    configuration = configure(sap)
    transmit(configuration)
    keys = list(shelf.courses)
    shelf.courses[keys[0]]["title"] = "Changed"
    del shelf.courses[keys[1]]
    shelf.add("RiverU+NEW")
    shelf.load()
    sap.seen.clear()
    transmit(configuration)
    imports = [seen for seen in sap.seen if seen.path.endswith("OcnCourses")]
    assert len(imports) == 1
    assert len(imports[0].body["ocnCourses"]) == 3


def test_what_a_dead_run_was_sending_is_settled_and_not_doubled(
    installation, shelf, simulator, configure, transmit
):
    """The process died between the LMS's answer and writing it down."""
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    keys = list(shelf.courses)[:5]
    with installation.engine.begin() as connection:
        connection.execute(
            content_record.update()
            .where(content_record.c.content_key.in_(keys))
            .values(
                state="sending",
                operation="create",
                present=False,
                remote_id=None,
                confirmed_fingerprint=None,
                confirmed_payload=None,
                confirmed_at=None,
                source_version=None,
            )
        )
    ended = transmit(configuration)
    assert counts(ended) == {"created": 5, "unchanged": COUNT - 5}
    assert len(simulator.items) == COUNT
    if simulator.code == "CANVAS":
        assert set(simulator.arrivals.values()) == {1}
    found = records(installation, configuration).fetch(keys)
    assert {record.state for record in found.values()} == {State.CONFIRMED}


def test_an_unsettled_item_that_left_its_catalog_is_retired(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    key = next(iter(shelf.courses))
    with installation.engine.begin() as connection:
        connection.execute(
            content_record.update()
            .where(content_record.c.content_key == key)
            .values(
                state="sending",
                operation="create",
                present=False,
                confirmed_fingerprint=None,
                confirmed_payload=None,
                source_version=None,
            )
        )
    del shelf.courses[key]
    shelf.load()
    assert counts(transmit(configuration)) == {"retired": 1, "unchanged": COUNT - 1}
    item = simulator.items[key]
    assert item.get("status") == "INACTIVE" or item.get("workflow_state") == "completed"


def test_two_runs_of_one_job_cannot_overlap(installation, shelf, simulator, configure, transmit):
    shelf.fill(1)
    configuration = configure(simulator)
    with Lease.acquire(installation.engine, f"content:{configuration.uuid}", owner="another run"):
        ended = transmit(configuration)
    assert isinstance(ended.error, LeaseHeldError)
    assert ended.exit_status == 3
    assert simulator.items == {}
    assert counts(transmit(configuration)) == {"created": 1}


def test_refused_credentials_stop_the_run_touch_no_item_and_mark_the_configuration(
    installation, shelf, canvas, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(canvas, refresh_token="not-the-token")
    ended = transmit(configuration)
    assert ended.exit_status == 1
    assert ended.summary.waiting == {"credentials-broken": COUNT}
    kept = records(installation, configuration).fetch([*shelf.courses])
    assert {(r.state, r.attempts) for r in kept.values()} <= {(State.PLANNED, 0)}
    marked = installation.configurations.get(configuration.uuid)
    assert marked.needs_reconnect_since is not None
    assert "not-the-token" not in (marked.needs_reconnect_reason or "")
    # No job runs until a person has mended it.
    assert isinstance(transmit(marked).error, ConfigurationError)
    channel = installation.channels.get("CANVAS").channel
    token = canvas.sample_config()["refresh_token"]
    installation.configurations.edit(configuration.uuid, channel, {"refresh_token": token}, actor="test")
    assert counts(transmit(configuration)) == {"created": COUNT}


def test_an_lms_that_is_away_ends_the_run_soon_and_nothing_is_lost(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    simulator.misbehave.append(Misbehaviour("reset before accepting", times=None))
    ended = transmit(configuration)
    assert ended.exit_status == 1
    simulator.misbehave.clear()
    transmit(configuration)
    ended = transmit(configuration, force=False)
    assert counts(ended) == {"unchanged": COUNT}
    assert set(simulator.items) == set(shelf.courses)


@pytest.mark.parametrize("misbehaviour", ["HTML error page", "empty answer", "200 with error body"])
def test_answers_that_acknowledge_nothing_confirm_nothing(
    installation, shelf, simulator, configure, transmit, misbehaviour
):
    shelf.fill(3)
    configuration = configure(simulator)
    path = "OcnCourses" if simulator.code == "SAP" else "/courses"
    simulator.misbehave.append(Misbehaviour(misbehaviour, times=None, path=path))
    ended = transmit(configuration)
    assert ended.summary.done.total() == 0
    assert ended.exit_status == 1
    kept = records(installation, configuration).fetch([*shelf.courses])
    assert not {State.CONFIRMED, State.RETIRED} & {record.state for record in kept.values()}
    simulator.misbehave.clear()
    for _ in range(2):
        transmit(configuration, force=True)
    assert set(simulator.items) == set(shelf.courses)


def test_an_item_that_cannot_be_exported_waits_with_its_field_and_the_others_go(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(3)
    key = next(iter(shelf.courses))
    shelf.courses[key]["enrollment_url"] = None
    shelf.load()
    configuration = configure(simulator)
    assert counts(transmit(configuration)) == {"created": 2, "skipped": {"not-exportable": 1}}
    record = records(installation, configuration).fetch([key])[key]
    assert record.reason == "not-exportable"
    assert "enrollment_url" in record.message
    # Nothing about it changed: it is not even looked at again.
    assert counts(transmit(configuration)) == {"unchanged": 2, "skipped": {"not-exportable": 1}}
    shelf.courses[key]["enrollment_url"] = "https://portal.example.com/enroll"
    shelf.load()
    assert counts(transmit(configuration)) == {"created": 1, "unchanged": 2}


def test_an_item_that_the_catalog_names_and_the_source_lacks_waits_for_the_source(
    installation, shelf, simulator, configure, transmit
):
    ghost = "RiverU+GHOST"
    shelf.ghosts.append(ghost)
    shelf.load()
    configuration = configure(simulator)
    assert counts(transmit(configuration)) == {"waiting": 1}
    assert records(installation, configuration).fetch([ghost])[ghost].reason == "waiting-for-source"


def test_an_inactive_customer_or_configuration_sends_nothing(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(1)
    configuration = configure(simulator)
    shelf.customer["active"] = False
    shelf.load()
    assert isinstance(transmit(configuration).error, ConfigurationError)
    shelf.customer["active"] = True
    shelf.load()
    installation.configurations.deactivate(configuration.uuid, actor="test")
    assert "not active" in str(transmit(configuration).error)
    assert simulator.items == {}


def test_a_changed_option_sends_exactly_what_it_changes(shelf, sap, configure, transmit, installation):
    shelf.fill(COUNT)
    configuration = configure(sap)
    transmit(configuration)
    channel = installation.channels.get("SAP").channel
    edit = installation.configurations.edit
    edit(configuration.uuid, channel, {"display_name": "Another nickname"}, actor="test")
    assert counts(transmit(configuration)) == {"unchanged": COUNT}
    edit(configuration.uuid, channel, {"additional_locales": "German"}, actor="test")
    assert counts(transmit(configuration)) == {"updated": COUNT}


def test_two_configurations_of_one_channel_do_not_know_each_other(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(3)
    first, second = configure(simulator), configure(simulator)
    assert counts(transmit(first)) == {"created": 3}
    assert counts(transmit(second)) == {"created": 3}  # adopted or overwritten, not doubled
    assert len(simulator.items) == 3
    with installation.engine.connect() as connection:
        rows = connection.execute(select(content_record.c.configuration)).scalars().all()
    assert sorted(map(str, rows)) == sorted([str(first.uuid)] * 3 + [str(second.uuid)] * 3)


def test_what_was_sent_and_what_they_answered_can_be_told(
    installation, shelf, simulator, configure, transmit
):
    shelf.fill(1)
    (key,) = shelf.courses
    configuration = configure(simulator)
    transmit(configuration)
    shelf.courses[key]["title"] = "Changed"
    shelf.load()
    transmit(configuration)
    rows = history(installation.engine, configurations=[configuration.uuid], item=key)
    assert [(row["operation"], row["result"], row["http_status"]) for row in rows] == [
        ("update", "accepted", 200),
        ("create", "accepted", 200),
    ]
    (payload,) = records(installation, configuration).confirmed_payloads([key]).values()
    assert fingerprint(payload) == rows[0]["fingerprint"]
    assert rows[0]["job"] != rows[1]["job"]


def test_no_secret_reaches_the_database_in_clear(installation, shelf, canvas, configure, transmit):
    shelf.fill(2)
    configuration = configure(canvas)
    canvas.misbehave.append(Misbehaviour("HTML error page", times=3))
    transmit(configuration)
    sample = canvas.sample_config()
    secrets = [sample["client_secret"], sample["refresh_token"]]
    with installation.engine.connect() as connection:
        for table in metadata.sorted_tables:
            text = repr(connection.execute(select(table)).all())
            assert not [secret for secret in secrets if secret in text], table.name


def test_events_follow_the_rules_whatever_the_item_went_through(installation, shelf, canvas, configure):
    """A record can be planned anew from every state that a run may leave it in."""
    configuration = configure(canvas)
    shelf.fill(1)
    record = ContentRecord(configuration=configuration.uuid, content_key="A+1", remote_key="A+1")
    for event in (Event.PLAN_CREATE, Event.CLAIM, Event.CONFIRM, Event.PLAN_UPDATE, Event.CLAIM, Event.FAIL):
        record.happen(event)
    store = ContentRecords(installation.engine, configuration.uuid)
    store.save([record], now=utc_now())
    assert store.fetch(["A+1"])["A+1"].record_state == record.record_state
    assert store.in_states([State.FAILED])[0].key == "A+1"
    assert store.counts() == [("failed", None, True, 1)]


def test_attempts_can_be_read_page_by_page(installation, shelf, simulator, configure, transmit):
    shelf.fill(COUNT)
    configuration = configure(simulator)
    transmit(configuration)
    seen = []
    before = None
    while page := history(
        installation.engine, configurations=[configuration.uuid], before_id=before, limit=7
    ):
        seen += [row["item"] for row in page]
        before = page[-1]["id"]
    assert sorted(seen) == sorted(shelf.courses)
    with installation.engine.connect() as connection:
        assert len(connection.execute(select(transmission.c.id)).all()) == COUNT
