"""``coursewire plan``, and ``transmit --dry-run``: what a run would do, item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from coursewire.cli.options import KindName

if TYPE_CHECKING:
    from coursewire.cli.selection import Asked
    from coursewire.pipeline.content_job import ContentJob
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.outcome_job import OutcomeJob
    from coursewire.pipeline.plan import PlanItem


def show_plan(asked: Asked, *, keys: Sequence[str] | None = None, json: bool) -> int:
    """Print the plans of the configurations that are meant, over a database that cannot be written.

    Returns:
        The exit status that a run would have before it sends anything.
    """
    from coursewire.cli.common import open_installation, run_to_end
    from coursewire.cli.output import put_json, show_error
    from coursewire.cli.runs import failed_row, sum_up
    from coursewire.cli.selection import left_out_rows, note_left_out, select
    from coursewire.errors import CoursewireError

    status = 0
    totals: list[dict[str, Any]] = []
    with open_installation(read_only=True) as installation:
        selection = select(installation, asked)
        note_left_out(asked, selection)
        for refused in selection.refused:
            status = max(status, refused.error.exit_status)
            totals.append(failed_row(refused.configuration, refused.error))
            show_error(refused.error)
        for ready in selection.ready:
            job = asked.job(installation, ready.configuration)
            try:
                summary = run_to_end(_plan_one(job, asked, keys, json=json))
            except CoursewireError as error:
                status = max(status, error.exit_status)
                totals.append(failed_row(ready.configuration, error))
                show_error(error)
            else:
                status = max(status, summary["exit_status"])
                totals.append(summary)
    if json:
        put_json(
            {
                "kind": asked.kind.value,
                "dry_run": True,
                "plans": totals,
                "left_out": left_out_rows(selection),
                **sum_up(totals, _PLANNED),
                "exit_status": status,
            }
        )
    return status


_PLANNED = ("create", "update", "retire")


async def _plan_one(
    job: ContentJob | OutcomeJob, asked: Asked, keys: Sequence[str] | None, *, json: bool
) -> dict[str, Any]:
    from coursewire.cli.output import put
    from coursewire.pipeline.content_job import ContentJob

    configuration = job.configuration
    if not json:
        put(f"{configuration.display_name} ({configuration.channel} {configuration.short_id})", style="bold")
    if isinstance(job, ContentJob):
        summary = await _plan_content(job, keys, json=json)
    else:
        summary = await _plan_outcomes(job, asked, keys, json=json)
    if not json:
        _put_plan_counts(summary)
    return summary


async def _plan_content(job: ContentJob, keys: Sequence[str] | None, *, json: bool) -> dict[str, Any]:
    from coursewire.cli.output import note

    plan = await job.plan()
    shown = _Shown(job, keys, json=json)
    shown.left.update(plan.left)
    await shown.show(plan.pages())
    for key in shown.missing():
        what = "nothing to do" if key in plan.wanted else "no catalog of this configuration holds it"
        note(f"{key}: {what}; `coursewire audit show` tells more")
    summary = shown.summary(present=plan.present)
    summary["source_failures"] = plan.failures
    summary["exit_status"] = 1 if plan.failures else 0
    if plan.guard is not None:
        summary["guard"] = str(plan.guard)
        summary["exit_status"] = plan.guard.exit_status
        note(f"guard: {plan.guard}", style="bold yellow")
    return summary


async def _plan_outcomes(
    job: OutcomeJob, asked: Asked, keys: Sequence[str] | None, *, json: bool
) -> dict[str, Any]:
    from coursewire.cli.output import because, note
    from coursewire.cli.runs import note_nothing

    plan = await job.plan()
    shown = _Shown(job, keys, json=json)
    await shown.show(plan.pages())
    if plan.reason:
        note(f"nothing to do: {because(plan.reason)}", style="yellow")
    elif asked.learner is not None and not shown.total:
        note_nothing(asked)
    for key in shown.missing():
        note(f"{key}: nothing to do, or no outcome has this key; `coursewire why` tells more")
    return {**shown.summary(present=plan.present), "reason": str(plan.reason)}


class _Shown:
    """The items of one plan: shown page by page, and counted."""

    def __init__(self, job: Job, keys: Sequence[str] | None, *, json: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self._job = job
        self._keys = keys
        self._json = json
        self._seen: set[str] = set()

    @property
    def total(self) -> int:
        """How many items there are."""
        return self.counts.total() + self.left.total()

    async def show(self, pages: AsyncIterator[list[PlanItem]]) -> None:
        """Print the items that matter, and count all."""
        from coursewire.cli.output import put_json

        async for page in pages:
            for item in page:
                if item.operation is None:
                    self.left[item.reason] += 1
                else:
                    self.counts[item.operation.value] += 1
            wanted = [item for item in page if _is_shown(item, self._keys)]
            if self._json:
                for item in wanted:
                    put_json({"configuration": self._job.configuration.uuid, **item.as_dict()})
            elif wanted:
                _put_page(wanted, outcomes=self._job.kind.value != KindName.CONTENT, first=not self._seen)
            self._seen.update(item.key for item in wanted)

    def missing(self) -> list[str]:
        """The keys that were asked for and not met."""
        return [key for key in self._keys or () if key not in self._seen]

    def summary(self, *, present: int) -> dict[str, Any]:
        """The stable form of one plan's counts."""
        configuration = self._job.configuration
        return {
            "configuration": configuration.uuid,
            "channel": configuration.channel,
            "customer": configuration.customer,
            **{name: self.counts[name] for name in _PLANNED},
            "left": dict(sorted(self.left.items())),
            "present": present,
            "source_failures": {},
            "guard": None,
            "exit_status": 0,
        }


def _is_shown(item: PlanItem, keys: Sequence[str] | None) -> bool:
    from coursewire.model.reasons import Reason

    if keys:
        return item.key in keys
    return item.operation is not None or item.reason != Reason.UNCHANGED


def _put_page(items: Sequence[PlanItem], *, outcomes: bool, first: bool) -> None:
    from coursewire.cli.output import put_rows

    # The key of an outcome is a digest; learner and course, its title, tell more.
    columns = (
        {"to do": 6, "learner and course": 0, "why": 28}
        if outcomes
        else {"to do": 6, "key": 26, "title": 0, "why": 26}
    )
    put_rows(
        columns,
        (
            (
                item.operation.value if item.operation else "leave",
                *(() if outcomes else (item.key,)),
                item.title,
                item.reason
                + (f": {', '.join(item.fields)}" if item.fields else "")
                + (f": {item.message}" if item.message else ""),
            )
            for item in items
        ),
        header=first,
        cut="" if outcomes else "title",
    )


def _put_plan_counts(summary: dict[str, Any]) -> None:
    from coursewire.cli.output import note, put

    put("  ".join(f"{name} {summary[name]:,}" for name in _PLANNED), style="bold")
    for reason, count in summary["left"].items():
        put(f"  {reason} {count:,}", style="dim")
    for catalog, why in summary["source_failures"].items():
        note(f"catalog {catalog} could not be read: {why}", style="red")
    put()
