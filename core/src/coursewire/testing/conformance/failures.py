"""An LMS that is busy, broken or silent: nothing is lost, nothing is there twice, and nobody waits asleep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

from coursewire.errors import IncompleteListError, SendError
from coursewire.http.retry import ATTEMPTS, BUDGET_S
from coursewire.model.channel import Idempotency
from coursewire.storage.audit.states import State
from coursewire.testing.conformance.checks import Fault, check, demand, demand_equal
from coursewire.testing.conformance.content import demand_all_there, demand_confirmed
from coursewire.testing.conformance.made_up import learner_id
from coursewire.testing.conformance.needs import (
    CONTENT,
    LISTS,
    LISTS_INACTIVE,
    LOOKS_UP,
    PAGED_CONTENT,
    PAGES,
    SAYS_403,
)

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.http.session import HttpSession
    from coursewire.model.content import ContentItem
    from coursewire.testing.conformance.bench import Bench

FEW = 3
LONG_S = 600
QUICK_S, SLOW_S = 0.03, 0.4
"""The time-out, and the time that the LMS takes, in seconds. Only the first is waited for."""
NO_ACKNOWLEDGEMENTS = ("200 with error body", "empty answer", "HTML error page", "bad gateway")


def demand_nothing_claimed(bench: Bench, uuid: UUID, items: list[ContentItem], after: str) -> None:
    """Demand that no record claims that the LMS holds what it does not."""
    claimed = [
        item.content_key
        for item, record in zip(items, bench.records(uuid, items), strict=True)
        if record.state is State.CONFIRMED and bench.held(item) is None
    ]
    demand(
        not claimed,
        f"{after!r} counts as an acknowledgement",
        seen=f"{claimed} are confirmed, and the LMS does not hold them",
        expected="accepted only what the LMS acknowledged, item by item",
    )


class FailureChecks:
    """Checks of content on a bad day."""

    @check("a short pause that the LMS asks for is kept, and then all arrives", CONTENT)
    def test_a_short_throttle_is_waited_for(self, bench: Bench) -> None:
        """429 with ``Retry-After`` of two seconds.

        Core's session does this. A channel that has HTTP calls of its own, or catches
        ``ThrottledError``, does not get it.
        """
        uuid, items = bench.configure(), bench.shelve(*range(FEW))
        bench.misbehave("429 with Retry-After", seconds=2)
        summary = bench.run(uuid)
        demand_all_there(bench, items, summary)
        demand_confirmed(bench, uuid, items)
        demand(
            sum(bench.slept) >= 2, "the pause was not kept", seen=bench.slept, expected="two seconds or more"
        )

    @check("a long pause defers the items: no worker sleeps, and they go out when it is over", CONTENT)
    def test_a_long_throttle_defers(self, bench: Bench) -> None:
        """429 with ``Retry-After`` of ten minutes.

        Let ``ThrottledError`` go up: core defers the items and tells when. Do not sleep, and do not try
        again.
        """
        self._demand_deferred(bench, "429 with Retry-After")

    @check("being told to slow down without being told how long defers the items", CONTENT)
    def test_a_throttle_without_a_time_defers(self, bench: Bench) -> None:
        """429 without ``Retry-After``, again and again."""
        self._demand_deferred(bench, "429 without Retry-After")

    @check("a 403 that means slow down is told from one that means forbidden", SAYS_403)
    def test_a_403_as_throttle_defers(self, bench: Bench) -> None:
        """``read_slow_down`` knows it.

        Implement ``read_slow_down``, and declare it in ``slow_down``.
        """
        self._demand_deferred(bench, "403 as throttle")

    @staticmethod
    def _demand_deferred(bench: Bench, name: str) -> None:
        uuid, items = bench.configure(), bench.shelve(*range(FEW))
        bench.misbehave(name, times=None, seconds=LONG_S)
        summary = bench.run(uuid).as_dict()
        at_once = bench.channel.limits.concurrency
        most = ATTEMPTS * min(at_once, FEW) + FEW
        demand(
            len(bench.simulator.seen) <= most + len(bench.simulator.token_paths),
            "the LMS asked to slow down, and was asked again and again",
            seen=f"{len(bench.simulator.seen)} requests for {FEW} items",
            expected=f"at most {most}; a ThrottledError goes up to core, which defers",
        )
        demand(
            all(pause <= BUDGET_S for pause in bench.slept),
            "a worker slept through a long pause",
            seen=bench.slept,
            expected=f"no pause above {BUDGET_S} s",
        )
        demand_equal(summary["failed"], 0, "items failed because the LMS was busy")
        demand_equal(summary["waiting"], FEW, "items do not wait")
        bench.simulator.misbehave.clear()
        bench.clock.forward(seconds=LONG_S + 5)
        demand_all_there(bench, items, bench.run(uuid))
        demand_confirmed(bench, uuid, items)
        doubles = {key: times for key, times in bench.simulator.arrivals.items() if times > 1}
        demand(not doubles, "items were sent twice after the pause", seen=doubles, expected="each once")

    @check("nothing but an acknowledgement counts as one", CONTENT)
    def test_no_answer_passes_for_an_acknowledgement(self, bench: Bench) -> None:
        """A 200 with an error inside, an empty answer, a page of HTML.

        Only what the LMS says of this item is an acknowledgement: an id, an echo, a row of its own.
        """
        for number, name in enumerate(NO_ACKNOWLEDGEMENTS):
            bench.simulator.misbehave.clear()
            bench.source.shelves = {customer: [] for customer in bench.source.shelves}
            uuid, items = bench.configure(), bench.shelve(f"{number}a", f"{number}b")
            bench.misbehave(name, times=None)
            bench.run(uuid)
            demand_nothing_claimed(bench, uuid, items, name)

    @check("a page of HTML with status 200 is no acknowledgement", CONTENT)
    def test_a_page_with_status_200_is_no_acknowledgement(self, bench: Bench) -> None:
        """A proxy's login page, say; later everything arrives."""
        uuid, items = bench.configure(), bench.shelve(*range(FEW))
        page = "<!DOCTYPE html><html><body>Please log in</body></html>"
        bench.simulator.interfere = lambda _request: web.Response(text=page, content_type="text/html")
        bench.run(uuid)
        demand_nothing_claimed(bench, uuid, items, "HTML with status 200")

    @check("when an LMS that was out of order works again, everything arrives", CONTENT)
    def test_everything_arrives_after_an_outage(self, bench: Bench) -> None:
        """Without anybody's doing, with later runs."""
        uuid, items = bench.configure(), bench.shelve(*range(FEW))
        bench.misbehave("HTML error page", times=None)
        bench.run(uuid)
        bench.simulator.misbehave.clear()
        bench.clock.forward(days=2)
        summary = bench.settle(uuid)
        demand_all_there(bench, items, summary)
        demand_confirmed(bench, uuid, items)

    @check("a connection that breaks before the LMS has taken anything loses nothing", CONTENT)
    def test_a_reset_before_accepting_loses_nothing(self, bench: Bench) -> None:
        """At the first request, the second, the third."""
        for every in (1, 2, 3):
            self._reset(bench, "reset before accepting", every)

    @check("a connection that breaks after the LMS has taken it loses nothing and doubles nothing", CONTENT)
    def test_a_reset_after_accepting_doubles_nothing(self, bench: Bench) -> None:
        """The answer is lost; nobody knows what became of the request until it is looked up.

        Say ``safe_to_repeat=True`` only where the LMS deduplicates. Let ``OutcomeUnknownError`` go up,
        and declare how a repeated send is told (``idempotency``).
        """
        for every in (1, 2, 3):
            self._reset(bench, "reset after accepting", every)

    @staticmethod
    def _reset(bench: Bench, name: str, every: int) -> None:
        bench.simulator.reset()
        bench.source.shelves = {customer: [] for customer in bench.source.shelves}
        uuid, items = bench.configure(), bench.shelve(*(f"{every}-{number}" for number in range(FEW)))
        bench.misbehave(name, every=every)
        summary = bench.settle(uuid)
        way = bench.channel.capabilities.idempotency
        if way is not Idempotency.NONE:
            demand_all_there(bench, items, summary)
            demand_confirmed(bench, uuid, items)
        demand_equal(
            len(bench.simulator.items),
            len([item for item in items if bench.held(item) is not None]),
            f"after {name!r} the LMS holds something twice",
        )
        if way is not Idempotency.UPSERT:
            doubles = {key: times for key, times in bench.simulator.arrivals.items() if times > 1}
            demand(not doubles, f"after {name!r} items were made twice", seen=doubles, expected="each once")

    @check("an LMS that hangs is left after the time-out", CONTENT)
    def test_a_hanging_lms_is_left(self, bench: Bench) -> None:
        """And nothing counts as arrived that was not acknowledged; later all is there, once.

        The session has time-outs; a channel needs none of its own, and waits with ``session.sleep``.
        """
        bench.limit(read_timeout_s=QUICK_S, total_timeout_s=2 * QUICK_S)
        uuid, items = bench.configure(), bench.shelve(1)
        bench.misbehave("slow answer", times=None, seconds=SLOW_S)
        started = time.monotonic()
        bench.run(uuid)
        took_s = time.monotonic() - started
        demand(
            took_s < 5,
            "a hanging LMS held the run up",
            seen=f"{took_s:.1f} s",
            expected="time-outs that are kept",
        )
        record = bench.record(uuid, items[0])
        demand(
            record.state is not State.CONFIRMED, "an item without an answer is confirmed", seen=record.state
        )
        bench.simulator.misbehave.clear()
        bench.limit(read_timeout_s=30.0, total_timeout_s=60.0)
        bench.clock.forward(days=2)
        summary = bench.settle(uuid)
        if bench.channel.capabilities.idempotency is not Idempotency.NONE:
            demand_all_there(bench, items, summary)
            demand_confirmed(bench, uuid, items)

    # -- looking ---------------------------------------------------------------------------------

    @check("an item can be looked up by its key, and one that is not there is surely not there", LOOKS_UP)
    def test_an_item_can_be_looked_up(self, bench: Bench) -> None:
        """Also among others whose keys begin the same."""
        uuid, items = bench.configure(), bench.shelve(1, "1-more", "x&y")
        bench.run(uuid)
        find = bench.loaded.hook_caller.find_remote
        for item in items:
            key = bench.remote_key(item)
            found = bench.in_session(uuid, lambda session, key=key: find(session, key))
            demand(found is not None, f"find_remote does not find {key!r}, which is there", seen=found)
            demand_equal(found.remote_key, key, "find_remote found another item")
        nobody = bench.in_session(uuid, lambda session: find(session, "MadeUpX+C00"))
        demand(nobody is None, "find_remote finds what is not there", seen=nobody, expected="None")

    @check("an LMS that cannot tell is not one that says no", LOOKS_UP)
    def test_a_failed_look_up_is_not_absence(self, bench: Bench) -> None:
        """Or every item would be made twice after an outage.

        Raise for every answer that is not the list, or the item, or a clear "not found".
        """
        uuid, (item,) = bench.configure(), bench.shelve(1)
        bench.run(uuid)
        key = bench.remote_key(item)
        for name in ("HTML error page", "200 with error body", "bad gateway"):
            bench.simulator.misbehave.clear()
            bench.misbehave(name, times=None)
            try:
                found = bench.in_session(
                    uuid, lambda session: bench.loaded.hook_caller.find_remote(session, key)
                )
            except (SendError, IncompleteListError):
                continue
            raise Fault(
                f"find_remote takes {name!r} for an answer", seen=found, expected="a SendError: nobody knows"
            )

    @check("a list is read to its end, over an empty page in the middle", LISTS & PAGES & PAGED_CONTENT)
    def test_lists_are_read_to_their_end(self, bench: Bench) -> None:
        """Small pages, and one of them empty.

        Read lists with ``session.pages(...)``, and let only the LMS's own sign end one. The simulator
        cuts its lists with ``page_of``.
        """
        uuid, items = bench.configure(), bench.shelve(*range(5))
        bench.run(uuid)
        bench.simulator.largest_page = 2
        bench.simulator.pages_served = 0
        bench.misbehave("empty page in the middle", times=None)
        found = bench.in_session(uuid, bench.loaded.hook_caller.list_remote)
        demand(
            bench.simulator.pages_served > 1,
            "one page was asked for, of a list that has more",
            seen=f"{bench.simulator.pages_served} pages",
            expected="a simulator that cuts lists with page_of, and a channel that asks for all pages",
        )
        keys = sorted(each.remote_key for each in found)
        demand_equal(keys, sorted(bench.remote_key(item) for item in items), "list_remote left items out")

    @check(
        "a list that could not be read to its end is an error, not a short list",
        LISTS & PAGES & PAGED_CONTENT,
    )
    def test_a_broken_list_is_not_a_short_one(self, bench: Bench) -> None:
        """An item that is missing in half a list is not missing at the LMS."""
        uuid = bench.configure()
        bench.shelve(*range(5))
        bench.run(uuid)
        bench.simulator.largest_page = 2
        for name in ("HTML error page", "200 with error body"):
            bench.simulator.misbehave.clear()
            bench.misbehave(name, times=None, every=2)
            try:
                found = bench.in_session(uuid, bench.loaded.hook_caller.list_remote)
            except (SendError, IncompleteListError):
                continue
            demand_equal(len(found), 5, f"{name!r} on a later page gave a short list")

    @check("every learner whose account is inactive is listed, over all pages", LISTS_INACTIVE)
    def test_inactive_learners_are_listed(self, bench: Bench) -> None:
        """Small pages, and only accounts that are inactive.

        Yield the ids by which results name the learners. ``deactivate`` of the simulator makes an account
        inactive.
        """
        expected = self._deactivated(bench)
        found = self._inactive_learners(bench)
        demand_equal(found, expected, "list_inactive_learners named others than those who are inactive")

    @check("a list of inactive learners that could not be read to its end is an error", LISTS_INACTIVE)
    def test_a_broken_list_of_learners_is_not_a_short_one(self, bench: Bench) -> None:
        """Nobody is unlinked by half a list, and a person must see that it is half.

        Raise ``IncompleteListError`` for a page that is missing or cannot be read.
        """
        expected = self._deactivated(bench)
        for name in ("HTML error page", "200 with error body"):
            bench.simulator.misbehave.clear()
            bench.misbehave(name, times=None, every=2)
            try:
                found = self._inactive_learners(bench)
            except (SendError, IncompleteListError):
                continue
            demand_equal(found, expected, f"{name!r} on a later page gave a short list of learners")

    @staticmethod
    def _deactivated(bench: Bench) -> list[str]:
        """Make five accounts inactive, on pages of two; return their ids in order."""
        learners = [learner_id(f"learner{number}") for number in range(5)]
        for learner in learners:
            bench.simulator.deactivate(learner)
        bench.simulator.largest_page = 2
        return learners

    @staticmethod
    def _inactive_learners(bench: Bench) -> list[str]:
        """Return the ids that the channel lists, in order."""

        async def read(session: HttpSession) -> list[str]:
            return [each async for each in bench.loaded.hook_caller.list_inactive_learners(session)]

        return sorted(bench.in_session(bench.configure(), read))
