"""Course runs as the Enrollment API shows them: from the content's runs and seats, and what was set on top."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, TypeAdapter, ValidationError
from sqlalchemy import select

from coursewire.model.content import SourceInstant
from coursewire.sources.database.questions import chunks, in_keys
from coursewire.storage.tables.enrollment import enrollment_course, enrollment_mode
from coursewire.storage.tables.source import source_content, source_course_run

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping, Table

    from coursewire.enrollment.shapes import Course, Mode

_log = logging.getLogger(__name__)

_PACING = {"self_paced": "Self Paced", "instructor_paced": "Instructor Paced"}
_AMOUNT = TypeAdapter(Decimal)


def _tolerant_amount(value: object) -> Decimal:
    """A price as catalogues write it, mostly text; none, or one that cannot be read, asks for nothing."""
    try:
        return _AMOUNT.validate_python(value)
    except ValidationError:
        return Decimal(0)


class _Seat(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    type: Annotated[str, StringConstraints(min_length=1)]
    price: Annotated[Decimal, BeforeValidator(_tolerant_amount)] = Decimal(0)
    currency: str | None = None
    upgrade_deadline: SourceInstant = None
    sku: str | None = None
    bulk_sku: str | None = None


def _tolerant_seats(value: object) -> list[_Seat]:
    """The seats that can be read: what content holds beside its own fields is not checked when it is loaded."""
    seats = []
    for seat in value if isinstance(value, list) else ():
        try:
            seats.append(_Seat.model_validate(seat))
        except ValidationError:
            _log.warning("a seat of a course run cannot be read; its mode is not offered")
    return seats


class _Run(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    key: str = ""
    title: str | None = None
    start: SourceInstant = None
    end: SourceInstant = None
    enrollment_start: SourceInstant = None
    enrollment_end: SourceInstant = None
    pacing_type: str | None = None
    seats: Annotated[list[_Seat], BeforeValidator(_tolerant_seats)] = []


def read_courses(
    connection: Connection,
    course_ids: Sequence[str],
    *,
    now: datetime,
    default_mode: str,
    include_expired: bool = False,
) -> dict[str, Course]:
    """Course runs by key, in a few statements however many; those that no content holds are left out.

    Args:
        connection: To the database.
        course_ids: Which.
        now: Modes that expired before this instant are left out.
        default_mode: What a run without a mode offers.
        include_expired: Leave them in.
    """
    keys = [(course_id,) for course_id in dict.fromkeys(course_ids)]
    runs: dict[str, _Run] = {}
    for chunk in chunks(keys):
        found = connection.execute(
            select(source_course_run.c.run_key, source_content.c.data)
            .join(source_content, source_content.c.content_key == source_course_run.c.content_key)
            .where(in_keys((source_course_run.c.run_key,), chunk))
            .order_by(source_course_run.c.run_key, source_content.c.content_type)  # a course before its run
        )
        for key, data in found:
            if key not in runs:
                runs[key] = _find_run(orjson.loads(data), key)
    modes = defaultdict(list)
    for row in _of_courses(connection, enrollment_mode, keys):
        modes[row["course_id"]].append(row)
    for rows in modes.values():
        rows.sort(key=lambda row: row["position"])
    settings = {row["course_id"]: row for row in _of_courses(connection, enrollment_course, keys)}
    return {
        key: {
            "course_id": key,
            "course_name": run.title or key,
            "enrollment_start": run.enrollment_start,
            "enrollment_end": run.enrollment_end,
            "course_start": run.start,
            "course_end": run.end,
            "invite_only": key in settings and settings[key]["invite_only"],
            "course_modes": _modes(run, modes[key], now, default_mode, include_expired=include_expired),
            "pacing_type": _PACING.get(run.pacing_type or ""),
        }
        for key, run in runs.items()
    }


def _of_courses(connection: Connection, table: Table, keys: Sequence[tuple[str]]) -> list[RowMapping]:
    return [
        row
        for chunk in chunks(keys)
        for row in connection.execute(select(table).where(in_keys((table.c.course_id,), chunk))).mappings()
    ]


def _find_run(item: dict[str, Any], key: str) -> _Run:
    """The run of this key inside an item that holds it, or the item itself."""
    within = (run for run in item.get("course_runs") or () if run.get("key") == key)
    run = next(within, item)
    return _Run.model_validate({"title": item.get("title"), **run})


def _modes(
    run: _Run, rows: Sequence[RowMapping], now: datetime, default: str, *, include_expired: bool
) -> list[Mode]:
    """The run's modes, each slug once: of its seats, replaced and added to by ``rows``."""
    by_slug = {seat.type: _mode_of_seat(seat) for seat in run.seats}
    by_slug |= {row["slug"]: _mode_of_row(row) for row in rows}
    modes = [mode for mode in by_slug.values() if include_expired or not _expired(mode, now)]
    return modes or [_mode(default)]


def _expired(mode: Mode, now: datetime) -> bool:
    until = mode["expiration_datetime"]
    return isinstance(until, datetime) and until < now


def _mode_of_seat(seat: _Seat) -> Mode:
    return _mode(
        seat.type,
        min_price=seat.price,
        currency=seat.currency,
        expires_at=seat.upgrade_deadline,
        sku=seat.sku,
        bulk_sku=seat.bulk_sku,
    )


def _mode_of_row(row: RowMapping) -> Mode:
    return _mode(**{name: value for name, value in row.items() if name not in ("course_id", "position")})


def _mode(
    slug: str,
    *,
    name: str = "",
    min_price: Decimal = Decimal(0),
    suggested_prices: str = "",
    currency: str | None = None,
    expires_at: datetime | None = None,
    description: str | None = None,
    sku: str | None = None,
    bulk_sku: str | None = None,
) -> Mode:
    return {
        "slug": slug,
        "name": name or slug.replace("-", " ").title(),
        "min_price": int(min_price) if min_price == int(min_price) else float(min_price),
        "suggested_prices": suggested_prices,
        "currency": (currency or "usd").lower(),
        "expiration_datetime": expires_at,
        "description": description,
        "sku": sku,
        "bulk_sku": bulk_sku,
    }
