"""Which configurations of a store may become active."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from coursewire.model.configuration import LearnerId
from coursewire_xapi.config import BasicUser, HostName, XapiConfig

GOOD = {
    "endpoint": "https://lrs.example.com/xAPI/",
    "key": 4711,
    "secret": " secret with spaces: and a colon ",
    "site_domain": "learn.example.org",
}


def faults(**fields: Any) -> str:
    with pytest.raises(ValidationError) as refusal:
        XapiConfig.model_validate({**GOOD, **fields})
    return "; ".join(f"{error['loc']}: {error['msg']}" for error in refusal.value.errors())


def test_a_complete_configuration() -> None:
    config = XapiConfig.model_validate(GOOD)
    assert config.lms_url == "https://lrs.example.com/xAPI"
    assert (config.key, config.version, config.site) == ("4711", "1.0.3", "https://learn.example.org")
    assert config.secret.get_secret_value() == " secret with spaces: and a colon "
    assert (config.actor, config.learner_id) == ("account", LearnerId.SSO)
    assert "secret with" not in repr(config) + str(config.model_dump())


def test_everything_without_a_default_is_asked_for() -> None:
    with pytest.raises(ValidationError) as refusal:
        XapiConfig.model_validate({})
    assert {error["loc"][0] for error in refusal.value.errors()} == set(GOOD)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "lrs.example.com"),
        ("endpoint", "http://lrs.example.com/xAPI"),
        ("endpoint", "https://key:secret@lrs.example.com/xAPI"),
        ("endpoint", "https://127.0.0.1/xAPI"),
        ("key", ""),
        ("key", "with:colon"),
        ("secret", ""),
        ("version", "1.0.4"),
        ("version", "0.95"),
        ("version", "latest"),
        ("site_domain", "https://learn.example.org"),
        ("site_domain", "learn.example.org/"),
        ("site_domain", ""),
        ("site_domain", "learn example org"),
        ("actor", "openid"),
        ("account_home_page", "idp.example.com"),
        ("pseudonym_key", "too short"),
    ],
)
def test_what_is_refused(field: str, value: str) -> None:
    assert field in faults(**{field: value})


@pytest.mark.parametrize("version", ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"])
def test_versions(version: str) -> None:
    assert XapiConfig.model_validate({**GOOD, "version": version}).version == version


@pytest.mark.parametrize("end", ["statements", "statements/", "Statements", "about"])
def test_the_part_before_statements_is_asked_for(end: str) -> None:
    assert "leave out the last part: https://lrs.example.com/xAPI" in faults(
        endpoint=f"https://lrs.example.com/xAPI/{end}"
    )


def test_addresses_are_looked_for_where_actors_are_made_of_them() -> None:
    for actor in ("mbox", "mbox_sha1sum"):
        assert XapiConfig.model_validate({**GOOD, "actor": actor}).learner_id is LearnerId.EMAIL
        assert "learner_id must be email" in faults(actor=actor, learner_id="sso")


def test_a_pseudonym_needs_a_key() -> None:
    assert "pseudonym_key" in faults(actor="pseudonym")


@pytest.mark.parametrize(
    ("fields", "otherwise"),
    [
        ({}, LearnerId.EMAIL),
        ({"email_without_account": False}, None),
        ({"actor": "mbox"}, None),
        ({"actor": "pseudonym", "pseudonym_key": "0123456789abcdef"}, None),
    ],
)
def test_who_is_named_by_address_instead(fields: dict[str, Any], otherwise: LearnerId | None) -> None:
    assert XapiConfig.model_validate({**GOOD, **fields}).learner_id_otherwise is otherwise


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Learn.Example.org ", "learn.example.org"),
        ("learn.example.org:8443", "learn.example.org:8443"),
        ("x", "x"),
    ],
)
def test_hosts_that_are_taken(written: str, kept: str) -> None:
    assert TypeAdapter(HostName).validate_python(written) == kept


@pytest.mark.parametrize(
    "written", ["", "https://x.example", "x.example/", "a b", ".example", "x:port", "x" * 256]
)
def test_hosts_that_are_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(HostName).validate_python(written)


def test_users_of_basic_authentication() -> None:
    users = TypeAdapter(BasicUser)
    assert (users.validate_python(4711), users.validate_python("a b")) == ("4711", "a b")
    for wrong in ("", "a:b", "x" * 256, None):
        with pytest.raises(ValidationError):
            users.validate_python(wrong)
