"""Payloads and batches that are sent, and the result about each item."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonObject = dict[str, Any]
"""Plain data that JSON can carry: the only form in which payloads are kept and compared."""


class Operation(StrEnum):
    """The operation on one item at the LMS."""

    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"


def canonical_json(body: object) -> bytes:
    """Return plain data as JSON in which equal data gives equal bytes: UTF-8, sorted keys, no spaces."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def digest(canonical: bytes) -> str:
    """Return the identity of canonical JSON: the first 40 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(canonical).hexdigest()[:40]


def fingerprint(body: object) -> str:
    """Return the identity of a payload: :func:`digest` of its canonical JSON."""
    return digest(canonical_json(body))


@dataclass(frozen=True, slots=True)
class Payload:
    """One item as it is sent to the LMS.

    Attributes:
        key: Content key; for an outcome the key of its record.
        operation: The operation: create, update or retire.
        body: The exporter's plain data for this item alone. Do not change it.
        fingerprint: Digest of ``body``, by which core knows whether it has changed.
        remote_key: The key by which the LMS knows the item; equal to ``key`` unless the channel maps keys.
        remote_id: The LMS's own id, if it is known from an earlier result; else None.
        title: Title for people, which is never sent.
        confirmed: The body that the LMS last confirmed, for an update where the channel declares ``wants_confirmed``. None
            when it is not known, or everything is to be sent again.
    """

    key: str
    operation: Operation
    body: Mapping[str, Any]
    fingerprint: str
    remote_key: str
    remote_id: str | None = None
    title: str = ""
    confirmed: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The payloads of one request, all of one configuration, in the order planned.

    Attributes:
        operation: The operation that the payloads share; None where the channel declares ``mixed_operations``, and
            payloads of different operations are sent together.
        payloads: The payloads in their order; a hook that sends gives one result for each.
        id: Name of the batch in the log.
    """

    operation: Operation | None
    payloads: tuple[Payload, ...]
    id: str = ""

    def __len__(self) -> int:
        return len(self.payloads)


class ResultKind(StrEnum):
    """The LMS's answer about one item, as one of eight kinds."""

    ACCEPTED = "accepted"
    """The answer names the item, and has done what was asked."""
    ALREADY_SO = "already so"
    """The wanted state was there before: an item to retire is not there, or a result repeats one that is."""
    REJECTED = "rejected"
    """Refused for good. It waits for another payload, or for a person."""
    TRY_LATER = "try later"
    """It did not work this time, and surely has not been done, or may be done twice. It goes out with a later run."""
    THROTTLED = "throttled"
    """The LMS asks to wait: not before ``retry_at``."""
    CREDENTIALS_BROKEN = "credentials broken"
    """It refuses who we are. The job stops, and the configuration says that it needs reconnecting."""
    BLOCKED = "blocked at the LMS"
    """Nothing is wrong with the payload; a person must act there first. It rests a day, or until something changes."""
    IN_DOUBT = "in doubt"
    """It may have been done, and nobody knows. What the channel declares as its idempotency settles it."""


CONFIRMING = frozenset({ResultKind.ACCEPTED, ResultKind.ALREADY_SO})
"""The kinds after which the LMS holds what was wanted."""


@dataclass(frozen=True, slots=True)
class Result:
    """The LMS's answer about one item. Only an acknowledgement for that item makes it accepted.

    Attributes:
        kind: The kind of the answer.
        reason: Code of lower-case words with hyphens, such as ``missing-field``; "" when accepted, unless something about
            it is to be remembered.
        message: Text for people, in the LMS's words or ours. Core redacts and shortens it.
        remote_id: The LMS's own id of the item, when the answer tells it.
        http_status: Status of the answer that settled the item; None when there was none.
        excerpt: The part of the answer that is about this item. Core redacts and shortens it.
        retry_at: Instant before which the item is not sent again, when the LMS named one; with ``THROTTLED`` or
            ``TRY_LATER``.
        batch_refused: True when the batch was refused and this item is not known to be at fault. Core sends such items
            again: together when others of the batch were at fault, else in halves until the item at fault is alone.

    Example:
        >>> cw.Result(cw.ResultKind.ACCEPTED, remote_id="17", http_status=201).confirms
        True
        >>> cw.Result(cw.ResultKind.REJECTED, "missing-field", "title is blank", http_status=422).confirms
        False
    """

    kind: ResultKind
    reason: str = ""
    message: str = ""
    remote_id: str | None = None
    http_status: int | None = None
    excerpt: str = ""
    retry_at: datetime | None = None
    batch_refused: bool = False

    @property
    def confirms(self) -> bool:
        """True when the LMS now holds what was wanted."""
        return self.kind in CONFIRMING


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """An item that a channel found at the LMS under one of our keys.

    Attributes:
        remote_key: The key that it was looked up by.
        remote_id: The LMS's own id, as text.
        live: True while learners see it; False for one that is concluded, hidden or deleted.
        fields: Further fields that the LMS tells about it, for ``audit show`` and the settling of doubts.
    """

    remote_key: str
    remote_id: str | None
    live: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)
