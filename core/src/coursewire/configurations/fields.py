"""The fields of a channel's configurations: for forms, the command line, the REST API and the reference.

A field's type is data: its kind, its choices with their JSON types, the type of its items. Words for people
(:func:`in_words`) and the text of an input (:func:`text_of`, :func:`read_text`) are made from that here, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import orjson
from pydantic_core import to_jsonable_python

from coursewire.model.configuration import ChannelConfig

JsonScalar = str | int | float | bool | None
"""A JSON value that is neither a list nor an object."""


class FieldKind(StrEnum):
    """The kind of a value."""

    TEXT = "text"
    SECRET = "secret"
    URL = "URL"
    UUID = "UUID"
    DATE = "date"
    INSTANT = "instant"
    BOOLEAN = "yes or no"
    INTEGER = "whole number"
    NUMBER = "number"
    CHOICE = "choice"
    """One of a few values, which may be texts, numbers or booleans."""
    LIST = "list"
    OBJECT = "object"
    EITHER = "either"
    """A value of one of several types."""
    ANY = "any"


TEXTUAL = frozenset(
    {
        FieldKind.TEXT,
        FieldKind.SECRET,
        FieldKind.URL,
        FieldKind.UUID,
        FieldKind.DATE,
        FieldKind.INSTANT,
    }
)
"""The kinds whose values are JSON strings."""

_KINDS: dict[tuple[Any, Any], FieldKind] = {
    ("string", None): FieldKind.TEXT,
    ("string", "uuid"): FieldKind.UUID,
    ("string", "uri"): FieldKind.URL,
    ("string", "password"): FieldKind.SECRET,
    ("string", "date"): FieldKind.DATE,
    ("string", "date-time"): FieldKind.INSTANT,
    ("boolean", None): FieldKind.BOOLEAN,
    ("integer", None): FieldKind.INTEGER,
    ("number", None): FieldKind.NUMBER,
    ("object", None): FieldKind.OBJECT,
}


@dataclass(frozen=True, slots=True)
class ValueType:
    """The type of a field, or of what stands in one.

    Attributes:
        kind: The kind of the value.
        nullable: The value may be null, too, which is how a field is cleared.
        choices: With ``CHOICE``, the values that may be chosen, with their JSON types and without null.
        item: With ``LIST``, the type of each item; else None.
        options: With ``EITHER``, the types that a value may have.
    """

    kind: FieldKind
    nullable: bool = False
    choices: tuple[JsonScalar, ...] = ()
    item: ValueType | None = None
    options: tuple[ValueType, ...] = ()

    def holds(self, kind: FieldKind) -> bool:
        """Tell whether a value is of this kind, or may be, or has such items."""
        parts = (*self.options, *((self.item,) if self.item else ()))
        return self.kind is kind or any(part.holds(kind) for part in parts)


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field.

    Attributes:
        name: As it stands in files and in the interface.
        type: The type of its value; :func:`in_words` says it for people.
        required: An active configuration must have it.
        default: As JSON data; None where there is none, where it follows from other fields, and for a secret.
        help: The docstring of the field.
        destination: It decides where credentials are sent, so that a change of it erases the secrets that are not entered
            again with it.
    """

    name: str
    type: ValueType
    required: bool
    default: Any
    help: str
    destination: bool = False

    @property
    def secret(self) -> bool:
        """True when it is write-only."""
        return self.type.kind is FieldKind.SECRET


@cache
def describe(model: type[ChannelConfig]) -> tuple[FieldInfo, ...]:
    """Describe the fields of a model: the channel's own first, then those that every channel has.

    Within each group they stand in the order of the model.
    """
    schema = model.model_json_schema(mode="validation")
    definitions = schema.get("$defs", {})
    secrets, marked = model.secret_fields(), model.marked_destinations()
    described = []
    for name, info in model.model_fields.items():
        derived = info.is_required() or info.default_factory_takes_validated_data
        default = None if derived else info.get_default(call_default_factory=True, validated_data={})
        secret = name in secrets
        type_ = ValueType(FieldKind.SECRET) if secret else _type(schema["properties"][name], definitions)
        described.append(
            FieldInfo(
                name=name,
                type=type_,
                required=info.is_required(),
                default=None if secret else to_jsonable_python(default),
                help=" ".join((info.description or "").split()),
                destination=not secret and marked.get(name, type_.holds(FieldKind.URL)),
            )
        )
    return tuple(sorted(described, key=lambda each: each.name in ChannelConfig.model_fields))


def _type(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> ValueType:
    if "$ref" in schema:
        return _type(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema or "const" in schema:
        return _choice(schema.get("enum", [schema.get("const")]))
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _either(
                [_type(part, definitions) for part in schema[several] if part.get("type") != "null"],
                nullable=any(part.get("type") == "null" for part in schema[several]),
            )
    kind, form = schema.get("type"), schema.get("format")
    if kind == "array":
        return ValueType(FieldKind.LIST, item=_type(schema.get("items", {}), definitions))
    return ValueType(_KINDS.get((kind, form)) or _KINDS.get((kind, None)) or FieldKind.ANY)


def _choice(values: Iterable[JsonScalar], *, nullable: bool = False) -> ValueType:
    values = tuple(values)
    return ValueType(
        FieldKind.CHOICE,
        nullable=nullable or None in values,
        choices=tuple(value for value in values if value is not None),
    )


def _either(parts: list[ValueType], *, nullable: bool) -> ValueType:
    nullable = nullable or any(part.nullable for part in parts)
    if all(part.kind is FieldKind.CHOICE for part in parts):
        return _choice((value for part in parts for value in part.choices), nullable=nullable)
    kinds = tuple(dict.fromkeys(parts))
    if len(kinds) == 1:
        (only,) = kinds
        return ValueType(only.kind, nullable, only.choices, only.item, only.options)
    return ValueType(FieldKind.EITHER, nullable, options=kinds)


def in_words(type_: ValueType) -> str:
    """Return a type in words for people, such as ``one of hide, delete`` or ``list of UUID``.

    Args:
        type_: The type.

    Example:
        >>> in_words(ValueType(FieldKind.LIST, item=ValueType(FieldKind.CHOICE, choices=("a, b", 2))))
        "list of one of 'a, b', 2"
    """
    match type_.kind:
        case FieldKind.CHOICE:
            return f"one of {', '.join(map(_quoted, type_.choices))}"
        case FieldKind.LIST:
            assert type_.item is not None
            return f"list of {in_words(type_.item)}"
        case FieldKind.EITHER:
            return " or ".join(dict.fromkeys(map(in_words, type_.options)))
    return type_.kind.value


def _quoted(choice: JsonScalar) -> str:
    label = label_of(choice)
    return repr(label) if isinstance(choice, str) and re.search(r",| or |^\s*$", choice) else label


def label_of(value: JsonScalar) -> str:
    """Return a scalar for people: ``yes`` and ``no`` for booleans, other values as they are."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def texts_of_choices(choices: Iterable[JsonScalar]) -> dict[str, JsonScalar]:
    """Return choices by texts that tell them apart, as an input posts them or a person types them.

    They are the choices' labels. Where two would be the same, as of the text ``1`` and the number 1, they are JSON.

    Args:
        choices: The choices of a type, each with its JSON type.

    Example:
        >>> texts_of_choices((1, "all"))
        {'1': 1, 'all': 'all'}
        >>> texts_of_choices((1, "1"))
        {'1': 1, '"1"': '1'}
    """
    values = tuple(choices)
    labels = {label_of(value): value for value in values}
    return labels if len(labels) == len(values) else {_json(value): value for value in values}


def text_of(type_: ValueType, value: Any) -> str:
    """Return a value as the text of an input; :func:`read_text` makes the same value of it again.

    A list stands one item a line, and as JSON where lines would not tell the items apart.

    Args:
        type_: The type of the field.
        value: JSON data; None is "". A text that was refused before stays as it is.
    """
    if value is None:
        return ""
    match type_.kind:
        case FieldKind.CHOICE:
            texts = {_json(choice): text for text, choice in texts_of_choices(type_.choices).items()}
            return texts.get(_json(value), str(value))
        case FieldKind.BOOLEAN if isinstance(value, bool):
            return "true" if value else "false"
        case FieldKind.LIST if isinstance(value, list):
            return _lines(type_, value)
        case kind if isinstance(value, str) and (kind in TEXTUAL or _loads(value) is _NOT_JSON):
            return value
        case FieldKind.OBJECT | FieldKind.ANY | FieldKind.LIST if not isinstance(value, str):
            return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        case FieldKind.ANY | FieldKind.EITHER:
            return _json(value)
    return str(value)


def _lines(type_: ValueType, items: list[Any]) -> str:
    assert type_.item is not None
    texts = [text_of(type_.item, item) for item in items]
    joined = "\n".join(texts)
    return joined if joined and read_text(type_, joined) == items else _json(items) if items else ""


def read_text(type_: ValueType, text: str) -> Any:
    """Read what a person typed or chose, as JSON data of the field's type.

    Args:
        type_: The type of the field.
        text: The text of an input, or behind ``--set NAME=``. Lists are one item a line, or with commas between them, or
            JSON; objects are JSON.

    Returns:
        The value; None for a blank text. Text that cannot be read stays text, so that the model says what is wrong
        with it.

    Example:
        >>> read_text(ValueType(FieldKind.CHOICE, choices=(1, 2)), "1")
        1
    """
    if not text.strip():
        return None
    match type_.kind:
        case FieldKind.CHOICE:
            texts = texts_of_choices(type_.choices)
            return texts[text] if text in texts else _read_json(type_, text)
        case FieldKind.BOOLEAN:
            return _BOOLEANS.get(text.strip().lower(), text)
        case FieldKind.INTEGER if _INTEGER.fullmatch(text.strip()):
            return int(text)
        case FieldKind.NUMBER if _NUMBER.fullmatch(text.strip()):
            return int(text) if _INTEGER.fullmatch(text.strip()) else float(text)
        case FieldKind.LIST:
            return _read_list(type_, text)
        case FieldKind.SECRET:
            # A secret may be any text; only a reference to an environment variable is more than that.
            data = _loads(text)
            return data if isinstance(data, dict) and data.keys() == {"env"} else text
        case FieldKind.OBJECT | FieldKind.ANY | FieldKind.EITHER:
            return _read_json(type_, text)
    return text


def _read_json(type_: ValueType, text: str) -> Any:
    """Read JSON that is of a type; other text stays text."""
    data = _loads(text)
    return data if data is not _NOT_JSON and _accepts(type_, data) else text


def _read_list(type_: ValueType, text: str) -> Any:
    assert type_.item is not None
    if text.lstrip().startswith("["):
        data = _loads(text)
        return data if isinstance(data, list) else text
    parts = [part.strip() for part in re.split(r"[\n,]", text)]
    return [read_text(type_.item, part) for part in parts if part]


def _accepts(type_: ValueType, data: Any) -> bool:
    """Tell whether JSON data is of a type, as far as its JSON type says."""
    match type_.kind:
        case FieldKind.ANY:
            return True
        case FieldKind.EITHER:
            return any(_accepts(option, data) for option in type_.options)
        case FieldKind.CHOICE:
            return _json(data) in map(_json, type_.choices)
        case FieldKind.BOOLEAN:
            return isinstance(data, bool)
        case FieldKind.INTEGER:
            return isinstance(data, int) and not isinstance(data, bool)
        case FieldKind.NUMBER:
            return isinstance(data, int | float) and not isinstance(data, bool)
        case FieldKind.LIST:
            return isinstance(data, list)
        case FieldKind.OBJECT:
            return isinstance(data, dict)
    return isinstance(data, str)


def read_texts(model: type[ChannelConfig], texts: Mapping[str, str]) -> dict[str, Any]:
    """Read the values of several fields, each by its type.

    Args:
        model: The channel's configuration model.
        texts: Text by the name of a field; a name that the model does not have keeps its text.
    """
    types = {info.name: info.type for info in describe(model)}
    return {name: read_text(types[name], text) if name in types else text for name, text in texts.items()}


_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_NOT_JSON: Any = object()


def _loads(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return _NOT_JSON


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
