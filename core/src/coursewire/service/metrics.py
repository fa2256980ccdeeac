"""``/metrics`` for Prometheus: requests of this process, and how the installation stands."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from fastapi import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request

from coursewire.pipeline.runners.background import Watched
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.rights import Right
from coursewire.service.stats import Stats

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

router = GuardedRouter(tags=["health"])

UNMATCHED = "unmatched"
"""The route of a path that is none of ours: a label for each path that somebody tries would fill memory."""


class Metrics:
    """The counts of this process, in a registry of their own, so that a host service keeps its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "coursewire_http_requests",
            "Requests served.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "coursewire_http_request_seconds", "Time to answer.", ("route",), registry=self.registry
        )
        self.jobs = Counter(
            "coursewire_jobs", "Jobs that ended here.", ("kind", "state"), registry=self.registry
        )
        self.items = Counter(
            "coursewire_items", "Items of jobs that ended here.", ("kind", "result"), registry=self.registry
        )
        self.running = Gauge("coursewire_jobs_running", "Jobs under way here.", registry=self.registry)
        self.records = Gauge(
            "coursewire_records",
            "Records of a configuration, content and outcomes together.",
            ("configuration", "channel", "standing"),
            registry=self.registry,
        )
        self.reconnect = Gauge(
            "coursewire_needs_reconnect",
            "1 where the LMS refuses the credentials.",
            ("configuration", "channel"),
            registry=self.registry,
        )

    def note_end(self, watched: Watched) -> None:
        """Count a job that has ended."""
        kind = watched.job.kind.value
        self.jobs.labels(kind, watched.state).inc()
        if watched.summary is not None:
            counts = watched.summary.as_dict()
            for result in ("created", "updated", "retired", "unchanged", "failed", "waiting"):
                self.items.labels(kind, result).inc(counts[result])
            self.items.labels(kind, "skipped").inc(sum(counts["skipped"].values()))


class Counted:
    """Middleware that counts requests by route, never by path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and take its time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", UNMATCHED)
            self._metrics.requests.labels(scope["method"], route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)


@router.get("/metrics", summary="For Prometheus", response_class=Response)
async def metrics(request: Request, access: Annotated[Access, needs(Right.READ)]) -> Response:
    """Return the metrics in Prometheus's text format. It needs the right for all customers."""
    access.demand_all()
    kept: Metrics = request.app.state.metrics
    stats: Stats = request.app.state.stats
    standing = await stats.standing()
    kept.running.set(request.app.state.host.background.running)
    kept.records.clear()
    kept.reconnect.clear()
    for each in await stats.configurations():
        found = standing[each.uuid]
        names = (str(each.uuid), each.channel)
        for name in ("present", "waiting", "skipped", "failed", "in_doubt"):
            kept.records.labels(*names, name).set(getattr(found, name))
        kept.reconnect.labels(*names).set(each.needs_reconnect_since is not None)
    return Response(generate_latest(kept.registry), media_type=CONTENT_TYPE_LATEST)
