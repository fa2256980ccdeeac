"""The console: pages for people, rendered here, with nothing to build and nothing from elsewhere."""

from __future__ import annotations

from coursewire.service.console import overview, sign_in

ROUTERS = (sign_in.router, overview.router)
