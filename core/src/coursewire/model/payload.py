"""What travels: payloads, batches, and the result about each item."""

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
    """What is to happen to one item at the LMS."""

    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"


def canonical_json(body: object) -> bytes:
    """Serialise plain data so that equal data gives equal bytes: UTF-8, sorted keys, no spaces."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def digest(canonical: bytes) -> str:
    """The identity of canonical JSON: the first 40 hex digits of its SHA-256."""
    return hashlib.sha256(canonical).hexdigest()[:40]


def fingerprint(body: object) -> str:
    """The identity of a payload: :func:`digest` of its canonical JSON."""
    return digest(canonical_json(body))


@dataclass(frozen=True, slots=True)
class Payload:
    """One item as it goes to the LMS.

    Attributes:
        key: Content key, or for an outcome the key of its record.
        operation: What is to happen.
        body: The exporter's plain data for this item alone. Do not change it.
        fingerprint: Of ``body``.
        remote_key: The key the LMS knows the item by; equal to ``key`` unless the channel maps keys.
        remote_id: The LMS's own id if it is known from an earlier result, else None.
        title: For people; never sent.
        confirmed: What the LMS surely holds of an item that is updated, where the channel declares
            ``wants_confirmed``; None when it is not known, or everything is to be sent again.
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
    """What travels in one request: payloads of one configuration, in the order planned.

    ``operation`` is None where the channel declares ``mixed_operations``: then payloads of different
    operations travel together.
    """

    operation: Operation | None
    payloads: tuple[Payload, ...]
    id: str = ""

    def __len__(self) -> int:
        return len(self.payloads)


class ResultKind(StrEnum):
    """What the LMS said about one item."""

    ACCEPTED = "accepted"
    """The answer names the item, and has done what was asked."""
    ALREADY_SO = "already so"
    """What is wanted was so before: an item to retire is not there, a result is a duplicate of one that is."""
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
        kind: What was said.
        reason: A short code of lower-case words with hyphens, such as ``missing-field``; "" when accepted, unless
            something about it is to be remembered.
        message: The LMS's words or ours, for people. Core redacts and bounds it.
        remote_id: The LMS's own id of the item, when the answer tells it.
        http_status: Status of the answer that settled the item; None when there was none.
        excerpt: The part of the answer that is about this item. Core redacts and bounds it.
        retry_at: With ``THROTTLED`` or ``TRY_LATER``: not before this instant, when the LMS said so.
        batch_refused: The batch was refused and this item is not known to be at fault. Core sends such items
            again: together when others of the batch were blamed, else in halves until the item at fault
            is alone.
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
    """What a channel found at the LMS under one of our keys.

    Attributes:
        remote_key: The key it was looked up by.
        remote_id: The LMS's own id, as text.
        live: Visible to learners; False for one that is concluded, hidden or deleted.
        fields: What else the LMS tells about it, for ``audit show`` and the settling of doubts.
    """

    remote_key: str
    remote_id: str | None
    live: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)
