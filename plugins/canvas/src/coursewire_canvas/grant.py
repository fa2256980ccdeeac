"""How an administrator of a Canvas grants access (page "OAuth2 Overview" of Canvas's documentation)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpx

from coursewire.client.auth import read_oauth_token
from coursewire.model.inbound import CodeGrant

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire_canvas.config import CanvasConfig


SCOPES = tuple(
    f"url:{method}|/api/v1/{path}"
    for method, path in (
        ("GET", "accounts/:id"),
        ("GET", "accounts/:account_id/permissions"),
        ("GET", "accounts/:account_id/courses"),
        ("POST", "accounts/:account_id/courses"),
        ("GET", "courses/:id"),
        ("PUT", "courses/:id"),
        ("DELETE", "courses/:id"),
        ("GET", "accounts/:account_id/users"),
        ("GET", "users/:id"),
        ("GET", "courses/:course_id/users"),
        ("GET", "courses/:course_id/assignments"),
        ("POST", "courses/:course_id/assignments"),
        ("GET", "courses/:course_id/students/submissions"),
        ("POST", "courses/:course_id/submissions/update_grades"),
        ("GET", "progress/:id"),
        ("GET", "courses/:course_id/assignments/:assignment_id/submissions/:user_id"),
        ("PUT", "courses/:course_id/assignments/:assignment_id/submissions/:user_id"),
        ("DELETE", "courses/:course_id/assignments/:id"),
    )
)
"""What the channel asks a developer key that enforces scopes for; the README lists the same."""


def _authorize_url(config: ChannelConfig, redirect_uri: str, state: str) -> str:
    # Without scopes the token has all rights of the user. A developer key that enforces scopes answers
    # invalid_scope to that.
    settings = cast("CanvasConfig", config)
    asked = {
        "client_id": settings.client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "state": state,
        **({"scope": " ".join(SCOPES)} if settings.scopes_enforced else {}),
    }
    return str(httpx.URL(f"{config.lms_url}/login/oauth2/auth", params=asked))


def _token_request(config: ChannelConfig, code: str, redirect_uri: str) -> httpx.Request:
    settings = cast("CanvasConfig", config)
    form = {
        "grant_type": "authorization_code",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
        "redirect_uri": redirect_uri,
        "code": code,
    }
    return httpx.Request("POST", f"{config.lms_url}/login/oauth2/token", data=form)


GRANT = CodeGrant(
    fields=("refresh_token",),
    authorize_url=_authorize_url,
    token_request=_token_request,
    read_token=read_oauth_token,
)
