"""The tables of configurations, records, jobs and locks; docs/reference/records.md describes each.

Timestamps are aware UTC and end in ``_at``. Columns that hold personal data are marked with
``info=PERSONAL``; ``coursewire learners forget`` reaches them through that mark.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
)

from coursewire.storage.tables.base import PERSONAL, metadata
from coursewire.storage.tables.columns import UtcDateTime, key_text, long_text

_BIG_ID = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only INTEGER keys

configuration = Table(
    "configuration",
    metadata,
    Column("uuid", Uuid(), primary_key=True),
    Column("channel", key_text(30), nullable=False),
    Column("customer", key_text(36), nullable=False),
    Column("fields", long_text(), nullable=False),  # JSON object, secrets left out
    Column("active", Boolean(), nullable=False),
    Column("version", Integer(), nullable=False),
    Column("needs_reconnect_since_at", UtcDateTime(), nullable=True),
    Column("needs_reconnect_reason", long_text(), nullable=True),
    Column("failing_since_at", UtcDateTime(), nullable=True),
    Column("failing_reason", long_text(), nullable=True),
    Column("next_try_at", UtcDateTime(), nullable=True),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
    Column("removed_at", UtcDateTime(), nullable=True),
    Index(None, "customer", "channel"),
)

configuration_secret = Table(
    "configuration_secret",
    metadata,
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), primary_key=True),
    Column("name", key_text(100), primary_key=True),
    Column("ciphertext", LargeBinary(65535), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
)

configuration_history = Table(
    "configuration_history",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("configuration", Uuid(), nullable=False, index=True),
    Column("version", Integer(), nullable=False),
    Column("action", key_text(20), nullable=False),
    Column("actor", key_text(255), nullable=False),
    Column("changes", long_text(), nullable=False),  # JSON {field: [old, new]}; secrets as "set" / "changed"
    Column("at", UtcDateTime(), nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), primary_key=True),
    Column("subject", key_text(64), primary_key=True),  # SHA-256 of the subject: it may be a person
    Column("ciphertext", LargeBinary(65535), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
)


oauth_state = Table(
    "oauth_state",
    metadata,
    Column("state", key_text(64), primary_key=True),  # SHA-256 of what the browser carries
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), nullable=False),
    Column("session", key_text(64), nullable=False),  # SHA-256 of the session's id
    Column("redirect_uri", long_text(), nullable=False),  # where the LMS sends the browser afterwards
    Column("verifier", LargeBinary(65535), nullable=True),  # encrypted
    Column("expires_at", UtcDateTime(), nullable=False),
    Column("used_at", UtcDateTime(), nullable=True),  # none while it may still be used
    Index(None, "configuration"),
    Index(None, "expires_at"),
)


def _state_columns(info: dict[str, Any]) -> tuple[Column[Any], ...]:
    """Return the columns that content and outcome records share: the state, and what the LMS last confirmed.

    Args:
        info: Mark of the columns that may tell whom a record is about.
    """
    return (
        Column("state", key_text(20), nullable=False),
        Column("operation", key_text(10), nullable=True),  # pending
        Column("present", Boolean(), nullable=False),  # the LMS holds it, or may hold it, visible to learners
        Column("remote_key", key_text(255), nullable=False, info=info),
        Column("remote_id", key_text(255), nullable=True),
        Column("wanted_fingerprint", key_text(40), nullable=True),
        Column("confirmed_fingerprint", key_text(40), nullable=True),
        Column("confirmed_payload", long_text(), nullable=True, info=info),
        Column(
            "source_version", key_text(64), nullable=True
        ),  # the source's version last examined and settled
        Column(
            "export_context", key_text(16), nullable=True
        ),  # configuration and plugin version then, as a digest
        Column(
            "examine_again_at", UtcDateTime(), nullable=True
        ),  # the payload changes by itself at this instant
        Column("attempts", Integer(), nullable=False),  # since the last confirmation
        Column("not_before_at", UtcDateTime(), nullable=True),
        Column(
            "batch_cap", Integer(), nullable=True
        ),  # suspect of a refused batch: travels in batches up to this
        Column("reason", key_text(60), nullable=True),
        Column("message", long_text(), nullable=True, info=info),
        Column("job", Uuid(), nullable=True),  # who is sending it
        Column("attempted_at", UtcDateTime(), nullable=True),
        Column("confirmed_at", UtcDateTime(), nullable=True),
        Column("created_at", UtcDateTime(), nullable=False),
        Column("updated_at", UtcDateTime(), nullable=False),
    )


content_record = Table(
    "content_record",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), nullable=False),
    Column("content_key", key_text(255), nullable=False),
    Column("content_type", key_text(20), nullable=False),
    Column("title", long_text(), nullable=False),
    Column("catalogs", long_text(), nullable=False),  # JSON list: where the item comes from
    *_state_columns({}),
    UniqueConstraint("configuration", "content_key"),
    Index(None, "configuration", "state", "id", "reason", "present"),  # the last two are counted
    Index(None, "configuration", "id"),
    Index(None, "state", "id", "reason"),
    Index(None, "content_key", "configuration", "id"),
)

outcome_record = Table(
    "outcome_record",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), nullable=False),
    Column("outcome_key", key_text(40), nullable=False),  # digest of enrollment, course key and subsection
    Column("kind", key_text(20), nullable=False),
    Column("enrollment", key_text(64), nullable=False),
    Column("course_key", key_text(255), nullable=False),
    Column("subsection", key_text(255), nullable=False),  # "" for what is about the whole enrollment
    Column("username", key_text(255), nullable=False, info=PERSONAL),
    Column(
        "evidence", long_text(), nullable=True, info=PERSONAL
    ),  # JSON: what was told, and what that was concluded from
    *_state_columns(PERSONAL),
    # named by hand: a name made from the columns is longer than PostgreSQL allows
    UniqueConstraint(
        "configuration", "kind", "enrollment", "course_key", "subsection", name="uq_outcome_record_key"
    ),
    UniqueConstraint("configuration", "kind", "outcome_key", name="uq_outcome_record_outcome_key"),
    Index(None, "configuration", "kind", "state", "id", "reason", "present"),  # the last two are counted
    Index(None, "configuration", "id"),
    Index(None, "state", "id", "kind", "reason"),
    Index(None, "reason", "configuration", "username"),  # who waits for an id
    Index(None, "username", "configuration", "id"),
    Index(None, "course_key", "configuration", "id"),
    Index(
        None, "remote_key", "configuration", "course_key"
    ),  # what else was told about a learner in a course
)

transmission = Table(
    "transmission",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("configuration", Uuid(), nullable=False),
    Column("kind", key_text(20), nullable=False),
    Column("item", key_text(255), nullable=False),  # content key, or id of the outcome record
    Column("operation", key_text(10), nullable=False),
    Column("result", key_text(30), nullable=False),
    Column("reason", key_text(60), nullable=True),
    Column("message", long_text(), nullable=True, info=PERSONAL),
    Column("fingerprint", key_text(40), nullable=True),
    Column("http_status", SmallInteger(), nullable=True),
    Column("excerpt", long_text(), nullable=True, info=PERSONAL),
    Column("duration_ms", Integer(), nullable=True),
    Column("batch", key_text(32), nullable=True),
    Column("batch_size", Integer(), nullable=True),
    Column("job", Uuid(), nullable=False),
    Column("at", UtcDateTime(), nullable=False),
    # What stands behind the id is looked at without the row.
    Index(None, "item", "configuration", "kind", "id"),
    Index(None, "configuration", "id", "result", "kind", "at"),
    Index(None, "result", "id", "kind"),
    Index(None, "job", "id"),
    Index(None, "at", "configuration", "result"),  # counted day by day
)

job = Table(
    "job",
    metadata,
    Column("uuid", Uuid(), primary_key=True),
    Column("kind", key_text(20), nullable=False),
    Column("configuration", Uuid(), nullable=False),
    Column("state", key_text(20), nullable=False),  # running, finished, failed, stopped, abandoned
    Column("actor", key_text(255), nullable=False),
    Column("options", long_text(), nullable=False),
    Column("summary", long_text(), nullable=True),
    Column("error", long_text(), nullable=True),
    Column("started_at", UtcDateTime(), nullable=False),
    Column("finished_at", UtcDateTime(), nullable=True),
    Index(None, "configuration", "started_at"),
    Index(None, "started_at"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", key_text(120), primary_key=True),
    Column("owner", key_text(64), nullable=True),  # job or purpose that holds it; None when free
    Column("process", key_text(255), nullable=True),  # host, process id and start, to see that it died
    Column("expires_at", UtcDateTime(), nullable=False),
    Column("acquired_at", UtcDateTime(), nullable=True),
    # grows each time that the lease is taken, so that a holder of before is told from the present one
    Column("fence", BigInteger(), nullable=False, server_default="0"),  # number of times it was taken
)

limit = Table(
    "limit",
    metadata,
    Column("bucket", key_text(255), primary_key=True),
    Column("hits", Integer(), nullable=False),
    Column("resets_at", UtcDateTime(), nullable=False),  # end of the window that ``hits`` counts
    Column("closed_until_at", UtcDateTime(), nullable=True),  # the LMS said: not before
)

identity_link = Table(
    "identity_link",
    metadata,
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), primary_key=True),
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("state", key_text(20), nullable=False),  # linked, unmatched, ambiguous
    Column("remote_id", key_text(255), nullable=True, info=PERSONAL),
    Column("provider", key_text(255), nullable=True),
    Column("origin", key_text(60), nullable=False),
    Column("checked_at", UtcDateTime(), nullable=False),
    Index(None, "configuration", "state"),
)

key_map = Table(
    "key_map",
    metadata,
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), primary_key=True),
    Column("content_key", key_text(255), primary_key=True),
    Column("remote_key", key_text(255), nullable=False),
    UniqueConstraint("configuration", "remote_key"),
)

feed = Table(
    "feed",
    metadata,
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), primary_key=True),
    Column("latest_at", UtcDateTime(), nullable=True),  # newest time that any item bears or was shown with
    Column("polled_at", UtcDateTime(), nullable=True),
    Column("polled_since_at", UtcDateTime(), nullable=True),  # what the last poll that said so has
    Column(
        "window_at", UtcDateTime(), nullable=True
    ),  # since when answers to polls that do not say so are equal
)

feed_item = Table(
    "feed_item",
    metadata,
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), primary_key=True),
    Column("content_key", key_text(255), primary_key=True),
    Column("remote_key", key_text(255), nullable=False),
    Column("live", Boolean(), nullable=False),
    Column("fingerprint", key_text(40), nullable=False),
    Column("body", long_text(), nullable=False),
    Column("job", Uuid(), nullable=False),  # that offered it
    Column("changed_at", UtcDateTime(), nullable=False),  # strictly increasing within the configuration
    Column("shown_at", UtcDateTime(), nullable=True),  # latest time that this version was served with
    Column("first_served_at", UtcDateTime(), nullable=True),  # any version
    Column("served_at", UtcDateTime(), nullable=True),  # this version, first
    Column("last_served_at", UtcDateTime(), nullable=True),
    Column("acknowledged_at", UtcDateTime(), nullable=True),  # this version, last
    Index(None, "configuration", "changed_at"),
    Index(None, "configuration", "acknowledged_at"),
)

launch = Table(
    "launch",
    metadata,
    Column("configuration", Uuid(), ForeignKey("configuration.uuid", ondelete="CASCADE"), primary_key=True),
    Column("username", key_text(255), primary_key=True, info=PERSONAL),
    Column("course_key", key_text(255), primary_key=True),
    Column("remote_id", key_text(255), nullable=False, info=PERSONAL),
    Column("callback", key_text(500), nullable=False),
    Column("ciphertext", LargeBinary(65535), nullable=False),  # session token
    Column("received_at", UtcDateTime(), nullable=False),
    Index(None, "configuration", "received_at"),
)
