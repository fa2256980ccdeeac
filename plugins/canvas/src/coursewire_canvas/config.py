"""Settings of one customer's Canvas, and the application that it grants access to."""

from __future__ import annotations

from typing import ClassVar, Literal

import httpx
from pydantic import Field, field_validator

import coursewire as cw

LARGEST_ID = 2**63 - 1
"""Canvas ids are signed 64-bit integers; those of shards use the upper digits."""

PERMISSION_HINT = "Give the role of the token's user the rights, and the developer key the scopes, that the channel's page lists."
FORBIDDEN_TEXTS = ("not authorized", "insufficient scopes")
"""Words in a 401 of Canvas that is about a right of the token's user and not about the token."""

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
"""The scopes that a developer key which enforces scopes is asked for. The README lists the same."""


class CanvasConfig(cw.ChannelConfig):
    """The address of a Canvas, an account in it, and the developer key and the grant that open it."""

    code: ClassVar[str] = "CANVAS"

    canvas_base_url: cw.LmsUrl
    """Address of the Canvas, such as https://acme.instructure.com."""
    canvas_account_id: int = Field(gt=0, le=LARGEST_ID)
    """Account in which new courses are created: the number in the address of its admin page."""
    client_id: str = Field(min_length=1, max_length=255, coerce_numbers_to_str=True)
    """Id of the developer key."""
    client_secret: cw.Secret
    """Secret of the developer key."""
    refresh_token: cw.Secret
    """Refresh token that a user of the Canvas granted; ``coursewire config connect`` fills it in. Canvas lets it be used
    again and again."""
    scopes_enforced: bool = False
    """The developer key enforces scopes, so that they are named when access is granted."""
    retire_strategy: Literal[cw.RetireStrategy.CONCLUDE, cw.RetireStrategy.DELETE] = (
        cw.RetireStrategy.CONCLUDE
    )
    """``conclude`` makes a retired course read-only and can be undone; ``delete`` takes it away, and only an account
    administrator may bring it back."""

    learner_id: cw.LearnerId = cw.LearnerId.EMAIL
    """The id that Canvas knows learners by. It is looked for among e-mail addresses, logins and SIS ids."""
    keep_instructor_changes: bool = True
    """Leave a grade alone that somebody else gave or changed in Canvas."""

    @field_validator("transmission_chunk_size")
    @classmethod
    def _one_course_a_request(cls, value: int | None) -> None:
        # A limit of 1 says what holds for courses anyway; kept, it would keep grades from travelling together.
        if value not in (None, 1):
            raise ValueError("Canvas takes one course a request; leave this out or write 1")


def _scope(config: CanvasConfig) -> str:
    # Without scopes the token has all rights of its user. A developer key that enforces scopes answers invalid_scope to
    # a request that names none.
    return " ".join(SCOPES) if config.scopes_enforced else ""


def _permission_error(response: httpx.Response) -> cw.BlockedError | None:
    """Return the error for a 401 that is about a right: only the refusal of a token comes with a challenge (page "OAuth2")."""
    if "www-authenticate" in response.headers:
        return None
    if not any(words in response.text.lower() for words in FORBIDDEN_TEXTS):
        return None
    return cw.BlockedError(
        "Canvas refuses this to the user of the token",
        why=cw.truncate(response.text, 200),
        next_step=PERMISSION_HINT,
        http_status=response.status_code,
    )


OAUTH = cw.OAuthApplication(
    authorize_path="/login/oauth2/auth",
    token_path="/login/oauth2/token",
    scope=_scope,
    permission_error=_permission_error,
)
"""The developer key (page "OAuth2 Overview"). Canvas keeps its refresh tokens; one that came with an answer is used."""


@cw.hookimpl
def authenticate(config: CanvasConfig, tokens: cw.Tokens) -> httpx.Auth:
    """Use access tokens of one hour, each asked for with the refresh token of the configuration."""
    return OAUTH.auth(config, tokens)


@cw.hookimpl
def oauth_application() -> cw.CodeGrant:
    """Let an administrator of the Canvas grant the developer key access."""
    return OAUTH.grant()
