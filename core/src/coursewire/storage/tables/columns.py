"""Column types that mean the same on SQLite, PostgreSQL, MySQL and MariaDB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import DateTime, TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """Type of an aware UTC instant with microseconds; naive values are refused."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return ``timestamptz`` on PostgreSQL, ``DATETIME(6)`` on MySQL, text on SQLite."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; keep the zone only where the database knows zones."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r} for a database column; times are aware UTC")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_BINARY = "utf8mb4_bin"


def key_text(length: int) -> String:
    """Return a text type that is compared byte for byte on every database: keys differ in capitals, which MySQL folds."""
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation=_BINARY)
    return String(length).with_variant(exact, "mysql", "mariadb")


def long_text() -> Text:
    """Return a text type of any length, for payloads and summaries."""
    exact = mysql.LONGTEXT(charset="utf8mb4", collation=_BINARY)
    return Text().with_variant(exact, "mysql", "mariadb")
