"""How an administrator of a Canvas grants access (page "OAuth2 Overview" of Canvas's documentation)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.toolkit.oauth import OAuthApplication

if TYPE_CHECKING:
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


def _scope(config: CanvasConfig) -> str:
    # Without scopes the token has all rights of the user. A developer key that enforces scopes answers
    # invalid_scope to that.
    return " ".join(SCOPES) if config.scopes_enforced else ""


GRANT = OAuthApplication("/login/oauth2/auth", "/login/oauth2/token", scope=_scope).grant()
