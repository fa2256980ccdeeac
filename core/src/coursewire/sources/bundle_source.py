"""A bundle as a source without a database, as ``coursewire preview`` uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from coursewire.errors import BundleError, SourceError
from coursewire.sources.base import Answer, CatalogDiff
from coursewire.sources.bundle import Bundle, Problem
from coursewire.sources.bundle_results import Results
from coursewire.sources.courses import course_facts

if TYPE_CHECKING:
    import os

    from coursewire.model.content import Catalog, ContentItem, Customer
    from coursewire.model.results import Consent, EnrollmentFacts, LearnerFacts
    from coursewire.sources.rows import CatalogRow, ContentRow, CustomerRow, EnrollmentRow


class _Place(NamedTuple):
    offset: int
    version: str


@dataclass(slots=True)
class _Index:
    """The keys of a bundle, and the offset at which each item's line begins."""

    customers: dict[str, Customer] = field(default_factory=dict)
    catalogs: list[Catalog] = field(default_factory=list)
    items: dict[str, tuple[str, ...]] = field(default_factory=dict)
    content: dict[str, _Place] = field(default_factory=dict)
    runs: dict[str, list[int]] = field(default_factory=dict)  # offsets of the items that hold the run
    problems: list[Problem] = field(default_factory=list)


class BundleSource:
    """A bundle that answers as a source does.

    The first question reads the files once and keeps keys and versions; items are read when asked for.
    The first question about enrollments reads learners and results once, and keeps them.
    References between the files are not checked: an item of a catalog that content.jsonl lacks is
    present with the version "", as in the embedded source.

    Args:
        path: Folder of the bundle.

    Raises:
        BundleError: There is no bundle.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._bundle = Bundle(path)
        self._index: _Index | None = None
        self._results: Results | None = None
        self._reading = asyncio.Lock()

    async def problems(self) -> list[Problem]:
        """Return the refused lines of customers, catalogs and content, by file and line.

        The refused lines of learners and results follow, once a question about enrollments was asked.

        Raises:
            SourceError: A file cannot be read.
        """
        return (await self._read()).problems + (self._results.problems if self._results else [])

    async def keys(self) -> list[str]:
        """Return the keys of all content items, in the order of the file.

        Raises:
            SourceError: A file cannot be read.
        """
        return list((await self._read()).content)

    async def customers(self) -> list[Customer]:
        """Return all customers, in the order of the file.

        Raises:
            SourceError: A file cannot be read.
        """
        return list((await self._read()).customers.values())

    async def customer(self, uuid: str) -> Customer | None:
        """Return one customer; None if the bundle does not have it.

        Raises:
            SourceError: A file cannot be read.
        """
        return (await self._read()).customers.get(uuid)

    async def catalogs(self, customer: str) -> list[Catalog]:
        """Return the customer's catalogs, in the order of the file.

        Raises:
            SourceError: A file cannot be read.
        """
        return [one for one in (await self._read()).catalogs if one.customer == customer]

    async def diff(self, catalog: Catalog, known: Mapping[str, str]) -> CatalogDiff:
        """Return the keys of the catalog in their order, all of them as present."""
        try:
            index = await self._read()
        except SourceError as error:
            return CatalogDiff(catalog, Answer.FAILED, reason=str(error))
        if catalog.uuid not in index.items:
            return CatalogDiff(catalog, Answer.FAILED, reason="the bundle has no such catalog")
        nowhere = _Place(0, "")
        present = {key: index.content.get(key, nowhere).version for key in index.items[catalog.uuid]}
        return CatalogDiff(catalog, Answer.COMPLETE, present)

    async def content(
        self, keys: Sequence[str], *, page_items: int = 500
    ) -> AsyncIterator[list[ContentItem]]:
        """Yield the items of these keys, in pages of at most ``page_items`` keys, in the order of ``keys``.

        Raises:
            SourceError: A file cannot be read.
        """
        places = (await self._read()).content
        for start in range(0, len(keys), page_items):
            offsets = [places[key].offset for key in keys[start : start + page_items] if key in places]
            if offsets:
                yield await asyncio.to_thread(self._items, offsets)

    async def learner(self, customer: str, username: str) -> LearnerFacts | None:
        """Return one learner of one customer; None if the bundle does not name the learner.

        Raises:
            SourceError: A file cannot be read.
        """
        return (await self._read_results()).learner(customer, username)

    async def enrollments(
        self,
        customer: str,
        *,
        username: str | None = None,
        course_run_key: str | None = None,
        with_subsections: bool = True,
        page_items: int = 500,
    ) -> AsyncIterator[list[EnrollmentFacts]]:
        """Yield the customer's enrollments, in pages, in the order of their ids.

        Raises:
            SourceError: A file cannot be read.
        """
        index, results = await self._read(), await self._read_results()
        runs = None
        if course_run_key is not None:
            place = index.content.get(course_run_key)
            held = {key for key, offsets in index.runs.items() if place and place.offset in offsets}
            runs = held | {course_run_key}
        rows = [
            row
            for row in results.enrollments.get(customer, ())
            if (username is None or row.username == username) and (runs is None or row.course_id in runs)
        ]
        for start in range(0, len(rows), page_items):
            page = rows[start : start + page_items]
            found = await asyncio.to_thread(self._facts, index, results, page)
            yield found if with_subsections else [one.model_copy(update={"subsections": ()}) for one in found]

    async def consents(self, enrollments: Sequence[str]) -> Mapping[str, Consent]:
        """Return the consent of each of these enrollments; those that the bundle does not have are left out.

        Raises:
            SourceError: A file cannot be read.
        """
        results = await self._read_results()
        wanted = set(enrollments)
        rows = (row for rows in results.enrollments.values() for row in rows if row.id in wanted)
        return {row.id: results.consent(row) for row in rows}

    async def aclose(self) -> None:
        """Do nothing: no file is held open."""

    def _facts(self, index: _Index, results: Results, page: Sequence[EnrollmentRow]) -> list[EnrollmentFacts]:
        runs = {row.course_id: index.runs.get(row.course_id, []) for row in page}
        offsets = sorted({offset for held in runs.values() for offset in held})
        items = dict(zip(offsets, self._items(offsets), strict=True)) if offsets else {}
        courses = {key: course_facts(key, [items[offset] for offset in held]) for key, held in runs.items()}
        return [results.facts(row, courses[row.course_id]) for row in page]

    def _items(self, offsets: Sequence[int]) -> list[ContentItem]:
        try:
            return [row.item for row in self._bundle.content_at(offsets)]
        except BundleError as error:
            raise _failed(error) from error

    async def _read(self) -> _Index:
        async with self._reading:
            if self._index is None:
                try:
                    self._index = await asyncio.to_thread(self._build)
                except BundleError as error:
                    raise _failed(error) from error
            return self._index

    async def _read_results(self) -> Results:
        async with self._reading:
            if self._results is None:
                try:
                    self._results = await asyncio.to_thread(Results.read, self._bundle)
                except BundleError as error:
                    raise _failed(error) from error
            return self._results

    def _build(self) -> _Index:
        index = _Index()

        def customer(row: CustomerRow) -> None:
            index.customers[row.uuid] = row.customer()

        def catalog(row: CatalogRow) -> None:
            index.catalogs.append(row.catalog())
            index.items[row.uuid] = row.content_keys

        def content(row: ContentRow) -> None:
            index.content[row.item.content_key] = _Place(row.offset, row.version)
            for key in row.run_keys:
                index.runs.setdefault(key, []).append(row.offset)

        for name, keep in (("customers", customer), ("content", content), ("catalogs", catalog)):
            for _, row in self._bundle.rows(name) if name in self._bundle.files else ():
                if isinstance(row, Problem):
                    index.problems.append(row)
                else:
                    keep(row)
        return index


def _failed(error: BundleError) -> SourceError:
    return SourceError(error.what, where=error.where, why=error.why, next_step=error.next_step)
