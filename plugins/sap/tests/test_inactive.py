"""The list of inactive learners, over real HTTP against the simulator."""

from __future__ import annotations

import asyncio

import pytest

from coursewire.errors import BlockedError, IncompleteListError
from coursewire_sap import plugin


def read(open_session):
    """Read the list; the ids that came, and the error that ended it or None."""

    async def run():
        found, error = [], None
        async with open_session() as session:
            try:
                async for learner in plugin.list_inactive_learners(session):
                    found.append(learner)
            except IncompleteListError as raised:
                error = raised
        return found, error

    return asyncio.run(run())


def searches(simulator):
    return [seen.query for seen in simulator.seen if seen.method == "GET"]


def test_twelve_hundred_and_one_students(simulator, open_session, clock):
    simulator.search_spacing_seconds = 0.5
    simulator.students = [{"studentID": f"s{n}", "isActive": n % 2 == 0} for n in range(2402)]
    started = clock.now

    found, error = read(open_session)

    assert error is None
    assert found == [f"s{n}" for n in range(1, 2402, 2)]
    assert searches(simulator) == [
        f"$filter=criteria/isActive eq False&$select=studentID&$count=true&$top=500&$skip={skip}"
        for skip in (0, 500, 1000)
    ]
    assert (clock.now - started).total_seconds() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (500, 1), (501, 2), (1000, 2)])
def test_the_last_page_ends_it(count, pages, simulator, open_session):
    simulator.students = [{"studentID": f"s{n}", "isActive": False} for n in range(count)]

    found, error = read(open_session)

    assert error is None
    assert len(found) == count
    assert len(searches(simulator)) == pages


@pytest.mark.parametrize(
    "answer",
    [
        (200, "<html>log in</html>"),
        (200, {"error": {"code": None, "message": "no"}}),
        (200, {"error": "no"}),
        (200, {"value": []}),
        (200, {"@odata.count": 1}),
        (200, {"@odata.count": None, "value": []}),
        (200, {"@odata.count": 1, "value": [{"id": "x"}]}),
        (200, {"@odata.count": 1, "value": ["x"]}),
        (200, ["x"]),
        (400, {"error": "no"}),
        (500, ""),
    ],
    ids=repr,
)
def test_a_page_that_is_none(answer, simulator, open_session):
    simulator.search_answer = answer

    found, error = read(open_session)

    assert found == []
    assert isinstance(error, IncompleteListError)
    assert f"status {answer[0]}" in error.why


def test_a_list_that_repeats_itself_is_given_up(simulator, open_session):
    simulator.search_answer = (
        200,
        {"@odata.count": 10_000, "value": [{"studentID": "a"}, {"studentID": "a"}]},
    )

    found, error = read(open_session)

    assert found == ["a"]
    assert "10000 users only 1 came" in str(error)
    assert len(searches(simulator)) == 2


def test_pages_that_are_smaller_than_asked_for(simulator, open_session):
    simulator.students = [{"studentID": f"s{n}", "isActive": False} for n in range(700)]
    simulator.largest_page = 300

    found, error = read(open_session)

    assert error is None
    assert found == [f"s{n}" for n in range(700)]
    assert len(searches(simulator)) == 3


def test_a_list_that_ends_early_is_incomplete(simulator, open_session):
    simulator.search_answer = (200, {"@odata.count": 501, "value": []})

    assert read(open_session)[1] is not None


def test_no_permission(simulator, open_session):
    simulator.search_answer = (403, {"error": "no permission"})

    with pytest.raises(BlockedError):
        read(open_session)
