"""Bounds of connections: the size of headers, the time for a whole request, and how many may be open."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 30.0
"""Seconds in which a request must have arrived whole, headers and body; also those until the first one begins."""

OPTIONS: dict[str, Any] = {
    "h11_max_incomplete_event_size": 32_768,
    "limit_concurrency": 1_000,
    "timeout_keep_alive": 15,
}
"""Options of uvicorn: bytes of the headers of one request, open connections, and seconds between two requests."""


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, which by itself waits for ever for a request that was begun."""

    request_s = REQUEST_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count the time."""
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Take bytes; the time goes on until the request is whole."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing():
            if self._deadline is None:
                self._await_request()
        else:
            self._stop_counting()

    def on_response_complete(self) -> None:
        """Count no more when an answer was given; the time between two requests is uvicorn's to count."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self._stop_counting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._stop_counting()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(self.request_s, self._end)

    def _stop_counting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()
