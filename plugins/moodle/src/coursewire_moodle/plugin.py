"""The hooks of the Moodle channel. The entry point names this module."""

from __future__ import annotations

from coursewire.hookspecs import hookimpl
from coursewire.model.channel import Capabilities, Channel, Idempotency, RetireStrategy, Support
from coursewire.model.content import ContentType
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


@hookimpl
def declare_channel() -> Channel:
    """Moodle, by its web services."""
    return Channel(
        code=MoodleConfig.code,
        title="Moodle",
        config=MoodleConfig,
        capabilities=Capabilities(
            content_types=frozenset({ContentType.COURSE, ContentType.COURSE_RUN}),
            completions=Support.FULL,
            # Moodle would take them; each subsection needs an assignment that somebody makes by hand.
            assessments=Support.NOT_IMPLEMENTED,
            raise_grade=Support.FULL,
            lower_grade=Support.FULL,
            # The web service that writes many grades cannot take one away.
            revoke=Support.IMPOSSIBLE,
            in_progress=Support.FULL,
            retire_strategies=(RetireStrategy.HIDE, RetireStrategy.DELETE),
            idempotency=Idempotency.NATURAL_KEY,
            outcome_idempotency=Idempotency.UPSERT,
            outcomes_need_content=True,
            list_remote=Support.FULL,
            paging="offset",
        ),
        limits=LIMITS,
        simulator="coursewire_moodle.simulator:MoodleSimulator",
        docs_url="https://docs.moodle.org/en/Web_services",
    )
