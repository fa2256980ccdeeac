"""Questions about the embedded source's learners that go beyond what every source answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from coursewire.model.results import LearnerFacts
from coursewire.sources.database.questions import chunks, in_keys
from coursewire.storage.tables.source import source_learner, source_learner_identity

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def learners_of(engine: Engine, customer: str) -> list[LearnerFacts]:
    """Return all learners of a customer in the order of their names, linked or not, enrolled or not."""
    remote_ids: defaultdict[str, dict[str, str]] = defaultdict(dict)
    identity, learner = source_learner_identity.c, source_learner.c
    with engine.connect() as connection:
        for username, provider, remote_id in connection.execute(
            select(identity.username, identity.provider, identity.remote_id).where(
                identity.customer == customer
            )
        ):
            remote_ids[username][provider] = remote_id
        rows = connection.execute(
            select(learner.username, learner.email, learner.active, learner.linked)
            .where(learner.customer == customer)
            .order_by(learner.username)
        )
        return [LearnerFacts(**row._mapping, remote_ids=remote_ids.get(row.username, {})) for row in rows]


def learner_of(connection: Connection, customer: str, username: str) -> LearnerFacts | None:
    """Return one learner of a customer, linked or not; None if there is none."""
    identity, learner = source_learner_identity.c, source_learner.c
    row = connection.execute(
        select(learner.username, learner.email, learner.active, learner.linked, learner.pending).where(
            learner.customer == customer, learner.username == username
        )
    ).one_or_none()
    if row is None:
        return None
    remote_ids = connection.execute(
        select(identity.provider, identity.remote_id).where(
            identity.customer == customer, identity.username == username
        )
    )
    return LearnerFacts(**row._mapping, remote_ids={each.provider: each.remote_id for each in remote_ids})


def linked_elsewhere(engine: Engine, customer: str, usernames: Collection[str]) -> dict[str, int]:
    """Return the number of other customers that each of these learners is linked to; learners with none are left out."""
    learner = source_learner.c
    found: dict[str, int] = {}
    with engine.connect() as connection:
        for chunk in chunks([(name,) for name in usernames]):
            query = (
                select(learner.username, func.count())
                .where(in_keys((learner.username,), chunk), learner.customer != customer)
                .where(learner.linked.is_(True))
                .group_by(learner.username)
            )
            for username, count in connection.execute(query):
                found[username] = count
    return found


def unlink(connection: Connection, customer: str, usernames: Collection[str]) -> int:
    """End the membership of these learners at one customer.

    Their rows stay, so that a later line of a bundle that differs from the last one links them again. Their rows at
    other customers stay as they are.

    Args:
        connection: Connection in a transaction.
        customer: UUID of the customer.
        usernames: Usernames of the learners; those who are not linked stay as they are.

    Returns:
        The number of learners who were linked before.
    """
    learner = source_learner.c
    count = 0
    for chunk in chunks([(name,) for name in usernames]):
        count += connection.execute(
            update(source_learner)
            .where(in_keys((learner.username,), chunk), learner.customer == customer)
            .where(learner.linked.is_(True))
            .values(linked=False, active=False)
        ).rowcount
    return count
