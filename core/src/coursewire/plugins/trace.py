"""The hook trace, for people who look for what calls what. Set ``COURSEWIRE_TRACE_HOOKS=1``."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from coursewire.model.content import ContentItem
from coursewire.model.kinds import Kind
from coursewire.model.payload import Batch, Operation, Payload, Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pluggy

VARIABLE = "COURSEWIRE_TRACE_HOOKS"

LOG = logging.getLogger("coursewire.hooks.trace")


def trace_wanted() -> bool:
    """True when the environment asks for the trace."""
    return os.environ.get(VARIABLE, "").strip().lower() in ("1", "true", "yes", "on")


def trace_calls(manager: pluggy.PluginManager, where: str) -> None:
    """Log each hook call of a channel, its arguments and its result, to standard error.

    Arguments are named by kind and key, never by value: no secret and no learner's data can get into
    the log in this way.
    """
    if not LOG.hasHandlers():
        LOG.addHandler(logging.StreamHandler())
    LOG.setLevel(logging.DEBUG)

    def before(hook: str, _implementations: Sequence[Any], arguments: Mapping[str, Any]) -> None:
        said = ", ".join(f"{name}={show(value)}" for name, value in arguments.items())
        LOG.debug("%s: %s(%s)", where, hook, said)

    def after(outcome: pluggy.Result[Any], hook: str, *_call: object) -> None:
        error = outcome.exception
        said = f"raised {type(error).__name__}" if error else f"-> {show(outcome.get_result())}"
        LOG.debug("%s: %s %s", where, hook, said)

    manager.add_hookcall_monitoring(before, after)


def show(value: object) -> str:
    """Name an argument without telling what is in it."""
    match value:
        case None | bool() | Kind() | Operation():
            return str(value)
        case ContentItem():
            return f"ContentItem {value.content_key}"
        case Batch():
            return f"Batch of {len(value)}"
        case Payload():
            return f"Payload {value.key} ({value.operation})"
        case Result():
            return f"Result {value.kind}"
        case dict() | list() | tuple() | set() | frozenset():
            return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__
