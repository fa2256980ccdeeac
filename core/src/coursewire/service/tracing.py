"""Spans of the requests that the service answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.observability.tracing import span
from coursewire.service.metrics import UNMATCHED

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PARENT = (b"traceparent", b"tracestate")


class Traced:
    """Middleware that makes a span for each request, named by its route, never by its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within a span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        parent = {
            name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in PARENT
        }
        with span(method, kind="server", parent=parent, http__request__method=method) as current:

            async def watch(message: Message) -> None:
                if current is not None and message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", UNMATCHED)
                    current.update_name(f"{method} {route}")
                    current.set_attribute("http.route", route)
                    current.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, watch)
