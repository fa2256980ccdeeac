"""What fields a channel's configuration has: for forms, the command line and the reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import to_jsonable_python

from coursewire.model.configuration import ChannelConfig

URL = "URL"

_NAMES: dict[tuple[Any, Any], str] = {
    ("string", None): "text",
    ("string", "uuid"): "UUID",
    ("string", "uri"): URL,
    ("string", "password"): "secret",
    ("string", "date-time"): "instant",
    ("boolean", None): "yes or no",
    ("integer", None): "whole number",
    ("number", None): "number",
    ("object", None): "object",
}


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field, in words.

    Attributes:
        name: As it stands in files and in the interface.
        type: ``"text"``, ``"URL"``, ``"secret"``, ``"yes or no"``, ``"list of UUID"``, ``"one of a, b"``, ...
        required: An active configuration must have it.
        default: As JSON data; None where there is none, where it follows from other fields, and for a secret.
        secret: It is write-only.
        help: The docstring of the field.
    """

    name: str
    type: str
    required: bool
    default: Any
    secret: bool
    help: str


@cache
def describe(model: type[ChannelConfig]) -> tuple[FieldInfo, ...]:
    """Describe the fields of a model: the channel's own first, then those that every channel has.

    Within each group they stand in the order of the model.
    """
    schema = model.model_json_schema(mode="validation")
    definitions = schema.get("$defs", {})
    secrets = model.secret_fields()
    described = []
    for name, info in model.model_fields.items():
        derived = info.is_required() or info.default_factory_takes_validated_data
        default = None if derived else info.get_default(call_default_factory=True, validated_data={})
        secret = name in secrets
        described.append(
            FieldInfo(
                name=name,
                type="secret" if secret else _type_text(schema["properties"][name], definitions),
                required=info.is_required(),
                default=None if secret else to_jsonable_python(default),
                secret=secret,
                help=" ".join((info.description or "").split()),
            )
        )
    return tuple(sorted(described, key=lambda each: each.name in ChannelConfig.model_fields))


def _type_text(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _type_text(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema:
        return f"one of {schema['const']}"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            parts = [_type_text(part, definitions) for part in schema[several] if part.get("type") != "null"]
            return " or ".join(dict.fromkeys(parts))
    kind, form = schema.get("type"), schema.get("format")
    if kind == "array":
        return f"list of {_type_text(schema.get('items', {}), definitions)}"
    return _NAMES.get((kind, form)) or _NAMES.get((kind, None)) or "any"
