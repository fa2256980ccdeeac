"""The history: jobs, attempts, and what became of single items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from json import loads
from typing import Any
from uuid import UUID

from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.model.kinds import OUTCOMES, Kind
from coursewire.model.reasons import ReasonInfo, explain
from coursewire.storage.audit import jobs, retention, transmissions
from coursewire.storage.audit.export import ExportFormat, csv_lines, json_lines, stream
from coursewire.storage.audit.records import OutcomeRecords, Record, records_of
from coursewire.storage.audit.states import State
from coursewire.storage.tables.records import transmission

JOBS_SEARCHED = 1000
"""The newest jobs, among which the beginning of an id is looked for."""

ATTEMPTS_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """The whole history of one item.

    Attributes:
        record: The record of what the LMS holds; None when there are attempts without one.
        attempts: The rows of all attempts, oldest first.
    """

    record: Record | None
    attempts: Sequence[dict[str, Any]]

    def as_dict(self, own: Sequence[ReasonInfo] = ()) -> dict[str, Any]:
        """Return the stable form, as ``audit show --json`` prints it.

        Args:
            own: The reason codes that the channel declares.
        """
        if self.record is None:
            return {"record": None, "explanation": None, "transmissions": self.attempts}
        fields = asdict(self.record)
        if fields.get("evidence"):
            fields["evidence"] = loads(fields["evidence"])
        words = explain(self.record.reason or "", own)._asdict()
        return {"record": fields, "explanation": words, "transmissions": self.attempts}


class History:
    """The history of an installation, as its records and its log have it.

    Args:
        installation: The installation.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def jobs(self, *, configuration: UUID | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """Return the rows of the last jobs, the newest first.

        Args:
            configuration: Only jobs of this configuration; None for all.
            limit: The largest number of jobs.
        """
        only = [configuration] if configuration else None
        return jobs.recent(self._installation.engine, configurations=only, limit=limit)

    def find_job(self, text: str) -> UUID:
        """Find a job by its id, or by the beginning of it.

        Args:
            text: Hex digits, with or without hyphens.

        Raises:
            ConfigurationError: No job begins so, or several do.
        """
        start = text.replace("-", "").lower()
        if len(start) == 32:
            try:
                return UUID(start)
            except ValueError:
                start = text
        known = jobs.recent(self._installation.engine, limit=JOBS_SEARCHED)
        matches: list[UUID] = [job["uuid"] for job in known if job["uuid"].hex.startswith(start)]
        if len(matches) == 1:
            return matches[0]
        raise ConfigurationError(
            f"{len(matches)} jobs begin with {text!r}" if matches else f"there is no job {text!r}",
            next_step="`coursewire jobs` lists the last ones; give more of the id.",
        )

    def attempts(
        self,
        *,
        configuration: UUID | None = None,
        kind: Kind | None = None,
        item: str | None = None,
        result: str | None = None,
        job: UUID | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """Return attempts, the newest first.

        Args:
            configuration: Only attempts of this configuration; None for all.
            kind: Only attempts of this kind; None for all.
            item: Only attempts for the item with this key; None for all.
            result: Only attempts with this result, such as ``rejected``; None for all.
            job: Only attempts of this job; None for all.
            since: Only attempts that are not older than this instant, aware; None for all.
            limit: The largest number of attempts.

        Returns:
            Rows of the log. Those of outcomes, whose key is a digest, also have ``learner``, ``course`` and
            ``subsection``, unless the learner was forgotten.
        """
        rows = transmissions.history(
            self._installation.engine,
            configurations=[configuration] if configuration else None,
            kind=kind,
            item=item,
            result=result,
            job=job,
            since=since,
            limit=limit,
        )
        self._name_outcomes(rows)
        return rows

    def _name_outcomes(self, rows: Sequence[dict[str, Any]]) -> None:
        groups = defaultdict(list)
        for row in rows:
            if row["kind"] != Kind.CONTENT:
                groups[row["configuration"], Kind(row["kind"])].append(row)
        for (configuration, kind), some in groups.items():
            records = OutcomeRecords(self._installation.engine, configuration, kind)
            found = records.fetch(sorted({row["item"] for row in some}))
            for row in some:
                if record := found.get(row["item"]):
                    row["learner"], row["course"] = record.username, record.course_key
                    row["subsection"] = record.subsection

    async def items(
        self,
        configuration: Configuration,
        *,
        item: str | None = None,
        learner: str | None = None,
        course: str | None = None,
        kind: Kind | None = None,
    ) -> list[ItemHistory]:
        """Return the whole history of an item, or of the outcomes of a learner in a course.

        Args:
            configuration: The configuration.
            item: The key of the item's record; None for a learner's outcomes.
            learner: The learner's username.
            course: The key of the course, or of a run of it.
            kind: Only this kind; None for every kind that has any.

        Raises:
            SourceError: The source could not answer.
        """
        found: list[ItemHistory] = []
        for each in [kind] if kind else (Kind if item is not None else OUTCOMES):
            keys = [item] if item is not None else []
            if learner is not None and course is not None and each in OUTCOMES:
                keys = await self.outcome_keys(configuration, each, learner, course)
            records = records_of(self._installation.engine, configuration.uuid, each).fetch(keys)
            for key in keys:
                attempts = list(self._attempts_of(configuration.uuid, each, key))[::-1]
                if key in records or attempts:
                    found.append(ItemHistory(records.get(key), attempts))
        return found

    def _attempts_of(self, configuration: UUID, kind: Kind, item: str) -> Iterator[dict[str, Any]]:
        """Yield every attempt of one item, newest first."""
        before = None
        while page := transmissions.history(
            self._installation.engine,
            configurations=[configuration],
            kind=kind,
            item=item,
            before_id=before,
            limit=ATTEMPTS_A_PAGE,
        ):
            yield from page
            before = page[-1]["id"]

    async def outcome_keys(
        self, configuration: Configuration, kind: Kind, learner: str, course: str
    ) -> list[str]:
        """Return the keys of a learner's records in a course, as the source knows the enrollments.

        Args:
            configuration: The configuration.
            kind: The kind of the outcomes.
            learner: The learner's username.
            course: The key of the course, or of a run of it.

        Raises:
            SourceError: The source could not answer.
        """
        pages = self._installation.source.enrollments(
            configuration.customer, username=learner, course_run_key=course
        )
        enrollments = [facts.id async for page in pages for facts in page]
        records = OutcomeRecords(self._installation.engine, configuration.uuid, kind)
        return [record.key for some in records.of_enrollments(enrollments).values() for record in some]

    def require_retriable(
        self, configuration: Configuration, kind: Kind, items: Sequence[str], states: Sequence[State]
    ) -> None:
        """Refuse items that a person cannot let the next run try again.

        Args:
            configuration: The configuration.
            kind: The kind of the items.
            items: The keys of their records.
            states: The states from which an item may be tried again.

        Raises:
            ConfigurationError: An item is unknown, or is in another state.
        """
        records = records_of(self._installation.engine, configuration.uuid, kind).fetch(items)
        wrong = [
            f"{key} is {records[key].state.value}" if key in records else f"{key} is unknown"
            for key in items
            if key not in records or records[key].state not in states
        ]
        if wrong:
            raise ConfigurationError(
                "not all of the items can be tried again",
                where=configuration.where,
                why="; ".join(wrong),
                next_step="To send what is confirmed once more, use "
                f"`coursewire transmit {kind.value} --force`.",
            )

    def export(self, form: ExportFormat, *, configuration: UUID | None = None) -> Iterator[bytes]:
        """Yield all attempts as the lines of a file, oldest first, without holding them.

        Args:
            form: The form of the lines. CSV begins with a line of headings.
            configuration: Only attempts of this configuration; None for all.

        Returns:
            Lines in UTF-8, with their line ends.
        """
        only = [configuration] if configuration else None
        rows = stream(self._installation.engine, transmission, configurations=only)
        return csv_lines(rows, transmission) if form is ExportFormat.CSV else json_lines(rows)

    def prune(self, *, days: int | None = None) -> tuple[datetime, dict[str, int]]:
        """Delete attempts, and jobs that have ended, that are older than the retention time. Records stay.

        Args:
            days: The retention time in days; that of the settings when left out.

        Returns:
            The instant from before which rows were deleted, and the number of rows by table.
        """
        before = self._installation.clock() - timedelta(
            days=days or self._installation.settings.retention_days
        )
        return before, retention.prune(self._installation.engine, before=before)
