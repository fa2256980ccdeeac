"""What a source is: the questions that it answers, in bulk and in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from coursewire.model.content import Catalog, ContentItem, Customer
from coursewire.model.results import Consent, EnrollmentFacts, LearnerFacts


class Answer(StrEnum):
    """How far a source's answer can be relied upon."""

    COMPLETE = "complete"
    """Everything the catalog holds is named: what is not named has left it."""
    UNCHANGED = "unchanged"
    """Nothing has joined, left or changed since the versions that were handed in."""
    FAILED = "failed"
    """The source could not answer; nothing follows from what it did not say."""


@dataclass(frozen=True, slots=True)
class CatalogDiff:
    """What one catalog holds, against the keys we hold.

    Attributes:
        catalog: The catalog.
        answer: How far ``present`` can be relied upon.
        present: With ``COMPLETE``: each content key now in the catalog, and its version: any text that
            differs whenever the item's data differs, or "" when the source does not know (the item is
            then examined). Empty otherwise.
        reason: With ``FAILED``: why.
    """

    catalog: Catalog
    answer: Answer
    present: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


class Source(Protocol):
    """Where customers, catalogs and content come from. All methods answer from one consistent state."""

    async def customers(self) -> list[Customer]:
        """All customers, active or not, in the order in which the source has them.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def customer(self, uuid: str) -> Customer | None:
        """One customer; None when the source does not know it.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def catalogs(self, customer: str) -> list[Catalog]:
        """The customer's catalogs, oldest first.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def diff(self, catalog: Catalog, known: Mapping[str, str]) -> CatalogDiff:
        """Hold what a catalog has against the keys we hold.

        Args:
            catalog: The catalog.
            known: Keys that our records say came from this catalog, each with the version it was made
                from ("" when that is unknown).

        A source that could not answer says so in the diff; it does not raise.
        """
        ...

    def content(self, keys: Sequence[str], *, page_items: int = 500) -> AsyncIterator[list[ContentItem]]:
        """The items of these keys, in pages, in the order of ``keys``.

        Keys that the source does not have are left out; the caller counts them.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def learner(self, customer: str, username: str) -> LearnerFacts | None:
        """One learner at one customer, enrolled or not; None when the customer does not have this learner.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    def enrollments(
        self,
        customer: str,
        *,
        username: str | None = None,
        course_run_key: str | None = None,
        with_subsections: bool = True,
        page_items: int = 500,
    ) -> AsyncIterator[list[EnrollmentFacts]]:
        """The customer's enrollments with all that is known about them, in pages, in the order of their ids.

        Args:
            customer: UUID.
            username: Only this learner's.
            course_run_key: Only those in this run, or in any run of this course.
            with_subsections: False leaves the results in subsections out, which are most of the data.
            page_items: Enrollments a page.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def consents(self, enrollments: Sequence[str]) -> Mapping[str, Consent]:
        """Ask for the consent of these enrollments anew, right before something is sent.

        One that the source does not name is unknown, and so is not a yes.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
