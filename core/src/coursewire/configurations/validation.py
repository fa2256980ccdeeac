"""Validation of a configuration's fields by its channel's model.

Null and blank text mean "not filled in" for every field: a field without a default is then missing, any other
has its default.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError, to_jsonable_python

from coursewire.configurations.configuration import Configuration
from coursewire.configurations.secret_values import OpenedSecrets, SecretValue
from coursewire.errors import ConfigurationError
from coursewire.model.configuration import INSECURE_URLS, UNSTORABLE, ChannelConfig
from coursewire.suggest import did_you_mean

IDENTITY = ("uuid", "channel", "customer")
"""Fields of a configuration's identity, which cannot be changed."""

DEEPEST = 50
"""Levels of lists and objects in one field."""

WHOLE = "configuration"
"""Stands for the field in a problem that is about several fields together."""

PYDANTICS_OWN = "Field required"
"""The message of pydantic for a missing field; a validator of the model has a better one."""


@dataclass(frozen=True, slots=True)
class Validity:
    """The faults that keep a configuration from being active.

    Attributes:
        missing: Names of the fields that are not filled in, in the order of the model.
        incorrect: Reasons by the name of a field whose value cannot be used; no reason shows a secret.
    """

    missing: tuple[str, ...] = ()
    incorrect: Mapping[str, str] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """True when nothing is missing and nothing incorrect."""
        return not self.missing and not self.incorrect

    def __str__(self) -> str:
        parts = []
        if self.missing:
            parts.append(f"missing: {', '.join(self.missing)}")
        if self.incorrect:
            parts.append("incorrect: " + ", ".join(f"{name} ({why})" for name, why in self.incorrect.items()))
        return "; ".join(parts) or "valid"


def is_blank(value: Any) -> bool:
    """Tell whether a value is null or for text of nothing but white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def _is_deep(value: Any) -> bool:
    """Tell whether a value has more levels than :data:`DEEPEST`; it is not followed further down."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, Mapping | list | tuple)
            for inner in (each.values() if isinstance(each, Mapping) else each)
        ]
    return any(isinstance(each, Mapping | list | tuple) for each in level)


def sort_out(
    model: type[ChannelConfig], given: Mapping[str, Any], where: str, old: Configuration | None = None
) -> tuple[dict[str, Any], dict[str, SecretValue | None]]:
    """Separate plain fields from secrets, and refuse values that cannot be stored.

    Args:
        model: The channel's configuration model.
        given: Values by field.
        where: Place for messages of errors.
        old: The configuration that changes; a field that the model has no more may be cleared.

    Returns:
        The plain fields as JSON data, and the secrets; None as a value clears the field.

    Raises:
        ConfigurationError: A name is unknown or part of the identity, a secret is not one, or a value is
            no data.
    """
    fields: dict[str, Any] = {}
    secrets: dict[str, SecretValue | None] = {}
    incorrect: dict[str, str] = {}
    for name, value in given.items():
        if name in IDENTITY:
            incorrect[name] = "cannot be changed; add another configuration instead"
        elif (
            old is not None and name not in model.model_fields and is_blank(value) and name in old.secrets_set
        ):
            secrets[name] = None
        elif old is not None and name not in model.model_fields and is_blank(value) and name in old.fields:
            fields[name] = None
        elif name not in model.model_fields:
            incorrect[name] = f"there is no such field; {did_you_mean(name, model.model_fields)}"
        elif name in model.secret_fields():
            try:
                secrets[name] = SecretValue.given(value)
            except ValueError as error:
                incorrect[name] = str(error)
        elif is_blank(value):
            fields[name] = None
        elif _is_deep(value):
            incorrect[name] = f"it is nested more than {DEEPEST} deep"
        else:
            try:
                fields[name] = to_jsonable_python(value)
            except (PydanticSerializationError, ValueError):
                incorrect[name] = "this is not JSON data"
    if incorrect:
        raise ConfigurationError(
            "the configuration has fields that cannot be kept",
            where=where,
            why=str(Validity(incorrect=incorrect)),
            next_step="Correct or remove them.",
            incorrect=incorrect,
        )
    return fields, secrets


@dataclass(frozen=True, slots=True)
class Checked:
    """Result of :func:`check`.

    Attributes:
        config: The validated model; None if there is a fault.
        validity: The faults.
        unstorable: Fields whose values may hold a credential where none belongs.
    """

    config: ChannelConfig | None
    validity: Validity
    unstorable: frozenset[str]


def check(
    model: type[ChannelConfig],
    fields: Mapping[str, Any],
    secrets: OpenedSecrets,
    *,
    insecure_urls: bool,
    known_catalogs: Collection[object] | None = None,
) -> Checked:
    """Check fields and secrets by the model.

    Args:
        model: The channel's configuration model.
        fields: Values of the plain fields that are filled in.
        secrets: Secrets that are set; references are looked up in the environment now.
        insecure_urls: True to allow plain http and private addresses.
        known_catalogs: UUIDs of the customer's catalogs; None if they are not known here.
    """
    clear, broken = secrets.resolve(os.environ)
    config: ChannelConfig | None = None
    problems: list[ErrorDetails] = []
    try:
        config = model.model_validate({**fields, **clear}, context={INSECURE_URLS: insecure_urls})
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
    missing: list[str] = []
    incorrect: dict[str, str] = dict(broken)
    for problem in problems:
        name, *inner = problem["loc"] or (WHOLE,)
        message = redact(problem["msg"].removeprefix("Value error, "), clear.values())
        if problem["type"] == "missing" and not inner:
            if name not in broken:
                missing.append(str(name) if message == PYDANTICS_OWN else message)
        else:
            place = f"{'.'.join(map(str, inner))}: " if inner else ""
            incorrect.setdefault(str(name), place + message)
    _check_catalogs(fields, incorrect, known_catalogs)
    return Checked(
        config=None if incorrect else config,
        validity=Validity(tuple(missing), incorrect),
        unstorable=frozenset(str(each["loc"][0]) for each in problems if each["type"] == UNSTORABLE),
    )


def redact(text: str, secrets: Collection[str]) -> str:
    """Return a text without secrets, the longest replaced first, so that one inside another leaves no tail."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _check_catalogs(
    fields: Mapping[str, Any], incorrect: dict[str, str], known: Collection[object] | None
) -> None:
    """Add the fault of a configuration that names a catalog of another customer."""
    name = "catalogs_to_transmit"
    if known is None or name not in fields or name in incorrect:
        return
    own = {str(catalog).lower() for catalog in known}
    text = fields[name]
    wanted = text.split(",") if isinstance(text, str) else text
    foreign = [each for each in (str(part).strip().lower() for part in wanted) if each and each not in own]
    if foreign:
        incorrect[name] = f"the customer has no catalog {', '.join(dict.fromkeys(foreign))}"
