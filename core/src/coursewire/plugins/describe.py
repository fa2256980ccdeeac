"""A channel's declaration in words, for reports and for the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from coursewire.model.channel import Channel, Rate

CAPABILITIES = {
    "content_types": "content types",
    "content": "content",
    "completions": "completions",
    "assessments": "assessments",
    "enrollments": "enrollments",
    "retire_strategies": "ways of retiring, the default first",
    "in_progress": "results before completion",
    "outcomes_need_content": "takes results only for courses it was sent",
    "raise_grade": "a grade may rise",
    "lower_grade": "a grade may fall",
    "revoke": "a completion may be taken back",
    "idempotency": "repeated sending of content",
    "outcome_idempotency": "repeated sending of outcomes",
    "delivery": "content is pushed, or pulled by the LMS",
    "mapped_keys": "the LMS has keys of its own for items",
    "mixed_operations": "operations may share a batch",
    "wants_confirmed": "writes an item in parts, and only those that changed",
    "list_remote": "listing what is at the LMS",
    "list_inactive_learners": "listing learners whose account is inactive",
    "paging": "paging",
    "slow_down": 'how it says "slow down"',
}
"""Fields in words, in the order of a table; a field without words goes by its name."""

LIMITS = {
    "batch_items": "content items a request",
    "outcome_batch_items": "outcomes a request",
    "batch_bytes": "bytes a request",
    "concurrency": "requests at once for one configuration",
    "rates": "calls",
    "counted_by": "the vendor counts by",
    "remaining_header": "header with the calls that are left",
    "reset_header": "header with the instant of new calls",
    "connect_timeout_s": "seconds to connect",
    "read_timeout_s": "seconds without an answer",
    "total_timeout_s": "seconds for a request in all",
}


def capabilities_in_words(channel: Channel) -> dict[str, str]:
    """Return what the LMS and the channel can do: pairs of words and answer."""
    return _values(channel.capabilities, CAPABILITIES)


def limits_in_words(channel: Channel) -> dict[str, str]:
    """The vendor's limits: in words, and the value."""
    return _values(channel.limits, LIMITS)


def _values(model: BaseModel, labels: Mapping[str, str]) -> dict[str, str]:
    names = [*labels, *(name for name in type(model).model_fields if name not in labels)]
    return {labels.get(name, name): _text(getattr(model, name)) for name in names}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value))) or "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(_rate(name, rate) for name, rate in value.items()) or "no number is known"
    return "no limit" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _rate(name: str, rate: Rate) -> str:
    which = "" if name == "default" else f" (those that count as {name})"
    more = ", or more where the vendor agreed" if rate.negotiable else ""
    return f"{rate.calls} in {rate.seconds:g} s{which}{more}"
