"""The hooks of the Moodle channel. The entry point names this module."""

from __future__ import annotations

import coursewire as cw
from coursewire_moodle.auth import authenticate
from coursewire_moodle.check import check_connection
from coursewire_moodle.client import find_remote, list_remote, send_content
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.content import export_content
from coursewire_moodle.outcomes import export_completion, send_outcomes
from coursewire_moodle.reasons import REASONS

__all__ = [
    "CHANNEL",
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "find_remote",
    "list_remote",
    "send_content",
    "send_outcomes",
]

CHANNEL = cw.Channel(
    code=MoodleConfig.code,
    title="Moodle",
    requires_api=">=2.0,<3",
    reasons=REASONS,
    config=MoodleConfig,
    capabilities=cw.Capabilities(
        content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN}),
        retire_strategies=(cw.RetireStrategy.HIDE, cw.RetireStrategy.DELETE),
        idempotency=cw.Idempotency.NATURAL_KEY,
        # An update whose last confirmed state is known leaves alone what an administrator hid.
        wants_confirmed=True,
        list_remote=cw.Support.FULL,
        paging="offset",
        completions=cw.Support.FULL,
        # Moodle would take them; each subsection needs an assignment that somebody makes by hand.
        assessments=cw.Support.NOT_IMPLEMENTED,
        in_progress=cw.Support.FULL,
        raise_grade=cw.Support.FULL,
        lower_grade=cw.Support.FULL,
        # A revoked grade falls to what it is now; there is nothing else at Moodle to take back.
        revoke=cw.Support.FULL,
        outcome_idempotency=cw.Idempotency.UPSERT,
        outcomes_need_content=True,
    ),
    limits=cw.Limits(
        # 25 courses take 0.6 s on a small site and 4 s on a large one.
        batch_items=25,
        # 200 grades are 400 form fields; PHP drops what is beyond 1,000.
        outcome_batch_items=200,
        outcomes_by=("courseID", "userID"),
        # More calls at once would only wait for each other's locks.
        concurrency=4,
        read_timeout_s=120,
        total_timeout_s=300,
    ),
    simulator="coursewire_moodle.simulator:MoodleSimulator",
    docs_url="https://docs.moodle.org/en/Web_services",
)


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Declare the channel."""
    return CHANNEL
