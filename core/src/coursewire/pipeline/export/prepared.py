"""The prepared items that exporting hands to sending and planning, whatever is exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from coursewire.errors import ContractError, NotExportableError
from coursewire.model.payload import JsonObject, Payload, canonical_json
from coursewire.model.reasons import Reason
from coursewire.storage.audit.records import Record

PAGE_ITEMS = 500
"""Items whose payloads are in memory at once (two pages: one being sent, one being built)."""


@dataclass(slots=True)
class Prepared:
    """One item or outcome, looked at: what is to be sent, or why not.

    Attributes:
        record: With its wanted fingerprint and pending operation set, if it is to be sent.
        payload: None when the item is left.
        reason: Why it is sent, or why it is left.
        message: More about the reason, for people.
        canonical: The payload as canonical JSON.
        version: The source's version that the payload was made from.
        examine_again_at: When the payload will change by itself.
        changed: The record must be written although nothing is sent.
        title: For people.
    """

    record: Record
    payload: Payload | None
    reason: str
    message: str = ""
    canonical: bytes = b""
    version: str = ""
    examine_again_at: datetime | None = None
    changed: bool = False
    title: str = ""


class NotBuiltError(Exception):
    """No payload could be made of an item.

    Attributes:
        reason: A reason code.
        message: More about it, for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def build(make: Callable[[], JsonObject]) -> tuple[JsonObject, bytes]:
    """Make a payload by a channel's exporter; with it comes its canonical JSON.

    Raises:
        NotBuiltError: The item lacks something, or the channel broke its contract.
    """
    try:
        body = make()
        return body, canonical_json(body)
    except NotExportableError as error:
        raise NotBuiltError(Reason.NOT_EXPORTABLE, str(error)) from error
    except (ContractError, TypeError) as error:
        raise NotBuiltError(Reason.CHANNEL_FAULT, str(error)) from error
