"""The hooks of the Blackboard channel, here and in the modules that they are imported from."""

from __future__ import annotations

import coursewire as cw
from coursewire_blackboard.client import check_connection, find_remote, send_content
from coursewire_blackboard.config import DAILY_CALLS, OAUTH, BlackboardConfig
from coursewire_blackboard.content import export_content
from coursewire_blackboard.gradebook import send_outcomes
from coursewire_blackboard.outcomes import export_assessment, export_completion

OF_CONTENT = (export_content, send_content, find_remote, check_connection)
OF_OUTCOMES = (export_completion, export_assessment, send_outcomes)
authenticate, inbound_routes = OAUTH.hooks()

CHANNEL = cw.Channel(
    code=BlackboardConfig.code,
    title="Blackboard Learn",
    requires_api=">=2.0,<3",
    config=BlackboardConfig,
    capabilities=cw.Capabilities(
        completions=cw.Support.FULL,
        assessments=cw.Support.FULL,
        in_progress=cw.Support.FULL,
        outcomes_need_content=True,
        content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN}),
        idempotency=cw.Idempotency.NATIVE_KEY,
        paging="offset",
        slow_down=("429", "403 with text"),
        retire_strategies=(cw.RetireStrategy.HIDE, cw.RetireStrategy.DELETE),
        outcome_idempotency=cw.Idempotency.UPSERT,
        raise_grade=cw.Support.FULL,
        lower_grade=cw.Support.FULL,
        revoke=cw.Support.FULL,
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
    """Say what the channel is."""
    return CHANNEL
