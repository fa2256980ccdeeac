"""Content on its way: it arrives once, changes, goes and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from coursewire.storage.audit.states import State
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.made_up import OTHER
from coursewire.testing.conformance.needs import CONTENT, DEDUPLICATES, RETIRES

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.model.content import ContentItem
    from coursewire.pipeline.summary import Summary
    from coursewire.testing.conformance.bench import Bench

SOME = 5
FEW, MANY = 12, 50
"""The number of items that are sent where each goes alone, and where batches are to be cut into halves."""


def demand_all_there(bench: Bench, items: list[ContentItem], summary: Summary | None = None) -> None:
    """Demand that the LMS holds every item, live."""
    missing = [item.content_key for item in items if bench.held(item) is None]
    demand(
        not missing,
        f"{len(missing)} of {len(items)} items never arrived, or not under the key that they were sent by",
        seen={"at the LMS": sorted(bench.simulator.items), "summary": summary.as_dict() if summary else None},
        expected=f"also {missing}",
    )
    hidden = [item.content_key for item in items if not bench.simulator.is_live(bench.remote_key(item))]
    demand(not hidden, "items arrived and learners cannot see them", seen=hidden, expected="live items")


def demand_confirmed(bench: Bench, uuid: UUID, items: list[ContentItem]) -> None:
    """Demand that the records say of every item that the LMS holds it."""
    wrong = {
        record.key: f"{record.state.value}: {record.reason} {record.message or ''}"
        for record in bench.records(uuid, items)
        if record.state is not State.CONFIRMED
    }
    demand(not wrong, "items are not confirmed although the LMS took them", seen=wrong, expected="confirmed")


class ContentChecks:
    """The life of an item at the LMS."""

    @check("every item arrives, exactly once, and only then counts as arrived", CONTENT)
    def test_every_item_arrives_once(self, bench: Bench) -> None:
        """The counts of the summary equal those of the LMS.

        A channel that does nothing fails here, and so does one that drops an item, sends one twice,
        or answers ``ACCEPTED`` for what the LMS did not take. The simulator's ``items`` and ``arrivals``
        are what counts.
        """
        uuid, items = bench.configure(), bench.shelve(*range(SOME))
        summary = bench.run(uuid)
        demand_all_there(bench, items, summary)
        demand_equal(summary.done["created"], SOME, "the summary does not count what arrived")
        doubles = {key: times for key, times in bench.simulator.arrivals.items() if times > 1}
        demand(not doubles, "items were sent more than once in one run", seen=doubles, expected="each once")
        strangers = set(bench.simulator.items) - {bench.remote_key(item) for item in items}
        demand(not strangers, "the LMS holds items that nobody sent", seen=strangers, expected="none")
        demand_confirmed(bench, uuid, items)

    @check("every content type that is declared can be sent", CONTENT)
    def test_every_content_type_arrives(self, bench: Bench) -> None:
        """A type that the channel cannot send is not declared."""
        from coursewire.testing.conformance.made_up import content_item  # noqa: PLC0415 - beside its one use

        uuid = bench.configure()
        items = [content_item(kind.value, kind) for kind in sorted(bench.channel.capabilities.content_types)]
        bench.put(*items)
        demand_all_there(bench, items, bench.run(uuid))

    @check("a second run without changes sends nothing", CONTENT)
    def test_a_second_run_sends_nothing(self, bench: Bench) -> None:
        """Exporters give the same payload again, and nothing of it leaves.

        Something in the payload differs from run to run: a date of today, an order, a random id.
        """
        uuid, items = bench.configure(), bench.shelve(*range(SOME))
        bench.run(uuid)
        bench.simulator.seen.clear()
        bench.clock.forward(minutes=10)
        summary = bench.run(uuid)
        demand_equal(summary.unchanged, len(items), "items that did not change do not count as unchanged")
        asked = [f"{seen.method} {seen.path}" for seen in bench.simulator.seen]
        demand(not asked, "a run in which nothing changed made requests", seen=asked, expected="none")

    @check("a change goes out, for that item alone", CONTENT)
    def test_a_change_updates_that_item_alone(self, bench: Bench) -> None:
        """The LMS shows the new title, and no second item.

        Use ``payload.remote_id``, or look the item up, instead of creating another.
        """
        uuid, items = bench.configure(), bench.shelve(*range(SOME))
        bench.run(uuid)
        before = {item.content_key: str(bench.held(item)) for item in items}
        (changed,) = bench.shelve(2, title="A title that is new")
        summary = bench.run(uuid)
        demand_equal(
            (summary.done["updated"], summary.unchanged),
            (1, SOME - 1),
            "one title changed, and the summary differs",
        )
        demand_equal(len(bench.simulator.items), SOME, "an update made another item of it")
        demand(
            "A title that is new" in str(bench.held(changed)),
            "the new title never arrived",
            seen=bench.held(changed),
        )
        others = [
            k
            for k, v in before.items()
            if k != changed.content_key and str(bench.simulator.items.get(k, v)) != v
        ]
        demand(not others, "other items changed too", seen=others, expected="none")

    @check("an item that leaves the catalog is taken away from learners", RETIRES)
    def test_a_retired_item_is_gone(self, bench: Bench) -> None:
        """Whatever strategy the configuration has.

        Where the LMS keeps what was taken away, the simulator overrides ``is_live(key)``.
        """
        uuid, items = bench.configure(), bench.shelve(*range(3))
        bench.run(uuid)
        bench.take_away(items[1])
        summary = bench.run(uuid)
        demand_equal(summary.done["retired"], 1, "the summary does not count the retirement")
        self._demand_gone(bench, items[1])
        demand_all_there(bench, [items[0], items[2]])
        demand_equal(bench.record(uuid, items[1]).state, State.RETIRED, "the record does not say so")

    @staticmethod
    def _demand_gone(bench: Bench, item: ContentItem) -> None:
        demand(
            not bench.simulator.is_live(bench.remote_key(item)),
            "an item that was retired is still there for learners",
            seen=bench.held(item),
            expected="gone, or is_live(key) of the simulator tells that it is hidden",
        )

    @check("every way of taking an item away works", RETIRES)
    def test_every_retire_strategy_works(self, bench: Bench) -> None:
        """The check holds only where the configuration lets the customer choose."""
        if "retire_strategy" not in bench.channel.config.model_fields:
            return
        for number, strategy in enumerate(bench.channel.capabilities.retire_strategies):
            uuid = bench.configure(retire_strategy=strategy.value)
            (item,) = bench.shelve(number)
            bench.run(uuid)
            bench.take_away(item)
            summary = bench.run(uuid)
            demand_equal(summary.done["retired"], 1, f"the strategy {strategy.value!r} retired nothing")
            self._demand_gone(bench, item)

    @check("an item that comes back to the catalog comes back at the LMS", RETIRES)
    def test_a_retired_item_comes_back(self, bench: Bench) -> None:
        """Create, retire, create again: visible again, and one item."""
        uuid, (item,) = bench.configure(), bench.shelve(1)
        bench.run(uuid)
        bench.take_away(item)
        bench.run(uuid)
        bench.put(item)
        summary = bench.run(uuid)
        demand_equal(summary.as_dict()["failed"], 0, "it could not be sent again")
        demand_all_there(bench, [item], summary)
        demand_equal(len(bench.simulator.items), 1, "the LMS holds it more than once")
        demand_confirmed(bench, uuid, [item])
        bench.simulator.seen.clear()
        demand_equal(bench.run(uuid).unchanged, 1, "a further run sends it again")

    @check("an item that is at the LMS already is adopted, not doubled", DEDUPLICATES)
    def test_what_is_there_is_adopted(self, bench: Bench) -> None:
        """A create meets an item that another installation, or a lost database, left there.

        A conflict at create is no failure: look the item up, and update it.
        """
        items = bench.shelve(*range(3))
        bench.run(bench.configure())
        held = set(bench.simulator.items)
        bench.shelve(*range(3), title="A title that is new")
        uuid = bench.configure()
        summary = bench.run(uuid)
        demand_equal(summary.as_dict()["failed"], 0, "items that were there already failed")
        demand_equal(set(bench.simulator.items), held, "the LMS holds other items than before")
        demand_confirmed(bench, uuid, items)
        stale = [item.content_key for item in items if "A title that is new" not in str(bench.held(item))]
        demand(not stale, "items were adopted and not brought up to date", seen=stale, expected="none")

    @check("an update of an item that is gone at the LMS creates it", CONTENT)
    def test_an_update_of_a_missing_item_creates_it(self, bench: Bench) -> None:
        """Somebody deleted it there.

        A 404 at update means: create it.
        """
        uuid, (item,) = bench.configure(), bench.shelve(1)
        bench.run(uuid)
        bench.simulator.lose(bench.remote_key(item))
        (item,) = bench.shelve(1, title="A title that is new")
        summary = bench.settle(uuid)  # a channel may find out with the first run and create with the next
        demand_all_there(bench, [item], summary)
        demand_confirmed(bench, uuid, [item])

    @check("taking away what is gone already is a success", RETIRES)
    def test_retiring_a_missing_item_succeeds(self, bench: Bench) -> None:
        """The LMS holds what is wanted.

        A 404 at delete is ``ALREADY_SO``.
        """
        uuid, (item,) = bench.configure(), bench.shelve(1)
        bench.run(uuid)
        bench.simulator.lose(bench.remote_key(item))
        bench.take_away(item)
        summary = bench.run(uuid)
        demand_equal(summary.as_dict()["failed"], 0, "a retirement of what is gone failed")
        record = bench.record(uuid, item)
        demand_equal(record.state, State.RETIRED, f"the record says {record.reason}: {record.message}")

    @check("a proxy's page with status 404 takes nothing away", RETIRES)
    def test_a_404_of_a_proxy_retires_nothing(self, bench: Bench) -> None:
        """HTML says nothing about the item, which learners may still see.

        ``cw.result_from_echo`` and ``cw.is_missing(response)`` know the difference; ``status_code == 404`` does not.
        """
        uuid, (item,) = bench.configure(), bench.shelve(1)
        bench.run(uuid)
        bench.take_away(item)
        bench.simulator.interfere = lambda _request: web.Response(
            status=404, text="<!DOCTYPE html><html><body>Not found</body></html>", content_type="text/html"
        )
        bench.run(uuid)
        demand(
            bench.record(uuid, item).state is not State.RETIRED,
            "a page of HTML with status 404 counts as a retirement",
            seen=f"{item.content_key} is retired, and the LMS was never asked",
            expected="anything but retired",
        )

    @check("one bad item does not keep the others back, and is named", CONTENT)
    def test_one_bad_item_is_found(self, bench: Bench) -> None:
        """Of a dozen (of fifty where items go in batches) all but one arrive; that one has the LMS's reason.

        So it is also where the LMS refuses whole batches.

        Give each item its own result, in the order of the batch. Where the LMS refuses a batch
        without saying which item is at fault, set ``batch_refused``: core sends halves until the item is
        alone. Words of the LMS go into ``message``.
        """
        number = MANY if bench.channel.limits.batch_items > 1 else FEW
        uuid, items = bench.configure(), bench.shelve(*range(number))
        bad = items[number // 2]
        bench.simulator.poisoned = {bench.remote_key(bad)}
        summary = bench.run(uuid)
        for _ in range(2):
            if bench.record(uuid, bad).state in (State.REJECTED, State.BLOCKED):
                break
            bench.clock.forward(days=2)
            bench.run(uuid)
        demand(
            bench.held(bad) is None,
            "the simulator took an item that is poisoned",
            seen=bench.held(bad),
            expected="a simulator that asks is_poisoned(key) of every item, and refuses it as the LMS would",
        )
        record = bench.record(uuid, bad)
        others = [item for item in items if item is not bad]
        blamed = [
            other.key
            for other in bench.records(uuid, others)
            if other.state in (State.REJECTED, State.BLOCKED)
        ]
        if record.state is State.CONFIRMED:
            fault = (
                "an item that the LMS refuses does not count as refused, and another one does in its place"
            )
        else:
            fault = (
                "items are not confirmed although the LMS took them: they count as refused beside the bad one"
            )
        demand(
            not blamed,
            fault,
            seen=f"refused: {blamed}; the bad one is {record.state.value}",
            expected=f"refused: {bad.content_key} alone, by one result per payload in the order of the batch",
        )
        demand_all_there(bench, others, summary)
        demand(
            record.state in (State.REJECTED, State.BLOCKED),
            "an item that the LMS refuses does not count as refused",
            seen=f"{record.state.value}: {record.reason} {record.message or ''}",
            expected="rejected, or blocked at the LMS",
        )
        demand(
            record.reason and record.message,
            "the refused item has no reason",
            seen=(record.reason, record.message),
        )
        demand_confirmed(bench, uuid, others)

    @check("two customers of one LMS do not get in each other's way", CONTENT)
    def test_two_customers_do_not_mix(self, bench: Bench) -> None:
        """Each configuration sends, and takes away, what is its own customer's."""
        one, two = bench.configure(), bench.configure(OTHER)
        (mine,), (theirs,) = bench.shelve(1), bench.shelve(2, customer=OTHER)
        bench.run(one)
        demand(
            bench.held(theirs) is None,
            "a configuration sent another customer's item",
            seen=bench.held(theirs),
        )
        bench.run(two)
        demand_all_there(bench, [mine, theirs])
        bench.take_away(mine)
        bench.run(one)
        bench.run(two)
        demand_all_there(bench, [theirs])
        demand_confirmed(bench, two, [theirs])

    @check("operators' hooks see every item that leaves, once, with its result", CONTENT)
    def test_operators_see_every_batch(self, bench: Bench) -> None:
        """Nothing is sent behind their backs, and no batch is larger than the limits.

        Send what is in the batch, and nothing else.
        """
        uuid, items = bench.configure(), bench.shelve(*range(SOME))
        bench.run(uuid)
        keys = sorted(item.content_key for item in items)
        sending = [payload.key for batch in bench.watch.of("batch_sending") for payload in batch.payloads]
        demand_equal(sorted(sending), keys, "batch_sending did not see each item once")
        sent = bench.watch.of("batch_sent")
        settled = [p.key for batch, results in sent for p, _ in zip(batch.payloads, results, strict=True)]
        demand_equal(sorted(settled), keys, "batch_sent did not see a result for each item")
        demand(
            bench.watch.of("job_started") and bench.watch.of("job_finished"),
            "a job ran without being announced",
        )
