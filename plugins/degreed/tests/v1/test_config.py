"""Which configurations of DEGREED may become active."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from coursewire_degreed.v1.config import DegreedV1Config
from coursewire_degreed.v1.plugin import declare_channel

GOOD = {
    "key": "id",
    "secret": " secret ",
    "degreed_company_id": "BAYCORP",
    "degreed_base_url": "https://degreed.com/",
    "degreed_user_id": 4711,
    "degreed_user_password": "pass word",
}


def faults(**fields):
    with pytest.raises(ValidationError) as refusal:
        DegreedV1Config.model_validate({**GOOD, **fields})
    return [(error["type"], error["loc"][0]) for error in refusal.value.errors()]


def test_a_complete_configuration():
    config = DegreedV1Config.model_validate(GOOD)

    assert config.token_url == "https://degreed.com/oauth/token"
    assert config.degreed_user_id.get_secret_value() == "4711"
    assert config.secret.get_secret_value() == " secret "
    assert config.provider_id == "EDX"
    assert config.rates(declare_channel().limits.rates)["default"].calls == 70


def test_what_is_missing_is_named_in_order():
    with pytest.raises(ValidationError) as refusal:
        DegreedV1Config.model_validate(dict.fromkeys(GOOD, ""))

    assert [(error["type"], error["loc"][0]) for error in refusal.value.errors()] == [
        ("missing", field) for field in GOOD
    ]
    assert faults(provider_id=" ") == [("missing", "provider_id")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("degreed_base_url", "foobar"),
        ("degreed_base_url", "http://degreed.com"),
        ("learner_id", "sso"),
        ("provider_id", "x" * 101),
        ("oauth_api_path", "https://elsewhere.example.com/token"),
        ("course_api_path", ""),
        ("completion_status_api_path", "//elsewhere.example.com"),
        ("calls_per_minute", 0),
        ("transmission_chunk_size", 0),
    ],
)
def test_what_is_incorrect_is_named(field, value):
    assert [where for _, where in faults(**{field: value})] == [field]


def test_a_base_url_with_a_path_keeps_it():
    config = DegreedV1Config.model_validate(
        {**GOOD, "degreed_base_url": "https://x.example.com/lms", "oauth_api_path": "/t"}
    )

    assert config.token_url == "https://x.example.com/lms/t"


def test_secrets_do_not_show():
    config = DegreedV1Config.model_validate(GOOD)

    assert DegreedV1Config.secret_fields() == {"key", "secret", "degreed_user_id", "degreed_user_password"}
    for shown in (repr(config), str(config), config.model_dump_json()):
        assert not any(secret in shown for secret in (" secret ", "pass word", "4711"))
