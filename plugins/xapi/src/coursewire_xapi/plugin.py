"""The hooks of the xAPI channel, each where it is imported from. The entry point names this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import coursewire as cw
from coursewire_xapi.client import authenticate, check_connection, send_outcomes
from coursewire_xapi.config import XapiConfig
from coursewire_xapi.outcomes import export_completion, export_enrollment, should_transmit
from coursewire_xapi.reasons import REASONS

if TYPE_CHECKING:
    import typer

__all__ = [
    "CHANNEL",
    "authenticate",
    "channel_commands",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_enrollment",
    "send_outcomes",
    "should_transmit",
]

CHANNEL = cw.Channel(
    code=XapiConfig.code,
    title="xAPI Learning Record Store",
    requires_api=">=2.0,<3",
    reasons=REASONS,
    config=XapiConfig,
    capabilities=cw.Capabilities(
        content=cw.Support.IMPOSSIBLE,
        completions=cw.Support.FULL,
        assessments=cw.Support.NOT_IMPLEMENTED,
        enrollments=cw.Support.FULL,
        raise_grade=cw.Support.FULL,
        lower_grade=cw.Support.FULL,
        revoke=cw.Support.FULL,
        in_progress=cw.Support.NOT_IMPLEMENTED,
        outcome_idempotency=cw.Idempotency.NATIVE_KEY,
        paging="cursor",
    ),
    # The specification has no limits. A store that takes less answers 413, and gets halves.
    limits=cw.Limits(outcome_batch_items=100, concurrency=4, counted_by="token"),
    simulator="coursewire_xapi.simulator:XapiSimulator",
    docs_url="https://github.com/adlnet/xAPI-Spec",
)


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Return the declaration of the channel."""
    return CHANNEL


@cw.hookimpl
def channel_commands() -> typer.Typer:
    """Offer the command ``coursewire xapi cmi5``."""
    from coursewire_xapi.cmi5_command import commands  # noqa: PLC0415 - only the command needs it

    return commands
