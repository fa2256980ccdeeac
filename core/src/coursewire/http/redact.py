"""Redaction: taking secrets out of text before a person sees it."""

from __future__ import annotations

import base64
import html
import re
from collections import deque
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import orjson
from pydantic import BaseModel, SecretBytes, SecretStr

from coursewire.http.texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import httpx

MASK = "***"

SHORTEST = 4
"""Secrets with fewer characters are not looked for: they would be found in every text."""

PASSING = 64
"""Number of passing secrets that are looked for: more than there are requests under way."""

_WINDOW = 64 * 1024
"""Number of characters of an answer that an excerpt is made from."""

SECRET_NAMES = (
    "access_key",
    "access_token",
    "api_key",
    "assertion",
    "authorization",
    "client_assertion",
    "client_secret",
    "cookie",
    "credentials",
    "csrf",
    "csrf_token",
    "id_token",
    "jsessionid",
    "jwt",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "proxy_authorization",
    "pwd",
    "refresh_token",
    "saml_assertion",
    "saml_request",
    "saml_response",
    "secret",
    "sesskey",
    "session_id",
    "session_token",
    "set_cookie",
    "sid",
    "sig",
    "signature",
    "token",
    "wstoken",
    "x_api_key",
    "xsrf_token",
)
"""Names of fields and headers that hold credentials, in redacted texts as in cassettes. They are compared without regard to
capitals, hyphens and underscores."""

_FIRST = "".join(sorted({name[0] for name in SECRET_NAMES}))
_NAMES = f"(?=[{_FIRST}])(?:{'|'.join(name.replace('_', '[_-]?') for name in SECRET_NAMES)})"
"""Looks at the first letter before it tries name after name: most words are no name."""
_NET = (
    # A private key, a SAML assertion; to the end of the text if it was cut off.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), MASK),
    (re.compile(r"<((?:\w+:)?Assertion)\b.*?(?:</\1>|\Z)", re.S), MASK),
    # The same in base64: "<saml" and "<Assertion", as a token endpoint may quote what it was sent.
    (re.compile(r"\b(?:PHNhbW|PEFzc2VydGlvb)[A-Za-z0-9+/=%_-]{20,}"), MASK),
    # Headers.
    (
        re.compile(r"(?im)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(\s*[:=]\s*)[^\r\n]+"),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[a-z0-9._~+/=-]{6,}"), rf"\1\2{MASK}"),
    # JSON, JSON inside JSON, and a Python dict's text; form fields and queries; XML.
    (re.compile(rf'(?i)("(?:{_NAMES})"\s*:\s*")(?:\\.|[^"\\])*'), rf"\1{MASK}"),
    (re.compile(rf'(?i)(\\"(?:{_NAMES})\\"\s*:\s*\\")[^"\\]*'), rf"\1{MASK}"),
    (re.compile(rf"(?i)('(?:{_NAMES})'\s*:\s*')[^']*"), rf"\1{MASK}"),
    (re.compile(rf"(?i)\b({_NAMES})=[^&\s\"'<>]+"), rf"\1={MASK}"),
    (re.compile(rf"(?i)<({_NAMES})>[^<]*"), rf"<\1>{MASK}"),
)
_INVISIBLE = re.compile(r"(?is)<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Redactor:
    """Replaces secrets in text by ``***``.

    It replaces known secrets first, in every form in which they travel (plain, URL-encoded, base64, in JSON, in HTML),
    longest first, so that one secret inside another cannot leak its tail. As a second net it then replaces text that
    looks like a credential: authorization headers, private keys, SAML assertions, fields named like tokens.

    Args:
        secrets: Secrets that are known from the start.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: frozenset[str] = frozenset()
        self._passing: deque[tuple[str, ...]] = deque(maxlen=PASSING)
        self._compiled: tuple[frozenset[str], re.Pattern[str] | None] = (self._forms, None)
        self.add(*secrets)

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._forms)} forms>"

    def add(self, *secrets: str) -> None:
        """Learn further secrets, for example a token that was just obtained."""
        forms = chain.from_iterable(_forms(secret) for secret in secrets if len(secret) >= SHORTEST)
        self._forms |= frozenset(forms)

    @property
    def _known(self) -> re.Pattern[str] | None:
        """The compiled pattern of the known secrets; it is made on first use, since that takes as long as a request."""
        forms, pattern = self._compiled
        if forms != self._forms:
            forms = self._forms
            longest_first = sorted(forms, key=len, reverse=True)
            pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None
            self._compiled = forms, pattern  # at once, for other threads
        return pattern

    def add_passing(self, secret: str) -> None:
        """Learn one of very many secrets, of which only the last ones used can turn up in an answer."""
        forms = tuple(sorted(set(_forms(secret)), key=len, reverse=True))
        with suppress(ValueError):
            self._passing.remove(forms)
        self._passing.append(forms)

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        text = self.mask_known(text)
        for pattern, replacement in _NET:
            text = pattern.sub(replacement, text)
        return text

    def mask_known(self, text: str) -> str:
        """Return the text without the known secrets; the second net is not used."""
        for forms in self._passing:
            for form in forms:
                text = text.replace(form, MASK)
        known = self._known
        return text if known is None else known.sub(MASK, text)

    def knows(self, content: bytes) -> bool:
        """Return True if a known secret is in ``content``."""
        known = self._known
        return known is not None and known.search(content.decode("utf-8", "replace")) is not None

    def excerpt(self, response: httpx.Response, limit: int = 2000) -> str:
        """Return the readable beginning of an answer of any kind, redacted.

        Args:
            response: Answer that has been read.
            limit: Number of characters at most.

        Returns:
            The text of a JSON, form or plain answer; the visible text of an HTML page; a note of type and size for any
            other answer; "" for an empty one.
        """
        content = response.content
        if not content.strip():
            return ""
        media_type = media_type_of(response)
        text = text_of(response, _WINDOW)
        if "\x00" in text or text.count("�") > len(text) // 10:
            return f"<{len(content)} bytes of {media_type or 'unknown type'}>"
        text = self(text)
        if len(content) > _WINDOW:
            # The end of the window may be the beginning of a secret.
            longest = max(map(len, chain(self._forms, *self._passing)), default=0)
            text = text[: -longest or None]
        if is_html(media_type, text):
            text = " ".join(html.unescape(_INVISIBLE.sub(" ", text)).split())
            text = self(text)  # what stood between tags may have come together
        return shorten(_CONTROL.sub(" ", text).strip(), limit)


def is_html(media_type: str, text: str) -> bool:
    """Return True for an HTML page, by its media type or by its beginning."""
    return media_type == "text/html" or text.lstrip()[:9].lower().startswith(("<!doctype", "<html"))


def media_type_of(response: httpx.Response) -> str:
    """Return the media type of an answer, in small letters and without parameters; "" if it has none."""
    return str(response.headers.get("content-type", "")).split(";")[0].strip().lower()


def shorten(text: str, limit: int) -> str:
    """Return the first ``limit`` characters of a text, with a mark where something was cut off.

    Args:
        text: The text, such as an excerpt of an answer.
        limit: Number of characters of the result at most.

    Example:
        >>> cw.shorten("not acceptable", 8)
        'not acc…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def secret_values(model: BaseModel) -> Iterator[str]:
    """Return the values of all secrets in a configuration, however deep."""
    for name in type(model).model_fields:
        yield from _values(getattr(model, name))


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode("utf-8", "replace")
    elif isinstance(value, BaseModel):
        yield from secret_values(value)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _values(part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _values(part)


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode()
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield orjson.dumps(secret)[1:-1].decode()
    yield html.escape(secret)
    if "\n" in secret:  # a key in PEM form, however its lines arrive
        yield secret.replace("\n", "\r\n")
        yield "".join(secret.split())
