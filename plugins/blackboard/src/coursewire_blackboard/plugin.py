"""The hooks of the Blackboard channel. The entry point names this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from coursewire.hookspecs import PROJECT
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Rate, RetireStrategy, Support
from coursewire.model.content import ContentType
from coursewire_blackboard import auth, client, content, gradebook, outcomes
from coursewire_blackboard.config import DAILY_CALLS, DAY_S, BlackboardConfig

if TYPE_CHECKING:
    import httpx

    from coursewire.model.content import ContentItem
    from coursewire.model.inbound import CodeGrant
    from coursewire.model.outcomes import Assessment, Completion
    from coursewire.model.payload import Batch, JsonObject, RemoteItem, Result
    from coursewire.model.session import Session, Tokens

hookimpl = pluggy.HookimplMarker(PROJECT)

CHANNEL = Channel(
    code=BlackboardConfig.code,
    title="Blackboard Learn",
    config=BlackboardConfig,
    capabilities=Capabilities(
        content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN}),
        completions=Support.FULL,
        assessments=Support.FULL,
        raise_grade=Support.FULL,
        lower_grade=Support.FULL,
        revoke=Support.FULL,
        in_progress=Support.FULL,
        retire_strategies=(RetireStrategy.HIDE, RetireStrategy.DELETE),
        idempotency=Idempotency.NATIVE_KEY,
        outcome_idempotency=Idempotency.UPSERT,
        outcomes_need_content=True,
        paging="offset",
        slow_down=("429", "403 with text or header"),
    ),
    limits=Limits(
        batch_items=1,
        outcome_batch_items=1,
        concurrency=8,
        rates={"default": Rate(calls=DAILY_CALLS, seconds=DAY_S, negotiable=True)},
        counted_by="application key",
    ),
    simulator="coursewire_blackboard.simulator:BlackboardSimulator",
    docs_url="https://developer.anthology.com/portal/displayApi",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL


@hookimpl
def export_content(config: BlackboardConfig, item: ContentItem) -> JsonObject:
    """Build what Learn holds of a course or course run: the course, its folder, its page."""
    return content.course_payload(config, item)


@hookimpl
def export_completion(config: BlackboardConfig, completion: Completion) -> JsonObject:
    """Build the final grade of a course."""
    return outcomes.completion_payload(config, completion)


@hookimpl
def export_assessment(assessment: Assessment) -> JsonObject:
    """Build the grade of a subsection."""
    return outcomes.assessment_payload(assessment)


@hookimpl
def authenticate(config: BlackboardConfig, tokens: Tokens) -> httpx.Auth:
    """Bearer tokens from the one valid refresh token."""
    return auth.BlackboardAuth(config, tokens)


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """Send a batch, which is one course."""
    return [await client.send_course(session, payload) for payload in batch.payloads]


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Write a batch, which is one grade."""
    return [await gradebook.write(session, payload) for payload in batch.payloads]


@hookimpl
async def find_remote(session: Session, key: str) -> RemoteItem | None:
    """Look a course up by its external id."""
    return await client.find_remote(session, key)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Token, user, and the rights that sending needs."""
    return await client.check_connection(session)


@hookimpl
def read_slow_down(response: httpx.Response) -> float | None:
    """Recognise that the calls of the day are used up."""
    return client.read_slow_down(response)


@hookimpl
def inbound_routes() -> list[CodeGrant]:
    """How a user of the Learn grants access."""
    return [auth.GRANT]
