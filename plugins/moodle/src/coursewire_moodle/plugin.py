"""The hooks of the Moodle channel. The entry point names this module."""

from __future__ import annotations

import coursewire as cw
from coursewire_moodle.auth import authenticate
from coursewire_moodle.check import check_connection
from coursewire_moodle.client import find_remote, list_remote, send_content
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.content import export_content
from coursewire_moodle.grades import send_outcomes
from coursewire_moodle.outcomes import LIMITS, export_completion, make_batches

__all__ = [
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "find_remote",
    "list_remote",
    "make_batches",
    "send_content",
    "send_outcomes",
]


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Moodle, by its web services."""
    return cw.Channel(
        code=MoodleConfig.code,
        title="Moodle",
        config=MoodleConfig,
        capabilities=cw.Capabilities(
            content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN}),
            completions=cw.Support.FULL,
            # Moodle would take them; each subsection needs an assignment that somebody makes by hand.
            assessments=cw.Support.NOT_IMPLEMENTED,
            raise_grade=cw.Support.FULL,
            lower_grade=cw.Support.FULL,
            # The grade falls to what it is now; there is nothing else at Moodle to take back.
            revoke=cw.Support.FULL,
            in_progress=cw.Support.FULL,
            retire_strategies=(cw.RetireStrategy.HIDE, cw.RetireStrategy.DELETE),
            idempotency=cw.Idempotency.NATURAL_KEY,
            outcome_idempotency=cw.Idempotency.UPSERT,
            outcomes_need_content=True,
            list_remote=cw.Support.FULL,
            paging="offset",
        ),
        limits=LIMITS,
        simulator="coursewire_moodle.simulator:MoodleSimulator",
        docs_url="https://docs.moodle.org/en/Web_services",
    )
