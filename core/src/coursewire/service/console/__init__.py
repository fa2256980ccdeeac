"""The console: pages for people, rendered here, with nothing to build and nothing from elsewhere."""

from __future__ import annotations

from coursewire.service.console import channels, jobs, learners, overview, plans, records, sign_in

ROUTERS = (
    sign_in.router,
    overview.router,
    plans.router,
    jobs.router,
    records.router,
    learners.router,
    channels.router,
)
