"""Forms for a channel's configuration model: one input for each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from coursewire.configurations.fields import FieldInfo, describe
from coursewire.configurations.validation import Validity
from coursewire.model.configuration import ChannelConfig

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from coursewire.configurations.configuration import Configuration

CHOICE = "one of "
LONG = ("list of ", "object", "any")


def inputs(
    model: type[ChannelConfig], configuration: Configuration, validity: Validity, given: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the inputs of a form: the channel's own fields, and those that every channel has.

    Args:
        model: The channel's configuration model.
        configuration: The stored configuration.
        validity: The missing and the incorrect fields.
        given: The values, by field, that a person has just typed and that were refused; they are shown again, but for secrets.
    """
    rows = [_input(each, configuration, validity, given) for each in describe(model)]
    own = [row for row in rows if row["name"] not in ChannelConfig.model_fields]
    return own, [row for row in rows if row["name"] in ChannelConfig.model_fields]


def fields_of(model: type[ChannelConfig], form: FormData, configuration: Configuration) -> dict[str, Any]:
    """Return the fields that a form changes; an input that was left as it is, or a secret left empty, changes nothing.

    Text that should be JSON and is not stays text, so that the model says what is wrong with it.
    """
    changes: dict[str, Any] = {}
    for each in describe(model):
        if each.name not in form:
            continue
        text = str(form.getlist(each.name)[-1])
        if each.secret:
            if text:
                changes[each.name] = text
            continue
        value = _read(each, text)
        old = configuration.fields.get(each.name)
        if value is None and old is None:
            continue
        if value == each.default and old is None:
            continue
        if value != old:
            changes[each.name] = value
    return changes


def _read(field: FieldInfo, text: str) -> Any:
    if not text.strip():
        return None
    if field.type == "yes or no":
        return text == "true"
    if field.type.startswith("list of "):
        return [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]
    if field.type.startswith(LONG):
        try:
            return orjson.loads(text)
        except ValueError:
            return text
    return text


def _input(
    field: FieldInfo, configuration: Configuration, validity: Validity, given: Mapping[str, Any]
) -> dict[str, Any]:
    value = given.get(field.name, configuration.fields.get(field.name))
    kind, choices = "text", []
    if field.secret:
        kind = "secret"
    elif field.type == "yes or no":
        kind, value = "boolean", field.default if value is None else value
    elif field.type.startswith(CHOICE):
        kind = "choice"
        choices = [each for each in field.type.removeprefix(CHOICE).split(" or ")[0].split(", ") if each]
    elif field.type.startswith("list of "):
        kind, value = "long", "\n".join(map(str, value or []))
    elif field.type.startswith(LONG):
        kind, value = "long", orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if value else ""
    elif field.type in ("number", "whole number"):
        kind = "number"
    fault = validity.incorrect.get(field.name, "")
    return {
        "name": field.name,
        "label": field.name.replace("_", " ").capitalize(),
        "kind": kind,
        "choices": choices,
        "required": field.required,
        "default": "" if field.default in (None, [], {}) else field.default,
        "value": "" if value is None or kind == "secret" else value,
        "is_set": field.name in configuration.secrets_set,
        "help": field.help.replace("``", ""),
        "fault": fault,
    }
