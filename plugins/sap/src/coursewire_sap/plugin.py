"""The channel ``SAP``: its declaration, and its hooks, each from the module that it stands in."""

from __future__ import annotations

import coursewire as cw
from coursewire_sap.auth import authenticate
from coursewire_sap.client import check_connection, list_inactive_learners, send_content
from coursewire_sap.config import IMPORT, SEARCH, SapConfig
from coursewire_sap.content import export_content, export_retirement
from coursewire_sap.outcomes import export_completion, send_outcomes
from coursewire_sap.reasons import REASONS

__all__ = [
    "authenticate",
    "check_connection",
    "declare_channel",
    "export_completion",
    "export_content",
    "export_retirement",
    "list_inactive_learners",
    "send_content",
    "send_outcomes",
]


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Declare SAP SuccessFactors Learning, which is reached by its Open Content Network."""
    return cw.Channel(
        code=SapConfig.code,
        title="SAP SuccessFactors Learning",
        requires_api=">=2.0,<3",
        config=SapConfig,
        reasons=REASONS,
        capabilities=cw.Capabilities(
            content_types=frozenset(
                {cw.ContentType.COURSE, cw.ContentType.COURSE_RUN, cw.ContentType.PROGRAM}
            ),
            completions=cw.Support.FULL,
            assessments=cw.Support.IMPOSSIBLE,
            retire_strategies=(cw.RetireStrategy.DEACTIVATE,),
            idempotency=cw.Idempotency.UPSERT,
            outcome_idempotency=cw.Idempotency.NONE,
            mixed_operations=True,
            raise_grade=cw.Support.IMPOSSIBLE,
            lower_grade=cw.Support.IMPOSSIBLE,
            revoke=cw.Support.IMPOSSIBLE,
            list_remote=cw.Support.UNKNOWN,
            list_inactive_learners=cw.Support.FULL,
            paging="offset",
        ),
        limits=cw.Limits(
            batch_items=1000,
            concurrency=1,
            rates={IMPORT: cw.Rate(calls=1, seconds=300), SEARCH: cw.Rate(calls=1, seconds=0.5)},
            counted_by="tenant",
        ),
        simulator="coursewire_sap.simulator:SapSimulator",
    )
