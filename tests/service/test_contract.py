"""The OpenAPI document is true: no 5xx, no answer that it does not tell of, whatever is asked."""

from __future__ import annotations

from contextlib import suppress
from itertools import product

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from coursewire.host import Host
from coursewire.service.app import create_app

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def api(installation, configured, token, shelf):
    """The document of a running service with something in it, as an administrator reads it."""
    shelf.fill(3)
    app = create_app(Host(installation=installation))
    with TestClient(app, raise_server_exceptions=False):
        schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
        yield schema, token("administrator"), str(configured.uuid)


def test_every_operation_answers_as_documented(api):
    schema, headers, uuid = api
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) > 20
    for operation, mode in product(operations, GenerationMode):
        with suppress(Unsatisfiable):  # where no wrong request can be made, as without parameters
            asked_at_random(operation, mode, headers, uuid)


def asked_at_random(operation, mode, headers, uuid):
    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        if "configurations/{uuid}" in case.path and mode is GenerationMode.POSITIVE:
            case.path_parameters["uuid"] = uuid
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS, headers=headers)

    ask()
