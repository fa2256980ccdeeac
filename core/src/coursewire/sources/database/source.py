"""The embedded source: answers from the same database that holds the records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import ValidationError
from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError

from coursewire.errors import SourceError
from coursewire.model.content import Catalog, ContentItem, Customer
from coursewire.sources.base import Answer, CatalogDiff
from coursewire.sources.database.enrollments import Courses, Wanted, consents_of, enrollment_page
from coursewire.sources.database.learners import learner_of
from coursewire.sources.database.questions import chunks, in_keys, short_cause
from coursewire.storage.tables.source import (
    source_catalog,
    source_catalog_item,
    source_content,
    source_customer,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from coursewire.model.results import Consent, EnrollmentFacts, LearnerFacts

_log = logging.getLogger(__name__)
_Found = TypeVar("_Found")


class DatabaseSource:
    """Customers, catalogs, content, learners and results that were loaded from bundles.

    Each question runs in a thread and in a short transaction of its own.

    Args:
        engine: The database, at the current schema. It belongs to the caller, who closes it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def customers(self) -> list[Customer]:
        """Return all customers by name.

        Raises:
            SourceError: The database could not answer.
        """

        def read(connection: Connection) -> list[Customer]:
            c = source_customer.c
            return [
                _customer(row) for row in connection.execute(select(source_customer).order_by(c.name, c.uuid))
            ]

        return await self._ask("the customers", read)

    async def customer(self, uuid: str) -> Customer | None:
        """Return one customer, active or not; None if it is not known.

        Raises:
            SourceError: The database could not answer.
        """

        def find(connection: Connection) -> Customer | None:
            row = connection.execute(select(source_customer).where(source_customer.c.uuid == uuid)).first()
            return _customer(row) if row else None

        return await self._ask("the customer", find)

    async def catalogs(self, customer: str) -> list[Catalog]:
        """Return the customer's catalogs in the order in which they were first loaded.

        Raises:
            SourceError: The database could not answer.
        """

        def find(connection: Connection) -> list[Catalog]:
            rows = connection.execute(
                select(source_catalog)
                .where(source_catalog.c.customer == customer)
                .order_by(source_catalog.c.id)
            )
            return [
                Catalog(uuid=row.uuid, customer=row.customer, title=row.title, modified=row.modified_at)
                for row in rows
            ]

        return await self._ask("the catalogs", find)

    async def diff(self, catalog: Catalog, known: Mapping[str, str]) -> CatalogDiff:
        """Return the keys of the catalog in their order, with one query.

        ``present`` also names the items whose content was never loaded, with the version "".
        """

        def find(connection: Connection) -> dict[str, str] | None:
            rows = connection.execute(
                select(source_catalog_item.c.content_key, source_content.c.version)
                .outerjoin(source_content, source_content.c.content_key == source_catalog_item.c.content_key)
                .where(source_catalog_item.c.catalog == catalog.uuid)
                .order_by(source_catalog_item.c.content_key)
            )
            present = {key: version or "" for key, version in rows}
            if present:
                return present
            there = select(source_catalog.c.id).where(source_catalog.c.uuid == catalog.uuid)
            return {} if connection.execute(there).first() else None

        try:
            present = await self._ask("the catalog's items", find)
        except SourceError as error:
            return CatalogDiff(catalog, Answer.FAILED, reason=str(error))
        if present is None:
            return CatalogDiff(catalog, Answer.FAILED, reason="this catalog was never loaded")
        return CatalogDiff(catalog, Answer.COMPLETE, present)

    async def content(
        self, keys: Sequence[str], *, page_items: int = 500
    ) -> AsyncIterator[list[ContentItem]]:
        """Yield the items of these keys, in pages of at most ``page_items`` keys, in the order of ``keys``.

        Keys that were never loaded and items that this version cannot read are left out; the latter are logged.

        Raises:
            SourceError: The database could not answer.
        """
        for start in range(0, len(keys), page_items):
            page = keys[start : start + page_items]
            items = await self._ask("the content", partial(_items, keys=page))
            if items:
                yield items

    async def learner(self, customer: str, username: str) -> LearnerFacts | None:
        """Return one learner of one customer, linked or not; None if there is none.

        Raises:
            SourceError: The database could not answer.
        """
        question = partial(learner_of, customer=customer, username=username)
        return await self._ask("the learner", question)

    async def enrollments(
        self,
        customer: str,
        *,
        username: str | None = None,
        course_run_key: str | None = None,
        with_subsections: bool = True,
        page_items: int = 500,
    ) -> AsyncIterator[list[EnrollmentFacts]]:
        """Yield the customer's enrollments, in pages, in the order of their ids, with some five statements a page.

        Raises:
            SourceError: The database could not answer.
        """
        wanted = Wanted(customer, username, course_run_key, with_subsections)
        courses = Courses()
        after = ""
        while page := await self._ask(
            "the enrollments",
            partial(enrollment_page, wanted=wanted, after=after, page_items=page_items, courses=courses),
        ):
            yield page
            after = page[-1].id

    async def consents(self, enrollments: Sequence[str]) -> Mapping[str, Consent]:
        """Return the present consent of each of these enrollments; those that are gone are left out.

        Raises:
            SourceError: The database could not answer.
        """
        return await self._ask("the consents", partial(consents_of, ids=enrollments))

    async def aclose(self) -> None:
        """Do nothing: the engine belongs to the caller."""

    async def _ask(self, what: str, question: Callable[[Connection], _Found]) -> _Found:
        def answer() -> _Found:
            with self._engine.connect() as connection:
                return question(connection)

        try:
            return await asyncio.to_thread(answer)
        except SQLAlchemyError as error:
            raise SourceError(
                f"the embedded source could not read {what}",
                where=self._engine.url.render_as_string(hide_password=True),
                why=short_cause(error),
                next_step="Check that the database is there and at the current schema: coursewire doctor.",
            ) from error


def _items(connection: Connection, keys: Sequence[str]) -> list[ContentItem]:
    column = source_content.c.content_key
    held: dict[str, str] = {}
    for chunk in chunks([(key,) for key in keys]):
        found = connection.execute(select(column, source_content.c.data).where(in_keys((column,), chunk)))
        for key, data in found:
            held[key] = data
    items = []
    for key in keys:
        if key not in held:
            continue
        try:
            items.append(ContentItem.model_validate(orjson.loads(held[key])))
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors(include_input=False))
            _log.warning("content %s cannot be read and is left out: field %s; load it again", key, fields)
    return items


def _customer(row: Row[Any]) -> Customer:
    fields = {**row._mapping, "identity_providers": orjson.loads(row.identity_providers)}
    return Customer.model_validate(fields)
