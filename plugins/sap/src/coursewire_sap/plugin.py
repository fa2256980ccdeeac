"""The hooks of the SAP SuccessFactors Learning channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from coursewire_sap import client, content
from coursewire_sap.auth import LearningTokenAuth, SignedAssertionAuth
from coursewire_sap.config import IMPORT, AuthType, SapConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment
    from coursewire.model.payload import Batch, JsonObject, Result
    from coursewire.model.session import Session, Tokens


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
def export_content(config: SapConfig, item: ContentItem, moment: Moment) -> JsonObject:
    """See :func:`coursewire_sap.content.export_content`."""
    return content.export_content(config, item, moment)


@hookimpl
def export_retirement(config: SapConfig, confirmed: Mapping[str, Any]) -> JsonObject:
    """See :func:`coursewire_sap.content.export_retirement`."""
    return content.export_retirement(config, confirmed)


@hookimpl
def authenticate(config: SapConfig, tokens: Tokens) -> httpx.Auth:
    """A token by the flow that the configuration names."""
    if config.auth_type is AuthType.SELF_SIGNED:
        return SignedAssertionAuth(config, tokens)
    return LearningTokenAuth(config, tokens)


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """See :func:`coursewire_sap.client.send_content`."""
    return await client.send_content(session, batch)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """See :func:`coursewire_sap.client.check_connection`."""
    return await client.check_connection(session)
