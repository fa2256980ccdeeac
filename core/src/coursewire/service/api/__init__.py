"""The REST API, a module for each resource."""

from __future__ import annotations

from coursewire.service.api import (
    access,
    channels,
    configurations,
    customers,
    jobs,
    learners,
    records,
    transmissions,
)

ROUTERS = (
    channels.router,
    configurations.router,
    customers.router,
    records.router,
    transmissions.router,
    jobs.router,
    learners.router,
    access.router,
)
