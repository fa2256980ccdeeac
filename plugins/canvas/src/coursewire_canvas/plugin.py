"""The Canvas channel: its declaration, and its hooks from the modules that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import coursewire as cw
from coursewire_canvas.client import check_connection, find_remote, list_remote, send_content
from coursewire_canvas.config import CanvasConfig, authenticate, oauth_application
from coursewire_canvas.content import export_content
from coursewire_canvas.grading import OUTCOMES_A_BATCH, send_outcomes
from coursewire_canvas.outcomes import export_assessment, export_completion
from coursewire_canvas.reasons import REASONS

if TYPE_CHECKING:
    import typer

__all__ = [
    "CHANNEL",
    "authenticate",
    "channel_commands",
    "check_connection",
    "declare_channel",
    "export_assessment",
    "export_completion",
    "export_content",
    "find_remote",
    "list_remote",
    "oauth_application",
    "send_content",
    "send_outcomes",
]

CHANNEL = cw.Channel(
    code=CanvasConfig.code,
    title="Canvas",
    requires_api=">=2.0,<3",
    reasons=REASONS,
    config=CanvasConfig,
    capabilities=cw.Capabilities(
        content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN}),
        completions=cw.Support.FULL,
        assessments=cw.Support.FULL,
        raise_grade=cw.Support.FULL,
        lower_grade=cw.Support.FULL,
        revoke=cw.Support.FULL,
        in_progress=cw.Support.FULL,
        retire_strategies=(cw.RetireStrategy.CONCLUDE, cw.RetireStrategy.DELETE),
        idempotency=cw.Idempotency.NATURAL_KEY,
        outcome_idempotency=cw.Idempotency.UPSERT,
        outcomes_need_content=True,
        list_remote=cw.Support.FULL,
        paging="link header",
        slow_down=("403 with text", "429"),
    ),
    # Canvas publishes no number of calls: it bills each call's cost to a quota of the token, and parallel calls pay an
    # advance. Ten at once keep a usual quota from running dry.
    limits=cw.Limits(
        batch_items=1,
        outcome_batch_items=OUTCOMES_A_BATCH,
        outcomes_by=("course", "learner"),
        concurrency=10,
        counted_by="token",
    ),
    simulator="coursewire_canvas.simulator:CanvasSimulator",
    docs_url="https://developerdocs.instructure.com/services/canvas",
)


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Return the declaration of the channel."""
    return CHANNEL


@cw.hookimpl
def channel_commands() -> typer.Typer:
    """Offer the command ``coursewire canvas duplicate-assignments``."""
    from coursewire_canvas.duplicates import commands  # noqa: PLC0415 - only the command needs it

    return commands
