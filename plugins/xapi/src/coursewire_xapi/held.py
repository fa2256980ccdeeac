"""The statement that the store holds for one outcome, in the form in which the outcome's record keeps it.

A statement is never changed. A correction is another statement, and a store ignores a statement whose id it has
seen, even if that was voided. So the first statement has the id of its fact; the id of a statement that corrects an
earlier one is derived from that one.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID, uuid5

_NOTHING = "-"


class Held(NamedTuple):
    """The last statement of an outcome.

    Attributes:
        statement: Id of the statement at the store.
        fact: Id of the fact that it tells; None if it voids the statement before it.
        corrected: True if there was another statement before it.
    """

    statement: str
    fact: str | None
    corrected: bool = True

    @classmethod
    def read(cls, remote_id: str | None) -> Held | None:
        """Read the remote id of a record; return None if the record knows no statement."""
        statement, _, fact = (remote_id or "").partition(" ")
        held = cls(statement, None if fact == _NOTHING else fact or statement, corrected=bool(fact))
        return held if statement else None

    def written(self) -> str:
        """Return the remote id for the record: the statement's id alone while it is the first."""
        return f"{self.statement} {self.fact or _NOTHING}" if self.corrected else self.statement


def follow(held: Held | None, fact: str) -> Held:
    """Return the statement that tells a fact after the held one; the held one itself if it tells that fact."""
    if held and held.fact == fact:
        return held
    name = str(uuid5(UUID(held.statement), fact)) if held and held.corrected else fact
    return Held(name, fact, corrected=held is not None)
