"""The hooks of the Cornerstone channel, each where it is imported from. The entry point names this module."""

from __future__ import annotations

import coursewire as cw
from coursewire_cornerstone.client import ASSIGNMENTS, authenticate, check_connection, send_outcomes
from coursewire_cornerstone.config import CornerstoneConfig
from coursewire_cornerstone.content import export_content, export_retirement, remote_key
from coursewire_cornerstone.inbound import MOST_COURSES, inbound_routes
from coursewire_cornerstone.outcomes import export_completion, should_transmit
from coursewire_cornerstone.reasons import REASONS

__all__ = [
    "CHANNEL",
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "export_retirement",
    "inbound_routes",
    "remote_key",
    "send_outcomes",
    "should_transmit",
]

CHANNEL = cw.Channel(
    code=CornerstoneConfig.code,
    title="Cornerstone OnDemand",
    requires_api=">=2.0,<3",
    reasons=REASONS,
    config=CornerstoneConfig,
    capabilities=cw.Capabilities(
        delivery="pull",
        mapped_keys=True,
        remote_keys=r'[^.|\\/<>"%&\s]{1,50}',
        content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN, cw.ContentType.PROGRAM}),
        completions=cw.Support.FULL,
        assessments=cw.Support.IMPOSSIBLE,
        in_progress=cw.Support.FULL,
        # Of a completion that Cornerstone has, status and date stay; by the callback the rest may change.
        raise_grade=cw.Support.PARTIAL,
        lower_grade=cw.Support.PARTIAL,
        revoke=cw.Support.IMPOSSIBLE,
        list_remote=cw.Support.IMPOSSIBLE,
        retire_strategies=(cw.RetireStrategy.DEACTIVATE,),
        idempotency=cw.Idempotency.UPSERT,
        outcome_idempotency=cw.Idempotency.UPSERT,
    ),
    # 20 calls a minute of the Learning Assignments API are documented; the others answer 429 when it is enough.
    limits=cw.Limits(
        batch_items=MOST_COURSES, concurrency=4, rates={ASSIGNMENTS: cw.Rate(calls=20, seconds=60)}
    ),
    simulator="coursewire_cornerstone.simulator:CornerstoneSimulator",
    docs_url="https://csod.dev/guides/connectors/content/online-content-connector.html",
)


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Return the declaration of the channel."""
    return CHANNEL
