"""The hooks of the channel for Degreed's API v2. The entry point names this module."""

from __future__ import annotations

from coursewire.hookspecs import hookimpl
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Rate, RetireStrategy, Support
from coursewire.model.content import ContentType
from coursewire_degreed.settings import EVERY_CALL, MINUTE_S
from coursewire_degreed.v2.client import (
    authenticate,
    check_connection,
    find_remote,
    list_remote,
    send_content,
)
from coursewire_degreed.v2.config import CALLS_A_MINUTE, Degreed2Config
from coursewire_degreed.v2.content import export_content, export_retirement
from coursewire_degreed.v2.outcomes import export_completion, send_outcomes

__all__ = [
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "export_retirement",
    "find_remote",
    "list_remote",
    "send_content",
    "send_outcomes",
]

CHANNEL = Channel(
    code=Degreed2Config.code,
    title="Degreed (API v2)",
    config=Degreed2Config,
    capabilities=Capabilities(
        content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN, ContentType.PROGRAM}),
        completions=Support.FULL,
        assessments=Support.IMPOSSIBLE,
        retire_strategies=(RetireStrategy.DEACTIVATE, RetireStrategy.DELETE),
        raise_grade=Support.FULL,
        lower_grade=Support.FULL,
        revoke=Support.FULL,
        in_progress=Support.IMPOSSIBLE,
        idempotency=Idempotency.NATIVE_KEY,
        outcome_idempotency=Idempotency.NONE,
        outcomes_need_content=True,
        wants_confirmed=True,
        list_remote=Support.FULL,
        paging="cursor",
    ),
    limits=Limits(
        batch_items=1,
        concurrency=5,
        rates={EVERY_CALL: Rate(calls=CALLS_A_MINUTE, seconds=MINUTE_S, negotiable=True)},
        counted_by="application key",
        remaining_header="X-Rate-Limit-Remaining",
        reset_header="X-Rate-Limit-Reset",
    ),
    simulator="coursewire_degreed.v2.simulator:Degreed2Simulator",
    docs_url="https://developer.degreed.com/reference/overview",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL
