"""Which configurations of DEGREED2 may become active."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from coursewire.model.channel import Rate
from coursewire_degreed.v2.config import Degreed2Config
from coursewire_degreed.v2.plugin import declare_channel

GOOD = {
    "client_id": " id ",
    "client_secret": " secret with spaces ",
    "degreed_base_url": "https://api.degreed.com/",
}


def faults(**fields):
    with pytest.raises(ValidationError) as refusal:
        Degreed2Config.model_validate({**GOOD, **fields})
    return [
        (error["type"], error["loc"][0] if error["loc"] else error["msg"]) for error in refusal.value.errors()
    ]


def test_a_complete_configuration():
    config = Degreed2Config.model_validate(GOOD)

    assert config.lms_url == "https://api.degreed.com"
    assert config.token_url == "https://api.degreed.com/oauth/token"
    assert config.allowed_hosts == {"api.degreed.com"}
    assert config.client_secret.get_secret_value() == " secret with spaces "
    assert config.retire_strategy == declare_channel().capabilities.retire_strategies[0] == "deactivate"


def test_what_is_missing_is_named_in_order_and_blanks_count():
    with pytest.raises(ValidationError) as refusal:
        Degreed2Config.model_validate({"client_id": " ", "client_secret": ""})

    errors = refusal.value.errors()
    assert [(error["type"], error["loc"][0]) for error in errors] == [
        ("missing", "client_id"),
        ("missing", "client_secret"),
        ("missing", "degreed_base_url"),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("degreed_token_fetch_base_url", "foobar"),
        ("degreed_base_url", "foobar"),
        ("degreed_base_url", "http://api.degreed.com"),
        ("retire_strategy", "hide"),
        ("learner_id", "sso"),
        ("transmission_chunk_size", 0),
        ("calls_per_minute", 0),
    ],
)
def test_what_is_incorrect_is_named(field, value):
    assert [where for _, where in faults(**{field: value})] == [field]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_token_host_is_that_of_the_api(blank):
    config = Degreed2Config.model_validate({**GOOD, "degreed_token_fetch_base_url": blank})

    assert config.token_url == "https://api.degreed.com/oauth/token"


def test_tokens_may_come_from_another_host():
    config = Degreed2Config.model_validate({**GOOD, "degreed_token_fetch_base_url": "https://eu.degreed.com"})

    assert config.token_url == "https://eu.degreed.com/oauth/token"
    assert config.allowed_hosts == {"eu.degreed.com"}


def test_scopes_are_those_that_sending_needs():
    assert Degreed2Config.model_validate(GOOD).scopes == (
        "content:read",
        "content:write",
        "completions:write",
        "completions:read",
    )
    without = Degreed2Config.model_validate({**GOOD, "disable_learner_data_transmissions": True})
    assert without.scopes == ("content:read", "content:write")


def test_calls_are_counted_by_the_api_key_at_its_host():
    def scope(**fields):
        return Degreed2Config.model_validate({**GOOD, **fields}).limit_scope

    assert scope() == scope(display_name="another configuration")
    assert len({scope(), scope(client_id="other"), scope(degreed_base_url="https://api.eu.degreed.com")}) == 3
    assert " id " not in scope()


def test_the_rate_is_the_vendors_unless_the_configuration_says_otherwise():
    def rate(**fields):
        return Degreed2Config.model_validate({**GOOD, **fields}).rates(declare_channel().limits.rates)

    usual = Rate(calls=200, seconds=60, negotiable=True, setting="calls_per_minute")
    assert rate() == {"default": usual}
    assert rate(calls_per_minute=70) == {"default": usual.model_copy(update={"calls": 70})}
    assert declare_channel().limits.rates["default"].negotiable


def test_secrets_do_not_show():
    config = Degreed2Config.model_validate(GOOD)

    assert Degreed2Config.secret_fields() == {"client_id", "client_secret"}
    for shown in (repr(config), str(config), config.model_dump_json()):
        assert "secret with spaces" not in shown
