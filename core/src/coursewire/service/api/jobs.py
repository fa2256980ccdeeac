"""``/jobs`` and plans: runs under way, runs that have ended, and what a run would do."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from coursewire.configurations.configuration import Configuration
from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation
from coursewire.pipeline.plan import PlanItem
from coursewire.pipeline.selection import RunRequest
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.paging import API, After, Limit, Page, cursor_of, keys_of
from coursewire.service.problems import Problem
from coursewire.service.rights import Right
from coursewire.storage.audit import jobs as job_log

router = GuardedRouter(prefix=API, tags=["jobs"])

READ = Annotated[Access, needs(Right.READ)]
OPERATE = Annotated[Access, needs(Right.OPERATE)]

PLAN_ITEMS = 1000
"""Items of a plan that one answer holds; its counts are of all."""


class Progress(BaseModel):
    """The progress of a job of this process."""

    state: str = Field(description="waiting, running, finished or failed")
    phase: str
    done: int
    total: int = Field(description="0 while it is not known.")


class JobOut(BaseModel):
    """One run of (kind, configuration)."""

    uuid: UUID
    kind: str
    configuration: UUID
    state: str
    actor: str
    options: dict[str, Any] | None
    summary: dict[str, Any] | None
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None
    progress: Progress | None = Field(
        default=None, description="Of a job that runs in the process that answers."
    )


class Start(BaseModel):
    """A job to start."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    configuration: UUID
    force: bool = Field(default=False, description="Send what is unchanged, too, and heed no pause.")
    confirm_retire: int | None = Field(
        default=None,
        ge=0,
        description="Agree that so many items are retired, where the guard asks. Content only.",
    )
    learner: str | None = Field(default=None, max_length=255, description="Only this learner's outcomes.")
    course: str | None = Field(
        default=None, max_length=255, description="Only outcomes in this course or run."
    )

    def request(self, actor: str) -> RunRequest:
        """Return the request that this body makes, in the name of ``actor``."""
        return RunRequest(
            self.kind,
            learner=self.learner,
            course=self.course,
            force=self.force,
            confirm_retire=self.confirm_retire,
            actor=actor,
        )


class PlanItemOut(BaseModel):
    """One item of a plan."""

    key: str
    title: str
    operation: str | None
    reason: str
    message: str
    fields: list[str] = Field(description="What differs from what the LMS confirmed.")

    @classmethod
    def of(cls, item: PlanItem) -> PlanItemOut:
        """Return the public form of an item of a plan."""
        return cls(
            key=item.key,
            title=item.title,
            operation=item.operation.value if item.operation else None,
            reason=item.reason,
            message=item.message,
            fields=list(item.fields),
        )


class PlanOut(BaseModel):
    """The plan of a run."""

    create: int
    update: int
    retire: int
    left: dict[str, int] = Field(description="Items that would not be sent, by reason.")
    guard: str | None = Field(description="Why the guard would stop the run.")
    items: list[PlanItemOut] = Field(description=f"The first {PLAN_ITEMS} that would be sent.")


@router.get("/jobs", summary="Runs")
def list_jobs(
    access: READ,
    configuration: UUID | None = None,
    kind: Kind | None = None,
    after: After = None,
    limit: Limit = 20,
) -> Page[JobOut]:
    """List runs, the newest first."""
    place = keys_of(after, str, str)
    progress = access.host.background.snapshot()
    rows = job_log.recent(
        access.installation.engine,
        configurations=access.within(configuration),
        kind=kind,
        before=_place(place) if place else None,
        limit=limit + 1,
    )
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursor_of(last["started_at"].isoformat(), str(last["uuid"])) if last else None
    return Page(items=[_out(row, progress) for row in rows[:limit]], next=following)


def _place(keys: tuple[str, str]) -> tuple[datetime, UUID]:
    try:
        started_at = datetime.fromisoformat(keys[0])
        if started_at.tzinfo is None:
            raise ValueError
        return started_at, UUID(keys[1])
    except ValueError:
        raise Problem(422, "the place to go on from is not one of this list") from None


@router.get("/jobs/{uuid}", summary="One run")
def show_job(uuid: UUID, access: READ) -> JobOut:
    """Show how far a run is, or how it ended."""
    progress = access.host.background.snapshot()
    row = job_log.find(access.installation.engine, uuid)
    if row is None:
        watched = access.host.background.find(uuid)
        if watched is None:
            raise Problem(404, f"there is no job {uuid}")
        # It waits for its turn, or ended before it had its lease.
        row = unwritten(watched)
    access.configuration_of_job(uuid, row["configuration"])
    return _out(row, progress)


@router.post("/jobs", status_code=202, summary="Start")
async def start_job(body: Start, access: OPERATE) -> JobOut:
    """Start a job in this process and answer at once; `GET /jobs/{uuid}` tells how it goes."""
    found = await run_in_threadpool(access.configuration, body.configuration)
    watched = await access.host.start(body.request(access.caller.name), found)
    return _out(unwritten(watched), {watched.job.uuid: watched.as_dict()})


@router.post("/jobs/{uuid}/stop", summary="Stop")
def stop_job(uuid: UUID, access: OPERATE) -> JobOut:
    """Let a run end after the requests under way; what is left waits for the next one."""
    watched = access.host.background.find(uuid)
    if watched is None:
        raise Problem(404, f"there is no job {uuid}", "No such job runs in this process.")
    access.configuration_of_job(uuid, watched.job.configuration.uuid)
    if not access.host.stop(uuid):
        raise Problem(409, "the job has ended already")
    return _out(unwritten(watched), {uuid: watched.as_dict()})


@router.get("/configurations/{uuid}/plan", summary="What a run would do")
async def plan(uuid: UUID, access: READ, kind: Kind = Kind.CONTENT, *, force: bool = False) -> PlanOut:
    """Show what a run would do. Nothing is written and nothing is sent."""
    found = await run_in_threadpool(access.configuration, uuid)
    return (await find_plan(access, found, RunRequest(kind, force=force))).summary


@dataclass(slots=True)
class FoundPlan:
    """A plan, and its first items in full.

    Attributes:
        summary: The plan, as it is answered.
        items: The first items that would be sent.
    """

    summary: PlanOut
    items: list[PlanItem]


async def find_plan(
    access: Access, configuration: Configuration, request: RunRequest, *, most: int = PLAN_ITEMS
) -> FoundPlan:
    """Plan the job of one configuration, and count what it would do.

    Args:
        reach: The reach of who asks.
        configuration: The configuration.
        request: The request, whose filters are not looked at.
        most: The most items that would be sent to give in full.

    Raises:
        CoursewireError: There can be no plan.
    """
    plan = await access.host.plan_job(request.job(access.installation, configuration))
    if plan.error is not None:
        raise plan.error
    left = Counter(plan.left)
    if plan.reason:
        left[plan.reason] = 0
    counts = {operation.value: 0 for operation in Operation}
    items: list[PlanItem] = []
    async for page in plan.pages():
        for item in page:
            if item.operation is None:
                left[item.reason] += 1
                continue
            counts[item.operation.value] += 1
            if len(items) < most:
                items.append(item)
        await asyncio.sleep(0)
    summary = PlanOut(
        **counts,
        left=dict(sorted(left.items())),
        guard=str(plan.guard) if plan.guard else None,
        items=[PlanItemOut.of(item) for item in items],
    )
    return FoundPlan(summary, items)


def unwritten(watched: Any) -> dict[str, Any]:
    """Return a job that has no row yet, in the form of a row."""
    job = watched.job
    return {
        "uuid": job.uuid,
        "kind": job.kind.value,
        "configuration": job.configuration.uuid,
        "state": watched.state,
        "actor": job.actor,
        "options": job.options,
        "summary": watched.summary.as_dict() if watched.summary else None,
        "error": str(watched.error) if watched.error else None,
        "started_at": None,
        "finished_at": None,
    }


def _out(row: dict[str, Any], progress: dict[UUID, dict[str, Any]]) -> JobOut:
    now = progress.get(row["uuid"])
    return JobOut(**row, progress=Progress(**now) if now else None)
