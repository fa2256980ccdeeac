"""The hooks of the Cornerstone channel. The entry point names this module."""

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
from coursewire_cornerstone import client, content, inbound, outcomes
from coursewire_cornerstone.config import CornerstoneConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    import typer

    from coursewire.model.content import ContentItem
    from coursewire.model.inbound import InboundRoute
    from coursewire.model.instant import Moment
    from coursewire.model.outcomes import Completion, Outcome, Told
    from coursewire.model.payload import Batch, JsonObject, Result
    from coursewire.model.session import Session, Tokens

CHANNEL = Channel(
    code=CornerstoneConfig.code,
    title="Cornerstone OnDemand",
    config=CornerstoneConfig,
    capabilities=Capabilities(
        delivery="pull",
        mapped_keys=True,
        content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN, ContentType.PROGRAM}),
        completions=Support.FULL,
        assessments=Support.IMPOSSIBLE,
        in_progress=Support.FULL,
        # Of a completion that Cornerstone has, status and date stay; by the callback the rest may change.
        raise_grade=Support.PARTIAL,
        lower_grade=Support.PARTIAL,
        revoke=Support.IMPOSSIBLE,
        retire_strategies=(RetireStrategy.DEACTIVATE,),
        idempotency=Idempotency.UPSERT,
        outcome_idempotency=Idempotency.UPSERT,
        list_remote=Support.IMPOSSIBLE,
    ),
    # 20 calls a minute of the Learning Assignments API are documented; the other APIs answer 429 when it is enough.
    limits=Limits(
        batch_items=inbound.MOST_COURSES,
        concurrency=4,
        rates={client.ASSIGNMENTS: Rate(calls=20, seconds=60)},
        counted_by="tenant",
    ),
    simulator="coursewire_cornerstone.simulator:CornerstoneSimulator",
    docs_url="https://csod.dev/guides/connectors/content/online-content-connector.html",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL


@hookimpl
def remote_key(item: ContentItem) -> str:
    """The id that Cornerstone gets for an item: it takes 50 characters, and not all of them."""
    return content.remote_key(item)


@hookimpl
def export_content(
    config: CornerstoneConfig, item: ContentItem, moment: Moment, remote_key: str
) -> JsonObject:
    """Build one entry of the course list."""
    return content.course_payload(config, item, moment, remote_key)


@hookimpl
def export_retirement(confirmed: Mapping[str, Any]) -> JsonObject:
    """Build the entry that makes a course inactive."""
    return content.retired(confirmed)


@hookimpl
def export_completion(config: CornerstoneConfig, completion: Completion) -> JsonObject:
    """Build what the portal is told of a result."""
    return outcomes.completion_payload(config, completion)


@hookimpl
def should_transmit(outcome: Outcome, told: Told | None) -> bool | None:
    """Tell nothing again that is no news."""
    return outcomes.should_transmit(outcome, told)


@hookimpl
def authenticate(config: CornerstoneConfig, tokens: Tokens) -> httpx.Auth:
    """As the API asks that results are reported by."""
    return client.authenticate(config, tokens)


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Report a batch, which is one result."""
    return [await client.send_outcome(session, payload) for payload in batch.payloads]


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Whether results could be reported now."""
    return await client.check_connection(session)


@hookimpl
def inbound_routes() -> list[InboundRoute]:
    """The course list, and the two ways in which learners arrive."""
    return list(inbound.ROUTES)


@hookimpl
def channel_commands() -> typer.Typer:
    """``coursewire csod import-keys``."""
    from coursewire_cornerstone.commands import app  # noqa: PLC0415 - only the command needs it

    return app
