"""The page on which an administrator of a simulated LMS grants access (RFC 6749, 4.1; RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
from aiohttp import web

if TYPE_CHECKING:
    from coursewire.testing.simulator import Simulator

CODE_LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Granted:
    redirect_uri: str
    scope: str
    challenge: str
    expires_at: datetime


@dataclass(slots=True)
class AuthorizePage:
    """A page with two buttons; whoever presses one is sent back to the application.

    Attributes:
        path: Where the page is.
        client_id: The application that is registered; another gets no redirect.
        lms: The simulator; its clock tells how old a code is.
        redirect_uris: Those that are registered; empty takes any.
        refuses: ``error`` that is given back although the administrator agrees, such as ``invalid_scope``.
    """

    path: str
    client_id: str
    lms: Simulator
    redirect_uris: set[str] = field(default_factory=set)
    refuses: str = ""
    _codes: dict[str, _Granted] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        """The page, and what its buttons do."""
        return [web.get(self.path, self._show), web.post(self.path, self._decide)]

    def redeem(self, code: str, redirect_uri: str, verifier: str = "") -> str | None:
        """Use a code up; the scope that was granted, or None when it is not good."""
        granted = self._codes.pop(code, None)
        if granted is None or granted.expires_at <= self.lms.clock() or granted.redirect_uri != redirect_uri:
            return None
        return granted.scope if not granted.challenge or granted.challenge == _s256(verifier) else None

    async def _show(self, request: web.Request) -> web.Response:
        self._check(request.query)
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in request.query.items()
        )
        scope = html.escape(request.query.get("scope", "") or "everything")
        return web.Response(
            text=f'<!DOCTYPE html><title>Grant access</title><p>May the application use: {scope}?</p><form method="post" '
            f'action="{self.path}">{fields}<button name="decision" value="allow">Allow</button> '
            '<button name="decision" value="deny">Deny</button></form>',
            content_type="text/html",
        )

    async def _decide(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        self._check(form)
        answer = {"state": form["state"]} if "state" in form else {}
        if form.get("decision") != "allow":
            answer |= {"error": "access_denied", "error_description": "The user denied the request"}
        elif self.refuses:
            answer["error"] = self.refuses
        else:
            answer["code"] = secrets.token_urlsafe(24)
            self._codes[answer["code"]] = _Granted(
                form["redirect_uri"],
                form.get("scope", ""),
                form.get("code_challenge", ""),
                self.lms.clock() + CODE_LASTS,
            )
        target = str(httpx.URL(form["redirect_uri"]).copy_merge_params(answer))
        return web.Response(status=302, headers={"Location": target})

    def _check(self, asked: Mapping[str, str]) -> None:
        """Refuse what must not lead back to anybody."""
        uri = asked.get("redirect_uri", "")
        wrong = asked.get("client_id") != self.client_id or asked.get("response_type") != "code"
        wrong = wrong or not uri or bool(self.redirect_uris and uri not in self.redirect_uris)
        wrong = wrong or ("code_challenge" in asked and asked.get("code_challenge_method") != "S256")
        if wrong:
            raise web.HTTPBadRequest(text="invalid_request")


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
