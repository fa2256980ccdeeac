"""The cache that keeps answers about courses for a short time."""

from __future__ import annotations

import threading
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from coursewire.model.instant import Clock, utc_now

MISSING: Final = object()
"""The answer of a cache that has nothing, for a cache in which None is a value."""


class Cache(Protocol):
    """A cache of the host's own. Both methods may raise whatever they like."""

    def get(self, key: str) -> Any:
        """Return the value that was set under ``key``; :data:`MISSING` or None when there is nothing, or no longer."""
        ...

    def set(self, key: str, value: Any, timeout_s: float) -> None:
        """Keep ``value`` for ``timeout_s`` seconds."""
        ...


class MemoryCache:
    """The cache of one process, safe to share between threads. It hands out copies.

    Args:
        clock: The present instant.
        size: Entries that are kept; the oldest go first.
    """

    def __init__(self, clock: Clock = utc_now, size: int = 2000) -> None:
        self._clock = clock
        self._size = size
        self._held: dict[str, tuple[datetime, Any]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """A copy of what was set under ``key``; :data:`MISSING` when there is nothing, or no longer."""
        with self._lock:
            until, value = self._held.get(key, (None, MISSING))
        if until is None or self._clock() >= until:
            return MISSING
        return deepcopy(value)

    def set(self, key: str, value: Any, timeout_s: float) -> None:
        """Keep a copy of ``value`` for ``timeout_s`` seconds."""
        until = self._clock() + timedelta(seconds=timeout_s)
        copy = deepcopy(value)
        with self._lock:
            self._held.pop(key, None)
            self._held[key] = (until, copy)
            if len(self._held) > self._size:
                del self._held[next(iter(self._held))]
