"""The console: pages for people, rendered here, with nothing to build and nothing from elsewhere."""

from __future__ import annotations

from coursewire.service.console import (
    channels,
    configurations,
    connect,
    jobs,
    learners,
    overview,
    plans,
    preview,
    records,
    sign_in,
)

ROUTERS = (
    sign_in.router,
    overview.router,
    configurations.router,
    connect.router,
    preview.router,
    plans.router,
    jobs.router,
    records.router,
    learners.router,
    channels.router,
)
