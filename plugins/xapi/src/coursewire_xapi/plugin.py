"""The hooks of the xAPI channel. The entry point names this module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

from coursewire.hookspecs import PROJECT
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Support
from coursewire_xapi import client, outcomes
from coursewire_xapi.config import XapiConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    import typer

    from coursewire.model.outcomes import Completion, EnrollmentReport, Outcome
    from coursewire.model.payload import Batch, JsonObject, Result
    from coursewire.model.session import Session

hookimpl = pluggy.HookimplMarker(PROJECT)

CHANNEL = Channel(
    code=XapiConfig.code,
    title="xAPI Learning Record Store",
    config=XapiConfig,
    capabilities=Capabilities(
        content_types=frozenset(),
        content=Support.IMPOSSIBLE,
        completions=Support.FULL,
        assessments=Support.NOT_IMPLEMENTED,
        enrollments=Support.FULL,
        raise_grade=Support.FULL,
        lower_grade=Support.FULL,
        revoke=Support.FULL,
        in_progress=Support.NOT_IMPLEMENTED,
        outcome_idempotency=Idempotency.NATIVE_KEY,
        list_remote=Support.NOT_IMPLEMENTED,
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
def export_completion(config: XapiConfig, completion: Completion) -> JsonObject:
    """Build the statement of a completion."""
    return outcomes.completion_statement(config, completion)


@hookimpl
def export_enrollment(config: XapiConfig, enrollment: EnrollmentReport) -> JsonObject:
    """Build the statement of an enrollment or its end."""
    return outcomes.enrollment_statement(config, enrollment)


@hookimpl
def should_transmit(config: XapiConfig, outcome: Outcome, record: Mapping[str, Any] | None) -> bool | None:
    """No statement is sent again because its words have changed; of another fact the configuration decides."""
    same = record is not None and outcomes.tells_the_same(config, outcome, record.get("id"))
    return False if same else None


@hookimpl
def authenticate(config: XapiConfig) -> httpx.Auth:
    """Basic authentication and the version of xAPI."""
    return client.LrsAuth(config)


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Send the statements of a batch."""
    return await client.send(session, batch)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Versions, and the rights to read and write."""
    return await client.check_connection(session)


@hookimpl
def channel_commands() -> typer.Typer:
    """``coursewire xapi cmi5``."""
    from coursewire_xapi.commands import commands  # noqa: PLC0415 - only the command needs it

    return commands
