"""The channel ``DEGREED2``: its declaration, and its hooks, each from the module that it stands in."""

from __future__ import annotations

import coursewire as cw
from coursewire_degreed.v2.client import check_connection, find_remote, list_remote, send_content
from coursewire_degreed.v2.config import RATE, Degreed2Config, authenticate
from coursewire_degreed.v2.content import export_content, export_retirement
from coursewire_degreed.v2.outcomes import export_completion, send_outcomes
from coursewire_degreed.v2.reasons import REASONS

__all__ = [
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "export_retirement",
    "find_remote",
    "list_remote",
    "send_content",
    "send_outcomes",
]


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Declare Degreed by its API v2, one course a request."""
    return cw.Channel(
        code=Degreed2Config.code,
        title="Degreed (API v2)",
        requires_api=">=2.0,<3",
        reasons=REASONS,
        config=Degreed2Config,
        capabilities=cw.Capabilities(
            content_types=frozenset(
                {cw.ContentType.COURSE, cw.ContentType.COURSE_RUN, cw.ContentType.PROGRAM}
            ),
            completions=cw.Support.FULL,
            assessments=cw.Support.IMPOSSIBLE,
            in_progress=cw.Support.IMPOSSIBLE,
            idempotency=cw.Idempotency.NATIVE_KEY,
            outcome_idempotency=cw.Idempotency.NONE,
            outcomes_need_content=True,
            wants_confirmed=True,
            list_remote=cw.Support.FULL,
            paging="cursor",
            retire_strategies=(cw.RetireStrategy.DEACTIVATE, cw.RetireStrategy.DELETE),
            raise_grade=cw.Support.FULL,
            lower_grade=cw.Support.FULL,
            revoke=cw.Support.FULL,
        ),
        limits=cw.Limits(
            batch_items=1,
            concurrency=5,
            rates={"default": RATE},
            counted_by="application key",
            remaining_header="X-Rate-Limit-Remaining",
            reset_header="X-Rate-Limit-Reset",
        ),
        simulator="coursewire_degreed.v2.simulator:Degreed2Simulator",
        docs_url="https://developer.degreed.com/reference/overview",
    )
