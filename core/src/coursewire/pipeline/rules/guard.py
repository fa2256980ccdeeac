"""The retirement guard: a run that would take away too much waits for a person's yes."""

from __future__ import annotations

from dataclasses import dataclass

from coursewire.errors import GuardError


@dataclass(frozen=True, slots=True)
class Guard:
    """The limits of what a run may retire without being asked.

    Attributes:
        share: The share of the items that the LMS holds, 0 to 1.
        number: The number of items in all.
        floor: The number of items that go through whatever share they are, unless nothing would be left.
    """

    share: float = 0.2
    number: int = 100
    floor: int = 5

    def stops(self, retiring: int, present: int) -> bool:
        """Tell whether a run that would retire ``retiring`` of ``present`` items needs a yes."""
        if retiring == 0:
            return False
        if retiring >= present:
            return True
        return retiring > self.number or (retiring > self.floor and retiring > self.share * present)

    def check(self, retiring: int, present: int, *, confirmed: int | None, where: str, how: str) -> None:
        """Stop a run that would retire too much.

        Args:
            retiring: The number of items that it would retire.
            present: The number of items that the LMS holds now.
            confirmed: The number a person agreed to; None when nobody was asked.
            where: The configuration, for the message.
            how: The command that confirms, for the message.

        Raises:
            GuardError: It needs a yes, or more than was agreed to would go.
        """
        if not self.stops(retiring, present) or (confirmed is not None and retiring <= confirmed):
            return
        limits = f"more than {self.floor} and {self.share:.0%}, more than {self.number}, or everything"
        why = f"the limit is {limits}"
        if confirmed is not None:
            why = f"{confirmed} were confirmed"
        raise GuardError(
            f"the run would retire {retiring} of the {present} items at the LMS, and was stopped before sending anything",
            where=where,
            why=why,
            next_step=f"If that is what you want, run `{how}`; `coursewire plan content` lists them.",
        )
