"""Results that change after they were told: each as the channel declares that the LMS takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.model.channel import Support
from coursewire.model.configuration import Resend
from coursewire.model.kinds import Kind
from coursewire.storage.audit.states import State
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.needs import IN_PROGRESS, LOWERS, NEVER_CORRECTS, RAISES, REVOKES
from coursewire.testing.conformance.results import classroom

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench


class CorrectionChecks:
    """Raised, lowered, taken back, and completed at last."""

    @check("a grade that was raised is told again, once", RAISES)
    def test_a_raised_grade_arrives(self, bench: Bench) -> None:
        """``raise_grade``.

        Where it is usable in part, a payload that tells no grade may stay the same.
        """
        self._corrected(bench, "0.5", "0.9", bench.channel.capabilities.raise_grade)

    @check("a grade that was lowered is told again, once", LOWERS)
    def test_a_lowered_grade_arrives(self, bench: Bench) -> None:
        """``lower_grade``; as for a raised one."""
        self._corrected(bench, "0.9", "0.5", bench.channel.capabilities.lower_grade)

    @staticmethod
    def _corrected(bench: Bench, before: str, after: str, support: Support) -> None:
        uuid, item = classroom(bench, resend_outcomes=Resend.CHANGED.value)
        bench.enroll("ada", item, percent=before)
        bench.run(uuid, Kind.COMPLETIONS)
        bench.enroll("ada", item, percent=after)
        summary = bench.run(uuid, Kind.COMPLETIONS)
        row = bench.outcome("ada")
        if support is Support.PARTIAL and summary.unchanged:
            demand_equal(bench.times_told("ada"), 1, "a result that says the same was told again")
            return
        demand_equal(
            summary.done["updated"], 1, f"the new grade did not go out ({row['reason']}: {row['message']})"
        )
        demand_equal(bench.times_told("ada"), 2, "the LMS was not told the new grade once")
        bench.run(uuid, Kind.COMPLETIONS)
        demand_equal(bench.times_told("ada"), 2, "the new grade is sent again and again")

    @check("a completion that was revoked is taken back", REVOKES)
    def test_a_revoked_pass_is_taken_back(self, bench: Bench) -> None:
        """``revoke``.

        The completion comes with ``complete=False``.
        """
        uuid, item = classroom(bench, resend_outcomes=Resend.CHANGED.value)
        bench.enroll("ada", item)
        bench.run(uuid, Kind.COMPLETIONS)
        bench.enroll("ada", item, percent="0.2", passed=False)
        bench.simulator.seen.clear()
        summary = bench.run(uuid, Kind.COMPLETIONS)
        row = bench.outcome("ada")
        demand_equal(
            summary.done["updated"], 1, f"the pass was not taken back ({row['reason']}: {row['message']})"
        )
        writes = [seen for seen in bench.simulator.seen if seen.method != "GET" and seen.status < 300]
        demand(writes, "the LMS was told nothing of a pass that was revoked", seen=bench.simulator.seen)
        demand_equal(row["state"], State.CONFIRMED, "the record does not say that it was taken back")

    @check("a learner on the way is told of, and again on completion", IN_PROGRESS)
    def test_in_progress_then_completed(self, bench: Bench) -> None:
        """``in_progress``, where the configuration sends it."""
        uuid, item = classroom(bench, send_in_progress=True, resend_outcomes=Resend.CHANGED.value)
        bench.enroll("ada", item, percent="0.4", passed=False)
        bench.run(uuid, Kind.COMPLETIONS)
        row = bench.outcome("ada")
        demand_equal(
            bench.times_told("ada"),
            1,
            f"the learner on the way was not told of ({row['reason']}: {row['message']})",
        )
        bench.enroll("ada", item, percent="0.9")
        bench.run(uuid, Kind.COMPLETIONS)
        demand_equal(bench.times_told("ada"), 2, "the completion after it did not arrive")

    @check("where the LMS takes no correction, none is sent, and the reason says so", NEVER_CORRECTS)
    def test_what_cannot_be_corrected_stays(self, bench: Bench) -> None:
        """A second result would stand beside the first.

        Core holds corrections back by ``raise_grade``, ``lower_grade`` and ``revoke``.
        """
        uuid, item = classroom(bench)
        bench.enroll("ada", item, percent="0.5")
        bench.run(uuid, Kind.COMPLETIONS)
        lost = {"percent": "0.2", "passed": False}
        more = () if bench.channel.capabilities.revoke.usable else (lost,)
        for news in ({"percent": "0.9"}, {"percent": "0.2"}, *more):
            bench.enroll("ada", item, **news)
            summary = bench.run(uuid, Kind.COMPLETIONS)
            demand_equal(bench.times_told("ada"), 1, "a correction was sent to an LMS that takes none")
            row = bench.outcome("ada")
            demand(
                summary.unchanged or row["reason"],
                "nothing says why the new grade stays here",
                seen=row,
                expected="a reason, or a payload that is the same",
            )
