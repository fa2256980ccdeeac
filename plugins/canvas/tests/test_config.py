"""Which configurations of a Canvas may become active."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from coursewire_canvas.config import CanvasConfig

GOOD = {
    "canvas_base_url": "https://acme.instructure.com/",
    "canvas_account_id": "17",
    "client_id": 10000000000042,
    "client_secret": " secret with spaces ",
    "refresh_token": "42~token",
}


def faults(**fields: Any) -> set[str]:
    with pytest.raises(ValidationError) as refusal:
        CanvasConfig.model_validate({**GOOD, **fields})
    return {str(error["loc"][0]) for error in refusal.value.errors()}


def test_a_complete_configuration() -> None:
    config = CanvasConfig.model_validate(GOOD)

    assert config.lms_url == "https://acme.instructure.com"
    assert config.canvas_account_id == 17
    assert config.client_id == "10000000000042"
    assert config.client_secret.get_secret_value() == " secret with spaces "
    assert config.retire_strategy == "conclude"


def test_everything_without_a_default_is_asked_for() -> None:
    with pytest.raises(ValidationError) as refusal:
        CanvasConfig.model_validate({})

    assert {error["loc"][0] for error in refusal.value.errors()} == set(GOOD)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("canvas_account_id", 0),
        ("canvas_account_id", -1),
        ("canvas_account_id", "seventeen"),
        ("canvas_account_id", 2**63),
        ("canvas_base_url", "acme.instructure.com"),
        ("canvas_base_url", "http://acme.instructure.com"),
        ("canvas_base_url", ""),
        ("client_id", ""),
        ("client_secret", ""),
        ("refresh_token", ""),
        ("retire_strategy", "hide"),
        ("transmission_chunk_size", 2),
    ],
)
def test_what_is_incorrect_is_named(field: str, value: object) -> None:
    assert faults(**{field: value}) == {field}


def test_the_largest_account_id_and_one_item_a_request_are_taken() -> None:
    config = CanvasConfig.model_validate(
        {**GOOD, "canvas_account_id": 2**63 - 1, "transmission_chunk_size": 1}
    )

    assert config.canvas_account_id == 2**63 - 1
    assert config.transmission_chunk_size is None  # or else each grade would travel alone


def test_secrets_do_not_show() -> None:
    config = CanvasConfig.model_validate(GOOD)

    assert CanvasConfig.secret_fields() == {"client_secret", "refresh_token"}
    for shown in (repr(config), str(config), config.model_dump_json()):
        assert "secret with spaces" not in shown
        assert "42~token" not in shown
