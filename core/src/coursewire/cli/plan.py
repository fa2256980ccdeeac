"""``coursewire plan``, and ``transmit --dry-run``: what a run would do, item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import typer

from coursewire.cli.common import open_installation, run_to_end
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
from coursewire.pipeline.job import Job
from coursewire.pipeline.plan import Plan, PlanItem


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
                summary = run_to_end(_planned(job, asked, keys, json=json))
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


async def _planned(job: Job, asked: Asked, keys: Sequence[str] | None, *, json: bool) -> dict[str, Any]:
    return await _show_one(await job.plan(), asked, keys, json=json)


async def _show_one(plan: Plan, asked: Asked, keys: Sequence[str] | None, *, json: bool) -> dict[str, Any]:
    """Print one plan, item by item.

    Returns:
        The stable form of its counts.
    """
    shown = _ShownPlan(plan, keys, json=json)
    configuration = plan.configuration
    if not json:
        put(f"{configuration.display_name} ({configuration.channel} {configuration.short_id})", style="bold")
    await shown.show()
    if plan.reason:
        note(f"nothing to do: {because(plan.reason)}", style="yellow")
    elif asked.learner is not None and not shown.total:
        note_nothing(asked)
    for key in shown.missing():
        note(_missing_text(plan, key))
    if plan.guard is not None:
        note(f"guard: {plan.guard}", style="bold yellow")
    summary = shown.summary()
    if not json:
        _put_plan_counts(summary)
    return summary


def _missing_text(plan: Plan, key: str) -> str:
    if plan.kind is not Kind.CONTENT:
        return f"{key}: nothing to do, or no outcome has this key; `coursewire why` tells more"
    what = "nothing to do" if key in plan.wanted else "no catalog of this configuration holds it"
    return f"{key}: {what}; `coursewire audit show` tells more"


class _ShownPlan:
    """One plan while its items are printed and counted.

    Args:
        plan: The plan.
        keys: The keys of the items to print; None for all that are sent or need attention.
        json: Print JSON lines.
    """

    def __init__(self, plan: Plan, keys: Sequence[str] | None, *, json: bool) -> None:
        self._plan = plan
        self._keys = keys
        self._json = json
        self._counts: Counter[str] = Counter()
        self._left: Counter[str] = Counter(plan.left)
        self._seen: set[str] = set()

    @property
    def total(self) -> int:
        """The number of items so far."""
        return self._counts.total() + self._left.total()

    async def show(self) -> None:
        """Print the items that matter, page by page, and count all."""
        async for page in self._plan.pages():
            for item in page:
                if item.operation is None:
                    self._left[str(item.reason)] += 1
                else:
                    self._counts[item.operation.value] += 1
            chosen = [item for item in page if _is_shown(item, self._keys)]
            if self._json:
                for item in chosen:
                    put_json({"configuration": self._plan.configuration.uuid, **item.as_dict()})
            elif chosen:
                _put_page(chosen, outcomes=self._plan.kind is not Kind.CONTENT, first=not self._seen)
            self._seen.update(item.key for item in chosen)

    def missing(self) -> list[str]:
        """Return the keys that were asked for and not met."""
        return [key for key in self._keys or () if key not in self._seen]

    def summary(self) -> dict[str, Any]:
        """Return the stable form of the plan's counts, with the exit status that it stands for."""
        plan, configuration = self._plan, self._plan.configuration
        summary: dict[str, Any] = {
            "configuration": configuration.uuid,
            "channel": configuration.channel,
            "customer": configuration.customer,
            **{name: self._counts[name] for name in _PLANNED},
            "left": dict(sorted(self._left.items())),
            "present": plan.present,
            "source_failures": dict(plan.failures),
            "guard": str(plan.guard) if plan.guard else None,
            "exit_status": plan.guard.exit_status if plan.guard else int(bool(plan.failures)),
        }
        return summary if plan.kind is Kind.CONTENT else {**summary, "reason": str(plan.reason)}


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
