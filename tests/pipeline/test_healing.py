"""What an LMS refused is tried again: after a time, another configuration, or a connection test that succeeds."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from coursewire.host import Host
from coursewire.model.instant import utc_now
from coursewire.storage.audit.records import ContentRecords
from coursewire.storage.audit.states import State

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


@pytest.mark.parametrize(("status", "passes_after"), [(400, 8 * DAY), (422, 8 * DAY), (409, 25 * HOUR)])
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
    refusing = Refusing(canvas, 400)
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
    refusing = Refusing(canvas, 400)
    configuration = configure(canvas)
    assert counts(transmit(configuration)) == {"failed": 2}
    refusing.status = None
    asyncio.run(Host(installation=installation).check(configuration))
    assert counts(transmit(configuration)) == {"created": 2}


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_fault_of_the_configuration_stops_the_run_and_marks_no_item(
    installation, shelf, canvas, configure, transmit, status, count
):
    shelf.fill(count)
    refusing = Refusing(canvas, status)
    configuration = configure(canvas)
    stopped = transmit(configuration).summary
    assert stopped.exit_status == 1
    assert stopped.error
    assert stopped.as_dict()["waiting_by_reason"] == {"configuration-refused": count}
    assert not stopped.failed
    found = ContentRecords(installation.engine, configuration.uuid).in_states(State)
    assert {record.state for record in found} == {State.PLANNED}
    assert transmit(configuration).summary.exit_status == 1
    refusing.status = None
    assert counts(transmit(configuration)) == {"created": count}


def test_a_right_that_is_missing_for_some_items_stops_no_other(shelf, canvas, configure, transmit):
    shelf.fill(12)
    bad = set(list(shelf.courses)[:5])

    configuration = configure(canvas)
    transmit(configuration)
    for item in shelf.courses.values():
        item["title"] += ", revised"
    shelf.load()
    ids = {str(canvas.items[key]["id"]) for key in bad}
    canvas.interfere = lambda request: (
        web.json_response({"errors": [{"message": "no"}]}, status=403)
        if request.method == "PUT" and request.path.rsplit("/", 1)[-1] in ids
        else None
    )
    done = sum(transmit(configuration).summary.done["updated"] for _ in range(4))
    assert done == 7
