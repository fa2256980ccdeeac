"""Explanations of why something was sent or not: the decisions of a run, one after the other, as plain data.

The explanations are made by the very functions that a run calls, on the same facts; nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coursewire.model.reasons import Reason, Surface, explain
from coursewire.pipeline.export.content import Worklist
from coursewire.pipeline.export.evaluation import Decision
from coursewire.pipeline.rules.decide import Action
from coursewire.storage.audit import transmissions

if TYPE_CHECKING:
    from coursewire.pipeline.content_job import ContentJob
    from coursewire.pipeline.export.evaluation import OutcomeEvaluation
    from coursewire.pipeline.export.prepared import Prepared
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.outcome_job import OutcomeJob
    from coursewire.storage.audit.records import Record

ATTEMPTS = 5
"""The number of the last attempts that are shown."""


async def why_outcome(job: OutcomeJob, *, on: Surface = Surface.COMMAND_LINE) -> list[dict[str, Any]]:
    """Explain the outcomes of the learner and course that a job is for.

    Args:
        job: With a learner, and usually a course; it is not run.
        on: Where the explanation is read, which decides the next steps in it.

    Returns:
        One explanation an outcome, in the source's order; one alone when nothing is looked at. Each has
        ``kind``, ``configuration``, ``channel``, ``key``, ``title``, ``learner``, ``course``, ``subsection``,
        ``decisions`` in the order in which they are made, ``answer`` (the last of them, in words), ``operation``
        (None when nothing would be sent), ``record`` (None when there is none) and ``attempts``, the last
        few, newest first. A decision and the answer have ``reason``, ``text``, ``next_step`` and
        ``message``; a decision also ``step``, ``passed`` and ``details``.

    Raises:
        ConfigurationError: The configuration cannot run.
        SourceError: The source could not answer.
    """
    return [_in_words(job, told, on) for told in await _outcomes(job)]


async def _outcomes(job: OutcomeJob) -> list[dict[str, Any]]:
    target = await job.prepare()
    about = {"learner": job.learner, "course": job.course, "subsection": ""}
    if reason := job.refusal(target):
        return [_explanation(job, "", about, [Decision("configuration", reason)])]
    found: list[dict[str, Any]] = []
    async for page in job.export(target).evaluations(learner=job.learner, course=job.course):
        stored = await asyncio.to_thread(job.records.fetch, [one.record.key for one in page])
        found += [await asyncio.to_thread(_outcome, job, one, stored.get(one.record.key)) for one in page]
    return found or [_explanation(job, "", about, [Decision("enrollment", Reason.ENROLLMENT_UNKNOWN)])]


async def why_content(job: ContentJob, key: str, *, on: Surface = Surface.COMMAND_LINE) -> dict[str, Any]:
    """Explain one content item of a configuration.

    Args:
        job: It is not run.
        key: The content key of the item.
        on: As for :func:`why_outcome`.

    Returns:
        An explanation as of :func:`why_outcome`, with ``catalogs`` in place of learner, course and subsection.

    Raises:
        ConfigurationError: The configuration cannot run.
        SourceError: The source could not answer.
    """
    return _in_words(job, await _content(job, key), on)


async def _content(job: ContentJob, key: str) -> dict[str, Any]:
    target = await job.prepare()
    if reason := job.refusal(target):
        return _explanation(job, key, {"catalogs": []}, [Decision("configuration", reason)])
    export, records = job.export(target), job.records
    union = await export.catalog_union()
    summary = await asyncio.to_thread(records.summary, key)
    about = {"catalogs": list(union.catalogs_of(key))}
    failures = {"failures": union.failures} if union.failures else {}
    decisions = [Decision("catalogs", details={**about, **failures})]
    if summary is None and key not in union:
        unknown = Reason.NOT_IN_CATALOG if union.reliable else Reason.SOURCE_FAILED
        return _explanation(job, key, about, [decisions[0]._replace(reason=unknown)])
    alone = Worklist(union)
    if summary is None:
        alone.evaluate[key] = export.reason_for_new
    else:
        what = export.action_for(summary, union)
        details = {"state": summary.state, "present": summary.present}
        left = what.reason or summary.reason or Reason.LEFT_CATALOG
        decisions.append(Decision("record", left if what.action is Action.LEAVE else "", details=details))
        alone.add(key, what)
    prepared: Prepared | None = None
    async for page in export.evaluations(alone):
        (one,) = page
        decisions += one.decisions
        prepared = one.prepared
    stored = (await asyncio.to_thread(records.fetch, [key])).get(key)
    return await asyncio.to_thread(_explanation, job, key, about, decisions, prepared=prepared, stored=stored)


def _outcome(job: OutcomeJob, one: OutcomeEvaluation, stored: Record | None) -> dict[str, Any]:
    about = {
        "learner": one.facts.learner.username,
        "course": one.facts.course.run_key,
        "subsection": one.part.subsection_id if one.part else "",
    }
    return _explanation(job, one.record.key, about, one.decisions, prepared=one.prepared, stored=stored)


def _explanation(
    job: Job,
    key: str,
    about: Mapping[str, Any],
    decisions: Sequence[Decision],
    *,
    prepared: Prepared | None = None,
    stored: Record | None = None,
) -> dict[str, Any]:
    last = decisions[-1]
    sent = prepared is not None and prepared.payload is not None
    answer = prepared.reason if sent and prepared else last.reason
    return {
        "kind": job.kind.value,
        "configuration": str(job.configuration.uuid),
        "channel": job.configuration.channel,
        "key": key,
        "title": prepared.title if prepared else "",
        **about,
        "decisions": [
            {
                "step": decision.name,
                "passed": not decision.reason,
                **_wordless(decision.reason, decision.message),
                "details": dict(decision.details),
            }
            for decision in decisions
        ],
        "answer": _wordless(answer, last.message),
        "operation": prepared.payload.operation.value if prepared and prepared.payload else None,
        "record": _record(stored) if stored else None,
        "attempts": _attempts(job, key) if stored else [],
    }


def _wordless(reason: str, message: str) -> dict[str, str]:
    return {"reason": reason, "text": "", "next_step": "", "message": message}


def _in_words(job: Job, told: dict[str, Any], on: Surface) -> dict[str, Any]:
    """Fill in what the reasons of an explanation mean, and what to do where it is read."""
    own = job.installation.channels.reasons_of(job.configuration.channel)
    for each in (*told["decisions"], told["answer"]):
        each["text"], each["next_step"] = explain(each["reason"], own, on=on)
    return told


def _record(record: Record) -> dict[str, Any]:
    def instant(name: str) -> str | None:
        value = getattr(record, name)
        return value.isoformat() if value else None

    return {
        "state": record.state.value,
        "reason": record.reason,
        "message": record.message,
        "attempts": record.attempts,
        "remote_key": record.remote_key,
        "remote_id": record.remote_id,
        **{name: instant(name) for name in ("attempted_at", "confirmed_at", "not_before_at")},
    }


def _attempts(job: Job, key: str) -> list[dict[str, Any]]:
    rows = transmissions.history(
        job.installation.engine,
        configurations=[job.configuration.uuid],
        kind=job.kind,
        item=key,
        limit=ATTEMPTS,
    )
    names = ("operation", "result", "reason", "message", "http_status", "excerpt")
    return [
        {"at": row["at"].isoformat(), "job": str(row["job"]), **{name: row[name] for name in names}}
        for row in rows
    ]
