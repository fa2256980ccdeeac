"""Who has left: SAP's inactive users, and which of our learners they are."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from coursewire.errors import CoursewireError, IncompleteListError, SendError
from coursewire.model.identity import BY_HAND, Identity, IdentityState
from coursewire.pipeline.rules.identity import identify
from coursewire.sources.database import DatabaseSource, learners_of, linked_elsewhere
from coursewire.storage.tables.records import identity_link
from coursewire.toolkit.responses import error_text, read_json
from coursewire_sap.client import raise_if_blocked, sap_config
from coursewire_sap.config import SEARCH

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

    from coursewire.installation import Installation
    from coursewire.model.content import Customer
    from coursewire.model.results import LearnerFacts
    from coursewire.model.session import Session
    from coursewire_sap.config import SapConfig

PAGE = 500
"""Users a page, as SAP recommends; 1000 is its limit."""
MOST_STUDENTS = 2_000_000
"""Where a list that does not end is given up."""

LINKED, NOT_LINKED, AMBIGUOUS, UNKNOWN, UNLINKED = "linked", "not linked", "ambiguous", "unknown", "unlinked"


@dataclass(slots=True)
class Student:
    """An inactive user of SAP, and who that is here.

    Attributes:
        student_id: At SAP.
        state: ``linked``, ``not linked`` any more, ``ambiguous`` (the id of several learners), ``unknown``.
        username: Of the learner; "" unless it is exactly one.
        elsewhere: To how many other customers the learner is linked, as far as the source knows.
    """

    student_id: str
    state: str = UNKNOWN
    username: str = ""
    elsewhere: int = 0


@dataclass(slots=True)
class Survey:
    """All inactive users of one tenant.

    Attributes:
        students: In SAP's order.
        linked: How many learners the customer has that are linked.
        fault: Why the list at SAP could not be read to its end; None when it was.
    """

    students: list[Student] = field(default_factory=list)
    linked: int = 0
    fault: CoursewireError | None = None

    def counts(self) -> Counter[str]:
        """How many there are of each state."""
        return Counter(student.state for student in self.students)

    def leavers(self) -> list[Student]:
        """Those whose membership should end."""
        return [student for student in self.students if student.state == LINKED]


async def read_inactive(session: Session) -> AsyncIterator[list[str]]:
    """The ids of SAP's inactive users, in pages, one after the other and as slowly as SAP wants.

    Raises:
        IncompleteListError: A page was refused, cannot be read, or brought nothing new
            though users are missing.
        SendError: A page got no answer.
    """
    seen: set[str] = set()
    skip = 0
    while skip < MOST_STUDENTS:
        response = await session.get(
            sap_config(session).search_student_api_path,
            params={
                "$filter": "criteria/isActive eq False",
                "$select": "studentID",
                "$count": "true",
                "$top": PAGE,
                "$skip": skip,
            },
            bucket=SEARCH,
        )
        raise_if_blocked(response)
        body = read_json(response)
        try:
            if not response.is_success or error_text(body):
                raise ValueError
            found, total = [str(row["studentID"]) for row in body["value"]], int(body["@odata.count"])
        except (TypeError, KeyError, ValueError):
            words = error_text(body) or "the answer is not a page of users"
            raise _incomplete(skip, f"status {response.status_code}, {words}") from None
        new = [student for student in dict.fromkeys(found) if student not in seen]
        seen.update(new)
        yield new
        if len(seen) >= total:
            return
        if not new:
            raise _incomplete(skip, f"of {total} users only {len(seen)} came")
        skip += len(found)
    raise _incomplete(MOST_STUDENTS, "it does not end")


def _incomplete(skip: int, why: str) -> IncompleteListError:
    return IncompleteListError(
        f"SAP's list of inactive users could not be read beyond number {skip}",
        why=why,
        next_step="Nothing was changed. Run the command again.",
    )


async def survey_inactive(
    installation: Installation, session: Session, configuration: UUID, customer: Customer
) -> Survey:
    """Read the inactive users and find out who they are; changes nothing."""
    survey = Survey()
    ids: list[str] = []
    try:
        async for page in read_inactive(session):
            ids += page
    except (IncompleteListError, SendError) as error:
        survey.fault = error
    learners = await _learners(installation, customer.uuid)
    survey.linked = sum(learner.linked for learner in learners)
    config, by_hand = (
        sap_config(session),
        await asyncio.to_thread(_by_hand, installation.engine, configuration),
    )
    survey.students = identify_all(ids, config, customer, learners, by_hand)
    if isinstance(installation.source, DatabaseSource):
        names = [student.username for student in survey.leavers()]
        others = await asyncio.to_thread(linked_elsewhere, installation.engine, customer.uuid, names)
        for student in survey.leavers():
            student.elsewhere = others.get(student.username, 0)
    return survey


def identify_all(
    ids: Sequence[str],
    config: SapConfig,
    customer: Customer,
    learners: Sequence[LearnerFacts],
    by_hand: Mapping[str, Identity],
) -> list[Student]:
    """Say of each user who it is here, by the ids under which completions are reported."""
    owners: defaultdict[str, list[LearnerFacts]] = defaultdict(list)
    for learner in learners:
        if value := identify(config, customer, learner, by_hand.get(learner.username)).value:
            owners[value].append(learner)

    def student(student_id: str) -> Student:
        match owners.get(student_id, ()):
            case []:
                return Student(student_id)
            case [learner]:
                return Student(student_id, LINKED if learner.linked else NOT_LINKED, learner.username)
        return Student(student_id, AMBIGUOUS)

    return [student(student_id) for student_id in ids]


async def _learners(installation: Installation, customer: str) -> list[LearnerFacts]:
    """The customer's learners; from another source than ours those who are enrolled, as it tells no others."""
    if isinstance(installation.source, DatabaseSource):
        return await asyncio.to_thread(learners_of, installation.engine, customer)
    found: dict[str, LearnerFacts] = {}
    async for page in installation.source.enrollments(customer):
        found.update((facts.learner.username, facts.learner) for facts in page)
    return list(found.values())


def _by_hand(engine: Engine, configuration: UUID) -> dict[str, Identity]:
    columns = identity_link.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(columns.username, columns.remote_id, columns.provider).where(
                columns.configuration == configuration, columns.origin == BY_HAND
            )
        )
        return {
            row.username: Identity(IdentityState.LINKED, row.remote_id, row.provider or "", BY_HAND)
            for row in rows
        }
