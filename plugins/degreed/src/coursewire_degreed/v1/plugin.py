"""The channel ``DEGREED``: its declaration, and its hooks, each from the module that it stands in."""

from __future__ import annotations

import coursewire as cw
from coursewire_degreed.v1.client import authenticate, check_connection, send_content
from coursewire_degreed.v1.config import CALLS_A_MINUTE, DegreedV1Config
from coursewire_degreed.v1.content import export_content, export_retirement
from coursewire_degreed.v1.outcomes import export_completion, send_outcomes
from coursewire_degreed.v1.reasons import REASONS

__all__ = [
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "export_retirement",
    "send_content",
    "send_outcomes",
]


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Declare Degreed by its API v1, in batches."""
    return cw.Channel(
        code=DegreedV1Config.code,
        title="Degreed (API v1)",
        requires_api=">=2.0,<3",
        reasons=REASONS,
        config=DegreedV1Config,
        capabilities=cw.Capabilities(
            content_types=frozenset(
                {cw.ContentType.COURSE, cw.ContentType.COURSE_RUN, cw.ContentType.PROGRAM}
            ),
            completions=cw.Support.FULL,
            assessments=cw.Support.IMPOSSIBLE,
            retire_strategies=(cw.RetireStrategy.DELETE,),
            # What a second report of the same course does is not documented. No grade is sent that could be lower.
            raise_grade=cw.Support.UNKNOWN,
            lower_grade=cw.Support.IMPOSSIBLE,
            revoke=cw.Support.FULL,
            in_progress=cw.Support.IMPOSSIBLE,
            idempotency=cw.Idempotency.UPSERT,
            outcome_idempotency=cw.Idempotency.NONE,
            outcomes_need_content=True,
            list_remote=cw.Support.IMPOSSIBLE,
        ),
        # 100 completions: so many are in doubt when an answer is lost.
        limits=cw.Limits(
            batch_items=500,
            outcome_batch_items=100,
            concurrency=1,
            rates={
                "default": cw.Rate(
                    calls=CALLS_A_MINUTE, seconds=60, negotiable=True, setting="calls_per_minute"
                )
            },
            counted_by="application key",
        ),
        simulator="coursewire_degreed.v1.simulator:DegreedV1Simulator",
    )
