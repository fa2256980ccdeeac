"""A simulated organisation by API v2, and payloads as the exporters build them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coursewire.model.payload import Batch, Operation, Payload, fingerprint
from coursewire_degreed.v2 import plugin
from coursewire_degreed.v2.simulator import Degreed2Simulator


@pytest.fixture
def simulator(clock) -> Iterator[Degreed2Simulator]:
    made = Degreed2Simulator(clock=clock)
    with made.running():
        yield made


@pytest.fixture
def run(connect: Callable[..., Any], simulator: Degreed2Simulator) -> Callable[..., Any]:
    return connect(plugin, simulator)


def course(
    key: str = "Ex+1",
    operation: Operation = Operation.CREATE,
    remote_id: str | None = None,
    *,
    skills: tuple[str, ...] = (),
    confirmed: Any = None,
    **attributes: Any,
) -> Payload:
    body: dict[str, Any] = {
        "data": {
            "type": "content/courses",
            "attributes": {
                "title": f"Course {key}",
                "external-id": key,
                "summary": "Ünïcode 你好",
                "duration": 13,
                "duration-type": "Hours",
                "obsolete": False,
                "url": f"https://learn.example.org/{key}",
                **{name.replace("_", "-"): value for name, value in attributes.items()},
            },
        }
    }
    if skills:
        body["skills"] = {"data": [{"type": "skills", "id": name} for name in skills]}
    return Payload(key, operation, body, fingerprint(body), key, remote_id, "", confirmed)


def retired(key: str = "Ex+1", remote_id: str | None = None) -> Payload:
    body = {"data": {"type": "content/courses", "attributes": {"obsolete": True}}}
    return Payload(key, Operation.RETIRE, body, fingerprint(body), key, remote_id)


def completion(
    user: str = "lee.moor@example.org",
    key: str = "Ex+1",
    remote_id: str | None = None,
    **attributes: Any,
) -> Payload:
    body = {
        "data": {
            "attributes": {
                "user-id": user,
                "user-identifier-type": "Email",
                "content-id": key,
                "content-id-type": "externalId",
                "content-type": "course",
                "completed-at": "2031-01-02T12:00:00",
                "percentile": 87.5,
                **{name.replace("_", "-"): value for name, value in attributes.items()},
            }
        }
    }
    operation = Operation.CREATE if remote_id is None else Operation.UPDATE
    return Payload(f"{user} {key}", operation, body, fingerprint(body), user, remote_id)


@pytest.fixture
def make() -> Any:
    """The builders of payloads."""

    class Make:
        course = staticmethod(course)
        retired = staticmethod(retired)
        completion = staticmethod(completion)

    return Make


@pytest.fixture
def send(run: Callable[..., Any]) -> Callable[..., Any]:
    """Send courses one after the other in one session; the results of all."""

    def sent(*payloads: Payload, **fields: Any) -> list[Any]:
        async def call(session: Any) -> list[Any]:
            results = []
            for payload in payloads:
                results += await plugin.send_content(session, Batch(payload.operation, (payload,)))
            return results

        return run(call, **fields)

    return sent


@pytest.fixture
def report(run: Callable[..., Any]) -> Callable[..., Any]:
    """Send completions one after the other in one session; the results of all, errors in their places."""
    from coursewire.errors import SendError

    def sent(*payloads: Payload, **fields: Any) -> list[Any]:
        async def call(session: Any) -> list[Any]:
            results: list[Any] = []
            for payload in payloads:
                try:
                    results += await plugin.send_outcomes(session, Batch(payload.operation, (payload,)))
                except SendError as error:
                    results.append(error)
            return results

        return run(call, **fields)

    return sent
