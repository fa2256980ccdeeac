"""What the store holds of one outcome, as its record keeps it: which statement stands, and under which id.

A statement is never changed. A correction is another statement, and a store ignores a statement whose id it has
seen, even if that was voided. So the id of a fact is its own the first time; where an outcome has been corrected
before, it is derived from the statement that stands now.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID, uuid5

_NOTHING = "-"


class Held(NamedTuple):
    """The last statement of an outcome.

    Attributes:
        statement: Its id at the store.
        fact: The id of the fact that it tells; None where it voids the one before it.
        corrected: There was another statement before it.
    """

    statement: str
    fact: str | None
    corrected: bool = True

    @classmethod
    def read(cls, remote_id: str | None) -> Held | None:
        """From a record; None where it knows of no statement."""
        statement, _, fact = (remote_id or "").partition(" ")
        held = cls(statement, None if fact == _NOTHING else fact or statement, corrected=bool(fact))
        return held if statement else None

    def written(self) -> str:
        """As a record keeps it: the statement's id alone while it is the first."""
        return f"{self.statement} {self.fact or _NOTHING}" if self.corrected else self.statement


def follow(held: Held | None, fact: str) -> Held:
    """The statement that tells ``fact`` after what is held; the same one where that tells it already."""
    if held and held.fact == fact:
        return held
    name = str(uuid5(UUID(held.statement), fact)) if held and held.corrected else fact
    return Held(name, fact, corrected=held is not None)
