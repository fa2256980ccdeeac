from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError

from coursewire.model.fields import ApiPath, CommaSeparated, Filled, OptionalSecret, Text, needed_with


class Settings(BaseModel):
    name: Annotated[Text, Filled] = "x"
    secret: Annotated[OptionalSecret, Filled] = "x"  # type: ignore[assignment]
    path: ApiPath = "a"


def fault(**fields: object) -> str:
    with pytest.raises(ValidationError) as refusal:
        Settings.model_validate(fields)
    (error,) = refusal.value.errors()
    return error["type"]


@pytest.mark.parametrize("blank", ["", "  ", "\t\n", None])
@pytest.mark.parametrize("field", ["name", "secret"])
def test_a_blank_value_is_a_missing_one(field, blank):
    assert fault(**{field: blank}) == "missing"


def test_a_secret_is_taken_byte_for_byte_and_a_text_is_not():
    made = Settings.model_validate({"name": " a b ", "secret": " a b "})

    assert made.name == "a b"
    assert made.secret.get_secret_value() == " a b "


@pytest.mark.parametrize("path", ["api/v1/x", "/api/v1/x", "api/v1/x/", "a?b=c"])
def test_paths_are_taken_with_and_without_a_slash(path):
    assert Settings(path=path).path == path


@pytest.mark.parametrize(
    "path", ["https://x.example.com/a", "//x.example.com/a", "/", "", "a b", "a#b", "a\\b"]
)
def test_what_is_no_path_is_refused(path):
    assert fault(path=path) == "value_error"


class Modes(BaseModel):
    mode: str
    key: Annotated[OptionalSecret, needed_with("mode", "by key")] = Field(
        default=SecretStr(""), validate_default=True
    )
    tags: CommaSeparated = ()


@pytest.mark.parametrize("blank", [{}, {"key": ""}, {"key": " "}])
def test_what_is_needed_in_one_mode_may_be_blank_in_the_others(blank):
    assert Modes.model_validate({"mode": "by hand", **blank})
    assert Modes.model_validate({"mode": "by key", "key": " k"}).key.get_secret_value() == " k"
    with pytest.raises(ValidationError) as refusal:
        Modes.model_validate({"mode": "by key", **blank})
    assert [(error["loc"], error["type"]) for error in refusal.value.errors()] == [(("key",), "missing")]


def test_an_earlier_field_that_is_wrong_is_the_only_fault():
    with pytest.raises(ValidationError) as refusal:
        Modes.model_validate({"mode": 7})
    assert [error["loc"] for error in refusal.value.errors()] == [("mode",)]


@pytest.mark.parametrize("given", ["a, b c ,", ["a", "b c"], ("a", "b c")])
def test_texts_with_commas_between_them(given):
    assert Modes(mode="", tags=given).tags == ("a", "b c")


@pytest.mark.parametrize("given", [7, {"a": "b"}, None, [1]])
def test_what_is_no_list_of_texts(given):
    with pytest.raises(ValidationError):
        Modes(mode="", tags=given)
