"""The request that a customer makes of bulk enrollment, and its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from coursewire.model.payload import JsonObject
from coursewire.sources.rows import Key, LongText, Text

# One @, something before it and a dotted name behind it: what else an address needs only its mail server knows.
_ADDRESS = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_LONGEST_ADDRESS = 254

_Email = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]


def is_address(email: str) -> bool:
    """Tell whether a text has the form of an e-mail address."""
    return len(email) <= _LONGEST_ADDRESS and email.isprintable() and _ADDRESS.fullmatch(email) is not None


class BulkItem(BaseModel):
    """One learner for one course run.

    ``email`` or ``user_id`` (the user name) says who, ``license_uuid`` or ``transaction_id`` on what account.
    """

    model_config = ConfigDict(frozen=True)

    email: _Email | None = None
    user_id: Key | None = None
    course_run_key: Key
    license_uuid: str | None = None
    transaction_id: str | None = None
    activation_link: str | None = None
    force_enrollment: bool = False

    @model_validator(mode="after")
    def _complete(self) -> BulkItem:
        if self.email is None and self.user_id is None:
            raise ValueError("has neither email nor user_id")
        if self.license_uuid is None and self.transaction_id is None:
            raise ValueError("has neither license_uuid nor transaction_id")
        return self


def _some(items: tuple[BulkItem, ...]) -> tuple[BulkItem, ...]:
    if not items:
        raise ValueError("names nobody")
    return items


class BulkRequest(BaseModel):
    """A request; ``licenses_info`` is the older name of ``enrollments_info``."""

    model_config = ConfigDict(frozen=True)

    enrollments_info: Annotated[tuple[BulkItem, ...], AfterValidator(_some)] = Field(
        validation_alias=AliasChoices("enrollments_info", "licenses_info")
    )
    discount: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(100)
    notify: bool = False
    reason: LongText = ""
    salesforce_id: Text = ""


@dataclass(frozen=True, slots=True)
class BulkEntry:
    """The end of one item of a request.

    Attributes:
        created: Of a success or a pending one: it was not there before.
        reason: Of a failure: a code.
        message: Of a failure: for people.
    """

    email: str | None
    user_id: str | None
    course_run_key: str
    activation_link: str | None = None
    created: bool = False
    reason: str = ""
    message: str = ""


@dataclass(slots=True)
class BulkResult:
    """The end of a request; every item is in exactly one of the lists.

    Attributes:
        successes: Enrolled, now or before.
        pending: Kept until there is an account with the e-mail address.
        failures: Not enrolled; the others are.
        invalid_email_addresses: Each once; nothing was done for them.
        invalid_user_ids: Each once; nobody has these user names.
        errors: Why the request was refused as a whole: what is wrong by field.
    """

    successes: list[BulkEntry] = field(default_factory=list)
    pending: list[BulkEntry] = field(default_factory=list)
    failures: list[BulkEntry] = field(default_factory=list)
    invalid_email_addresses: list[str] = field(default_factory=list)
    invalid_user_ids: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """As an HTTP status.

        400 the request was refused; 409 something in it failed, whatever else was done; 202 somebody is
        awaited; 201 everybody is enrolled.
        """
        if self.errors:
            return 400
        if self.failures or self.invalid_email_addresses or self.invalid_user_ids:
            return 409
        return 202 if self.pending else 201

    def as_json(self) -> JsonObject:
        """As the answer to the customer."""
        if self.errors:
            return {"errors": self.errors}
        entries = {"successes": self.successes, "pending": self.pending, "failures": self.failures}
        answer: JsonObject = {
            name: [_entry(entry, failed=name == "failures") for entry in found]
            for name, found in entries.items()
        }
        if self.invalid_email_addresses:
            answer["invalid_email_addresses"] = self.invalid_email_addresses
        if self.invalid_user_ids:
            answer["invalid_user_ids"] = self.invalid_user_ids
        return answer


def _entry(entry: BulkEntry, *, failed: bool) -> JsonObject:
    leave_out = ("created", "activation_link") if failed else ("reason", "message")
    return {
        name: value
        for name, value in asdict(entry).items()
        if name not in leave_out and (name != "user_id" or value is not None)
    }


def read_request(request: Mapping[str, Any]) -> BulkRequest | BulkResult:
    """The request, or, when it is malformed, the result that says so."""
    try:
        return BulkRequest.model_validate(request)
    except ValidationError as error:
        # The values are left out: they are addresses of people.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        return BulkResult(
            errors={
                ".".join(map(str, problem["loc"])) or "request": problem["msg"].removeprefix("Value error, ")
                for problem in problems
            }
        )
