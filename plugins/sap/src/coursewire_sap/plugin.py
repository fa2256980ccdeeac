"""The hooks of the SAP SuccessFactors Learning channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.hooks import hookimpl
from coursewire.model.channel import (
    Capabilities,
    Channel,
    Idempotency,
    Limits,
    Rate,
    RetireStrategy,
    Support,
)
from coursewire.model.content import ContentType
from coursewire_sap.client import check_connection, send_content
from coursewire_sap.config import IMPORT, SEARCH, SapConfig
from coursewire_sap.content import export_content, export_retirement
from coursewire_sap.outcomes import export_completion, send_outcomes

if TYPE_CHECKING:
    import httpx
    import typer

    from coursewire.model.session import Tokens

__all__ = [
    "authenticate",
    "channel_commands",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "export_retirement",
    "send_content",
    "send_outcomes",
]


@hookimpl
def declare_channel() -> Channel:
    """SAP SuccessFactors Learning, by its Open Content Network."""
    return Channel(
        code=SapConfig.code,
        title="SAP SuccessFactors Learning",
        requires_api=">=2.0,<3",
        config=SapConfig,
        capabilities=Capabilities(
            content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN, ContentType.PROGRAM}),
            completions=Support.FULL,
            assessments=Support.IMPOSSIBLE,
            retire_strategies=(RetireStrategy.DEACTIVATE,),
            idempotency=Idempotency.UPSERT,
            outcome_idempotency=Idempotency.NONE,
            mixed_operations=True,
            raise_grade=Support.IMPOSSIBLE,
            lower_grade=Support.IMPOSSIBLE,
            revoke=Support.IMPOSSIBLE,
            list_remote=Support.UNKNOWN,
            paging="offset",
        ),
        limits=Limits(
            batch_items=1000,
            concurrency=1,
            rates={IMPORT: Rate(calls=1, seconds=300), SEARCH: Rate(calls=1, seconds=0.5)},
            counted_by="tenant",
        ),
        simulator="coursewire_sap.simulator:SapSimulator",
    )


@hookimpl
def authenticate(config: SapConfig, tokens: Tokens) -> httpx.Auth:
    """A token by the flow that the configuration names."""
    from coursewire_sap.auth import sap_auth  # noqa: PLC0415 - its libraries take 0.3 s; a preview sends nothing

    return sap_auth(config, tokens)


@hookimpl
def channel_commands() -> typer.Typer:
    """``coursewire sap inactive-learners``."""
    from coursewire_sap.commands import commands  # noqa: PLC0415 - only the command line needs them

    return commands
