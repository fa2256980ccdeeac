"""Instants and moments."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from coursewire.model.instant import Instant, Moment, iso_utc

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_instant_is_converted_to_utc_not_relabelled():
    value = TypeAdapter(Instant).validate_python("2026-03-01T14:00:00+02:00")
    assert value == NOW
    assert value.utcoffset() == timedelta(0)


def test_a_naive_instant_is_refused():
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python("2026-03-01T12:00:00")
    with pytest.raises(ValueError, match="no zone"):
        Moment(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


def test_a_moment_remembers_the_next_change():
    moment = Moment(NOW.astimezone(timezone(timedelta(hours=9))))
    assert moment.has_passed(NOW)
    assert moment.has_passed(NOW - timedelta(days=1))
    assert moment.next_change_at is None
    assert not moment.has_passed(NOW + timedelta(days=2))
    assert not moment.has_passed(NOW + timedelta(days=1))
    assert moment.next_change_at == NOW + timedelta(days=1)


def test_an_instant_is_written_in_utc_to_the_second():
    assert iso_utc(None) is None
    assert iso_utc(datetime(2026, 3, 1, 0, 30, 5, 999, tzinfo=timezone(timedelta(hours=2)))) == (
        "2026-02-28T22:30:05Z"
    )
    assert iso_utc(datetime(99, 1, 1, tzinfo=UTC)) == "0099-01-01T00:00:00Z"
    with pytest.raises(ValueError, match="no zone"):
        iso_utc(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


def test_an_instant_can_be_written_to_the_millisecond():
    instant = datetime(2026, 3, 2, 10, 15, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    assert iso_utc(instant, timespec="milliseconds") == "2026-03-02T09:15:00.123Z"
    assert iso_utc(NOW, timespec="milliseconds") == "2026-03-01T12:00:00.000Z"
