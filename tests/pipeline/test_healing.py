"""What an LMS refused is tried again: after a time, another configuration, or a connection test that succeeds."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from coursewire.host import Host
from coursewire.model.instant import utc_now

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Refusing:
    """A way for an LMS to answer every write with one status, until it is told to stop."""

    def __init__(self, simulator, status):
        self.status: int | None = status
        simulator.interfere = self

    def __call__(self, request):
        if self.status is None or request.method == "GET" or "oauth" in request.path:
            return None
        return web.json_response({"errors": [{"message": "no"}]}, status=self.status)


@pytest.fixture
def later(installation):
    def move(by):
        installation.clock = lambda: utc_now() + by

    return move


def counts(ended):
    assert ended.error is None, ended.error
    said = ended.summary.as_dict()
    return {name: said[name] for name in ("created", "retired", "skipped", "failed") if said[name]}


@pytest.mark.parametrize(("status", "passes_after"), [(400, 8 * DAY), (404, 25 * HOUR), (409, 25 * HOUR)])
def test_a_refused_create_is_tried_again_after_a_time(
    installation, shelf, canvas, configure, transmit, later, status, passes_after
):
    shelf.fill(2)
    refusing = Refusing(canvas, status)
    configuration = configure(canvas)
    assert counts(transmit(configuration)) == {"failed": 2}
    refusing.status = None
    later(HOUR)
    assert counts(transmit(configuration)) == {"skipped": {"rejected-before": 2}}
    later(passes_after)
    assert counts(transmit(configuration)) == {"created": 2}


@pytest.mark.parametrize("status", [400, 409])
def test_a_refused_retirement_is_tried_again_after_a_day(shelf, canvas, configure, transmit, later, status):
    shelf.fill(5)
    configuration = configure(canvas)
    transmit(configuration)
    gone = next(iter(shelf.courses))
    del shelf.courses[gone]
    shelf.load()
    refusing = Refusing(canvas, status)
    assert counts(transmit(configuration)) == {"failed": 1}
    refusing.status = None
    later(HOUR)
    assert counts(transmit(configuration)) == {"skipped": {"rejected-before": 1}}
    later(25 * HOUR)
    assert counts(transmit(configuration)) == {"retired": 1}


def test_another_configuration_lifts_what_was_refused(installation, shelf, canvas, configure, transmit):
    shelf.fill(2)
    refusing = Refusing(canvas, 404)
    configuration = configure(canvas)
    assert counts(transmit(configuration)) == {"failed": 2}
    refusing.status = None
    channel = installation.channels.get("CANVAS").channel
    installation.configurations.edit(configuration.uuid, channel, {"show_course_price": True}, actor="test")
    assert counts(transmit(configuration)) == {"created": 2}


def test_a_connection_test_that_succeeds_lifts_what_was_refused(
    installation, shelf, canvas, configure, transmit
):
    shelf.fill(2)
    refusing = Refusing(canvas, 404)
    configuration = configure(canvas)
    assert counts(transmit(configuration)) == {"failed": 2}
    refusing.status = None
    asyncio.run(Host(installation=installation).check(configuration))
    assert counts(transmit(configuration)) == {"created": 2}
