"""The surroundings of a job on a bench: its clock, an operator who watches, and a process that may die."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from coursewire.hooks import hookimpl
from coursewire.model.payload import Batch, Result
from coursewire.testing.conformance.made_up import NOW


@dataclass
class BenchClock:
    """A clock that stands until it is moved, or until somebody sleeps."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def forward(self, **by: float) -> None:
        """Let time pass, in the words of ``timedelta``."""
        self.now += timedelta(**by)


class CrashError(BaseException):
    """The process dies here. Nothing may catch it, as nothing catches a kill."""


@dataclass(eq=False)
class Watch:
    """An operator's hooks: they note what they see, and may let the process die.

    Attributes:
        seen: Name of the hook and what it was given, in order.
        dies_at: The hook at which the process dies, "" for none.
        after: So many calls of it are survived.
        dead: It has died: nothing is written any more, not even that it has.
    """

    seen: list[tuple[str, Any]] = field(default_factory=list)
    dies_at: str = ""
    after: int = 0
    dead: bool = False

    def reset(self) -> None:
        """Forget everything, and stay alive."""
        self.seen.clear()
        self.dies_at, self.after, self.dead = "", 0, False

    def _note(self, hook: str, what: Any) -> None:
        self.seen.append((hook, what))
        if hook == self.dies_at:
            self.after -= 1
            if self.after < 0:
                self.dead = True
        self.die_if_dead()

    def die_if_dead(self, *_: Any) -> None:
        """Let whoever asks die too. The database does, before each statement."""
        if self.dead:
            raise CrashError

    def of(self, hook: str) -> list[Any]:
        """Return the arguments that one hook was given."""
        return [what for name, what in self.seen if name == hook]

    @hookimpl
    def job_started(self, job: Mapping[str, Any]) -> None:
        """See :class:`coursewire.hooks.OperatorSpecs`."""
        self._note("job_started", job)

    @hookimpl(tryfirst=True)
    def batch_sending(self, batch: Batch) -> None:
        """Note it, and leave the answer to others."""
        self._note("batch_sending", batch)

    @hookimpl
    def batch_sent(self, batch: Batch, results: list[Result]) -> None:
        """See :class:`coursewire.hooks.OperatorSpecs`."""
        self._note("batch_sent", (batch, results))

    @hookimpl
    def job_finished(self, summary: Mapping[str, Any]) -> None:
        """See :class:`coursewire.hooks.OperatorSpecs`."""
        self._note("job_finished", summary)
