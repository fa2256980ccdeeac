"""The hooks of the Cornerstone channel, here and in the modules that they are imported from."""

from __future__ import annotations

import coursewire as cw
from coursewire_cornerstone.client import ASSIGNMENTS, authenticate, check_connection, send_outcomes
from coursewire_cornerstone.config import CornerstoneConfig
from coursewire_cornerstone.content import export_content, export_retirement, remote_key
from coursewire_cornerstone.inbound import MOST_COURSES, inbound_routes
from coursewire_cornerstone.outcomes import export_completion, should_transmit
from coursewire_cornerstone.reasons import REASONS

OF_CONTENT = (remote_key, export_content, export_retirement, inbound_routes)
OF_OUTCOMES = (export_completion, should_transmit, authenticate, send_outcomes, check_connection)

CHANNEL = cw.Channel(
    code=CornerstoneConfig.code,
    title="Cornerstone OnDemand",
    reasons=REASONS,
    config=CornerstoneConfig,
    capabilities=cw.Capabilities.of_upserts(
        cw.RetireStrategy.DEACTIVATE,
        delivery="pull",
        mapped_keys=True,
        remote_keys=r'[^.|\\/<>"%&\s]{1,50}',
        content_types={cw.ContentType.COURSE, cw.ContentType.COURSE_RUN, cw.ContentType.PROGRAM},
        completions=cw.Support.FULL,
        assessments=cw.Support.IMPOSSIBLE,
        in_progress=cw.Support.FULL,
        # Of a completion that Cornerstone has, status and date stay; by the callback the rest may change.
        raise_grade=cw.Support.PARTIAL,
        lower_grade=cw.Support.PARTIAL,
        revoke=cw.Support.IMPOSSIBLE,
        list_remote=cw.Support.IMPOSSIBLE,
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
    """Say what the channel is."""
    return CHANNEL
