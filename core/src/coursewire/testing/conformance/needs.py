"""The needs that call for checks, in the words of ``Capabilities``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from coursewire.model.channel import Channel, Idempotency
from coursewire.model.kinds import OUTCOMES, Kind
from coursewire.testing.conformance.checks import Need
from coursewire.testing.simulator import Simulator


def takes(kind: Kind) -> Need:
    """Return the need of a channel that takes a kind."""
    return Need(kind.value, lambda channel: channel.capabilities.takes(kind))


EVERY = Need("", lambda _channel: True)
EXPORTED = Need("content", lambda c: c.capabilities.content.usable)
CONTENT = EXPORTED & Need("delivery: push", lambda c: c.capabilities.delivery == "push")
RETIRES = CONTENT & Need("retire_strategies", lambda c: bool(c.capabilities.retire_strategies))
COMPLETIONS = takes(Kind.COMPLETIONS)
ANY_RESULTS = Need(
    " or ".join(", ".join(OUTCOMES).rsplit(", ", 1)),
    lambda c: any(c.capabilities.takes(kind) for kind in OUTCOMES),
)
LOOKS_UP = CONTENT & Need(
    "idempotency: natural key", lambda c: c.capabilities.idempotency is Idempotency.NATURAL_KEY
)
DEDUPLICATES = CONTENT & Need("idempotency", lambda c: c.capabilities.idempotency is not Idempotency.NONE)
LISTS = CONTENT & Need("list_remote", lambda c: c.capabilities.list_remote.usable)
LISTS_INACTIVE = Need("list_inactive_learners", lambda c: c.capabilities.list_inactive_learners.usable)
PAGES = Need("paging", lambda c: c.capabilities.paging != "none")
RAISES = COMPLETIONS & Need("raise_grade", lambda c: c.capabilities.raise_grade.usable)
LOWERS = COMPLETIONS & Need("lower_grade", lambda c: c.capabilities.lower_grade.usable)
REVOKES = COMPLETIONS & Need("revoke", lambda c: c.capabilities.revoke.usable)
IN_PROGRESS = COMPLETIONS & Need("in_progress", lambda c: c.capabilities.in_progress.usable)
NEVER_CORRECTS = COMPLETIONS & Need(
    "raise_grade and lower_grade are not usable",
    lambda c: not c.capabilities.raise_grade.usable and not c.capabilities.lower_grade.usable,
)
SAYS_403 = CONTENT & Need(
    "slow_down: 403", lambda c: any(word.startswith("403") for word in c.capabilities.slow_down)
)


def _simulator_of(channel: Channel) -> Any:
    """The simulator's class; None where there is none, which another check says."""
    module, _, name = (channel.simulator or "").partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return None


def _has_tokens(channel: Channel) -> bool:
    return bool(getattr(_simulator_of(channel), "token_paths", ()))


def _knows_learners(channel: Channel) -> bool:
    return getattr(_simulator_of(channel), "enroll", Simulator.enroll) is not Simulator.enroll


TOKENS = Need("tokens: token_paths of the simulator", _has_tokens)
KNOWS_LEARNERS = ANY_RESULTS & Need("learners: enroll of the simulator", _knows_learners)
PAGED_CONTENT = Need(
    "paging: pages_content of the simulator", lambda c: bool(getattr(_simulator_of(c), "pages_content", True))
)
MARKUP = Need(
    "titles: title_markup of the simulator", lambda c: bool(getattr(_simulator_of(c), "title_markup", True))
)
