"""Targets of the lines of each file: tables, columns, and the rows that a line may refer to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from coursewire.model.payload import canonical_json
from coursewire.sources.database.questions import Key, known, look_up
from coursewire.storage.tables.source import (
    source_catalog,
    source_catalog_item,
    source_certificate,
    source_content,
    source_course_run,
    source_customer,
    source_enrollment,
    source_grade,
    source_learner,
    source_learner_identity,
    source_subsection_grade,
)

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

    from coursewire.sources.rows import (
        CatalogRow,
        CertificateRow,
        ContentRow,
        CustomerRow,
        EnrollmentRow,
        GradeRow,
        LearnerRow,
    )

Values = dict[str, Any]
Objection = tuple[str, str]
"""A field and why its line is refused."""


@dataclass(frozen=True, slots=True)
class Members:
    """A list inside a line, which has a table of its own and is replaced as a whole.

    Attributes:
        table: Table of the list.
        owner: Columns that name the line of the list, in the order of the target's key.
        values: Function that returns the rows of a line's list, ``owner`` included.
    """

    table: Table
    owner: tuple[str, ...]
    values: Callable[[Any], list[Values]]


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference of a line to a row that must exist.

    Attributes:
        columns: Columns of the table that the row must be in.
        key: Function that returns the line's values for these columns.
        objection: The field at fault, and the sentence about a missing row.
    """

    columns: tuple[Column[Any], ...]
    key: Callable[[Any], Key]
    objection: Objection


@dataclass(frozen=True, slots=True)
class Target:
    """The target of the lines of one file.

    Attributes:
        table: Table with one row for each line.
        key: Columns that identify the row.
        values: Function that returns a line's row, without ``version``.
        members: Lists inside a line.
        references: References to rows that must exist.
        fixed: Columns that a later line must not change.
        page_lines: Number of lines in one transaction.
    """

    table: Table
    key: tuple[str, ...]
    values: Callable[[Any], Values]
    members: tuple[Members, ...] = ()
    references: tuple[Reference, ...] = ()
    fixed: tuple[str, ...] = ()
    page_lines: int = 1000

    def objections(self, connection: Connection, rows: Sequence[Any]) -> list[Objection | None]:
        """Return for each row the reason why it cannot be stored, or None, with one query a reference and chunk of keys."""
        found: list[Objection | None] = [None] * len(rows)
        for reference in self.references:
            keys = [reference.key(row) for row in rows]
            there = known(connection, reference.columns, keys)
            for number, key in enumerate(keys):
                if found[number] is None and key not in there:
                    found[number] = reference.objection
        for name in self.fixed:
            columns = [self.table.c[column] for column in self.key]
            values = [self.values(row) for row in rows]
            keys = [tuple(value[column] for column in self.key) for value in values]
            held = look_up(connection, columns, keys, self.table.c[name])
            for number, (key, value) in enumerate(zip(keys, values, strict=True)):
                if found[number] is None and held.get(key, value[name]) != value[name]:
                    found[number] = (name, "differs from what was loaded before, and must stay as it was")
        return found


def _customer(row: CustomerRow) -> Values:
    return {
        **row.model_dump(exclude={"identity_providers"}),
        "identity_providers": orjson.dumps(row.model_dump()["identity_providers"]).decode(),
    }


def _content(row: ContentRow) -> Values:
    return {
        "content_key": row.item.content_key,
        "content_type": row.item.content_type.value,
        "title": row.item.title or "",
        "modified_at": row.item.content_last_modified,
        "data": canonical_json(row.data).decode(),
    }


def _runs(row: ContentRow) -> list[Values]:
    return [{"run_key": key, "content_key": row.item.content_key} for key in row.run_keys]


def _catalog(row: CatalogRow) -> Values:
    return {"uuid": row.uuid, "customer": row.customer, "title": row.title, "modified_at": row.modified}


def _catalog_items(row: CatalogRow) -> list[Values]:
    return [{"catalog": row.uuid, "content_key": key} for key in row.content_keys]


def _learner(row: LearnerRow) -> Values:
    return row.model_dump(exclude={"remote_ids"})


def _identities(row: LearnerRow) -> list[Values]:
    return [
        {"username": row.username, "customer": row.customer, "provider": provider, "remote_id": remote_id}
        for provider, remote_id in row.remote_ids.items()
    ]


def _enrollment(row: EnrollmentRow) -> Values:
    return {
        "id": row.id,
        **row.model_dump(exclude={"created", "consent", "consent_granted"}),
        "created_at": row.created,
        "consent_state": row.consent_state.value,
        "license_state": row.license_state.value if row.license_state else None,
    }


def _grade(row: GradeRow) -> Values:
    return {
        **row.model_dump(exclude={"passed_timestamp", "modified", "subsections"}),
        "passed_at": row.passed_timestamp,
        "modified_at": row.modified,
    }


def _subsections(row: GradeRow) -> list[Values]:
    return [
        {"username": row.username, "course_id": row.course_id, "position": position, **one.model_dump()}
        for position, one in enumerate(row.subsections)
    ]


def _certificate(row: CertificateRow) -> Values:
    return {
        **row.model_dump(exclude={"created", "modified"}),
        "created_at": row.created,
        "modified_at": row.modified,
    }


_CUSTOMER = Reference(
    (source_customer.c.uuid,),
    lambda row: (row.customer,),
    ("customer", "names a customer that is not known"),
)
_LEARNER = Reference(
    (source_learner.c.username, source_learner.c.customer),
    lambda row: (row.username, row.customer),
    ("username", "names nobody who is a learner of this customer"),
)
_COURSE_RUN = Reference(
    (source_course_run.c.run_key,),
    lambda row: (row.course_id,),
    ("course_id", "names a course run that no content item holds"),
)
_ENROLLMENT = Reference(
    (source_enrollment.c.username, source_enrollment.c.course_id),
    lambda row: (row.username, row.course_id),
    ("course_id", "names a course run in which this learner is not enrolled"),
)

TARGETS = {
    "customers": Target(source_customer, ("uuid",), _customer),
    "content": Target(
        source_content,
        ("content_key",),
        _content,
        members=(Members(source_course_run, ("content_key",), _runs),),
        page_lines=500,
    ),
    # One a transaction: whoever asks in between must not see half a catalog.
    "catalogs": Target(
        source_catalog,
        ("uuid",),
        _catalog,
        members=(Members(source_catalog_item, ("catalog",), _catalog_items),),
        references=(_CUSTOMER,),
        fixed=("customer",),
        page_lines=1,
    ),
    "learners": Target(
        source_learner,
        ("username", "customer"),
        _learner,
        members=(Members(source_learner_identity, ("username", "customer"), _identities),),
        references=(_CUSTOMER,),
    ),
    "enrollments": Target(
        source_enrollment,
        ("id",),
        _enrollment,
        references=(_CUSTOMER, _LEARNER, _COURSE_RUN),
    ),
    "grades": Target(
        source_grade,
        ("username", "course_id"),
        _grade,
        members=(Members(source_subsection_grade, ("username", "course_id"), _subsections),),
        references=(_ENROLLMENT,),
    ),
    "certificates": Target(
        source_certificate, ("username", "course_id"), _certificate, references=(_ENROLLMENT,)
    ),
}
"""By the name of the file, without ``.jsonl``."""
