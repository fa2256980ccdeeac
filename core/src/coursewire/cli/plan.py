"""``coursewire plan``, and ``transmit --dry-run``: what a run would do, item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import typer

from coursewire.cli.common import open_installation, records_of, run_to_end
from coursewire.cli.options import ChannelCode, Config, Course, Customer, Json, Keys, KindArgument, Learner
from coursewire.cli.output import because, note, put, put_json, put_rows, show_error
from coursewire.cli.runs import (
    Asked,
    Force,
    failed_row,
    left_out_rows,
    note_left_out,
    note_nothing,
    select,
    sum_up,
)
from coursewire.errors import CoursewireError, GuardError
from coursewire.model.payload import Kind
from coursewire.model.reasons import Reason
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.job import Job
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.plan import PlanItem


def plan(
    kind: KindArgument,
    channel: ChannelCode = None,
    customer: Customer = None,
    config: Config = None,
    learner: Learner = None,
    course: Course = None,
    keys: Keys = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Show what a run would do, item by item, with reasons. Nothing is written and nothing is sent.

    With --json each line is one item, and the last line is the summary. That the guard would stop the run is said,
    and is no failure of the plan.
    """
    asked = Asked(kind, channel, customer, config, learner, course, force)
    status = show_plan(asked, keys=keys, json=json)
    raise typer.Exit(0 if status == GuardError.exit_status else status)


def show_plan(asked: Asked, *, keys: Sequence[str] | None = None, json: bool) -> int:
    """Print the plans of the configurations that are meant, over a database that cannot be written.

    Returns:
        The exit status that a run would have before it sends anything.
    """
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

    survey, pages = await job.plan()
    shown = _Shown(job, keys, json=json)
    shown.left.update(survey.left)
    await shown.show(pages)
    for key in shown.missing():
        what = "nothing to do" if key in survey.wanted else "no catalog of this configuration holds it"
        note(f"{key}: {what}; `coursewire audit show` tells more")
    summary = shown.summary(present=survey.present)
    summary["source_failures"] = survey.wanted.failures
    summary["exit_status"] = 1 if survey.wanted.failures else 0
    try:
        job.check_guard(survey)
    except GuardError as error:
        summary["guard"] = str(error)
        summary["exit_status"] = error.exit_status
        note(f"guard: {error}", style="bold yellow")
    return summary


async def _plan_outcomes(
    job: OutcomeJob, asked: Asked, keys: Sequence[str] | None, *, json: bool
) -> dict[str, Any]:

    found = await job.plan()
    shown = _Shown(job, keys, json=json)
    await shown.show(found.pages)
    if found.reason:
        note(f"nothing to do: {because(found.reason)}", style="yellow")
    elif asked.learner is not None and not shown.total:
        note_nothing(asked)
    for key in shown.missing():
        note(f"{key}: nothing to do, or no outcome has this key; `coursewire why` tells more")
    records = records_of(job.installation, job.configuration, asked.kind)
    present = sum(count for _state, _reason, there, count in records.counts() if there)
    return {**shown.summary(present=present), "reason": str(found.reason)}


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
        async for page in pages:
            for item in page:
                if item.operation is None:
                    self.left[str(item.reason)] += 1
                else:
                    self.counts[item.operation.value] += 1
            wanted = [item for item in page if _is_shown(item, self._keys)]
            if self._json:
                for item in wanted:
                    put_json({"configuration": self._job.configuration.uuid, **item.as_dict()})
            elif wanted:
                _put_page(wanted, outcomes=self._job.kind is not Kind.CONTENT, first=not self._seen)
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

    if keys:
        return item.key in keys
    return item.operation is not None or item.reason != Reason.UNCHANGED


def _put_page(items: Sequence[PlanItem], *, outcomes: bool, first: bool) -> None:

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

    put("  ".join(f"{name} {summary[name]:,}" for name in _PLANNED), style="bold")
    for reason, count in summary["left"].items():
        put(f"  {reason} {count:,}", style="dim")
    for catalog, why in summary["source_failures"].items():
        note(f"catalog {catalog} could not be read: {why}", style="red")
    put()
