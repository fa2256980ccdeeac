"""Settings of one customer's Blackboard Learn, and the application that it grants access to."""

from __future__ import annotations

from typing import ClassVar, Literal

import httpx
from pydantic import Field

import coursewire as cw

API = "/learn/api/public"
"""Path below which Learn's REST API stands."""
DAILY_CALLS = 10_000
"""Calls in 24 hours that a developer group has, unless it agreed on more (developer portal, "REST API calls limit")."""

CourseView = Literal["Original", "Ultra"]

OAUTH = cw.OAuthApplication(
    authorize_path=f"{API}/v1/oauth2/authorizationcode",
    token_path=f"{API}/v1/oauth2/token",
    # "offline" brings the refresh token. Without the others Learn gives a token whose calls fail.
    scope=lambda _config: "read write delete offline",
    needed=("read", "write"),
    basic=True,
    pkce=True,
)
"""Source: developer documentation, "Three-Legged OAuth". Each refresh ends the refresh token before it."""


class BlackboardConfig(cw.ChannelConfig):
    """The address of a Learn, and the application and the grant that open it."""

    code: ClassVar[str] = "BLACKBOARD"

    blackboard_base_url: cw.LmsUrl
    """Address of the Learn, such as https://acme.blackboard.com."""
    client_id: cw.Secret
    """Key of the application in the developer portal; not its application id. One application may serve all
    customers: keep its key and secret in the environment, and write ``{"env": "NAME"}`` here."""
    client_secret: cw.Secret
    """Secret of the application."""
    refresh_token: cw.Secret
    """Refresh token that a user of the Learn granted; ``coursewire config connect`` fills it in. Each is good once: newer
    ones are kept with the access token."""
    daily_calls: int = Field(default=DAILY_CALLS, gt=0)
    """Calls in 24 hours that the developer group may make, or that Coursewire may take of them. All
    configurations with the same ``client_id`` share them."""
    course_view: CourseView = "Original"
    """The view in which the Learn shows new courses; Ultra takes less HTML, and another kind of folder."""
    content_availability: Literal["Yes", "No", "PartiallyVisible"] = "Yes"
    """The people who see the page in the course: ``Yes`` for students, ``No`` for nobody, ``PartiallyVisible`` for
    students who see its title only."""
    retire_strategy: Literal[cw.RetireStrategy.HIDE, cw.RetireStrategy.DELETE] = cw.RetireStrategy.HIDE
    """``hide`` makes a retired course unavailable to students and can be undone; ``delete`` takes it away for
    good, with all grades in it."""

    learner_id: cw.LearnerId = cw.LearnerId.EMAIL
    """The id that the Learn knows learners by; see ``learner_field``."""
    learner_field: Literal["email", "userName", "externalId"] = "email"
    """Field of Learn's users that holds this id. With ``userName`` and ``externalId`` a learner is addressed directly;
    for ``email`` the students of the course are read once a run."""
    student_roles: tuple[str, ...] = Field(default=("Student",), min_length=1)
    """Ids of the course roles that count as students."""
    keep_instructor_changes: bool = True
    """Leave a grade alone that somebody else changed in Learn after we wrote it."""
    transmission_chunk_size: Literal[1] | None = None
    """Items in one request. Learn takes one: write 1, or leave this out."""

    @property
    def limit_scope(self) -> str:
        """Digest of the application's key, by which Learn counts calls over all sites and customers."""
        return cw.digest(self.client_id.get_secret_value(), 40)


@cw.hookimpl
def authenticate(config: BlackboardConfig, tokens: cw.Tokens) -> httpx.Auth:
    """Use access tokens of one hour, each asked for with the newest refresh token."""
    return OAUTH.auth(config, tokens)


@cw.hookimpl
def oauth_application() -> cw.CodeGrant:
    """Let a user of the Learn grant the application access."""
    return OAUTH.grant()
