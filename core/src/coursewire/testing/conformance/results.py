"""Results on their way back: completions and assessments, each told once, for the right learner, by consent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiohttp import web

from coursewire.model.channel import Idempotency
from coursewire.model.content import ContentItem
from coursewire.model.kinds import OUTCOMES, Kind
from coursewire.model.reasons import Reason
from coursewire.model.results import Consent, ConsentState, LearnerFacts
from coursewire.storage.audit.states import State
from coursewire.testing.conformance.checks import check, demand, demand_equal
from coursewire.testing.conformance.made_up import ACME, OTHER, enrollment
from coursewire.testing.conformance.needs import (
    ANY_RESULTS,
    COMPLETIONS,
    KNOWS_LEARNERS,
    PAGES,
    takes,
)

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench

LEARNERS = ("ada", "bo", "chi", "dag", "eve")
QUIZZES = {"quiz1": "9", "quiz2": "0"}
LONG_S = 600


def classroom(
    bench: Bench, number: int = 1, customer: str = ACME, **settings: Any
) -> tuple[UUID, ContentItem]:
    """A configuration, and a course that the LMS holds where the channel sends content."""
    uuid = bench.configure(customer, **settings)
    (item,) = bench.shelve(number, customer=customer)
    if bench.channel.capabilities.content.usable:
        bench.run(uuid)
    return uuid, item


def demand_told(bench: Bench, names: Sequence[str], times: int = 1) -> None:
    """Demand that the LMS accepted a result of each learner so often, and of nobody else."""
    told = {name: bench.times_told(name) for name in LEARNERS}
    expected = {name: times if name in names else 0 for name in LEARNERS}
    demand(
        told == expected,
        "the LMS has other results than were sent" if any(told.values()) else "no result arrived",
        seen={"accepted": told, "records": _states(bench)},
        expected=expected,
    )


def _states(bench: Bench) -> list[str]:
    from coursewire.storage.tables.records import outcome_record  # noqa: PLC0415 - for messages alone

    return [
        f"{row['username']}: {row['state']} {row['reason'] or ''} {row['message'] or ''}".strip()
        for row in bench.rows(outcome_record)
    ]


def kind_of(bench: Bench) -> Kind:
    """Return the first kind of outcome that the channel takes."""
    return next(kind for kind in OUTCOMES if bench.channel.capabilities.takes(kind))


class ResultChecks:
    """The rules that every kind of result keeps."""

    @check("every completion arrives once, and a second run sends nothing", COMPLETIONS)
    def test_every_completion_arrives_once(self, bench: Bench) -> None:
        """The counts of the summary equal those of the LMS.

        The simulator keeps accepted results in ``outcomes``, and each names its learner by the id that
        was sent.
        """
        uuid, item = classroom(bench)
        for name in LEARNERS:
            bench.enroll(name, item)
        summary = bench.run(uuid, Kind.COMPLETIONS)
        demand_told(bench, LEARNERS)
        demand_equal(summary.done["created"], len(LEARNERS), "the summary does not count what arrived")
        bench.simulator.seen.clear()
        bench.clock.forward(minutes=10)
        again = bench.run(uuid, Kind.COMPLETIONS)
        demand_equal(again.unchanged, len(LEARNERS), "completions that did not change are not unchanged")
        demand(
            not bench.simulator.seen,
            "a run in which nothing changed made requests",
            seen=bench.simulator.seen,
        )

    @check(
        "every assessment arrives once, zero points too, and a second run sends nothing",
        takes(Kind.ASSESSMENTS),
    )
    def test_every_assessment_arrives_once(self, bench: Bench) -> None:
        """Two subsections of each learner."""
        uuid, item = classroom(bench)
        for name in LEARNERS[:2]:
            bench.enroll(name, item, quizzes=QUIZZES)
        summary = bench.run(uuid, Kind.ASSESSMENTS)
        demand_told(bench, LEARNERS[:2], len(QUIZZES))
        demand_equal(summary.done["created"], 4, "the summary does not count what arrived")
        bench.simulator.seen.clear()
        demand_equal(bench.run(uuid, Kind.ASSESSMENTS).unchanged, 4, "assessments are sent again")
        demand(
            not bench.simulator.seen,
            "a run in which nothing changed made requests",
            seen=bench.simulator.seen,
        )

    @check(
        "grades of zero, of 100 % and of anything between arrive; an unknown one arrives or says so",
        COMPLETIONS,
    )
    def test_every_grade_arrives(self, bench: Bench) -> None:
        """Zero is a grade, and unknown is not zero."""
        uuid, item = classroom(bench)
        grades = dict(zip(LEARNERS, ("0", "0.004", "0.5", "1", None), strict=True))
        for name, percent in grades.items():
            bench.enroll(name, item, percent=percent)
        bench.run(uuid, Kind.COMPLETIONS)
        for name, percent in grades.items():
            row = bench.outcome(name)
            if percent is None and row["reason"] in (Reason.NOT_EXPORTABLE, Reason.GRADE_UNKNOWN):
                demand_equal(
                    bench.times_told(name), 0, "an unknown grade is named, and was sent all the same"
                )
                continue
            demand_equal(
                bench.times_told(name),
                1,
                f"a grade of {percent} did not arrive once ({row['reason']}: {row['message']})",
            )

    @check("one learner's result that is refused keeps no other back, and has the reason", ANY_RESULTS)
    def test_one_bad_result_is_found(self, bench: Bench) -> None:
        """Also where the LMS refuses whole batches.

        As for content.
        """
        # Not the one in the middle: an answer that is read backwards would blame the same one.
        kind, bad = kind_of(bench), LEARNERS[1]
        uuid, item = classroom(bench)
        for name in LEARNERS:
            bench.enroll(name, item, quizzes={"quiz1": "9"})
        bench.simulator.poisoned = {f"{bad}@example.com"}
        bench.settle(uuid, kind)
        told = {name: bench.times_told(name) for name in LEARNERS if name != bad}
        # In smaller and smaller batches, what an upsert has taken already may be sent once more.
        once = bench.channel.capabilities.outcome_idempotency is Idempotency.NONE
        demand(
            all(times == 1 or (times > 1 and not once) for times in told.values()),
            "one bad result keeps others back, or doubles them",
            seen={"accepted": told, "records": _states(bench)},
            expected="each once" if once else "each at least once",
        )
        demand_equal(bench.times_told(bad), 0, "the simulator took a result that is poisoned")
        row = bench.outcome(bad)
        demand(
            row["state"] in (State.REJECTED, State.BLOCKED),
            "a result that the LMS refuses does not count as refused",
            seen=f"{row['state']}: {row['reason']} {row['message'] or ''}",
            expected="rejected, or blocked at the LMS",
        )
        demand(row["reason"] and row["message"], "the refused result has no reason", seen=row)

    @check("a result of a learner whom the LMS does not know rests until somebody acts", KNOWS_LEARNERS)
    def test_an_unknown_learner_is_blocked(self, bench: Bench) -> None:
        """Nothing is wrong with the result.

        Answer ``BLOCKED`` with the reason ``learner-unmatched``. ``REJECTED`` says that the payload is at fault.
        """
        kind = kind_of(bench)
        uuid, item = classroom(bench)
        bench.enroll("ada", item, quizzes={"quiz1": "9"})
        stranger = enrollment("bo", item, quizzes={"quiz1": "9"})
        bench.source.facts[stranger.id] = stranger  # and not at the LMS
        bench.run(uuid, kind)
        if bench.times_told("bo"):
            return  # at this LMS, enrolling somebody is not what makes them known
        demand_told(bench, ["ada"])
        row = bench.outcome("bo")
        demand_equal(
            (row["state"], row["reason"]),
            (State.BLOCKED, Reason.LEARNER_UNMATCHED),
            "a learner whom the LMS does not know does not block the result",
        )

    @check("two learners, two customers: nobody's result goes out as another's", ANY_RESULTS)
    def test_results_do_not_cross(self, bench: Bench) -> None:
        """The same learner at both customers, too."""
        kind = kind_of(bench)
        one, course = classroom(bench)
        two, other = classroom(bench, 2, OTHER)
        bench.enroll("ada", course, quizzes={"quiz1": "9"})
        bench.enroll("bo", course, quizzes={"quiz1": "5"}, percent="0.5")
        bench.enroll("ada", other, customer=OTHER, quizzes={"quiz1": "7"}, percent="0.7")
        bench.run(one, kind)
        demand_told(bench, ["ada", "bo"])
        bench.run(two, kind)
        demand_equal(
            bench.times_told("ada"), 2, "the second customer's result did not arrive, or arrived twice"
        )
        demand_equal(bench.times_told("bo"), 1, "a learner's result went out for the wrong customer")
        for uuid in (one, two):
            demand_equal(bench.outcome("ada", uuid)["state"], State.CONFIRMED, "a result is not confirmed")

    @check("consent that is withdrawn after the plan keeps the result here", ANY_RESULTS)
    def test_withdrawn_consent_keeps_results_here(self, bench: Bench) -> None:
        """It is asked for once more, right before anything leaves."""
        uuid, item = classroom(bench)
        withdrawn = bench.enroll("ada", item, quizzes={"quiz1": "9"})
        bench.enroll("bo", item, quizzes={"quiz1": "9"})
        bench.enroll("chi", item, quizzes={"quiz1": "9"}, consent=ConsentState.UNANSWERED)
        bench.source.last_words[withdrawn.id] = Consent(ConsentState.REFUSED)
        bench.run(uuid, kind_of(bench))
        demand_told(bench, ["bo"])

    @check("a learner without an id at the LMS is told apart, and keeps nobody back", ANY_RESULTS)
    def test_a_learner_without_an_id_waits(self, bench: Bench) -> None:
        """Nothing is sent under an empty name."""
        uuid, item = classroom(bench)
        nobody = LearnerFacts(username="ada", email=None, active=True, linked=True)
        bench.enroll("ada", item, quizzes={"quiz1": "9"}, learner=nobody)
        bench.enroll("bo", item, quizzes={"quiz1": "9"})
        bench.run(uuid, kind_of(bench))
        demand_told(bench, ["bo"])
        reason = bench.outcome("ada")["reason"]
        demand(
            reason, "a learner without an id has no reason", seen=reason, expected=Reason.LEARNER_UNMATCHED
        )

    @check("a result whose answer is lost is not told twice where the LMS would count it twice", ANY_RESULTS)
    def test_a_lost_answer_doubles_no_result(self, bench: Bench) -> None:
        """Without a key that the LMS knows results by, it is in doubt, for a person.

        Declare ``outcome_idempotency`` honestly: ``UPSERT`` where sending again overwrites, ``NONE`` where
        a second result would stand beside the first.
        """
        kind = kind_of(bench)
        way = bench.channel.capabilities.outcome_idempotency
        for every in (1, 2, 3, 4):
            bench.simulator.reset()
            bench.source.facts.clear()
            uuid, item = classroom(bench, every)
            bench.enroll("ada", item, quizzes={"quiz1": "9"})
            bench.misbehave("reset after accepting", every=every)
            bench.settle(uuid, kind)
            told, row = bench.times_told("ada"), bench.outcome("ada", uuid)
            if way is Idempotency.NONE:
                demand(
                    told <= 1,
                    "a result was sent again although nobody knows what became of it",
                    seen=told,
                    expected="once, and in doubt",
                )
                demand(
                    row["state"] in (State.CONFIRMED, State.IN_DOUBT),
                    "a result that may have arrived is neither confirmed nor in doubt",
                    seen=row["state"],
                )
            else:
                demand_equal(
                    row["state"],
                    State.CONFIRMED,
                    f"a lost answer leaves a result behind ({row['reason']}: {row['message']})",
                )
                demand(told >= 1, "a result is confirmed and never arrived", seen=told)

    @check("results wait while the LMS is busy, and arrive once afterwards", ANY_RESULTS)
    def test_results_wait_for_a_busy_lms(self, bench: Bench) -> None:
        """429, for ten minutes."""
        kind = kind_of(bench)
        uuid, item = classroom(bench)
        for name in LEARNERS[:3]:
            bench.enroll(name, item, quizzes={"quiz1": "9"})
        bench.misbehave("429 with Retry-After", times=None, seconds=LONG_S)
        summary = bench.run(uuid, kind).as_dict()
        demand_equal((summary["failed"], summary["waiting"]), (0, 3), "results do not wait")
        bench.simulator.misbehave.clear()
        bench.clock.forward(seconds=LONG_S + 5)
        bench.run(uuid, kind)
        demand_told(bench, LEARNERS[:3])

    @check("refused credentials settle no result", ANY_RESULTS)
    def test_refused_credentials_settle_no_result(self, bench: Bench) -> None:
        """They wait until a person has mended the configuration."""
        uuid, item = classroom(bench)
        for name in LEARNERS[:2]:
            bench.enroll(name, item, quizzes={"quiz1": "9"})
        bench.simulator.expire_tokens()
        bench.simulator.answer_token = lambda _request: web.json_response(
            {"error": "invalid_client"}, status=401
        )
        bench.misbehave("expired token", times=None)
        bench.run(uuid, kind_of(bench))
        demand_told(bench, [])
        demand_equal(
            {bench.outcome(name)["state"] for name in LEARNERS[:2]},
            {State.PLANNED.value},
            "results were settled",
        )
        since = bench.installation.configurations.get(uuid).failing_since
        demand(since, "the configuration does not say that the credentials are refused", seen=since)

    @check("nothing but an acknowledgement counts as a result that arrived", ANY_RESULTS)
    def test_no_answer_passes_for_an_accepted_result(self, bench: Bench) -> None:
        """A 200 with an error inside, an empty answer, a page of HTML."""
        uuid, item = classroom(bench)
        for name, how in zip(
            LEARNERS, ("200 with error body", "empty answer", "HTML error page"), strict=False
        ):
            bench.simulator.misbehave.clear()
            bench.enroll(name, item, quizzes={"quiz1": "9"})
            bench.misbehave(how, times=None)
            bench.run(uuid, kind_of(bench))
            row = bench.outcome(name)
            claimed = row["state"] == State.CONFIRMED and not bench.times_told(name)
            demand(
                not claimed,
                f"{how!r} counts as an acknowledgement of a result",
                seen=row["state"],
                expected="anything but confirmed",
            )

    @check("results find their learners also in lists of many pages", ANY_RESULTS & PAGES)
    def test_results_survive_small_pages(self, bench: Bench) -> None:
        """One row a page, and an empty page in the middle.

        As for lists of content: ``session.pages(...)``.
        """
        uuid, item = classroom(bench)
        for name in LEARNERS:
            bench.enroll(name, item, quizzes={"quiz1": "9"})
        bench.simulator.largest_page = 1
        bench.misbehave("empty page in the middle", times=None)
        bench.run(uuid, kind_of(bench))
        demand_told(bench, LEARNERS)

    @check("wherever the process dies, every result ends up told, or in doubt", ANY_RESULTS)
    def test_a_crash_loses_no_result(self, bench: Bench) -> None:
        """And none is told twice where the LMS would count it twice."""
        kind, way = kind_of(bench), bench.channel.capabilities.outcome_idempotency
        for number, hook in enumerate(("batch_sending", "batch_sent")):
            bench.simulator.reset()
            bench.source.facts.clear()
            uuid, item = classroom(bench, number)
            for name in LEARNERS:
                bench.enroll(name, item, quizzes={"quiz1": "9"})
            demand(bench.crash(uuid, kind, hook), f"no process died: {hook} was never called")
            bench.clock.forward(minutes=30)
            bench.settle(uuid, kind)
            for name in LEARNERS:
                told, state = bench.times_told(name), bench.outcome(name, uuid)["state"]
                if way is Idempotency.NONE:
                    fine = told <= 1 and (told == 1 or state == State.IN_DOUBT)
                else:
                    fine = told >= 1 and state == State.CONFIRMED
                demand(
                    fine,
                    f"after the process died at {hook}, a result was lost or doubled",
                    seen=f"told {told} times, {state}",
                    expected="told; or, where sending again would double it, once or in doubt",
                )
