"""Forms from a channel's configuration model: one input for each field, and back to fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursewire.configurations.fields import (
    FieldInfo,
    FieldKind,
    ValueType,
    describe,
    in_words,
    label_of,
    read_text,
    text_of,
    texts_of_choices,
)
from coursewire.configurations.validation import Validity
from coursewire.model.configuration import ChannelConfig

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from coursewire.configurations.configuration import Configuration

_WIDGETS = {
    FieldKind.SECRET: "secret",
    FieldKind.BOOLEAN: "boolean",
    FieldKind.CHOICE: "choice",
    FieldKind.INTEGER: "number",
    FieldKind.NUMBER: "number",
    FieldKind.LIST: "long",
    FieldKind.OBJECT: "long",
    FieldKind.ANY: "long",
}
"""The kinds of input in the template; every other kind of value is a line of text."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice.

    Attributes:
        text: The text that the form posts.
        label: The text that a person sees.
    """

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the form.

    Attributes:
        name: The field's name.
        label: The same for people.
        kind: The kind of input: ``text``, ``secret``, ``boolean``, ``choice``, ``number`` or ``long``.
        type: The type of the value in words.
        options: The options of a choice, without the one that stands for the default.
        required: An active configuration must have it.
        default: The default in words; "" for none.
        text: The text that it holds; "" for a secret.
        is_set: It is a secret, and filled.
        help: The field's explanation.
        fault: The reason why the value cannot be used; "" when it can.
    """

    name: str
    label: str
    kind: str
    type: str
    options: tuple[Option, ...]
    required: bool
    default: str
    text: str
    is_set: bool
    help: str
    fault: str


def inputs(
    model: type[ChannelConfig], configuration: Configuration, validity: Validity, given: Mapping[str, Any]
) -> tuple[list[Input], list[Input]]:
    """Return the inputs of the form: for the channel's own fields, and for those that every channel has.

    Args:
        model: The channel's configuration model.
        configuration: The configuration as it is stored.
        validity: The fields that are missing and incorrect.
        given: Values that a person has just typed and that were refused, by field; shown again, secrets apart.
    """
    made = [_input(each, configuration, validity, given) for each in describe(model)]
    own = [each for each in made if each.name not in ChannelConfig.model_fields]
    return own, [each for each in made if each.name in ChannelConfig.model_fields]


def fields_of(model: type[ChannelConfig], form: FormData, configuration: Configuration) -> dict[str, Any]:
    """Return the fields that a form changes, as JSON data.

    An input that was left as it was shown, or a secret left empty, changes nothing. Text that cannot be read as the
    field's type stays text, so that the model says what is wrong with it.

    Args:
        model: The channel's configuration model.
        form: The form as it was posted.
        configuration: The configuration as it is stored, and was shown.
    """
    changes: dict[str, Any] = {}
    for each in describe(model):
        if each.name not in form:
            continue
        text = str(form.getlist(each.name)[-1]).replace("\r\n", "\n")
        if text == ("" if each.secret else _shown(each, configuration.fields.get(each.name))):
            continue
        changes[each.name] = text if each.secret else read_text(each.type, text)
    return changes


def _input(
    field: FieldInfo, configuration: Configuration, validity: Validity, given: Mapping[str, Any]
) -> Input:
    value = given.get(field.name, configuration.fields.get(field.name))
    return Input(
        name=field.name,
        label=field.name.replace("_", " ").capitalize(),
        kind=_widget(field.type),
        type=in_words(field.type),
        options=_options(field.type),
        required=field.required,
        default=_default(field),
        text="" if field.secret else _shown(field, value),
        is_set=field.name in configuration.secrets_set,
        help=field.help.replace("``", ""),
        fault=validity.incorrect.get(field.name, ""),
    )


def _widget(type_: ValueType) -> str:
    # A box has two states, and a field that may be null has three.
    if type_.kind is FieldKind.BOOLEAN and type_.nullable:
        return "choice"
    return _WIDGETS.get(type_.kind, "text")


def _options(type_: ValueType) -> tuple[Option, ...]:
    if type_.kind is FieldKind.BOOLEAN:
        return (Option("true", label_of(True)), Option("false", label_of(False)))
    texts = texts_of_choices(type_.choices)
    return tuple(Option(text, text) for text in texts)


def _default(field: FieldInfo) -> str:
    if isinstance(field.default, list | dict):
        return text_of(field.type, field.default) if field.default else ""
    return "" if field.default in (None, "") else label_of(field.default)


def _shown(field: FieldInfo, value: Any) -> str:
    """Return the text in which an input shows a stored value; a box shows the default where nothing is stored."""
    if value is None and _widget(field.type) == "boolean":
        value = bool(field.default)
    return text_of(field.type, value)
