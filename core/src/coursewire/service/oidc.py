"""Sign-in by OpenID Connect: the code flow with PKCE.

Who the provider says is signed in may come in here only with an account of that name; roles are granted here. The
way out and the way back belong to one browser: state, nonce and the PKCE verifier stay in an encrypted cookie of
that browser for ten minutes.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import orjson

from coursewire.errors import CoursewireError, SecretKeyError, SettingsError, SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursewire.installation import Installation
    from coursewire.settings import Settings

ROUND_TRIP_S = 600
"""The seconds that somebody may take at the provider."""
LEEWAY_S = 60
"""By how much the provider's clock may differ."""
KEPT_S = 3600.0
"""The seconds for which the provider's description of itself is believed."""
KEYS_EVERY_S = 30.0
"""A token signed by a key that is not known has the keys fetched again, at most so often."""
TIMEOUT_S = 10.0
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key of the provider; never ``none``, never one with a secret that both know."""


class SignInError(CoursewireError):
    """Somebody who came back from the provider cannot be let in."""

    code = "sign-in"


@dataclass(frozen=True, slots=True)
class Way:
    """The address to which the browser is sent, and the cookie that it must bring back."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Proved:
    """The person who came back, and the page that they wanted."""

    name: str
    following: str


class OpenIdConnect:
    """The provider that the settings name. Use it within one event loop.

    Args:
        installation: The installation, whose settings, key and clock are used.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._said: dict[str, Any] = {}
        self._said_until = 0.0
        self._keys: Any = None
        self._keys_at = 0.0

    @property
    def offered(self) -> bool:
        """True when the settings name a provider."""
        return bool(self._settings.oidc_issuer)

    @property
    def provider(self) -> str:
        """The name of the provider for people: its host."""
        return urlsplit(self._settings.oidc_issuer).hostname or ""

    @property
    def _settings(self) -> Settings:
        return self._installation.settings

    async def start(self, *, redirect_uri: str, following: str) -> Way:
        """Begin a sign-in.

        Args:
            redirect_uri: The address to which the browser comes back; the provider must know the same.
            following: Path of the console to go to in the end.

        Raises:
            SignInError: The provider does not answer as it should.
        """
        kept = {
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48),
            "following": following,
            "redirect_uri": redirect_uri,
            "until": self._installation.clock().timestamp() + ROUND_TRIP_S,
        }
        said = await self._metadata()
        async with self._client(redirect_uri) as client:
            url, _state = client.create_authorization_url(
                said["authorization_endpoint"],
                state=kept["state"],
                nonce=kept["nonce"],
                code_verifier=kept["verifier"],
            )
        return Way(url, self._installation.secrets.encrypt(orjson.dumps(kept)).decode())

    async def finish(self, query: Mapping[str, str], cookie: str) -> Proved:
        """Take what the provider sent the browser back with.

        Args:
            query: The query of the address with which the browser came back.
            cookie: The cookie that :meth:`start` gave this browser.

        Raises:
            SignInError: The answer is not good; nobody is proved.
        """
        kept = self._kept(cookie)
        if not secrets.compare_digest(query.get("state", "").encode(), kept["state"].encode()):
            raise _refusal("the answer belongs to another browser or another try")
        if query.get("error"):
            raise _refusal("the provider refused", query["error"][:100])
        if query.get("iss", self._settings.oidc_issuer) != self._settings.oidc_issuer:
            raise _refusal("the answer comes from another provider")
        if not query.get("code"):
            raise _refusal("the provider sent no code")
        claims = await self._claims(query["code"], kept)
        return Proved(self._name(claims), kept["following"])

    # -- inside ----------------------------------------------------------------------------------

    def _kept(self, cookie: str) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = orjson.loads(self._installation.secrets.decrypt(cookie.encode()))
        except (SecretKeyError, ValueError):
            raise _refusal("this browser did not begin to sign in, or too long ago") from None
        if kept["until"] <= self._installation.clock().timestamp():
            raise _refusal("it took too long")
        return kept

    async def _claims(self, code: str, kept: Mapping[str, Any]) -> Mapping[str, Any]:
        from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415 - the extra
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415

        said = await self._metadata()
        try:
            async with self._client(kept["redirect_uri"]) as client:
                answer = await client.fetch_token(
                    said["token_endpoint"], code=code, code_verifier=kept["verifier"]
                )
            token = await self._verified(str(answer.get("id_token") or ""))
            issuer, audience = self._settings.oidc_issuer, self._settings.oidc_client_id
            claims = CodeIDToken(
                token.claims,
                token.header,
                {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}},
                {"nonce": kept["nonce"], "client_id": audience, "access_token": answer.get("access_token")},
            )
            claims.validate(now=int(self._installation.clock().timestamp()), leeway=LEEWAY_S)
        except (AuthlibBaseError, httpx.HTTPError, JoseError, ValueError, TypeError) as error:
            raise _refusal("what the provider says cannot be believed", type(error).__name__) from None
        return dict(claims)

    async def _verified(self, raw: str) -> Any:
        from joserfc import jwt  # noqa: PLC0415 - the extra
        from joserfc.errors import JoseError  # noqa: PLC0415

        keys = await self._key_set()
        try:
            return jwt.decode(raw, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            if time.monotonic() - self._keys_at < KEYS_EVERY_S:
                raise
        # It may have changed its keys since.
        return jwt.decode(raw, await self._key_set(fresh=True), algorithms=ALGORITHMS)

    def _name(self, claims: Mapping[str, Any]) -> str:
        claim = self._settings.oidc_name_claim
        name = claims.get(claim)
        if not isinstance(name, str) or not name:
            raise _refusal(
                f"the provider does not say {claim!r}", step="Set oidc_name_claim or oidc_scopes otherwise."
            )
        if claim == "email" and claims.get("email_verified") is False:
            raise _refusal("the provider has not verified the e-mail address")
        return name

    async def _metadata(self) -> dict[str, Any]:
        if self._said_until > time.monotonic():
            return self._said
        issuer = self._settings.oidc_issuer
        said = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise _refusal(
                "the provider calls itself otherwise",
                step="Set oidc_issuer to what it says, letter by letter.",
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._demand_safe(str(said.get(name, "")))
        self._said, self._said_until = said, time.monotonic() + KEPT_S
        return said

    async def _key_set(self, *, fresh: bool = False) -> Any:
        from joserfc.jwk import KeySet  # noqa: PLC0415 - the extra

        if self._keys is None or fresh or time.monotonic() - self._keys_at > KEPT_S:
            said = await self._metadata()
            self._keys_at = time.monotonic()
            self._keys = KeySet.import_key_set(await self._get(said["jwks_uri"]))  # type: ignore[arg-type]
        return self._keys

    async def _get(self, url: str) -> dict[str, Any]:
        self._demand_safe(url)
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                answer = (await client.get(url)).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise _refusal("the provider does not answer", type(error).__name__) from None
        if not isinstance(answer, dict):
            raise _refusal("the provider does not answer", "no JSON object")
        return answer

    def _demand_safe(self, url: str) -> None:
        if urlsplit(url).scheme != "https" and not self._settings.allow_insecure_urls:
            raise _refusal("the provider names an address without https")

    def _client(self, redirect_uri: str) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client  # noqa: PLC0415 - the extra

        settings = self._settings
        secret = settings.oidc_client_secret
        return AsyncOAuth2Client(
            settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=settings.oidc_scopes,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )


def check(settings: Settings) -> None:
    """Refuse settings that cannot work, when the service starts.

    Raises:
        SettingsError: A part is missing, or the issuer has no https.
        SetupError: The extra ``oidc`` is not installed.
    """
    if not settings.oidc_issuer:
        return
    if not settings.oidc_client_id:
        raise SettingsError(
            "oidc_issuer is set without oidc_client_id", next_step="Set it to what the provider calls us."
        )
    if urlsplit(settings.oidc_issuer).scheme != "https" and not settings.allow_insecure_urls:
        raise SettingsError("oidc_issuer has no https", next_step="Give the provider's https address.")
    try:
        import authlib.integrations.httpx_client  # noqa: F401, PLC0415 - only where it is asked for
    except ModuleNotFoundError as error:
        raise SetupError(
            "sign-in by OpenID Connect is not installed",
            why=f"there is no module {error.name}",
            next_step="Run: pip install 'coursewire[oidc]'",
        ) from None


def _refusal(what: str, why: str = "", *, step: str = "Try again, or ask an administrator.") -> SignInError:
    return SignInError(what, why=why, next_step=step)
