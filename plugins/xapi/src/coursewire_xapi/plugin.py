"""The hooks of the xAPI channel. The entry point names this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.hooks import hookimpl
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Support
from coursewire_xapi.client import authenticate, check_connection, send_outcomes
from coursewire_xapi.config import XapiConfig
from coursewire_xapi.outcomes import export_completion, export_enrollment, should_transmit
from coursewire_xapi.reasons import REASONS

if TYPE_CHECKING:
    import typer

__all__ = ["CHANNEL", "authenticate", "channel_commands", "check_connection", "declare_channel"]
__all__ += ["export_completion", "export_enrollment", "send_outcomes", "should_transmit"]

CHANNEL = Channel(
    code=XapiConfig.code,
    title="xAPI Learning Record Store",
    reasons=REASONS,
    config=XapiConfig,
    capabilities=Capabilities(
        content=Support.IMPOSSIBLE,
        completions=Support.FULL,
        assessments=Support.NOT_IMPLEMENTED,
        enrollments=Support.FULL,
        raise_grade=Support.FULL,
        lower_grade=Support.FULL,
        revoke=Support.FULL,
        in_progress=Support.NOT_IMPLEMENTED,
        outcome_idempotency=Idempotency.NATIVE_KEY,
        paging="cursor",
    ),
    # The specification has no limits. A store that takes less answers 413, and gets halves.
    limits=Limits(outcome_batch_items=100, concurrency=4, counted_by="token"),
    simulator="coursewire_xapi.simulator:XapiSimulator",
    docs_url="https://github.com/adlnet/xAPI-Spec",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL


@hookimpl
def channel_commands() -> typer.Typer:
    """``coursewire xapi cmi5``."""
    from coursewire_xapi.cmi5 import commands  # noqa: PLC0415 - only the command needs it

    return commands
