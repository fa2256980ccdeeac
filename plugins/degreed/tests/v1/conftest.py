"""A simulated organisation by API v1, and payloads as the exporters build them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coursewire.errors import SendError
from coursewire.model.payload import Batch, Operation, Payload, fingerprint
from coursewire_degreed.v1 import plugin
from coursewire_degreed.v1.simulator import DegreedV1Simulator


@pytest.fixture
def simulator(clock) -> Iterator[DegreedV1Simulator]:
    made = DegreedV1Simulator(clock=clock)
    with made.running():
        yield made


@pytest.fixture
def run(connect: Callable[..., Any], simulator: DegreedV1Simulator) -> Callable[..., Any]:
    return connect(plugin, simulator)


def course(key: str, **changes: Any) -> Payload:
    body = {
        "contentId": key,
        "title": f"Course {key}",
        "description": "Ünïcode 你好",
        "imageUrl": None,
        "language": "en",
        "url": f"https://learn.example.org/{key}",
        **changes,
    }
    return Payload(key, Operation.CREATE, body, fingerprint(body), key)


def completion(user: str, key: str = "Ex+1", **changes: Any) -> Payload:
    body = {"email": user, "id": key, "completionDate": "2031-01-02", **changes}
    body = {name: value for name, value in body.items() if value is not ...}
    return Payload(f"{user} {key}", Operation.CREATE, body, fingerprint(body), user)


@pytest.fixture
def make() -> Any:
    """The builders of payloads."""

    class Make:
        course = staticmethod(course)
        completion = staticmethod(completion)

    return Make


@pytest.fixture
def send(run: Callable[..., Any]) -> Callable[..., Any]:
    """Send one batch of courses; their results."""

    def sent(*payloads: Payload, operation: Operation = Operation.CREATE, **fields: Any) -> list[Any]:
        return run(lambda session: plugin.send_content(session, Batch(operation, payloads)), **fields)

    return sent


@pytest.fixture
def report(run: Callable[..., Any]) -> Callable[..., Any]:
    """Send one batch of completions; their results, or the error."""

    def sent(*payloads: Payload, **fields: Any) -> Any:
        async def call(session: Any) -> Any:
            try:
                return await plugin.send_outcomes(session, Batch(Operation.CREATE, payloads))
            except SendError as error:
                return error

        return run(call, **fields)

    return sent
