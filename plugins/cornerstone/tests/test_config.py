"""Which configurations of a portal may become active."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from coursewire_cornerstone.config import CornerstoneConfig

CALLBACK = {"cornerstone_base_url": "https://acme.csod.com/", "key": "k", "secret": " s "}
TRANSCRIPT = {
    "cornerstone_base_url": "https://acme.csod.com",
    "completion_api": "transcript",
    "client_id": "c",
    "client_secret": "s",
}


def faults(fields: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as refusal:
        CornerstoneConfig.model_validate(fields)
    return {str(error["loc"][0]): error["type"] for error in refusal.value.errors()}


def test_a_complete_configuration_of_either_kind() -> None:
    config = CornerstoneConfig.model_validate(CALLBACK)

    assert config.lms_url == "https://acme.csod.com"
    assert config.secret.get_secret_value() == " s "
    assert CornerstoneConfig.model_validate(TRANSCRIPT).oauth_api_path == "/services/api/oauth2/token"


def test_what_is_asked_for_depends_on_the_api() -> None:
    url = {"cornerstone_base_url": "https://acme.csod.com"}

    assert faults(url) == {"key": "missing", "secret": "missing"}
    assert faults({**url, "completion_api": "transcript"}) == {
        "client_id": "missing",
        "client_secret": "missing",
    }
    assert "cornerstone_base_url" in faults({})


@pytest.mark.parametrize("half", [{"client_id": "c"}, {"client_secret": "s"}])
def test_half_a_pair_is_refused_whatever_the_api(half: dict[str, str]) -> None:
    assert faults({**CALLBACK, **half}) == {"client_secret": "value_error"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cornerstone_base_url", ""),
        ("cornerstone_base_url", "boo"),
        ("cornerstone_base_url", "http://acme.csod.com"),
        ("display_name", "x" * 21),
        ("completion_api", "both"),
        ("languages", {"languages": ["en-US"]}),
        ("languages", 7),
        ("subject_mapping", {"Technology": 7}),
        ("learner_field", "email"),
        ("completion_scope", ""),
        ("launch_url", "boo"),
    ],
)
def test_wrong_values(field: str, value: Any) -> None:
    assert field in faults({**CALLBACK, field: value})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "https://evil.example.net/x",
        "//evil.example.net",
        "x",
        "/x#y",
        "/x?y",
        "/a b",
        "/../x",
        "/a\\b",
    ],
)
@pytest.mark.parametrize(
    "field",
    [
        "oauth_api_path",
        "completion_status_api_path",
        "transcript_complete_api_path",
        "transcript_progress_api_path",
        "learning_assignments_api_path",
    ],
)
def test_a_path_is_a_path(field: str, path: str) -> None:
    assert field in faults({**TRANSCRIPT, field: path})


@pytest.mark.parametrize(
    "given", ["en-US, es-ES", ["en-US", "es-ES"], {"Languages": ["en-US", "es-ES"]}, ("en-US", "es-ES")]
)
def test_languages_in_every_form(given: Any) -> None:
    assert CornerstoneConfig.model_validate({**CALLBACK, "languages": given}).languages == ("en-US", "es-ES")


def test_secrets_do_not_show() -> None:
    config = CornerstoneConfig.model_validate(
        {**TRANSCRIPT, "client_secret": "canary-1", "secret": "canary-2"}
    )

    assert "canary" not in repr(config)
    assert "canary" not in config.model_dump_json()
    assert CornerstoneConfig.secret_fields() == {"key", "secret", "client_id", "client_secret"}
