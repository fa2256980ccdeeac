"""Looking through what is recorded: pages that are right, and that an index answers."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import event, insert, text

from coursewire.model.kinds import Kind
from coursewire.storage.audit import jobs, transmissions
from coursewire.storage.audit.export import stream
from coursewire.storage.audit.queries import by_state, page
from coursewire.storage.audit.states import State
from coursewire.storage.identity_links import IdentityLinks
from coursewire.storage.tables.records import configuration, content_record, job, outcome_record, transmission

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONFIGURATIONS = [uuid.UUID(int=number) for number in range(1, 5)]
ITEMS = 6
RESULTS = ("accepted", "rejected", "released")
KINDS = ("content", "completions")


@pytest.fixture
def filled(engine):
    """Attempts of every sort, 20 minutes apart, and records of every state."""
    with engine.begin() as connection:
        connection.execute(
            insert(configuration),
            [
                {
                    "uuid": each,
                    "channel": "X",
                    "customer": str(uuid.uuid4()),
                    "fields": "{}",
                    "active": True,
                    "version": 1,
                    "created_at": NOW,
                    "updated_at": NOW,
                }
                for each in CONFIGURATIONS
            ],
        )
        sorts = list(product(range(ITEMS), CONFIGURATIONS, KINDS, RESULTS)) * 3
        connection.execute(
            insert(transmission),
            [
                {
                    "configuration": each,
                    "kind": kind,
                    "item": f"item-{item}",
                    "operation": "update",
                    "result": result,
                    "job": uuid.UUID(int=1000 + CONFIGURATIONS.index(each)),
                    "at": NOW - timedelta(minutes=20 * (len(sorts) - number)),
                }
                for number, (item, each, kind, result) in enumerate(sorts)
            ],
        )
        connection.execute(
            insert(job),
            [
                {
                    "uuid": uuid.UUID(int=1000 + number % 4 + 10 * number),
                    "kind": "content",
                    "configuration": CONFIGURATIONS[number % 4],
                    "state": "finished",
                    "actor": "test",
                    "options": "{}",
                    "started_at": NOW - timedelta(minutes=number // 3),
                }
                for number in range(40)
            ],
        )
        standing = [
            {
                "configuration": each,
                "state": state.value,
                "reason": "missing-field" if state is State.REJECTED else "learner-unmatched",
                "present": True,
                "remote_key": "k",
                "attempts": 0,
                "created_at": NOW,
                "updated_at": NOW,
                "n": number,
            }
            for number, (each, state) in enumerate(product(CONFIGURATIONS * 3, State))
        ]
        connection.execute(
            insert(content_record),
            [
                {name: value for name, value in row.items() if name != "n"}
                | {
                    "content_key": f"RiverU+{row['n']:03}",
                    "content_type": "course",
                    "title": "T",
                    "catalogs": "[]",
                }
                for row in standing
            ],
        )
        connection.execute(
            insert(outcome_record),
            [
                {name: value for name, value in row.items() if name != "n"}
                | {
                    "outcome_key": f"o{row['n']}",
                    "kind": ("completions", "assessments")[row["n"] % 2],
                    "enrollment": f"e{row['n']}",
                    "course_key": f"RiverU+{row['n'] % 5}",
                    "subsection": "",
                    "username": f"River{row['n']:03}",
                }
                for row in standing
            ],
        )
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
    return engine


HISTORIES = [
    dict(zip(("configurations", "kind", "item", "job", "result", "since"), chosen, strict=True))
    for chosen in product(
        (None, CONFIGURATIONS[:1], CONFIGURATIONS[1:3], []),
        (None, Kind.CONTENT, Kind.ENROLLMENTS),
        (None, "item-2"),
        (None, uuid.UUID(int=1001)),
        (None, "rejected", "released"),
        (None, NOW - timedelta(hours=8), NOW),
    )
]


def test_every_choice_of_attempts_is_the_one_that_reading_all_gives(filled):
    everything = list(stream(filled, transmission))
    everything.reverse()
    for asked in HISTORIES:
        expected = [
            row["id"]
            for row in everything
            if (asked["configurations"] is None or row["configuration"] in asked["configurations"])
            and (asked["since"] is None or row["at"] >= asked["since"])
            and all(asked[name] in (None, row[name]) for name in ("kind", "item", "job", "result"))
        ]
        found = [row["id"] for row in transmissions.history(filled, **asked, limit=7)]
        assert found == expected[:7], asked
        if len(expected) > 7:
            rest = transmissions.history(filled, **asked, before_id=found[-1], limit=500)
            assert [row["id"] for row in rest] == expected[7:], asked


def test_since_is_exact_where_many_are_young(filled, monkeypatch):
    monkeypatch.setattr(transmissions, "FEW", 3)
    since = NOW - timedelta(hours=8)
    found = transmissions.history(filled, since=since, limit=500)
    assert len(found) == 24
    assert min(row["at"] for row in found) == since


@pytest.mark.parametrize("table", [content_record, outcome_record], ids=lambda table: table.name)
def test_every_choice_of_records_is_the_one_that_reading_all_gives(filled, table):
    columns = ("content_key",) if table is content_record else ("username", "course_key")
    everything = page(filled, table, configurations=None, limit=1000)
    assert len(everything) == 12 * len(State)
    kinds = (None,) if table is content_record else (None, "completions", "enrollments")
    for configurations, state, reason, kind, search in product(
        (None, CONFIGURATIONS[:1], CONFIGURATIONS[1:3], []),
        (None, "rejected"),
        (None, "missing-field"),
        kinds,
        ("", "River", "RiverU+1", "river"),
    ):
        equal = {"state": state, "reason": reason} | ({"kind": kind} if kind else {})
        expected = [
            row["id"]
            for row in everything
            if (configurations is None or row["configuration"] in configurations)
            and all(value in (None, row[name]) for name, value in equal.items())
            and (not search or any(row[name].startswith(search) for name in columns))
        ]
        asked = {"configurations": configurations, "equal": equal, "search": search, "search_in": columns}
        found = [row["id"] for row in page(filled, table, **asked, limit=5)]
        assert found == expected[:5], asked
        if len(expected) > 5:
            rest = page(filled, table, **asked, before_id=found[-1], limit=1000)
            assert [row["id"] for row in rest] == expected[5:], asked


def test_jobs_go_on_where_the_page_before_ended_although_instants_are_shared(filled):
    for configurations in (None, CONFIGURATIONS[:1], CONFIGURATIONS[:2]):
        everything = jobs.recent(filled, configurations=configurations, limit=100)
        found, before = [], None
        while some := jobs.recent(filled, configurations=configurations, before=before, limit=3):
            found += some
            before = some[-1]["started_at"], some[-1]["uuid"]
        assert found == everything
        assert len(found) == (40 if configurations is None else 10 * len(configurations))


def test_an_export_left_half_way_holds_no_connection(filled):
    for configurations in (None, CONFIGURATIONS[:2]):
        rows = stream(filled, transmission, configurations=configurations)
        next(rows)
        assert filled.pool.checkedout() == 0


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_no_question_reads_a_table_from_end_to_end(filled):
    with asked_of(filled) as statements:
        for asked in HISTORIES:
            if any(value is not None for value in asked.values()):
                transmissions.history(filled, **asked)
        for table, column in ((content_record, "content_key"), (outcome_record, "username")):
            for configurations in (None, CONFIGURATIONS[:1], CONFIGURATIONS[:3]):
                for equal in ({"state": "failed"}, {"reason": "missing-field"}):
                    page(filled, table, configurations=configurations, equal=equal)
                page(filled, table, configurations=configurations, search="R", search_in=(column,))
            page(filled, table, configurations=CONFIGURATIONS[:1])
            by_state(filled, table, None)
        IdentityLinks.configurations_with_unmatched(filled)
        IdentityLinks(filled, CONFIGURATIONS[0]).unmatched()
        jobs.recent(filled)
        jobs.recent(filled, configurations=CONFIGURATIONS[:1], before=(NOW, CONFIGURATIONS[0]))
    assert len(statements) > 100
    for statement, parameters in statements:
        plan = plan_of(filled, statement, parameters)
        assert not [step for step in plan if whole(step)], (statement, plan)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_question_without_an_index_would_be_seen(filled):
    plan = plan_of(filled, "SELECT * FROM transmission WHERE message = 'x'", ())
    assert [step for step in plan if whole(step)]


def whole(step: str) -> bool:
    """Tell whether a step of a plan reads all rows of a table that grows."""
    tables = ("transmission", "content_record", "outcome_record", "job")
    if "Seq Scan" in step:
        return any(f"on {name}" in step for name in tables)
    return step.startswith(tuple(f"SCAN {name}" for name in tables)) and "INDEX" not in step


def plan_of(engine, statement, parameters):
    """The steps by which the database would answer."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [row[3] for row in rows]
        # So few rows are read faster whole; what counts is whether an index could answer.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        return [row[0].strip() for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


@contextmanager
def asked_of(engine):
    """What is sent to the database, with its parameters."""
    seen = []

    def note(_connection, _cursor, statement, parameters, *_):
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
