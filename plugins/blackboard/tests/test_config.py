"""Settings: what is refused, and what calls are counted by."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from coursewire.http.limits import lowered
from coursewire_blackboard import plugin
from coursewire_blackboard.config import BlackboardConfig

GIVEN = {
    "blackboard_base_url": "https://acme.blackboard.com/",
    "client_id": "application-key",
    "client_secret": "application-secret",
    "refresh_token": "granted",
}


def config(**fields: Any) -> BlackboardConfig:
    return BlackboardConfig.model_validate({**GIVEN, **fields})


def problems(**fields: Any) -> dict[Any, str]:
    with pytest.raises(ValidationError) as caught:
        BlackboardConfig.model_validate({**GIVEN, **fields})
    return {error["loc"][0] if error["loc"] else "": error["msg"] for error in caught.value.errors()}


def test_the_smallest_configuration() -> None:
    made = config()

    assert made.lms_url == "https://acme.blackboard.com"
    assert made.learner_id == "email"
    assert made.retire_strategy == "hide"
    assert BlackboardConfig.secret_fields() == {"client_id", "client_secret", "refresh_token"}
    assert "application-key" not in repr(made)


@pytest.mark.parametrize("field", sorted(GIVEN))
def test_each_of_these_is_needed(field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BlackboardConfig.model_validate({name: value for name, value in GIVEN.items() if name != field})
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("blackboard_base_url", "acme.blackboard.com"),
        ("blackboard_base_url", 'https://acme.blackboard.com/"><b>'),
        ("blackboard_base_url", "https://10.0.0.1"),
        ("client_id", ""),
        ("daily_calls", 0),
        ("course_view", "Classic"),
        ("content_availability", "yes"),
        ("retire_strategy", "conclude"),
        ("learner_field", "uuid"),
        ("student_roles", []),
        ("transmission_chunk_size", 2),
        ("unknown", "x"),
    ],
)
def test_wrong_values_are_refused(field: str, value: Any) -> None:
    if field == "blackboard_base_url" and "<b>" in str(value):
        # A URL, though an odd one: pages escape it.
        assert config(**{field: value}).lms_url == value
        return
    assert field in problems(**{field: value})


def test_calls_are_counted_by_a_digest_of_the_application_key_over_all_sites() -> None:
    one, same = config(), config(blackboard_base_url="https://other.blackboard.com")

    assert one.limit_scope == same.limit_scope
    assert one.limit_scope != config(client_id="another").limit_scope
    assert "application-key" not in one.limit_scope


@pytest.mark.parametrize("calls", [500, 100_000])
def test_the_calls_of_a_day_are_what_the_group_agreed_on(calls: int) -> None:
    vendor = plugin.CHANNEL.limits.rates

    assert (vendor["default"].calls, vendor["default"].seconds) == (10_000, 86_400)
    assert lowered(vendor, config(daily_calls=calls).rates(vendor))["default"].calls == calls
