"""The hooks of the Moodle channel. The entry point names this module."""

from __future__ import annotations

import coursewire as cw
from coursewire_moodle.auth import authenticate
from coursewire_moodle.check import check_connection
from coursewire_moodle.client import find_remote, list_remote, send_content
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.content import export_content
from coursewire_moodle.grades import export_completion, send_outcomes

__all__ = [
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

# 25 courses take 0.6 s on a small site and 4 s on a large one. 200 grades are 400 form fields; PHP drops what is
# beyond 1,000. More calls at once would only wait for each other's locks.
LIMITS = cw.Limits(
    batch_items=25,
    outcome_batch_items=200,
    outcomes_by=("courseID", "userID"),
    concurrency=4,
    total_timeout_s=300,
    read_timeout_s=120,
)


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Moodle, by its web services."""
    return cw.Channel(
        code=MoodleConfig.code,
        title="Moodle",
        config=MoodleConfig,
        capabilities=cw.Capabilities.of_gradebook(
            cw.RetireStrategy.HIDE,
            cw.RetireStrategy.DELETE,
            content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN}),
            # Moodle would take them; each subsection needs an assignment that somebody makes by hand.
            assessments=cw.Support.NOT_IMPLEMENTED,
            # A revoked grade falls to what it is now; there is nothing else at Moodle to take back.
            idempotency=cw.Idempotency.NATURAL_KEY,
            list_remote=cw.Support.FULL,
            paging="offset",
        ),
        limits=LIMITS,
        simulator="coursewire_moodle.simulator:MoodleSimulator",
        docs_url="https://docs.moodle.org/en/Web_services",
    )
