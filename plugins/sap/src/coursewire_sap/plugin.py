"""The hooks of the SAP SuccessFactors Learning channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.hookspecs import hookimpl
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
from coursewire_sap.config import IMPORT, AuthType, SapConfig
from coursewire_sap.content import export_content, export_retirement

if TYPE_CHECKING:
    import httpx

    from coursewire.model.session import Tokens

__all__ = [
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_content",
    "export_retirement",
    "send_content",
]


@hookimpl
def declare_channel() -> Channel:
    """SAP SuccessFactors Learning, by its Open Content Network."""
    return Channel(
        code=SapConfig.code,
        title="SAP SuccessFactors Learning",
        config=SapConfig,
        capabilities=Capabilities(
            content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN, ContentType.PROGRAM}),
            completions=Support.NOT_IMPLEMENTED,
            assessments=Support.IMPOSSIBLE,
            retire_strategies=(RetireStrategy.DEACTIVATE,),
            idempotency=Idempotency.UPSERT,
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
            rates={IMPORT: Rate(calls=1, seconds=300)},
            counted_by="tenant",
        ),
        simulator="coursewire_sap.simulator:SapSimulator",
    )


@hookimpl
def authenticate(config: SapConfig, tokens: Tokens) -> httpx.Auth:
    """A token by the flow that the configuration names."""
    from coursewire_sap.auth import (  # noqa: PLC0415 - its libraries take 0.3 s; a preview sends nothing
        LearningTokenAuth,
        SignedAssertionAuth,
    )

    if config.auth_type is AuthType.SELF_SIGNED:
        return SignedAssertionAuth(config, tokens)
    return LearningTokenAuth(config, tokens)
