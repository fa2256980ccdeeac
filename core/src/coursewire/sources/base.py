"""The protocol of a source: the questions that it answers, in bulk and in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from coursewire.model.content import Catalog, ContentItem, Customer
from coursewire.model.results import Consent, EnrollmentFacts, LearnerFacts


class Answer(StrEnum):
    """Reliability of a source's answer."""

    COMPLETE = "complete"
    """Everything the catalog holds is named: what is not named has left it."""
    UNCHANGED = "unchanged"
    """Nothing has joined, left or changed since the versions that were handed in."""
    FAILED = "failed"
    """The source could not answer; nothing follows from what it did not say."""


@dataclass(frozen=True, slots=True)
class CatalogDiff:
    """The keys of one catalog, compared with the keys of our records.

    Attributes:
        catalog: The catalog.
        answer: Reliability of ``present``.
        present: With ``COMPLETE``: versions by content key, for every item now in the catalog. A version is any text
            that differs whenever the item's data differs, or "" if the source does not know it, and then the item
            is examined. Empty with the other answers.
        reason: With ``FAILED``: the reason.
    """

    catalog: Catalog
    answer: Answer
    present: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


class Source(Protocol):
    """A source of customers, catalogs, content, learners and results; it answers from one consistent state."""

    async def customers(self) -> list[Customer]:
        """Return all customers, active or not, in the order of the source.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def customer(self, uuid: str) -> Customer | None:
        """Return one customer; None if the source does not know it.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def catalogs(self, customer: str) -> list[Catalog]:
        """Return the customer's catalogs, oldest first.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def diff(self, catalog: Catalog, known: Mapping[str, str]) -> CatalogDiff:
        """Compare the keys of a catalog with the keys of our records.

        Args:
            catalog: The catalog.
            known: Versions by key, for the items that came from this catalog by our records; "" for an unknown version.

        A source that could not answer returns a diff that says so; it does not raise.
        """
        ...

    def content(self, keys: Sequence[str], *, page_items: int = 500) -> AsyncIterator[list[ContentItem]]:
        """Yield the items of these keys in pages, in the order of ``keys``.

        Keys that the source does not have are left out; the caller counts them.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def learner(self, customer: str, username: str) -> LearnerFacts | None:
        """Return one learner of one customer, enrolled or not; None if the customer does not have this learner.

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
        """Yield the customer's enrollments with all facts about them, in pages, in the order of their ids.

        Args:
            customer: UUID of the customer.
            username: Username of the learner; None for all learners.
            course_run_key: Key of a course run, or of a course for all of its runs; None for all.
            with_subsections: False to leave out the results in subsections, which are most of the data.
            page_items: Number of enrollments in a page.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def consents(self, enrollments: Sequence[str]) -> Mapping[str, Consent]:
        """Read the consent of these enrollments anew, right before their outcomes are sent.

        An enrollment that the source does not name has no known consent, which is not a yes.

        Raises:
            SourceError: The source could not answer.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
