"""Why something was sent or not: the decisions of a run, one after the other, as plain data.

The explanations are made by the very functions that a run calls, on the same facts; nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coursewire.model.reasons import Reason, explain
from coursewire.pipeline.export.content import Survey
from coursewire.pipeline.export.evaluation import Step
from coursewire.storage.audit import transmissions

if TYPE_CHECKING:
    from coursewire.pipeline.content_job import ContentJob
    from coursewire.pipeline.export.evaluation import Examined
    from coursewire.pipeline.export.prepared import Prepared
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.outcome_job import OutcomeJob
    from coursewire.storage.audit.records import Record

ATTEMPTS = 5
"""How many of the last attempts are shown."""


async def why_outcome(job: OutcomeJob) -> list[dict[str, Any]]:
    """Explain the outcomes of the learner and course that a job is for.

    Args:
        job: With a learner, and usually a course; it is not run.

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
    ready = await job.prepare()
    told = {"learner": job.learner, "course": job.course, "subsection": ""}
    if reason := job.refusal(ready):
        return [_explanation(job, "", told, [Step("configuration", reason)])]
    found: list[dict[str, Any]] = []
    async for page in job.export(ready).examined(learner=job.learner, course=job.course):
        stored = await asyncio.to_thread(job.records.fetch, [one.record.key for one in page])
        found += [await asyncio.to_thread(_outcome, job, one, stored.get(one.record.key)) for one in page]
    return found or [_explanation(job, "", told, [Step("enrollment", Reason.ENROLLMENT_UNKNOWN)])]


async def why_content(job: ContentJob, key: str) -> dict[str, Any]:
    """Explain one content item of a configuration.

    Args:
        job: It is not run.
        key: Content key.

    Returns:
        An explanation as of :func:`why_outcome`, with ``catalogs`` in place of learner, course and subsection.

    Raises:
        ConfigurationError: The configuration cannot run.
        SourceError: The source could not answer.
    """
    ready = await job.prepare()
    if reason := job.refusal(ready):
        return _explanation(job, key, {"catalogs": []}, [Step("configuration", reason)])
    export, records = job.export(ready), job.records
    wanted = await export.wanted()
    seen = await asyncio.to_thread(records.glance, key)
    about = {"catalogs": list(wanted.catalogs_of(key))}
    failures = {"failures": wanted.failures} if wanted.failures else {}
    steps = [Step("catalogs", details={**about, **failures})]
    if seen is None and key not in wanted:
        unknown = Reason.NOT_IN_CATALOG if wanted.reliable else Reason.SOURCE_FAILED
        return _explanation(job, key, about, [steps[0]._replace(reason=unknown)])
    alone = Survey(wanted)
    if seen is None:
        alone.examine[key] = Reason.FORCED if job.force else Reason.NEW
    else:
        decision = export.glance(seen, wanted)
        details = {"state": seen.state, "present": seen.present}
        if decision.action == "leave":
            reason = decision.reason or seen.reason or Reason.LEFT_CATALOG
            steps.append(Step("record", reason, details=details))
        else:
            steps.append(Step("record", details=details))
            _put(alone, key, *decision)
    prepared: Prepared | None = None
    async for page in export.pages(alone):
        (prepared,) = page
        left = prepared.reason if prepared.payload is None else ""
        steps.append(Step("comparison", left, prepared.message))
    stored = (await asyncio.to_thread(records.fetch, [key])).get(key)
    return await asyncio.to_thread(_explanation, job, key, about, steps, prepared=prepared, stored=stored)


def _put(survey: Survey, key: str, action: str, reason: str) -> None:
    if action == "examine":
        survey.examine[key] = reason
    else:
        (survey.retire if action == "retire" else survey.withdraw).append(key)


def _outcome(job: OutcomeJob, one: Examined, stored: Record | None) -> dict[str, Any]:
    about = {
        "learner": one.facts.learner.username,
        "course": one.facts.course.run_key,
        "subsection": one.part.subsection_id if one.part else "",
    }
    return _explanation(job, one.record.key, about, one.steps, prepared=one.prepared, stored=stored)


def _explanation(
    job: Job,
    key: str,
    about: Mapping[str, Any],
    steps: Sequence[Step],
    *,
    prepared: Prepared | None = None,
    stored: Record | None = None,
) -> dict[str, Any]:
    last = steps[-1]
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
                "step": step.name,
                "passed": not step.reason,
                **_words(step.reason, step.message),
                "details": dict(step.details),
            }
            for step in steps
        ],
        "answer": _words(answer, last.message),
        "operation": prepared.payload.operation.value if prepared and prepared.payload else None,
        "record": _record(stored) if stored else None,
        "attempts": _attempts(job, key) if stored else [],
    }


def _words(reason: str, message: str) -> dict[str, str]:
    text, next_step = explain(reason)
    return {"reason": str(reason), "text": text, "next_step": next_step, "message": message}


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
