"""Rotation of the key that protects stored secrets and tokens, without a stop.

Put a new key in front of the old one, let every process take the two, run :func:`rotate`, then remove the old key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from coursewire.configurations.secrets import SecretBox
from coursewire.errors import SecretKeyError
from coursewire.storage.tables import records as tables


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that no key opens; ``name`` is the name of the secret, or ``"token"``."""

    configuration: UUID
    name: str


@dataclass(frozen=True, slots=True)
class RotationReport:
    """Result of a rotation.

    Attributes:
        renewed: Number of rows that were encrypted anew.
        current: Number of rows that had the first key before.
        unreadable: Rows that no key opens; they were left as they are, and these secrets must be set again.
    """

    renewed: int
    current: int
    unreadable: tuple[Unreadable, ...]


def rotate(engine: sa.Engine, secrets: SecretBox, *, batch_size: int = 500) -> RotationReport:
    """Encrypt every stored secret and token with the first key.

    Each batch is committed by itself, and rows that carry the first key already are left alone: a rotation that was
    interrupted is simply started again. It may run beside jobs; a secret that is changed meanwhile is not
    overwritten.
    """
    reports = [
        _rotate_table(engine, secrets, table, name, batch_size)
        for table, name in (
            (tables.configuration_secret, tables.configuration_secret.c.name),
            (tables.token, tables.token.c.subject),
            (tables.launch, tables.launch.c.username + "\n" + tables.launch.c.course_key),
        )
    ]
    return RotationReport(
        renewed=sum(report.renewed for report in reports),
        current=sum(report.current for report in reports),
        unreadable=tuple(row for report in reports for row in report.unreadable),
    )


def _rotate_table(
    engine: sa.Engine, secrets: SecretBox, table: sa.Table, name: sa.ColumnElement[str], batch_size: int
) -> RotationReport:
    configuration, ciphertext = table.c.configuration, table.c.ciphertext
    pages = sa.select(configuration, name.label("name"), ciphertext).order_by(configuration, name)
    write = table.update().where(
        configuration == sa.bindparam("in_configuration"),
        name == sa.bindparam("in_name"),
        ciphertext == sa.bindparam("before"),  # else somebody has written a new one meanwhile
    )
    write = write.values(ciphertext=sa.bindparam("after"))
    renewed, current = 0, 0
    unreadable: list[Unreadable] = []
    rows = _page(engine, pages.limit(batch_size))
    while rows:
        changes = []
        for row in rows:
            try:
                after = secrets.renew(bytes(row.ciphertext))
            except SecretKeyError:
                shown = row.name if table is tables.configuration_secret else "token"
                unreadable.append(Unreadable(row.configuration, shown))
                continue
            if after is None:
                current += 1
            else:
                changes.append(
                    {
                        "in_configuration": row.configuration,
                        "in_name": row.name,
                        "before": row.ciphertext,
                        "after": after,
                    }
                )
        if changes:
            with engine.begin() as connection:
                connection.execute(write, changes)
            renewed += len(changes)
        last = rows[-1]
        behind = sa.or_(
            configuration > last.configuration,
            sa.and_(configuration == last.configuration, name > last.name),
        )
        rows = _page(engine, pages.where(behind).limit(batch_size))
    return RotationReport(renewed, current, tuple(unreadable))


def _page(
    engine: sa.Engine, query: sa.Select[tuple[UUID, str, bytes]]
) -> Sequence[sa.Row[tuple[UUID, str, bytes]]]:
    with engine.connect() as connection:
        return connection.execute(query).all()
