from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from coursewire.errors import BlockedError, CredentialsError
from coursewire.toolkit.oauth import OAuthApplication

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONFIG = SimpleNamespace(
    lms_url="https://lms.example.com/sub",
    client_id="key & more",
    client_secret=SecretStr("s=cret+/ü"),
    refresh_token=SecretStr("granted"),
)


def clock():
    return NOW


def answer(**body):
    return httpx.Response(200, json={"access_token": "a", "expires_in": 3600, **body})


def test_the_authorize_url_is_encoded():
    grant = OAuthApplication("/oauth/authorize", "/oauth/token", scope=lambda _: "read offline").grant()
    url = httpx.URL(grant.authorize_url(CONFIG, "https://host.example.com/back?a=1&b=2", "st&te"))

    assert url.path == "/sub/oauth/authorize"
    assert dict(url.params) == {
        "redirect_uri": "https://host.example.com/back?a=1&b=2",
        "scope": "read offline",
        "response_type": "code",
        "client_id": "key & more",
        "state": "st&te",
    }


def test_without_a_scope_none_is_named():
    grant = OAuthApplication("oauth/authorize", "oauth/token").grant()
    assert "scope" not in grant.authorize_url(CONFIG, "https://host.example.com/", "s")


def test_id_and_secret_travel_in_the_form_or_in_a_header():
    in_form = OAuthApplication("a", "t").grant().token_request(CONFIG, "code", "https://host.example.com/")
    form = parse_qs(in_form.content.decode())
    assert (form["client_id"], form["client_secret"]) == (["key & more"], ["s=cret+/ü"])
    assert "authorization" not in in_form.headers

    in_header = (
        OAuthApplication("a", "t", basic=True).grant().token_request(CONFIG, "code", "https://x.example.com/")
    )
    pair = base64.b64decode(in_header.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "key & more:s=cret+/ü"
    assert b"cret" not in in_header.content
    assert str(in_header.url) == "https://lms.example.com/sub/t"


@pytest.mark.parametrize("scope", ["read write", "write read offline", "*", None, 7])
def test_a_scope_that_has_what_is_needed_or_is_not_told(scope):
    application = OAuthApplication("a", "t", needed=("read", "write"))
    assert application.read_token(answer(scope=scope), clock).expires_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("scope", ["", "read", "write offline"])
def test_a_scope_that_lacks_what_is_needed(scope):
    with pytest.raises(CredentialsError, match="too narrow") as caught:
        OAuthApplication("a", "t", needed=("read", "write")).read_token(answer(scope=scope), clock)
    assert "connect again" in caught.value.next_step


def test_a_refresh_uses_the_newest_refresh_token():
    application = OAuthApplication("a", "t")
    auth = application.auth(CONFIG, SimpleNamespace(clock=clock))
    first = parse_qs(auth.token_request(None).content.decode())
    newest = application.read_token(answer(refresh_token="rotated"), clock)
    second = parse_qs(auth.token_request(newest).content.decode())

    assert first["refresh_token"] == ["granted"]
    assert second["refresh_token"] == ["rotated"]
    assert second["grant_type"] == ["refresh_token"]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_refresh_token_counts_as_none_when_refreshing_and_as_a_fault_when_granted(blank, caplog):
    application = OAuthApplication("a", "t")
    auth = application.auth(CONFIG, SimpleNamespace(clock=clock))

    assert auth.read_token(answer(refresh_token=blank)).refresh_token is None
    assert "blank refresh token" in caplog.text
    if blank is not None:
        with pytest.raises(CredentialsError):
            application.grant().read_token(answer(refresh_token=blank), clock)


def test_a_401_is_about_the_token_unless_the_channel_says_that_it_is_about_a_right():
    def permission_error(response):
        return BlockedError("no", why=response.text) if "not allowed" in response.text else None

    tokens = SimpleNamespace(clock=clock)
    plain = OAuthApplication("a", "t").auth(CONFIG, tokens)
    told_apart = OAuthApplication("a", "t", permission_error=permission_error).auth(CONFIG, tokens)

    assert plain.is_over(httpx.Response(401, text="not allowed"))
    assert told_apart.is_over(httpx.Response(401, text="who are you?"))
    assert not told_apart.is_over(httpx.Response(403, text="not allowed"))
    with pytest.raises(BlockedError, match="not allowed"):
        told_apart.is_over(httpx.Response(401, text="not allowed"))
