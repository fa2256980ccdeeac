"""A database as it is after a busy quarter: a million transmissions, and what belongs to them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr
from sqlalchemy import Engine, Table, insert, select, text

from coursewire.installation import Installation
from coursewire.model.kinds import Kind
from coursewire.model.payload import ResultKind, digest
from coursewire.model.reasons import Reason
from coursewire.pipeline.export.content import export_context
from coursewire.service.accounts import Accounts
from coursewire.service.rights import ALL_CUSTOMERS, Role, RoleAssignment
from coursewire.service.tokens import ApiTokens
from coursewire.storage.audit.states import State
from coursewire.storage.tables.columns import UtcDateTime
from coursewire.storage.tables.records import content_record, identity_link, job, outcome_record, transmission
from coursewire.storage.tables.source import source_content

CUSTOMERS = 20
CONFIGURATIONS = 40
COURSES = 2500
A_CATALOG = 1250
RECORDS = 50_000
"""Of content, and as many of outcomes."""
JOBS = 3000
DAYS = 90
UNMATCHED = 400
ROWS_AT_ONCE = 20_000

_RESULTS = (
    (ResultKind.ACCEPTED, 900),
    (ResultKind.ALREADY_SO, 40),
    (ResultKind.REJECTED, 25),
    (ResultKind.TRY_LATER, 20),
    (ResultKind.THROTTLED, 10),
    (ResultKind.CREDENTIALS_BROKEN, 3),
    (ResultKind.BLOCKED, 1),
    (ResultKind.IN_DOUBT, 1),
)
_STATES = (
    (State.CONFIRMED, 900, None),
    (State.RETIRED, 40, None),
    (State.PLANNED, 30, Reason.WAITING_FOR_LIMIT),
    (State.FAILED, 15, "server-error"),
    (State.REJECTED, 10, "missing-field"),
    (State.IN_DOUBT, 1, None),
)
_REFUSED = {
    "message": "The LMS refused the item: the field 'duration' is missing, and it must not be.",
    "excerpt": '{"status": "ERROR", "message": "duration is required", "itemID": "%s"}',
}


def customer_of(number: int) -> str:
    """The UUID of a made-up customer."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"customer {number}"))


def catalog_of(number: int) -> str:
    """The UUID of a customer's one catalog."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"catalog {number}"))


def course_of(number: int) -> str:
    """The key of a made-up course; neighbours in a catalog are not neighbours by key."""
    return f"RiverU+{digest(str(number).encode())[:4]}{number:04}"


def bundle(target: Path) -> Path:
    """Write customers, catalogs and courses of the source to the folder ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[dict[str, Any]]] = {"customers": [], "catalogs": [], "content": []}
    for number in range(CUSTOMERS):
        files["customers"].append(
            {"uuid": customer_of(number), "name": f"Company {number}", "slug": f"company-{number}"}
        )
        files["catalogs"].append(
            {
                "uuid": catalog_of(number),
                "customer": customer_of(number),
                "title": "All",
                "content_keys": [course_of(place) for place in courses_of(number)],
            }
        )
    for number in range(COURSES):
        key = course_of(number)
        files["content"].append(
            {
                "content_type": "course",
                "key": key,
                "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, key)),
                "title": f"Course {number} on rivers and what lives in them",
                "full_description": "What a river is, where it comes from, and where it goes. " * 12,
                "enrollment_url": f"https://portal.example.com/{key}",
                "course_runs": [
                    {"key": f"course-v1:{key}+1T2026", "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, key))}
                ],
            }
        )
    for name, rows in files.items():
        (target / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return target


def courses_of(number: int) -> list[int]:
    """The courses in the catalog of a customer, by number: half of all, from another place for each."""
    return [(number * 125 + place) % COURSES for place in range(A_CATALOG)]


def fill(here: Installation, count: int, channels: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Write configurations, jobs, records, learners and ``count`` transmissions; callers of three kinds.

    Args:
        here: With customers, catalogs and courses of :func:`bundle`.
        count: Transmissions.
        channels: Codes, and the fields of a configuration of each.

    Returns:
        ``tokens``: one for all customers, of many viewers; one for each customer; one for five. ``password``: of the
        account ``viewer``.
    """
    dice = random.Random(6)
    configurations: list[uuid.UUID] = []
    contexts: dict[uuid.UUID, str] = {}
    for number in range(CONFIGURATIONS):
        code, fields = channels[number % len(channels)]
        added = here.configurations.add(
            here.channels.get(code).channel,
            customer_of(number // 2 % CUSTOMERS),
            {**fields, "display_name": f"Company {number // 2} {code.lower()}"},
            active=True,
            actor="bench",
        )
        configurations.append(added.uuid)
        loaded = here.channels.get(code)
        config = here.configurations.load(added.uuid, loaded.channel)
        contexts[added.uuid] = export_context(loaded, config)
    now = datetime.now(UTC).replace(microsecond=0)
    # A few customers do most; one has done nothing for long, so that its rows are far from the newest.
    weights = [1 / (1 + number // 4) for number in range(CONFIGURATIONS)]
    with here.engine.connect() as connection:
        c = source_content.c
        versions = dict(connection.execute(select(c.content_key, c.version)).tuples().all())
    _put(here.engine, content_record, _content(configurations, contexts, versions, now, dice))
    outcomes = list(_outcomes(configurations, now, dice))
    _put(here.engine, outcome_record, iter(outcomes))
    _put(here.engine, identity_link, _links(outcomes, now))
    runs = _jobs(configurations, weights, now, dice, count)
    _put(here.engine, job, (row for row, _ in runs))
    keys: dict[uuid.UUID, list[tuple[str, str]]] = {each: [] for each in configurations}
    for row in outcomes:
        keys[row["configuration"]].append((row["kind"], row["outcome_key"]))
    _put(here.engine, transmission, _attempts(runs, configurations, keys, dice))
    with here.engine.begin() as connection:
        if here.engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
    return _callers(here)


def _callers(here: Installation) -> dict[str, Any]:
    tokens, password = ApiTokens(here.engine), "a made-up password of the bench"
    reaches = [[ALL_CUSTOMERS], *([customer_of(number)] for number in range(CUSTOMERS))]
    reaches.append([customer_of(number) for number in range(0, CUSTOMERS, 4)])
    values = [
        tokens.add(
            f"viewer {place}",
            [RoleAssignment(Role.VIEWER, customer) for customer in reach],
            created_by="bench",
            expires_at=None,
        )[1]
        for place, reach in enumerate(reaches)
    ]
    people = Accounts(here.engine)
    people.add("viewer", SecretStr(password), [RoleAssignment(Role.ADMINISTRATOR, ALL_CUSTOMERS)])
    session = people.sign_in("viewer", password)
    assert session is not None
    return {"tokens": values, "cookie": session.cookie}


def _standing(dice: random.Random, now: datetime) -> dict[str, Any]:
    (state, _, reason) = dice.choices(_STATES, [each[1] for each in _STATES])[0]
    good = state in (State.CONFIRMED, State.RETIRED)
    at = now - timedelta(seconds=dice.randrange(DAYS * 86_400))
    return {
        "state": state.value,
        "operation": None if good else "update",
        "present": state is not State.RETIRED,
        "attempts": 0 if good else 2,
        "reason": str(reason) if reason else None,
        "message": None if good else _REFUSED["message"],
        "attempted_at": at,
        "confirmed_at": at,
        "created_at": now - timedelta(days=DAYS),
        "updated_at": at,
        "wanted_fingerprint": digest(str(at).encode()),
        "confirmed_fingerprint": digest(str(at).encode()),
    }


def _content(
    configurations: Sequence[uuid.UUID],
    contexts: dict[uuid.UUID, str],
    versions: dict[str, str],
    now: datetime,
    dice: random.Random,
) -> Iterator[dict[str, Any]]:
    for place in range(RECORDS // CONFIGURATIONS):
        for number, each in enumerate(configurations):
            key = course_of(courses_of(number // 2)[place])
            yield {
                "configuration": each,
                "content_key": key,
                "content_type": "course",
                "title": f"Course {key} on rivers and what lives in them",
                "catalogs": orjson.dumps([catalog_of(number // 2)]).decode(),
                "source_version": versions[key],
                "export_context": contexts[each],
                "remote_key": key,
                "confirmed_payload": orjson.dumps({"key": key, "text": "What a river is. " * 100}).decode(),
                **_standing(dice, now),
            }


def _outcomes(
    configurations: Sequence[uuid.UUID], now: datetime, dice: random.Random
) -> Iterator[dict[str, Any]]:
    for place in range(RECORDS // CONFIGURATIONS):
        for number, each in enumerate(configurations):
            username = f"learner{dice.randrange(10**6):06}{number:02}"
            key = course_of(courses_of(number // 2)[place])
            row = {
                "configuration": each,
                "outcome_key": digest(f"{username} {key} {place}".encode()),
                "kind": Kind.ASSESSMENTS.value if place % 5 == 4 else Kind.COMPLETIONS.value,
                "enrollment": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{username} {key} {place}")),
                "course_key": key,
                "subsection": "",
                "username": username,
                "remote_key": username,
                "confirmed_payload": orjson.dumps({"learner": username, "course": key}).decode(),
                "evidence": orjson.dumps({"grade": 0.8, "passed": True, "note": "as told. " * 20}).decode(),
                **_standing(dice, now),
            }
            if place < UNMATCHED // CONFIGURATIONS:
                row |= {
                    "state": State.PLANNED.value,
                    "operation": "create",
                    "present": False,
                    "reason": str(Reason.LEARNER_UNMATCHED),
                }
            yield row


def _links(outcomes: Iterable[dict[str, Any]], now: datetime) -> Iterator[dict[str, Any]]:
    unmatched = str(Reason.LEARNER_UNMATCHED)
    links = {(row["configuration"], row["username"]): row["reason"] == unmatched for row in outcomes}
    for (configuration, username), missing in links.items():
        yield {
            "configuration": configuration,
            "username": username,
            "state": "unmatched" if missing else "linked",
            "remote_id": None if missing else username,
            "provider": "saml-acme",
            "origin": "only-provider",
            "checked_at": now,
        }


def _jobs(
    configurations: Sequence[uuid.UUID],
    weights: Sequence[float],
    now: datetime,
    dice: random.Random,
    count: int,
) -> list[tuple[dict[str, Any], int]]:
    """Jobs in the order of time, and how many items each has sent."""
    found = []
    for number in range(JOBS):
        started_at = now - timedelta(seconds=DAYS * 86_400 * (1 - number / JOBS))
        # The last configuration has been quiet for a month.
        quiet = started_at > now - timedelta(days=30)
        (configuration,) = dice.choices(
            configurations[:-1] if quiet else configurations, weights[: -1 if quiet else None]
        )
        share = count * (number + 1) // JOBS - count * number // JOBS
        kind = Kind.CONTENT if number % 2 else Kind.COMPLETIONS
        found.append(
            (
                {
                    "uuid": uuid.UUID(int=dice.getrandbits(128), version=4),
                    "kind": kind.value,
                    "configuration": configuration,
                    "state": "finished",
                    "actor": "schedule",
                    "options": "{}",
                    "summary": orjson.dumps(
                        {"created": share, "updated": 0, "failed": 3, "skipped": {}}
                    ).decode(),
                    "started_at": started_at,
                    "finished_at": started_at + timedelta(minutes=3),
                },
                share,
            )
        )
    return found


def _attempts(
    runs: Sequence[tuple[dict[str, Any], int]],
    configurations: Sequence[uuid.UUID],
    outcomes: dict[uuid.UUID, list[tuple[str, str]]],
    dice: random.Random,
) -> Iterator[dict[str, Any]]:
    numbers = {each: number for number, each in enumerate(configurations)}
    catalogs = {
        each: [course_of(place) for place in courses_of(number // 2)] for each, number in numbers.items()
    }
    kinds, weights = zip(*_RESULTS, strict=True)
    for run, share in runs:
        configuration, started_at = run["configuration"], run["started_at"]
        results = dice.choices(kinds, weights, k=share)
        for number, result in enumerate(results):
            if run["kind"] == Kind.CONTENT.value:
                kind, item = run["kind"], dice.choice(catalogs[configuration])
            else:
                kind, item = dice.choice(outcomes[configuration])
            good = result in (ResultKind.ACCEPTED, ResultKind.ALREADY_SO)
            yield {
                "configuration": configuration,
                "kind": kind,
                "item": item,
                "operation": "update",
                "result": result.value,
                "reason": None if good else "missing-field",
                "message": None if good else _REFUSED["message"],
                "fingerprint": "d41d8cd98f00b204e9800998ecf8427ed41d8cd9",
                "http_status": 200 if good else 400,
                "excerpt": None if good else _REFUSED["excerpt"] % item,
                "duration_ms": 40 + number % 200,
                "batch": f"{number // 50:08x}",
                "batch_size": 50,
                "job": run["uuid"],
                "at": started_at + timedelta(milliseconds=150 * number),
            }


def _put(engine: Engine, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    """Insert rows by the fastest way that a database has."""
    names = list(columns := _columns_of(first := next(rows), table))
    chunk = [first]
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            cursor = connection.connection.cursor()
            quoted = ", ".join(f'"{name}"' for name in names)
            with cursor.copy(f'COPY "{table.name}" ({quoted}) FROM STDIN') as copy:
                for row in _and_then(first, rows):
                    copy.write_row([row[name] for name in names])
            return
        if engine.dialect.name == "sqlite":
            marks = ", ".join("?" * len(names))
            statement = f'INSERT INTO "{table.name}" ({", ".join(names)}) VALUES ({marks})'
            while chunk:
                connection.exec_driver_sql(
                    statement, [tuple(_plain(row[name], columns[name]) for name in names) for row in chunk]
                )
                chunk = _some(rows)
            return
        while chunk:
            connection.execute(insert(table), chunk)
            chunk = _some(rows)


def _columns_of(row: dict[str, Any], table: Table) -> dict[str, bool]:
    """The columns that are filled, and which of them hold instants."""
    return {name: isinstance(table.c[name].type, UtcDateTime) for name in row}


def _and_then(first: dict[str, Any], rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rows


def _some(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row, _ in zip(rows, range(ROWS_AT_ONCE), strict=False)]


def _plain(value: Any, instant: bool) -> Any:
    if instant:
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"
    return value.hex if type(value) is uuid.UUID else value
