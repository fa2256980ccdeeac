"""Instants and the moment of a run.

Every instant inside Coursewire is an aware UTC ``datetime``. A :class:`Moment` is the "now" of one run;
it also remembers when an answer that it gave will change by the mere passing of time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

Clock = Callable[[], datetime]
"""Type of a function that returns the present instant, aware UTC. Clocks are arguments everywhere, so that tests need
not wait."""


def utc_now() -> datetime:
    """Return the present instant, aware UTC: the clock of real runs.

    Example:
        >>> cw.utc_now().tzinfo.tzname(None)
        'UTC'
    """
    return datetime.now(UTC)


def as_utc(instant: datetime) -> datetime:
    """Convert an aware instant to UTC.

    Raises:
        ValueError: The instant is naive, so that its zone cannot be guessed; or in UTC it lies outside the
            years 1 to 9999.
    """
    if instant.tzinfo is None:
        raise ValueError("this time has no zone; write it with an offset or with Z")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this time lies outside the years 1 to 9999") from error


def iso_utc(instant: datetime | None, *, timespec: str = "seconds") -> str | None:
    """Return an instant as text such as ``2026-03-01T12:00:00Z``; None for None.

    Args:
        instant: Any aware instant; None gives None.
        timespec: Precision, as for :meth:`datetime.isoformat`, such as ``"milliseconds"``; finer parts are cut off.

    Raises:
        ValueError: The instant has no time zone.

    Example:
        >>> from datetime import datetime
        >>> cw.iso_utc(datetime.fromisoformat("2026-03-01T13:00:00.250+01:00"))
        '2026-03-01T12:00:00Z'
    """
    return (
        None if instant is None else f"{as_utc(instant).replace(tzinfo=None).isoformat(timespec=timespec)}Z"
    )


Instant = Annotated[AwareDatetime, AfterValidator(as_utc)]
"""A field that takes ISO 8601 with any offset, refuses naive values, and holds UTC."""


class Moment:
    """The "now" of one run, and the next instant at which an answer about time changes.

    An exporter asks ``moment.has_passed(run.end)`` instead of comparing with a clock. The payload that it builds is good
    until :attr:`next_change_at`; core examines the item again then, even if the source reports no change.

    Args:
        now: The present instant, aware; it is kept as UTC.

    Example:
        >>> from datetime import UTC, datetime
        >>> moment = cw.Moment(datetime(2026, 1, 1, tzinfo=UTC))
        >>> moment.has_passed(datetime(2026, 2, 1, tzinfo=UTC)), moment.next_change_at.isoformat()
        (False, '2026-02-01T00:00:00+00:00')
    """

    __slots__ = ("next_change_at", "now")

    def __init__(self, now: datetime) -> None:
        self.now = as_utc(now)
        self.next_change_at: datetime | None = None

    def has_passed(self, instant: datetime) -> bool:
        """Tell whether an instant is now or earlier, and remember the instant if it is still to come."""
        if instant <= self.now:
            return True
        self.will_change_at(instant)
        return False

    def will_change_at(self, instant: datetime) -> None:
        """Remember that something derived from this moment changes at an instant."""
        if instant > self.now and (self.next_change_at is None or instant < self.next_change_at):
            self.next_change_at = instant
