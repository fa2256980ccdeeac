"""The hooks of the channel for Degreed's API v1. The entry point names this module."""

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
from coursewire_degreed.v1 import client, content, outcomes
from coursewire_degreed.v1.config import CALLS_A_MINUTE, DegreedV1Config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import httpx

    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment
    from coursewire.model.outcomes import Completion
    from coursewire.model.payload import Batch, JsonObject, Result
    from coursewire.model.session import Session, Tokens

CHANNEL = Channel(
    code=DegreedV1Config.code,
    title="Degreed (API v1)",
    config=DegreedV1Config,
    capabilities=Capabilities(
        content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN, ContentType.PROGRAM}),
        completions=Support.FULL,
        assessments=Support.IMPOSSIBLE,
        retire_strategies=(RetireStrategy.DELETE,),
        # What a second report of the same course does is not documented. No grade is sent that could be lower.
        raise_grade=Support.UNKNOWN,
        lower_grade=Support.IMPOSSIBLE,
        revoke=Support.FULL,
        in_progress=Support.IMPOSSIBLE,
        idempotency=Idempotency.UPSERT,
        outcome_idempotency=Idempotency.NONE,
        outcomes_need_content=True,
        list_remote=Support.IMPOSSIBLE,
    ),
    # 100 completions: so many are in doubt when an answer is lost.
    limits=Limits(
        batch_items=500,
        outcome_batch_items=100,
        concurrency=1,
        rates={EVERY_CALL: Rate(calls=CALLS_A_MINUTE, seconds=MINUTE_S, negotiable=True)},
        counted_by="application key",
    ),
    simulator="coursewire_degreed.v1.simulator:DegreedV1Simulator",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL


@hookimpl
def export_content(item: ContentItem, moment: Moment) -> JsonObject:
    """Build the Degreed course of a course, course run or program."""
    return content.course_payload(item, moment)


@hookimpl
def export_retirement(confirmed: Mapping[str, Any]) -> JsonObject:
    """Build what deletes a course."""
    return content.retirement_payload(confirmed)


@hookimpl
def export_completion(config: DegreedV1Config, completion: Completion) -> JsonObject:
    """Build the completion of a course."""
    return outcomes.completion_payload(config, completion)


@hookimpl
def authenticate(config: DegreedV1Config, tokens: Tokens) -> httpx.Auth:
    """Bearer tokens for courses; completions ask for their own."""
    return client.DegreedV1Auth(config, tokens)


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """Send a batch of courses."""
    return await client.send_courses(session, batch)


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Send a batch of completions."""
    return await outcomes.send_completions(session, batch)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Tokens, address and rights."""
    return await client.check_connection(session)
