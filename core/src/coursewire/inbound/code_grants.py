"""Grants of access by an administrator of an LMS: OAuth 2's authorization code, without a web framework.

Two steps: :meth:`CodeGrants.start` makes the URL to open, :meth:`CodeGrants.finish` takes what the LMS sent the
browser back with. The host service and ``coursewire config connect`` both stand on them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import httpx

from coursewire.errors import CredentialsError, GrantError, ThrottledError, UnreachableError
from coursewire.http.redact import shorten
from coursewire.storage.oauth_states import Begun, OAuthStates, StateFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from coursewire.configurations.configuration import Configuration
    from coursewire.http.session import HttpSession
    from coursewire.installation import Installation
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.inbound import CodeGrant
    from coursewire.model.session import Token
    from coursewire.plugins.registry import LoadedChannel

GOOD_FOR = timedelta(minutes=10)
"""Time that an administrator has for the pages of the LMS."""

SUBJECT = "service"
"""The subject of the token: the configuration itself."""

AGAIN = "Start again."
TEXT_LIMIT = 200


class GrantFault(StrEnum):
    """The reasons why a grant did not come about; :class:`StateFault` has those of the state."""

    NOT_OFFERED = "not-offered"
    BAD_REDIRECT = "bad-redirect"
    STATE_MISSING = "state-missing"
    DENIED = "denied"
    REFUSED = "refused-by-lms"
    CODE_MISSING = "code-missing"
    CODE_REFUSED = "code-refused"
    UNREADABLE = "unreadable-answer"
    UNREACHABLE = "lms-unreachable"


_OF_STATES = {
    StateFault.UNKNOWN: ("this answer belongs to no grant that was begun here", AGAIN),
    StateFault.EXPIRED: (
        f"the answer came too late: a grant must be finished within {GOOD_FOR.seconds // 60} minutes",
        AGAIN,
    ),
    StateFault.USED: (
        "this answer was used before, and each is good once",
        "If the configuration is not connected, start again.",
    ),
    StateFault.OTHER_SESSION: (
        "this answer belongs to a grant that was begun in another session",
        "Finish it there, or start again here.",
    ),
}


class CodeGrants:
    """Begins and finishes grants.

    Args:
        installation: The installation that keeps configurations and their tokens.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._states = OAuthStates(installation.engine)

    def start(self, configuration: UUID, *, session: str, redirect_uri: str) -> str:
        """Begin a grant. Blocks on the database.

        Args:
            configuration: A draft or an active one; all it lacks may be what the grant brings.
            session: Id of the user's session; only the same one can finish. Only its digest is stored.
            redirect_uri: The address to which the LMS sends the browser afterwards, exactly as it is registered there.

        Returns:
            The URL to open in the administrator's browser, good for :data:`GOOD_FOR`.

        Raises:
            GrantError: The channel is granted access in another way, or the redirect URI is none.
            ConfigurationError: The configuration lacks something else, such as the LMS's address.
        """
        found = self._installation.configurations.get(configuration)
        channel, grant = self._grant_of(found)
        _check_redirect(redirect_uri, found.where)
        config = self._load(found, channel, grant)
        state = secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48) if grant.pkce else None
        url = grant.authorize_url(config, redirect_uri, state)
        if verifier is not None:
            challenge = {"code_challenge": _challenge(verifier), "code_challenge_method": "S256"}
            url = str(httpx.URL(url).copy_merge_params(challenge))
        sealed = None if verifier is None else self._installation.secrets.encrypt(verifier.encode())
        now = self._installation.clock()
        self._states.begin(
            state,
            Begun(configuration, redirect_uri, sealed),
            session=session,
            now=now,
            expires_at=now + GOOD_FOR,
        )
        return url

    async def finish(self, answer: Mapping[str, str], *, session: str, actor: str) -> Configuration:
        """Take the LMS's answer, get the first tokens and store them; clears "needs reconnect".

        Args:
            answer: The query that the browser came back with: ``state`` with ``code`` or ``error``. Nothing
                of it is believed that cannot be checked.
            session: Id of the user's session.
            actor: A name for who did it, for the configuration's history.

        Returns:
            The configuration, connected.

        Raises:
            GrantError: It did not come about; ``reason`` says why, and what was stored before stays.
            ConfigurationError: The configuration was removed or broken meanwhile.
        """
        begun = await asyncio.to_thread(self._begun, answer.get("state", ""), session)
        configurations = self._installation.configurations
        found = await asyncio.to_thread(configurations.get, begun.configuration)
        code = _code_in(answer, found.where)
        channel, grant = self._grant_of(found)
        config = await asyncio.to_thread(self._load, found, channel, grant)
        request = grant.token_request(config, code, begun.redirect_uri)
        if begun.verifier is not None:
            request = _with_field(
                request, "code_verifier", self._installation.secrets.decrypt(begun.verifier).decode()
            )

        async with self._installation.session(channel, config, found.uuid) as http:

            async def exchange() -> Token:
                token = await self._exchange(http, grant, request, found.where)
                assert token.refresh_token is not None
                # First the secret that is given only once: whatever dies after this, access is kept.
                await asyncio.to_thread(
                    configurations.keep_grant,
                    found.uuid,
                    channel.channel,
                    {grant.fields[0]: token.refresh_token},
                    actor=actor,
                    granted_to=config,
                )
                return token

            try:
                await http.tokens.replace(SUBJECT, exchange)
            except (UnreachableError, ThrottledError) as error:
                raise GrantError(
                    GrantFault.UNREACHABLE,
                    "the LMS could not be asked for a token",
                    where=found.where,
                    why=error.why or error.what,
                    next_step=AGAIN,
                ) from error
        return await asyncio.to_thread(configurations.get, found.uuid)

    async def _exchange(
        self, http: HttpSession, grant: CodeGrant, request: httpx.Request, where: str
    ) -> Token:
        try:
            response = await http.tokens.send(request)
        except CredentialsError as error:
            raise GrantError(
                GrantFault.CODE_REFUSED,
                "the LMS did not take the code",
                where=where,
                why=shorten(f"it answered {error.http_status} {error.excerpt}", TEXT_LIMIT),
                next_step="Check client id, client secret and redirect URI against what is registered in the "
                "LMS, then start again.",
            ) from error
        try:
            token = grant.read_token(response, self._installation.clock)
        except (CredentialsError, UnreachableError, ThrottledError) as error:
            raise GrantError(
                GrantFault.UNREADABLE, error.what, where=where, why=error.why, next_step=error.next_step
            ) from error
        if token.refresh_token is None:
            raise GrantError(
                GrantFault.UNREADABLE,
                "the LMS gave no refresh token, so that access would end with the hour",
                where=where,
                next_step="Check the scopes that the application may ask for, then start again.",
            )
        return token

    def _begun(self, state: str, session: str) -> Begun:
        if not state:
            raise GrantError(
                GrantFault.STATE_MISSING,
                "the answer has no state, so that nobody can tell what it belongs to",
                next_step="Start again, and let the LMS's own page lead back.",
            )
        taken = self._states.take(state, session=session, now=self._installation.clock())
        if isinstance(taken, StateFault):
            what, next_step = _OF_STATES[taken]
            raise GrantError(taken, what, next_step=next_step)
        return taken

    def _grant_of(self, configuration: Configuration) -> tuple[LoadedChannel, CodeGrant]:
        channel = self._installation.channels.get(configuration.channel)
        grant = channel.hook_caller.oauth_application()
        if grant is None:
            raise GrantError(
                GrantFault.NOT_OFFERED,
                f"channel {configuration.channel} is not granted access by an administrator's click",
                where=configuration.where,
                next_step=f"Fill in its credentials with `coursewire config edit {configuration.short_id}`.",
            )
        return channel, grant

    def _load(self, found: Configuration, channel: LoadedChannel, grant: CodeGrant) -> ChannelConfig:
        return self._installation.configurations.load(found.uuid, channel.channel, ungranted=grant.fields)


def _code_in(answer: Mapping[str, str], where: str) -> str:
    error, told = answer.get("error", ""), answer.get("error_description", "")
    said = shorten(f"{error} {told}".strip(), TEXT_LIMIT)
    if error == "access_denied":
        raise GrantError(
            GrantFault.DENIED,
            "the administrator did not allow it",
            where=where,
            why=f"the LMS says: {said}",
            next_step="Ask somebody who may allow it, then start again.",
        )
    if error:
        raise GrantError(
            GrantFault.REFUSED,
            "the LMS refused the request for access",
            where=where,
            why=f"it says: {said}",
            next_step="Check the application's settings in the LMS, then start again.",
        )
    code = answer.get("code", "")
    if not code:
        raise GrantError(
            GrantFault.CODE_MISSING, "the LMS's answer has no code", where=where, next_step=AGAIN
        )
    return code


def _check_redirect(uri: str, where: str) -> None:
    try:
        parts = httpx.URL(uri)
        loopback = parts.host in ("127.0.0.1", "::1", "localhost")
        good = bool(parts.host) and not parts.fragment and not parts.userinfo
        good = good and (parts.scheme == "https" or (parts.scheme == "http" and loopback))
    except httpx.InvalidURL:
        good = False
    if not good:
        raise GrantError(
            GrantFault.BAD_REDIRECT,
            f"{shorten(uri, TEXT_LIMIT)!r} is no redirect URI",
            where=where,
            why="it is absolute and https (http on this machine only), without a fragment",
            next_step="Give the one that is registered in the LMS.",
        )


def _challenge(verifier: str) -> str:
    """Return the S256 challenge of RFC 7636, 4.2."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _with_field(request: httpx.Request, name: str, value: str) -> httpx.Request:
    form = [*parse_qsl(request.content.decode("ascii"), keep_blank_values=True), (name, value)]
    kept = [(key, text) for key, text in request.headers.items() if key != "content-length"]
    return httpx.Request(request.method, request.url, headers=kept, content=urlencode(form))
