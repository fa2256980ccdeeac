"""The Blackboard channel: its declaration, and its hooks from the modules that they stand in."""

from __future__ import annotations

import coursewire as cw
from coursewire_blackboard.client import check_connection, find_remote, send_content
from coursewire_blackboard.config import DAILY_CALLS, BlackboardConfig, authenticate, oauth_application
from coursewire_blackboard.content import export_content
from coursewire_blackboard.gradebook import send_outcomes
from coursewire_blackboard.outcomes import export_assessment, export_completion
from coursewire_blackboard.reasons import REASONS

__all__ = [
    "CHANNEL",
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_assessment",
    "export_completion",
    "export_content",
    "find_remote",
    "oauth_application",
    "send_content",
    "send_outcomes",
]

CHANNEL = cw.Channel(
    code=BlackboardConfig.code,
    title="Blackboard Learn",
    requires_api=">=2.0,<3",
    reasons=REASONS,
    config=BlackboardConfig,
    capabilities=cw.Capabilities(
        content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN}),
        completions=cw.Support.FULL,
        assessments=cw.Support.FULL,
        raise_grade=cw.Support.FULL,
        lower_grade=cw.Support.FULL,
        revoke=cw.Support.FULL,
        in_progress=cw.Support.FULL,
        retire_strategies=(cw.RetireStrategy.HIDE, cw.RetireStrategy.DELETE),
        idempotency=cw.Idempotency.NATIVE_KEY,
        outcome_idempotency=cw.Idempotency.UPSERT,
        outcomes_need_content=True,
        paging="offset",
        slow_down=("429", "403 with text"),
    ),
    limits=cw.Limits(
        rates={"default": cw.Rate(calls=DAILY_CALLS, seconds=86_400, negotiable=True, setting="daily_calls")},
        counted_by="application key",
    ),
    simulator="coursewire_blackboard.simulator:BlackboardSimulator",
    docs_url="https://developer.anthology.com/portal/displayApi",
)


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Return the declaration of the channel."""
    return CHANNEL
