"""The REST API, a module for each resource."""

from __future__ import annotations

from coursewire.service.api import access, channels, configurations, jobs, records, transmissions

ROUTERS = (
    channels.router,
    configurations.router,
    records.router,
    transmissions.router,
    jobs.router,
    access.router,
)
