"""The process dies: the next run ends with exactly what is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire.model.channel import Idempotency
from coursewire.model.kinds import Kind
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.content import demand_all_there, demand_confirmed
from coursewire.testing.conformance.needs import CONTENT

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench

SEVERAL = 4
STEPS = (("job_started", 0), ("batch_sending", 0), ("batch_sending", 1), ("batch_sent", 0))
"""The moments at which the process dies: before anything left, between two batches, after the LMS took one and before that was noted."""


class RecoveryChecks:
    """Crash and settle."""

    @check(
        "wherever the process dies, the next run ends with what is wanted, and nothing is there twice",
        CONTENT,
    )
    def test_a_crash_loses_and_doubles_nothing(self, bench: Bench) -> None:
        """Before a batch leaves, between two, and after the LMS took one that is not noted yet.

        Core settles what was under way, by the ``idempotency`` that the channel declares: with a
        natural key it asks ``find_remote``, with an upsert it sends again.
        """
        for hook, after in STEPS:
            self._crash_and_settle(bench, hook, after)

    @staticmethod
    def _crash_and_settle(bench: Bench, hook: str, after: int) -> None:
        bench.simulator.reset()
        bench.source.shelves = {customer: [] for customer in bench.source.shelves}
        several: dict[str, Any] = (
            {"transmission_chunk_size": 2} if bench.channel.limits.batch_items > 1 else {}
        )
        uuid = bench.configure(**several)
        items = bench.shelve(*(f"{hook}-{after}-{number}" for number in range(SEVERAL)))
        when = f"after the process died at {hook}, {after} calls on"
        died = bench.crash(uuid, Kind.CONTENT, hook, after)
        demand(died, f"no process died: {hook} was never called so often", seen=hook)
        arrived = sum(bench.simulator.arrivals.values())
        bench.clock.forward(minutes=30)
        summary = bench.settle(uuid)
        way = bench.channel.capabilities.idempotency
        if way is Idempotency.NONE:
            doubles = {key: times for key, times in bench.simulator.arrivals.items() if times > 1}
            demand(
                not doubles, f"{when}, items were sent twice", seen=doubles, expected="in doubt, for a person"
            )
            return
        demand_all_there(bench, items, summary)
        demand_confirmed(bench, uuid, items)
        demand_equal(len(bench.simulator.items), SEVERAL, f"{when}, the LMS holds something twice")
        if way is Idempotency.UPSERT:
            again = sum(bench.simulator.arrivals.values()) - SEVERAL
            demand(
                again <= arrived,
                f"{when}, more was sent again than was under way",
                seen=again,
                expected=arrived,
            )
        else:
            doubles = {key: times for key, times in bench.simulator.arrivals.items() if times > 1}
            demand(not doubles, f"{when}, items were made twice", seen=doubles, expected="each once")
        bench.simulator.seen.clear()
        demand_equal(bench.run(uuid).unchanged, SEVERAL, f"{when}, a further run still sends something")
