"""The hooks of the Blackboard channel, here and in the modules that they are imported from."""

from __future__ import annotations

import httpx

import coursewire as cw
from coursewire.model.inbound import CodeGrant
from coursewire_blackboard.client import check_connection, find_remote, read_slow_down, send_content
from coursewire_blackboard.config import DAILY_CALLS, DAY_S, OAUTH, BlackboardConfig
from coursewire_blackboard.content import export_content
from coursewire_blackboard.gradebook import send_outcomes
from coursewire_blackboard.outcomes import export_assessment, export_completion

HOOKS = (check_connection, find_remote, read_slow_down, send_content, send_outcomes)
EXPORTERS = (export_content, export_completion, export_assessment)

CHANNEL = cw.Channel(
    code=BlackboardConfig.code,
    title="Blackboard Learn",
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
        rates={"default": cw.Rate(calls=DAILY_CALLS, seconds=DAY_S, negotiable=True)},
        counted_by="application key",
    ),
    simulator="coursewire_blackboard.simulator:BlackboardSimulator",
    docs_url="https://developer.anthology.com/portal/displayApi",
)


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Say what the channel is."""
    return CHANNEL


@cw.hookimpl
def authenticate(config: BlackboardConfig, tokens: cw.Tokens) -> httpx.Auth:
    """Bearer tokens from the one valid refresh token."""
    return OAUTH.auth(config, tokens)


@cw.hookimpl
def inbound_routes() -> list[CodeGrant]:
    """How a user of the Learn grants access."""
    return [OAUTH.grant()]
