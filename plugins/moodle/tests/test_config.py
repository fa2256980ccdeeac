"""The settings: what is demanded, what is refused, and what is kept from eyes."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from coursewire.configurations.secret_values import OpenedSecrets
from coursewire.configurations.validation import check
from coursewire.model.channel import RetireStrategy
from coursewire.model.configuration import LearnerId
from coursewire_moodle.config import MoodleConfig

PAIR = {"token": ..., "username": "ws", "password": "pw", "service_short_name": "svc"}


def test_an_empty_configuration_misses_three_things():
    found = check(MoodleConfig, {}, OpenedSecrets({}), insecure_urls=False).validity

    assert found.missing == ("moodle_base_url", "token OR username and password", "service_short_name")
    assert not found.incorrect


def test_a_token_or_a_user_name_with_its_password(make_config):
    assert make_config().token.get_secret_value() == "planted-token"
    assert make_config(**PAIR).username.get_secret_value() == "ws"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": "ws"}, "either a token, or"),
        ({"username": "ws", "password": "pw"}, "either a token, or"),
        ({**PAIR, "password": ...}, "token OR username and password"),
        ({**PAIR, "username": ...}, "token OR username and password"),
        ({**PAIR, "service_short_name": ...}, "service_short_name"),
        ({"category_id": 0}, "category_id"),
        ({"category_id": "one"}, "category_id"),
        ({"grade_scale": 0}, "grade_scale"),
        ({"grade_assignment_name": ""}, "grade_assignment_name"),
        ({"retire_strategy": "conclude"}, "retire_strategy"),
        ({"moodle_base_url": "moodle.example.org"}, "moodle_base_url"),
        ({"moodle_base_url": "http://moodle.example.org"}, "plain http"),
        ({"moodle_base_url": "https://ws:pw@moodle.example.org"}, "do not belong into the URL"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(make_config, changes, words):
    with pytest.raises(ValidationError, match=words):
        make_config(**changes)


def test_defaults_are_those_that_users_know(make_config):
    config = make_config()

    assert (config.category_id, config.grade_scale, config.grade_assignment_cmid) == (1, None, None)
    assert config.grade_assignment_name == "(edX integration) Final Grade"
    assert config.retire_strategy is RetireStrategy.HIDE
    assert config.learner_id is LearnerId.EMAIL


@pytest.mark.parametrize("url", ["https://m.example.org/lms", "https://m.example.org/lms/"])
def test_the_sub_directory_of_the_base_url_stays(make_config, url):
    assert make_config(moodle_base_url=url).lms_url == "https://m.example.org/lms"


def test_credentials_are_secrets_that_nothing_prints(make_config):
    assert MoodleConfig.secret_fields() == {"username", "password", "token"}
    config = make_config(**{**PAIR, "username": "planted-user", "password": "planted-password"})
    assert isinstance(config.password, SecretStr)
    assert "planted" not in f"{config!r} {config} {config.model_dump_json()}"
