"""Tables of access to the service: accounts, tokens, their roles, and console sessions.

These are the people who operate Coursewire, not learners.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Uuid

from coursewire.storage.tables.base import metadata
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

account = Table(
    "account",
    metadata,
    Column("uuid", Uuid(), primary_key=True),
    Column("name", key_text(255), nullable=False, unique=True),
    Column("password_hash", long_text(), nullable=True),  # argon2; None for one who signs in elsewhere
    Column("failures", Integer(), nullable=False),  # wrong passwords in a row
    Column("locked_until_at", UtcDateTime(), nullable=True),
    Column("disabled_at", UtcDateTime(), nullable=True),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("uuid", Uuid(), primary_key=True),
    Column("name", key_text(255), nullable=False),
    Column("digest", key_text(64), nullable=False, unique=True),  # SHA-256 of the token, which is random
    Column("created_by", key_text(255), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=True),
    Column("revoked_at", UtcDateTime(), nullable=True),
    Column("used_at", UtcDateTime(), nullable=True),  # to the hour
)

access_grant = Table(
    "access_grant",
    metadata,
    Column("holder", Uuid(), primary_key=True),  # of an account or a token
    Column("role", key_text(20), primary_key=True),
    Column("customer", key_text(36), primary_key=True),  # "" for all
)

console_session = Table(
    "console_session",
    metadata,
    Column("digest", key_text(64), primary_key=True),
    Column("account", Uuid(), nullable=False),
    Column("csrf", key_text(64), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Index(None, "account"),
    Index(None, "expires_at"),
)
