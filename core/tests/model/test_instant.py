"""Instants and moments."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from coursewire.model.instant import Instant, Moment

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
