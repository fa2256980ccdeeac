"""Answers of token endpoints: a token, a refusal of the credentials, or a fault that passes by itself.

The rule is one for all channels. Only what the endpoint's own application says is a refusal (RFC 6749, 5.2); a page of
a proxy, an empty answer, and every status or code that means "later" say nothing about the credentials.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from coursewire.errors import CredentialsError, ThrottledError, UnreachableError
from coursewire.http.limits import UNKNOWN_WINDOW_S
from coursewire.http.redact import is_html, media_type_of
from coursewire.http.texts import text_of
from coursewire.http.waits import wait_s
from coursewire.model.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from coursewire.errors import SendError

RECONNECT = "Check the credentials of this configuration and connect it again."
CHECK_THEM = "Check the credentials of this configuration and the address of the token endpoint. Later runs try them again."
LATER = "The next run asks again. If it stays so, check the address of the token endpoint."

SLOW_DOWN = frozenset({"slow_down", "too_many_requests", "rate_limit_exceeded"})
LATER_CODES = frozenset({"temporarily_unavailable", "server_error", "authorization_pending", *SLOW_DOWN})
"""OAuth error codes that mean "later", whatever the status (RFC 6749, 4.1.2.1; RFC 8628, 3.5)."""

REFUSING_CODES = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""OAuth error codes that refuse the credentials or the form in which they were sent, whatever the status."""

REFUSING_STATUSES = frozenset({400, 401, 403, 422})
"""Statuses with which an application refuses credentials. Every other one passes, or is somebody else's."""

_CODE = re.compile(r"[\w.:/-]{1,60}")
_TOKEN = re.compile(r"[!-~](?:[ -~]{0,32766}[!-~])?")
_EDGE_WORDS = re.compile(r"error code: \d+|upstream|gateway|proxy|access denied|request blocked", re.I)
"""Words of plain texts with which an edge of a network refuses requests, for instance ``error code: 1020``."""


def fault_of(
    response: httpx.Response, body: Any, now: datetime, *, what: str, where: str = "", excerpt: str = ""
) -> SendError | None:
    """Return the error that the answer of a token endpoint means; None for a success without an error in it.

    Args:
        response: The answer, whatever its status.
        body: Its plain data; None where it is no JSON.
        now: The present instant, from which a pause counts.
        what: Clause that says what came, for the message.
        where: Channel and configuration, for the message.
        excerpt: Redacted beginning of the answer.
    """
    status, told = response.status_code, body.get("error") if isinstance(body, dict) else None
    code = told.strip().lower() if isinstance(told, str) else ""
    if response.is_success and not told:
        return None
    why = f"it says error {_named(told)}" if told else ""
    pause_s = wait_s(response, now)
    refuses = code in REFUSING_CODES or (
        code not in LATER_CODES
        and (response.is_success or status in REFUSING_STATUSES)
        and (status == 401 or bool(told) or _is_applications(response, body))
    )
    if refuses:
        person = code == "invalid_grant" and _is_refresh(response)
        return CredentialsError(
            what,
            where=where,
            why=why,
            next_step=RECONNECT if person else CHECK_THEM,
            http_status=status,
            excerpt=excerpt,
            reason=Reason.GRANT_REFUSED if person else "",
        )
    if status == 429 or code in SLOW_DOWN or pause_s:
        until = now + timedelta(seconds=pause_s or UNKNOWN_WINDOW_S)
        return ThrottledError(
            f"{what}: it asks to wait until {until:%Y-%m-%d %H:%M:%S} UTC" + (f" ({where})" if where else ""),
            retry_at=until,
            http_status=status,
            excerpt=excerpt,
            guessed=not pause_s,
        )
    return UnreachableError(what, where=where, why=why, next_step=LATER, http_status=status, excerpt=excerpt)


def is_sendable(token: str) -> bool:
    """Tell whether a header can carry a token as it is: visible ASCII, and no blank at either end (RFC 6749, A.12).

    Args:
        token: The token, whatever the LMS wrote there.
    """
    return bool(_TOKEN.fullmatch(token))


def _is_applications(response: httpx.Response, body: Any) -> bool:
    """Tell that a refusal is the application's own and not that of a proxy or of the edge of a network."""
    if isinstance(body, dict):
        return True
    text = text_of(response, 10_000).strip()
    return bool(text) and not is_html(media_type_of(response), text) and not _EDGE_WORDS.search(text)


def _is_refresh(response: httpx.Response) -> bool:
    """Tell that a refresh token was what the request offered; only a person can get another one."""
    try:
        content = response.request.content
    except RuntimeError:  # an answer without its request, or a request that was not read
        return False
    return "refresh_token" in (_grant_in_form(content), _grant_in_json(content))


def _grant_in_form(content: bytes) -> str:
    try:
        return parse_qs(content.decode("ascii")).get("grant_type", [""])[0]
    except ValueError:
        return ""


def _grant_in_json(content: bytes) -> str:
    try:
        body = orjson.loads(content)
    except ValueError:
        return ""
    grant = body.get("grant_type") if isinstance(body, dict) else ""
    return grant if isinstance(grant, str) else ""


def _named(error: object) -> str:
    """Return an error code as it is; of anything longer nothing, since half a secret cannot be told from a word."""
    return repr(error) if isinstance(error, str) and _CODE.fullmatch(error) else "in words of its own"
