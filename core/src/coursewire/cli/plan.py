"""``coursewire plan``, and ``transmit --dry-run``: what a run would do, item by item."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import ChannelCode, Config, Course, Customer, Json, Keys, KindArgument, Learner
from coursewire.cli.output import because, note, put, put_json, put_rows, show_error
from coursewire.cli.runs import (
    Force,
    failed_row,
    left_out_rows,
    note_left_out,
    note_nothing,
    run_request,
    sum_up,
)
from coursewire.errors import GuardError
from coursewire.host import Host
from coursewire.model.reasons import Reason
from coursewire.pipeline.plan import Plan, PlanItem
from coursewire.pipeline.selection import RunRequest, Selection

OPERATIONS = ("create", "update", "retire")


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
    request = run_request(
        kind,
        channel=channel,
        customer=customer,
        config=config,
        learner=learner,
        course=course,
        force=force,
    )
    status = show_plans(request, keys=keys, json=json)
    raise typer.Exit(0 if status == GuardError.exit_status else status)


def show_plans(request: RunRequest, *, keys: Sequence[str] | None = None, json: bool) -> int:
    """Print the plans of the configurations that are meant, over a database that cannot be written.

    Args:
        request: The request.
        keys: The keys of the items to print; None for all that are sent or need attention.
        json: Print JSON, one object a line; the last one is the summary.

    Returns:
        The exit status that a run would have before it sends anything.
    """
    with open_host(read_only=True) as host:
        selection, rows = asyncio.run(_show_all(host, request, keys, json=json))
    status = max((row["exit_status"] for row in rows), default=0)
    if json:
        put_json(
            {
                "kind": request.kind.value,
                "dry_run": True,
                "plans": rows,
                "left_out": left_out_rows(selection),
                **sum_up(rows, OPERATIONS),
                "exit_status": status,
            }
        )
    return int(status)


async def _show_all(
    host: Host, request: RunRequest, keys: Sequence[str] | None, *, json: bool
) -> tuple[Selection, list[dict[str, Any]]]:
    """Print every plan while its items are read.

    Returns:
        The selected configurations, and the stable form of each plan's counts.
    """
    selection = await host.select(request)
    note_left_out(selection)
    rows = []
    async for each in host.plans(selection):
        if each.error is None:
            shown = _ShownPlan(each, request, keys, json=json)
            await shown.show()
            rows.append(shown.summary())
        else:
            show_error(each.error)
            rows.append(failed_row(each.configuration, each.error))
    return selection, rows


class _ShownPlan:
    """One plan while its items are printed and counted.

    Args:
        plan: The plan.
        request: The request that it answers.
        keys: The keys of the items to print; None for all that are sent or need attention.
        json: Print JSON, one object a line.
    """

    def __init__(self, plan: Plan, request: RunRequest, keys: Sequence[str] | None, *, json: bool) -> None:
        self._plan = plan
        self._request = request
        self._keys = keys
        self._json = json
        self._counts: Counter[str] = Counter()
        self._left: Counter[str] = Counter(plan.left)
        self._seen: set[str] = set()

    async def show(self) -> None:
        """Print the items that matter, the reasons of what is missing, and the counts."""
        plan, configuration = self._plan, self._plan.configuration
        if not self._json:
            about = f"{configuration.display_name} ({configuration.channel} {configuration.short_id})"
            put(about, style="bold")
        async for page in plan.pages():
            self._show_page(page)
        if plan.reason:
            note(f"nothing to do: {because(plan.reason)}", style="yellow")
        elif self._request.learner is not None and not (self._counts.total() + self._left.total()):
            note_nothing(self._request)
        for key in self._keys or ():
            if key not in self._seen:
                note(self._absence(key))
        if plan.guard is not None:
            note(f"guard: {plan.guard}", style="bold yellow")
        if not self._json:
            _put_counts(self.summary())

    def _show_page(self, page: Sequence[PlanItem]) -> None:
        for item in page:
            if item.operation is None:
                self._left[item.reason] += 1
            else:
                self._counts[item.operation.value] += 1
        chosen = [item for item in page if _is_shown(item, self._keys)]
        if self._json:
            for item in chosen:
                put_json({"configuration": self._plan.configuration.uuid, **item.as_dict()})
        elif chosen:
            _put_page(chosen, outcomes=self._plan.kind.is_outcome, first=not self._seen)
        self._seen.update(item.key for item in chosen)

    def _absence(self, key: str) -> str:
        """Return the sentence about an item that was asked for and is not in the plan."""
        if self._plan.kind.is_outcome:
            return f"{key}: nothing to do, or no outcome has this key; `coursewire why` tells more"
        what = "nothing to do" if key in self._plan.wanted else "no catalog of this configuration holds it"
        return f"{key}: {what}; `coursewire audit show` tells more"

    def summary(self) -> dict[str, Any]:
        """Return the stable form of the plan's counts, with the exit status that it stands for."""
        plan, configuration = self._plan, self._plan.configuration
        summary: dict[str, Any] = {
            "configuration": configuration.uuid,
            "channel": configuration.channel,
            "customer": configuration.customer,
            **{name: self._counts[name] for name in OPERATIONS},
            "left": dict(sorted(self._left.items())),
            "present": plan.present,
            "source_failures": dict(plan.failures),
            "guard": str(plan.guard) if plan.guard else None,
            "exit_status": plan.guard.exit_status if plan.guard else int(bool(plan.failures)),
        }
        return {**summary, "reason": str(plan.reason)} if plan.kind.is_outcome else summary


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


def _put_counts(summary: dict[str, Any]) -> None:
    put("  ".join(f"{name} {summary[name]:,}" for name in OPERATIONS), style="bold")
    for reason, count in summary["left"].items():
        put(f"  {reason} {count:,}", style="dim")
    for catalog, why in summary["source_failures"].items():
        note(f"catalog {catalog} could not be read: {why}", style="red")
    put()
