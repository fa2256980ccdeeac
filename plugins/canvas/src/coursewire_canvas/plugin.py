"""The hooks of the Canvas channel. The entry point names this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from coursewire.hooks import PROJECT
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, RetireStrategy, Support
from coursewire.model.content import ContentType
from coursewire_canvas import client, content, grading, outcomes
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.grant import GRANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx
    import typer

    from coursewire.model.content import ContentItem
    from coursewire.model.inbound import CodeGrant
    from coursewire.model.kinds import Kind
    from coursewire.model.outcomes import Assessment, Completion
    from coursewire.model.payload import Batch, JsonObject, Operation, Payload, RemoteItem, Result
    from coursewire.model.session import Session, Tokens

hookimpl = pluggy.HookimplMarker(PROJECT)

CHANNEL = Channel(
    code=CanvasConfig.code,
    title="Canvas",
    requires_api=">=2.0,<3",
    config=CanvasConfig,
    capabilities=Capabilities(
        content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN}),
        completions=Support.FULL,
        assessments=Support.FULL,
        raise_grade=Support.FULL,
        lower_grade=Support.FULL,
        revoke=Support.FULL,
        in_progress=Support.FULL,
        retire_strategies=(RetireStrategy.CONCLUDE, RetireStrategy.DELETE),
        idempotency=Idempotency.NATURAL_KEY,
        outcome_idempotency=Idempotency.UPSERT,
        outcomes_need_content=True,
        list_remote=Support.FULL,
        paging="link header",
        slow_down=("403 with text", "429"),
    ),
    # Canvas publishes no number of calls: it bills each call's cost to a quota of the token, and parallel
    # calls pay an advance. Ten at once keep a usual quota from running dry.
    limits=Limits(
        batch_items=1, outcome_batch_items=outcomes.OUTCOMES_A_BATCH, concurrency=10, counted_by="token"
    ),
    simulator="coursewire_canvas.simulator:CanvasSimulator",
    docs_url="https://developerdocs.instructure.com/services/canvas",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL


@hookimpl
def export_content(item: ContentItem) -> JsonObject:
    """Build the Canvas course of a course or course run."""
    return content.course_payload(item)


@hookimpl
def export_completion(config: CanvasConfig, completion: Completion) -> JsonObject:
    """Build the final grade of a course."""
    return outcomes.completion_payload(config, completion)


@hookimpl
def export_assessment(assessment: Assessment) -> JsonObject:
    """Build the grade of a subsection."""
    return outcomes.assessment_payload(assessment)


@hookimpl
def make_batches(
    kind: Kind, operation: Operation | None, payloads: Sequence[Payload]
) -> Iterator[Batch] | None:
    """Put the grades of one course together: Canvas takes them with one request."""
    return outcomes.make_batches(kind, operation, payloads)


@hookimpl
def authenticate(config: CanvasConfig, tokens: Tokens) -> httpx.Auth:
    """Bearer tokens from the refresh token of the configuration."""
    return client.CanvasAuth(config, tokens)


@hookimpl
async def send_content(session: Session, batch: Batch) -> list[Result]:
    """Send a batch, which is one course."""
    return [await client.send_course(session, payload) for payload in batch.payloads]


@hookimpl
async def send_outcomes(session: Session, batch: Batch) -> list[Result]:
    """Write the grades of a batch."""
    return await grading.send(session, batch)


@hookimpl
async def find_remote(session: Session, key: str) -> RemoteItem | None:
    """Look a course up by its integration id."""
    return await client.find_remote(session, key)


@hookimpl
async def list_remote(session: Session) -> list[RemoteItem]:
    """All courses of the account that have an integration id."""
    return await client.list_remote(session)


@hookimpl
async def check_connection(session: Session) -> list[str]:
    """Token, account, and the rights that sending needs."""
    return await client.check_connection(session)


@hookimpl
def read_slow_down(response: httpx.Response) -> float | None:
    """Tell a 403 that means "slow down" from one that means "forbidden"."""
    return client.read_slow_down(response)


@hookimpl
def inbound_routes() -> list[CodeGrant]:
    """How an administrator of the account grants access."""
    return [GRANT]


@hookimpl
def channel_commands() -> typer.Typer:
    """``coursewire canvas duplicate-assignments``."""
    from coursewire_canvas.duplicates import app  # noqa: PLC0415 - only the command needs it

    return app
