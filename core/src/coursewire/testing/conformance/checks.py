"""A check: its name, its title, the need that calls for it, and the message that says what is wrong and where to read on."""

from __future__ import annotations

import functools
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursewire.model.channel import Channel

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench

EXPLAINED = "docs/reference/conformance.md"
"""The page with a section for each check."""

UNSAID: Any = object()

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 400
_SHORT.maxlist = _SHORT.maxset = _SHORT.maxtuple = 12
_SHORT.maxdict = 30


@dataclass(frozen=True, slots=True)
class Need:
    """The declaration that a channel must make for a check to apply to it.

    Attributes:
        text: For people, such as ``completions``; "" for every channel.
        applies: Tells it of a channel.
    """

    text: str
    applies: Callable[[Channel], bool]

    def __and__(self, other: Need) -> Need:
        """Both."""
        return Need(f"{self.text}, {other.text}", lambda c: self.applies(c) and other.applies(c))


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement.

    Attributes:
        name: Of the method, ``test_...``.
        title: The requirement, as a sentence without a full stop.
        need: What calls for it.
        without_channel: It can be asked although the channel cannot be loaded.
        golden: It needs golden pairs.
    """

    name: str
    title: str
    need: Need
    without_channel: bool = False
    golden: bool = False

    @property
    def anchor(self) -> str:
        """Of its section in the docs."""
        return self.name.removeprefix("test_").replace("_", "-")

    @property
    def explained(self) -> str:
        """Return the address of the page that explains it."""
        return f"{EXPLAINED}#{self.anchor}"


REASONS_DECLARED = "every reason code that the channel gives is declared, by core or by the channel"
"""The title of the check that every other check makes at its end, too."""

_ABOUT_REASONS = Check("test_reasons_are_declared", REASONS_DECLARED, Need("", lambda _channel: True))


class Fault(Exception):  # noqa: N818 - it is what a check finds, not an error of ours
    """A fault that a check found.

    Attributes:
        what: One sentence that names the fault.
        seen: What was sent, or what was there.
        expected: What should have been.
    """

    def __init__(self, what: str, seen: Any = UNSAID, expected: Any = UNSAID) -> None:
        self.what, self.seen, self.expected = what, seen, expected
        super().__init__(what)


class NonconformanceError(AssertionError):
    """A requirement is not met; the message says all that is known."""


def demand(fine: object, what: str, *, seen: Any = UNSAID, expected: Any = UNSAID) -> None:
    """Go on if something holds.

    Raises:
        Fault: It does not.
    """
    __tracebackhide__ = True
    if not fine:
        raise Fault(what, seen, expected)


def demand_equal(seen: Any, expected: Any, what: str) -> None:
    """Go on if both are the same.

    Raises:
        Fault: They differ.
    """
    __tracebackhide__ = True
    demand(seen == expected, what, seen=seen, expected=expected)


def check(
    title: str, need: Need, *, without_channel: bool = False, golden: bool = False
) -> Callable[[Callable[[Any, Bench], None]], Callable[[Any, Bench], None]]:
    """Make a method of a topic a check; whatever it raises becomes a message that ends as it should."""

    def mark(function: Callable[[Any, Bench], None]) -> Callable[[Any, Bench], None]:
        made = Check(function.__name__, title, need, without_channel, golden)

        @functools.wraps(function)
        def run(self: Any, bench: Bench) -> None:
            __tracebackhide__ = True
            try:
                function(self, bench)
            except Fault as fault:
                raise NonconformanceError(message(made, fault)) from None
            except Exception as error:
                unforeseen = Fault(f"{type(error).__name__}: {error}", seen="this error", expected="no error")
                raise NonconformanceError(message(made, unforeseen)) from error
            try:
                demand_declared_reasons(bench)
            except Fault as fault:
                raise NonconformanceError(message(_ABOUT_REASONS, fault)) from None

        run.check = made  # type: ignore[attr-defined]
        return run

    return mark


def demand_declared_reasons(bench: Bench | None) -> None:
    """Demand that the channel has given no reason code so far that nobody declares.

    Args:
        bench: The check's bench; None where the channel cannot be loaded.

    Raises:
        Fault: It has; the message names the codes.
    """
    undeclared = bench.loaded.hook_caller.undeclared if bench is not None else {}
    demand(
        not undeclared,
        "neither core nor the channel declares the reason "
        + ", ".join(f"{code!r} of {hook}" for code, hook in undeclared.items()),
        seen=[info.code for info in bench.channel.reasons] if bench is not None else (),
        expected="a cw.ReasonInfo with this code in Channel(reasons=...), or one of core's codes: cw.Reason",
    )


def message(of: Check, fault: Fault) -> str:
    """The fault, the requirement, what was seen and expected, and where it is explained."""
    lines = [fault.what, f"  requirement: {of.name}: {of.title}"]
    if fault.seen is not UNSAID:
        lines.append(f"  seen:        {shown(fault.seen)}")
    if fault.expected is not UNSAID:
        lines.append(f"  expected:    {shown(fault.expected)}")
    return "\n".join([*lines, f"  explained:   {of.explained}"])


def shown(value: Any) -> str:
    """A value as a message shows it: texts as they are, all of it short."""
    if isinstance(value, str):
        return value if len(value) <= 1000 else f"{value[:700]} ... {value[-200:]}"
    return _SHORT.repr(value)
