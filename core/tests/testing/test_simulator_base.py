"""The base of simulators: poison, pages with a hole, tokens left alone, and what was told to whom."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from aiohttp import web

from coursewire.testing.misbehave import MISBEHAVIOURS, Misbehaviour
from coursewire.testing.simulator import Simulator, json_response


class Shelf(Simulator):
    """Gives a list by pages, and tokens."""

    code = "SHELF"
    token_paths = ("/token",)

    def routes(self):
        async def token(_request: web.Request) -> web.Response:
            return json_response({"access_token": "t"})

        async def rows(request: web.Request) -> web.Response:
            size = self.page_size(4)
            page = self.page_of(
                list(range(10)), start=int(request.query.get("page", 0)) * size, size=size, of=request.path
            )
            return json_response(page.rows)

        return [web.post("/token", token), web.get("/rows", rows)]


@pytest.fixture
def shelf():
    made = Shelf()
    with made.running():
        yield made


def pages_of(simulator: Simulator, size: int) -> list[list[Any]]:
    found, start = [], 0
    while start is not None:
        page = simulator.page_of(list(range(10)), start=start, size=size, of="list")
        found.append(page.rows)
        start = page.next_start
    return found


def test_a_list_is_cut_into_pages():
    simulator = Shelf()
    assert pages_of(simulator, 4) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    simulator.largest_page = 3
    assert list(map(len, pages_of(simulator, 100))) == [3, 3, 3, 1]


@pytest.mark.parametrize("size", [1, 3, 4, 5, 9])
def test_an_empty_page_in_the_middle_hides_nothing(size):
    simulator = Shelf()
    simulator.add_misbehaviour("empty-page-in-the-middle")
    first, second, *others = pages_of(simulator, size)
    assert second == []
    assert [*first, *(row for page in others for row in page)] == list(range(10))
    assert all(pages_of(simulator, size)), "it was to happen to one list"


def test_a_list_of_one_page_has_no_middle():
    simulator = Shelf()
    simulator.add_misbehaviour("empty-page-in-the-middle:always")
    assert pages_of(simulator, 10) == [list(range(10))]


def test_one_bad_item_stays_bad():
    simulator = Shelf()
    simulator.add_misbehaviour("one bad item in a batch")
    assert [simulator.is_poisoned(key) for key in "abc"] == [True, False, False]
    assert [simulator.is_poisoned(key) for key in "abc"] == [True, False, False]


def test_requests_for_tokens_are_met_only_by_name(shelf):
    shelf.misbehave.append(Misbehaviour("expired token"))
    assert httpx.post(f"{shelf.url}/token").status_code == 200
    assert httpx.get(f"{shelf.url}/rows").status_code == 401
    shelf.misbehave.append(Misbehaviour("HTML error page", path="/token"))
    assert httpx.get(f"{shelf.url}/rows").status_code == 200
    assert httpx.post(f"{shelf.url}/token").status_code == 500


def test_what_is_about_items_strikes_no_request(shelf):
    shelf.misbehave += [
        Misbehaviour("one bad item in a batch"),
        Misbehaviour("empty page in the middle", times=None),
    ]
    pages = [httpx.get(f"{shelf.url}/rows", params={"page": number}).json() for number in range(4)]
    assert pages == [[0, 1, 2, 3], [], [4, 5, 6, 7], [8, 9]]


def test_credentials_are_kept_to_be_looked_for(shelf):
    httpx.get(f"{shelf.url}/rows", headers={"Authorization": "Bearer abc"})
    assert "abc" in shelf.credentials


def test_how_often_a_learner_was_told_of():
    simulator = Shelf()
    simulator.outcomes = [{"actor": {"mbox": "mailto:ada@example.com"}}, {"user": "bo@example.com"}]
    assert simulator.times_told("ada@example.com") == 1
    simulator.outcomes = {"C1|ada@example.com": 3, "C2|ada@example.com": 4}
    simulator.arrivals["C1|ada@example.com"] = 2
    assert simulator.times_told("ada@example.com") == 3


def test_every_misbehaviour_of_the_design_has_its_name():
    assert {
        "429 with Retry-After",
        "429 without Retry-After",
        "403 as throttle",
        "200 with error body",
        "HTML error page",
        "reset after accepting",
        "slow answer",
        "expired token",
        "one bad item in a batch",
        "empty page in the middle",
    } <= set(MISBEHAVIOURS)


def test_a_slow_answer_is_over_when_nobody_waits_for_it_any_more(shelf):
    shelf.misbehave.append(Misbehaviour("slow answer", seconds=600))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{shelf.url}/rows", timeout=0.2)

    give_up_at = time.monotonic() + 30
    while shelf.under_way and time.monotonic() < give_up_at:
        time.sleep(0.01)
    assert shelf.under_way == 0
    assert [seen.path for seen in shelf.seen] == ["/rows"]
