"""The hooks of the Cornerstone channel. The entry point names this module."""

from __future__ import annotations

from coursewire.hookspecs import hookimpl
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Rate, RetireStrategy, Support
from coursewire.model.content import ContentType
from coursewire_cornerstone.client import ASSIGNMENTS, authenticate, check_connection, send_outcomes
from coursewire_cornerstone.config import CornerstoneConfig
from coursewire_cornerstone.content import export_content, export_retirement, remote_key
from coursewire_cornerstone.inbound import MOST_COURSES, inbound_routes
from coursewire_cornerstone.outcomes import export_completion, should_transmit

__all__ = [
    "CHANNEL",
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
]
__all__ += ["export_retirement", "inbound_routes", "remote_key", "send_outcomes", "should_transmit"]

CHANNEL = Channel(
    code=CornerstoneConfig.code,
    title="Cornerstone OnDemand",
    config=CornerstoneConfig,
    capabilities=Capabilities(
        delivery="pull",
        mapped_keys=True,
        remote_keys=r'[^.|\\/<>"%&\s]{1,50}',
        content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN, ContentType.PROGRAM}),
        completions=Support.FULL,
        assessments=Support.IMPOSSIBLE,
        in_progress=Support.FULL,
        # Of a completion that Cornerstone has, status and date stay; by the callback the rest may change.
        raise_grade=Support.PARTIAL,
        lower_grade=Support.PARTIAL,
        revoke=Support.IMPOSSIBLE,
        retire_strategies=(RetireStrategy.DEACTIVATE,),
        idempotency=Idempotency.UPSERT,
        outcome_idempotency=Idempotency.UPSERT,
        list_remote=Support.IMPOSSIBLE,
    ),
    # 20 calls a minute of the Learning Assignments API are documented; the others answer 429 when it is enough.
    limits=Limits(batch_items=MOST_COURSES, concurrency=4, rates={ASSIGNMENTS: Rate(calls=20, seconds=60)}),
    simulator="coursewire_cornerstone.simulator:CornerstoneSimulator",
    docs_url="https://csod.dev/guides/connectors/content/online-content-connector.html",
)


@hookimpl
def declare_channel() -> Channel:
    """Say what the channel is."""
    return CHANNEL
