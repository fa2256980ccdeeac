"""The hooks of the channel for Degreed's API v2. The entry point names this module."""

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
from coursewire_degreed.settings import EVERY_CALL, MINUTE_S
from coursewire_degreed.v2 import client, content, outcomes
from coursewire_degreed.v2.config import CALLS_A_MINUTE, Degreed2Config

if TYPE_CHECKING:
    import httpx

    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment
    from coursewire.model.outcomes import Completion
    from coursewire.model.payload import Batch, JsonObject, RemoteItem, Result
    from coursewire.model.session import Session, Tokens

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
    ),
    simulator="coursewire_degreed.v2.simulator:Degreed2Simulator",
    docs_url="https://developer.degreed.com/reference/overview",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL


@hookimpl
def export_content(config: Degreed2Config, item: ContentItem, moment: Moment) -> JsonObject:
    """Build the Degreed course of a course, course run or program."""
    return content.course_payload(config, item, moment)


@hookimpl
def export_retirement(config: Degreed2Config) -> JsonObject:
    """Mark the course as obsolete, or delete it."""
    return content.retirement_payload(config)


@hookimpl
def export_completion(config: Degreed2Config, completion: Completion) -> JsonObject:
    """Build the completion of a course."""
    return outcomes.completion_payload(config, completion)


@hookimpl
def authenticate(config: Degreed2Config, tokens: Tokens) -> httpx.Auth:
    """Bearer tokens by client credentials."""
    return client.Degreed2Auth(config, tokens)


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """Send a batch, which is one course."""
    return [await client.send_course(session, payload) for payload in batch.payloads]


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Send a batch, which is one completion."""
    return [await outcomes.send_completion(session, payload) for payload in batch.payloads]


@hookimpl
async def find_remote(session: Session, key: str) -> RemoteItem | None:
    """Look a course up by its external id."""
    return await client.find_remote(session, key)


@hookimpl
async def list_remote(session: Session) -> list[RemoteItem]:
    """All courses that the API key sees and that have an external id."""
    return await client.list_remote(session)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Token, scopes, and the list of courses."""
    return await client.check_connection(session)
