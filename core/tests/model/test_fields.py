from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from coursewire.model.fields import ApiPath, Filled, Secret, Text


class Settings(BaseModel):
    name: Annotated[Text, Filled] = "x"
    secret: Annotated[Secret, Filled] = "x"  # type: ignore[assignment]
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
