"""Looking without touching: plans and dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.model.payload import Operation
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.needs import CONTENT

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench


class DryChecks:
    """A plan says what would be done, and does nothing."""

    @check("a plan leaves no trace, in the database or at the LMS", CONTENT)
    def test_a_plan_leaves_no_trace(self, bench: Bench) -> None:
        """Byte for byte."""
        uuid, items = bench.configure(), bench.shelve(*range(3))
        bench.installation.close()
        before = bench.database.read_bytes()
        planned = bench.plan(uuid, read_only=True)
        demand(
            bench.database.read_bytes() == before, "the plan changed the database", expected="the same bytes"
        )
        asked = [f"{seen.method} {seen.path}" for seen in bench.simulator.seen]
        demand(not asked, "the plan asked the LMS", seen=asked, expected="no request")
        demand_equal(
            [(item.key, item.operation) for item in planned],
            [(item.content_key, Operation.CREATE) for item in items],
            "the plan is not what a run would do",
        )

    @check("a configuration in dry run mode sends nothing", CONTENT)
    def test_dry_run_mode_sends_nothing(self, bench: Bench) -> None:
        """It says what waits."""
        uuid = bench.configure(dry_run_mode_enabled=True)
        bench.shelve(*range(3))
        summary = bench.run(uuid)
        asked = [f"{seen.method} {seen.path}" for seen in bench.simulator.seen]
        demand(not asked, "a dry run asked the LMS", seen=asked, expected="no request")
        demand_equal(summary.waiting["dry-run"], 3, "the dry run does not say what it would send")
