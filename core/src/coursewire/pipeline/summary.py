"""The counts of what a job did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coursewire.model.payload import Operation
from coursewire.model.reasons import CountedAs, Reason, counted_as

_DONE = {Operation.CREATE: "created", Operation.UPDATE: "updated", Operation.RETIRE: "retired"}


@dataclass(slots=True)
class Summary:
    """Counts of one job. Every item that was looked at is in exactly one of them.

    Attributes:
        done: ``created``, ``updated``, ``retired``; ``offered`` where the LMS fetches by itself.
        unchanged: Items that are at the LMS as they should be.
        skipped: Items that are left until something about them changes, by reason.
        failed: Items that the LMS did not take, or of which the channel could make no payload, by reason.
        in_doubt: Items of which nobody knows after the job whether the LMS took them, from this job or an earlier one.
        waiting: Items that go out by themselves later, by reason.
        waiting_until: When the first of those may go.
        requests: HTTP requests made.
        source_failures: Catalog to the reason why it could not answer; ``consent`` where consent could not be
            asked for.
        reason: Why the job had nothing to do at all, a reason code; "" when it looked.
    """

    done: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    in_doubt: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    waiting_until: datetime | None = None
    requests: int = 0
    seconds: float = 0.0
    source_failures: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    reason: str = ""

    def leave(self, reason: str, count: int = 1) -> None:
        """Count items that are not sent, as their reason says."""
        if not count:
            return
        match counted_as(reason):
            case CountedAs.UNCHANGED:
                self.unchanged += count
            case CountedAs.WAITING:
                self.waiting[reason] += count
            case _ if reason == Reason.CHANNEL_FAULT:
                # The channel fails afresh in each run, where other refusals of before are not tried again.
                self.failed[reason] += count
            case _:
                self.skipped[reason] += count

    def arrive(self, operation: Operation, *, first: bool) -> None:
        """Count an item that the LMS acknowledged; ``first`` if it never had before."""
        name = _DONE[operation]
        self.done["created" if first and name == "updated" else name] += 1

    def publish(self) -> None:
        """Count an item that now lies ready for the LMS to fetch."""
        self.done["offered"] += 1

    def fail(self, reason: str) -> None:
        """Count an item that the LMS did not take, with the reason code of its result."""
        self.failed[reason] += 1

    def wait_until(self, instant: datetime | None) -> None:
        """Remember the earliest instant at which something that waits may go."""
        if instant is not None and (self.waiting_until is None or instant < self.waiting_until):
            self.waiting_until = instant

    @property
    def exit_status(self) -> int:
        """0 all well, 1 some items failed or are in doubt, or a source did not answer."""
        return 1 if self.failed or self.in_doubt or self.source_failures or self.error else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the stable form, which ``transmit --json`` prints and the job keeps."""
        return {
            "created": self.done["created"],
            "updated": self.done["updated"],
            "retired": self.done["retired"],
            "offered": self.done["offered"],
            "unchanged": self.unchanged,
            "skipped": _by_reason(self.skipped),
            "failed": sum(self.failed.values()),
            "failed_by_reason": _by_reason(self.failed),
            "in_doubt": self.in_doubt,
            "waiting": sum(self.waiting.values()),
            "waiting_by_reason": _by_reason(self.waiting),
            "waiting_until": self.waiting_until.isoformat() if self.waiting_until else None,
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "source_failures": self.source_failures,
            "error": self.error,
            "reason": self.reason,
        }


def _by_reason(counts: Counter[str]) -> dict[str, int]:
    """Return counts in the order of their reasons, with plain texts as keys, as JSON has them."""
    return {str(reason): count for reason, count in sorted(counts.items())}
