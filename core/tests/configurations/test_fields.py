from __future__ import annotations

from datetime import date, datetime
from enum import Enum, IntEnum
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import Field, SecretStr

from coursewire.configurations.fields import (
    FieldInfo,
    FieldKind,
    ValueType,
    describe,
    in_words,
    read_text,
    read_texts,
    text_of,
)
from coursewire.model.channel import Channel
from coursewire.model.configuration import ChannelConfig


def test_the_fields_of_a_channel_come_first_in_words(acme: Channel) -> None:
    fields = {info.name: info for info in describe(acme.config)}
    assert list(fields) == [
        "acme_base_url",
        "client_id",
        "client_secret",
        "scale",
        "rounding",
        "minutes",
        "token_url",
        "extra",
        *ChannelConfig.model_fields,
    ]
    assert fields["acme_base_url"] == FieldInfo(
        name="acme_base_url",
        type=ValueType(FieldKind.URL),
        required=True,
        default=None,
        help="Address of the Acme site.",
        destination=True,
    )
    assert fields["client_secret"] == FieldInfo(
        name="client_secret",
        type=ValueType(FieldKind.SECRET),
        required=True,
        default=None,
        help="Application secret.",
    )
    assert fields["minutes"].default == 30
    assert fields["extra"].default == {}
    assert fields["catalogs_to_transmit"].default == []
    assert {name: in_words(info.type) for name, info in fields.items()} == {
        "acme_base_url": "URL",
        "client_id": "text",
        "client_secret": "secret",
        "scale": "one of percent, points",
        "rounding": "one of up, down",
        "minutes": "whole number",
        "token_url": "URL",
        "extra": "object",
        "display_name": "text",
        "idp_id": "text",
        "dry_run_mode_enabled": "yes or no",
        "transmission_chunk_size": "whole number",
        "catalogs_to_transmit": "list of UUID",
        "disable_learner_data_transmissions": "yes or no",
        "completion_policy": "one of passed, evidence, pacing",
        "learner_id": "one of sso, email, employee_id, launch",
        "include_inactive_learners": "yes or no",
        "send_in_progress": "yes or no",
        "resend_outcomes": "one of changed, improved, never",
        "show_course_price": "yes or no",
    }


def test_every_common_field_has_help() -> None:
    assert [info.name for info in describe(ChannelConfig) if not info.help] == []


class Odd(ChannelConfig):
    secret: SecretStr = SecretStr("CANARY")
    derived: str = Field(default_factory=lambda data: data["display_name"])
    when: datetime | None = None
    either: int | str | bool = 1
    only: Literal["x"] = "x"
    anything: object = None
    share: float = 0.5


def test_unusual_fields() -> None:
    fields = {info.name: info for info in describe(Odd)}
    assert fields["secret"].default is None
    assert fields["derived"].default is None
    assert not fields["derived"].required
    assert in_words(fields["when"].type) == "instant"
    assert in_words(fields["either"].type) == "whole number or text or yes or no"
    assert in_words(fields["only"].type) == "one of x"
    assert in_words(fields["anything"].type) == "any"
    assert in_words(fields["share"].type) == "number"
    assert "CANARY" not in repr(describe(Odd))


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Colour(Enum):
    RED = "red, warm"
    BLUE = "blue or so"


class Every(ChannelConfig):
    """A field of every kind that an author can think of."""

    only: Literal[1] | None = None
    mixed: Literal["1", 1, "a, b", "c or d", -3, True] = "1"
    size: Size = Size.SMALL
    colour: Colour | None = None
    strict: Literal[False, "auto"] = "auto"
    below: int = -1
    share: float | None = None
    tri: bool | None = None
    day: date | None = None
    who: UUID | None = None
    colours: tuple[Colour, ...] = ()
    sizes: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    nested: list[list[str]] = Field(default_factory=list)
    mapping: dict[str, list[int]] = Field(default_factory=dict)
    either: int | str | bool = 1
    anything: Any = None


FIELDS = {info.name: info for info in describe(Every)}

VALUES = [
    ("only", 1),
    *[("mixed", each) for each in ("1", 1, "a, b", "c or d", -3, True)],
    ("size", 2),
    ("colour", "red, warm"),
    ("colour", "blue or so"),
    ("strict", False),
    ("strict", "auto"),
    ("below", -40),
    ("share", -0.25),
    ("share", 1e-7),
    ("tri", True),
    ("tri", False),
    ("day", "2026-02-28"),
    ("who", "3fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e3333"),
    ("colours", ["blue or so", "red, warm"]),
    ("sizes", [-1, 0, 12]),
    ("words", ["a", "b"]),
    ("words", ["a, b", "c"]),
    ("words", ["[", "true", " padded ", "two\nlines", ""]),
    ("nested", [["a, b"], [], ["[x]"]]),
    ("mapping", {"a": [1, -2]}),
    ("either", 5),
    ("either", "5"),
    ("either", True),
    ("either", "true"),
    ("either", "plain"),
    ("anything", {"a": [None, 1.5]}),
    ("anything", "12"),
    ("anything", ["x"]),
]


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_a_value_becomes_text_and_the_same_value_again(name: str, value: object) -> None:
    type_ = FIELDS[name].type
    read = read_text(type_, text_of(type_, value))
    assert (read, type(read)) == (value, type(value))
    assert Every.model_validate({name: read})


def test_choices_keep_their_types() -> None:
    assert FIELDS["only"].type == ValueType(FieldKind.CHOICE, nullable=True, choices=(1,))
    assert [type(choice) for choice in FIELDS["mixed"].type.choices] == [str, int, str, str, int, bool]
    assert FIELDS["size"].type.choices == (1, 2)
    assert FIELDS["colours"].type.item == ValueType(FieldKind.CHOICE, choices=("red, warm", "blue or so"))
    assert FIELDS["tri"].type == ValueType(FieldKind.BOOLEAN, nullable=True)


def test_words_tell_choices_with_commas_apart() -> None:
    assert in_words(FIELDS["colours"].type) == "list of one of 'red, warm', 'blue or so'"
    assert in_words(FIELDS["nested"].type) == "list of list of text"
    assert in_words(FIELDS["day"].type) == "date"


@pytest.mark.parametrize("name", FIELDS)
def test_a_blank_text_clears_every_field(name: str) -> None:
    assert read_text(FIELDS[name].type, " ") is None
    assert text_of(FIELDS[name].type, None) == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("below", "many"),
        ("below", "1.5"),
        ("tri", "perhaps"),
        ("only", "2"),
        ("nested", "[1,"),
        ("mapping", "[1]"),
    ],
)
def test_text_that_is_not_of_the_type_stays_text_for_the_model_to_refuse(name: str, text: str) -> None:
    assert read_text(FIELDS[name].type, text) == text


def test_texts_of_the_command_line_are_read_by_type_and_unknown_names_keep_theirs() -> None:
    texts = {
        "only": "1",
        "words": "a,b",
        "strict": "false",
        "secret": "[1]",
        "display_name": "[x]",
        "nope": "1",
    }
    assert read_texts(Every, texts) == {
        "only": 1,
        "words": ["a", "b"],
        "strict": False,
        "secret": "[1]",
        "display_name": "[x]",
        "nope": "1",
    }


def test_a_secret_is_taken_byte_for_byte_unless_it_names_a_variable() -> None:
    (secret,) = [info for info in describe(Odd) if info.name == "secret"]
    assert read_text(secret.type, '{"env": "TOKEN"}') == {"env": "TOKEN"}
    for text in ("[1]", "12", '{"a": 1}', " x "):
        assert read_text(secret.type, text) == text
