"""The service over an installation with both channels, and callers of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from coursewire.host import Host
from coursewire.service.app import create_app
from coursewire.service.rights import Role, RoleAssignment
from coursewire.service.tokens import ApiTokens
from coursewire_canvas.simulator import CanvasSimulator


@pytest.fixture
def database_url(sqlite_alone: str) -> str:
    return sqlite_alone


@pytest.fixture
def client(installation: Any) -> Iterator[TestClient]:
    """A client of the running service, without any credentials."""
    with TestClient(create_app(Host(installation=installation)), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def token(installation: Any) -> Callable[..., dict[str, str]]:
    """Makes the headers of a caller with a role, for one customer or for all."""

    def make(role: str, customer: str = "") -> dict[str, str]:
        tokens = ApiTokens(installation.engine)
        _made, value = tokens.add(
            role, [RoleAssignment(Role(role), customer)], created_by="test", expires_at=None
        )
        return {"Authorization": f"Bearer {value}"}

    return make


@pytest.fixture
def configured(configure: Any, canvas: CanvasSimulator) -> Any:
    """An active Canvas configuration of the customer."""
    return configure(canvas)
