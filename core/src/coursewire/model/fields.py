"""Types of fields that several channels' configurations have."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError, PydanticKnownError


def blank_is_missing(value: Any) -> Any:
    """Return the value as it is; one that is null, empty or all blanks counts as not filled in, also a secret."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if text is None or (isinstance(text, str) and not text.strip()):
        raise PydanticKnownError("missing")
    return value


def _api_path(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme or parts.netloc or value.startswith("//"):
        raise ValueError("write a path such as api/v1/courses, not a URL; the host is set elsewhere")
    if not parts.path.strip("/") or "#" in value or any(c.isspace() or c == "\\" for c in value):
        raise ValueError("write a path such as api/v1/courses, without blanks and without '#'")
    return value


def needed_with(field: str, value: object) -> AfterValidator:
    """Return a validator by which a text or secret is needed when an earlier field has a certain value.

    A blank value then counts as missing, so that a draft may keep it. Give the field a blank default and
    ``validate_default=True``.

    Args:
        field: Name of the earlier field.
        value: The value of the earlier field with which this one is needed.

    Example:
        ::

            class AcmeConfig(cw.ChannelConfig):
                grant: Literal["password", "client"] = "client"
                user: Annotated[str, cw.needed_with("grant", "password")] = Field(default="", validate_default=True)
    """

    def check(given: Any, info: ValidationInfo) -> Any:
        return blank_is_missing(given) if info.data.get(field) == value else given

    return AfterValidator(check)


def needed_without(field: str) -> AfterValidator:
    """Return a validator by which a text or secret is needed when an earlier field is blank.

    A blank value then counts as missing, so that a draft may keep it. Give the field a blank default and
    ``validate_default=True``.

    Args:
        field: Name of the earlier field.

    Example:
        ::

            class AcmeConfig(cw.ChannelConfig):
                account: str = ""
                tenant: Annotated[str, cw.needed_without("account")] = Field(default="", validate_default=True)
    """
    return AfterValidator(lambda given, info: given if info.data.get(field) else blank_is_missing(given))


def instead_of(*fields: str) -> AfterValidator:
    """Return a validator by which a field is one of two ways in: give it, or all of the earlier fields, and not both.

    Give all of them a blank default, and this one ``validate_default=True``.

    Args:
        *fields: Names of the earlier fields.

    Example:
        ::

            class AcmeConfig(cw.ChannelConfig):
                user: str = ""
                password: str = ""
                token: Annotated[str, cw.instead_of("user", "password")] = Field(default="", validate_default=True)
    """

    def check(given: Any, info: ValidationInfo) -> Any:
        others, filled = " and ".join(fields), [bool(info.data.get(field)) for field in fields]
        if given and any(filled):
            raise ValueError(f"give either a {info.field_name}, or {others}")
        if not given and not all(filled):
            raise PydanticCustomError("missing", f"{info.field_name} OR {others}")
        return given

    return AfterValidator(check)


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Filled = BeforeValidator(blank_is_missing)
"""Makes a field refuse a blank value as missing, so that a draft may keep it and an active configuration not."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255)]
"""A line of text, without blanks around it."""
CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Texts, also taken as one text with commas between them."""
OptionalSecret = Annotated[SecretStr, Field(max_length=255)]
"""A credential that may be left blank; taken byte for byte, encrypted at rest, and never shown."""
ApiPath = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255), AfterValidator(_api_path)]
"""A path below the base URL of the LMS, with or without a leading slash; never a URL, so that it cannot
replace the host."""
