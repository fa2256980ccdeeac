"""Scrubbing: secrets and personal data leave a cassette in such a way that replaying still matches.

One configuration for all cassettes of a channel: :class:`Scrubbing`. Whatever the channel, these go:

- every header that is not needed to understand the exchange (an allow-list);
- values of fields named like credentials, in queries, forms, JSON, XML and multipart bodies of requests and
  responses, and every secret of the configuration and token obtained, wherever it stands;
- JSON web tokens, private keys, user and password in URLs;
- hosts, which become hosts of ``example.com``;
- e-mail addresses, names and telephone numbers of people, each always by the same stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import orjson

from coursewire.http.redact import MASK, SECRET_NAMES, SHORTEST

LMS_HOST = "lms.example.com"
"""The name that stands for the tenant's host."""

OTHER_HOST = "host.example.com"
"""The name that stands for every other host. They share one, so that a replay need not know which came first."""

VOLATILE = "any"
"""The text that stands for a value that differs from run to run."""

KEPT_HEADERS = frozenset(
    {
        "accept", "allow", "content-type", "deprecation", "link", "location", "retry-after", "sunset",
        "www-authenticate", "x-experience-api-version",
    }
)  # fmt: skip

_SECRETS = frozenset(name.replace("_", "") for name in SECRET_NAMES)
_SECRET_ENDS = ("token", "secret", "password", "passphrase", "apikey", "accesskey", "privatekey")
_NO_SECRET = re.compile(r"page|next|continu|sync|delta|type|expires")

_PERSONAL = frozenset(
    {
        "birthdate", "birthday", "dateofbirth", "email", "emailaddress", "familyname", "firstname",
        "givenname", "lastname", "mail", "middlename", "mobile", "mobilephone", "phone", "phonenumber", "primaryemail",
        "sortablename", "surname", "telephone",
    }
)  # fmt: skip

EMAIL = re.compile(r"[\w.!#$&'*+/=?^`{|}~-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})")
URL_HOST = re.compile(r"(?<=://)(?:[^/\s\"'<>\\@?#]*@)?([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?")
JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
)
URL_LOGIN = re.compile(r"(?<=://)[^/\s\"'<>@:]+:[^/\s\"'<>@]+@")

_PARAMETER = re.compile(r"(?<=[?&])([\w.\[\]-]+)=([^&\s\"'<>#\\]+)")

_EXAMPLE = re.compile(r"(?i)(?:.+\.)?example(?:\.(?:com|org|net|edu))?|.+\.(?:example|test|invalid)")
NAMESPACES = frozenset(
    {
        "activitystrea.ms", "adlnet.gov", "docs.oasis-open.org", "id.tincanapi.com", "ns.adobe.com", "purl.imsglobal.org",
        "purl.org", "schema.org", "schemas.microsoft.com", "schemas.xmlsoap.org", "w3id.org", "www.imsglobal.org",
        "www.odata.org", "www.w3.org", "xml.org",
    }
)  # fmt: skip
"""Hosts that stand in names of vocabularies and schemas; nobody is called there."""


@dataclass(frozen=True)
class Scrubbing:
    """A channel's own rules of scrubbing, beyond those that hold for all.

    Names are compared without regard to case and punctuation: ``user_id`` is ``userId``.

    Attributes:
        secrets: Further names of fields that hold credentials.
        personal: Further names of fields that hold personal data, such as a learner's id.
        volatile: Names of fields that differ from run to run without meaning, such as a nonce.
        headers: Further headers to keep, such as ``X-Rate-Limit-Remaining``.
    """

    secrets: Iterable[str] = ()
    personal: Iterable[str] = ()
    volatile: Iterable[str] = ()
    headers: Iterable[str] = ()

    def kind_of(self, name: str) -> str:
        """``secret``, ``personal``, ``volatile`` or ""."""
        bare = bare_name(name)
        if bare in set(map(bare_name, self.volatile)):
            return "volatile"
        if is_secret_name(bare) or bare in set(map(bare_name, self.secrets)):
            return "secret"
        return "personal" if is_personal_name(bare) or bare in set(map(bare_name, self.personal)) else ""

    def keeps(self, header: str) -> bool:
        """Tell whether a header stays."""
        return header.lower() in KEPT_HEADERS or header.lower() in {each.lower() for each in self.headers}


def bare_name(name: str) -> str:
    """A field's name in small letters and digits: the last part of ``user[api_key]`` is ``apikey``."""
    parts = re.findall(r"[^\[\].]+", name.rpartition(":")[2]) or [name]
    return re.sub(r"[^a-z0-9]", "", parts[-1].lower())


def is_secret_name(name: str) -> bool:
    """Tell whether a field of this name holds a credential as a rule. A mark for the next page does not."""
    bare = bare_name(name)
    return bare in _SECRETS or (bare.endswith(_SECRET_ENDS) and not _NO_SECRET.search(bare))


def is_personal_name(name: str) -> bool:
    """Tell whether a field of this name holds personal data as a rule."""
    return bare_name(name) in _PERSONAL


def is_example_host(host: str) -> bool:
    """Tell whether nobody can own this host (RFC 2606, RFC 6761)."""
    return _EXAMPLE.fullmatch(host) is not None


@dataclass
class Scrubber:
    """Scrubs the exchanges of one cassette.

    What it meets it remembers, so that a value has one stand-in wherever it stands. Let it :meth:`learn` every
    exchange first where all are known, as when a recording is written.

    Attributes:
        scrubbing: The channel's configuration of it.
        mask_known: Takes out the secrets that are known by value.
        stand_ins: Real values to what stands for them, given by the author.
    """

    scrubbing: Scrubbing = field(default_factory=Scrubbing)
    mask_known: Callable[[str], str] = str
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    _hosts: dict[str, str] = field(default_factory=dict)
    _people: dict[str, str] = field(default_factory=dict)
    _lookup: re.Pattern[str] | None = None
    _changed: bool = True

    def learn_host(self, netloc: str, stand_in: str = OTHER_HOST) -> None:
        """Give a host, with its port if it has one, its stand-in."""
        host = re.sub(r":\d+$", "", netloc)
        if netloc not in self._hosts and not is_example_host(host) and host not in NAMESPACES:
            self._hosts[netloc] = stand_in
            self._changed = True

    def _person(self, value: Any) -> Any:
        text = str(value)
        known = self.stand_ins.get(text) or self._people.get(text)
        if known is None:
            number = len(self._people) + 1
            known = f"person-{number}@example.com" if "@" in text else f"person-{number}"
            if isinstance(value, int):
                known = str(90_000_000 + number)
            self._people[text] = known
            self._changed = True
        return int(known) if isinstance(value, int) and known.isdecimal() else known

    # -- text --------------------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """A text without secrets, hosts and people, whatever it is part of."""
        text = self.mask_known(text)
        for pattern in (PRIVATE_KEY, JWT):
            text = pattern.sub(MASK, text)
        text = URL_LOGIN.sub("", text)
        text = _PARAMETER.sub(self._parameter, text)
        for found in URL_HOST.finditer(text):
            self.learn_host(found[1] + (found[2] or ""))
        for found in EMAIL.finditer(text):
            if not is_example_host(found[1]):
                self._person(found[0])
        return self._replace(text)

    def _parameter(self, found: re.Match[str]) -> str:
        return f"{found[1]}={MASK}" if self.scrubbing.kind_of(found[1]) == "secret" else found[0]

    def _replace(self, text: str) -> str:
        """Known hosts, people and given values by their stand-ins, the longest first."""
        if self._changed:
            known = {**self._people, **self._hosts, **self.stand_ins}
            self._table = {form: to for value, to in known.items() for form in {value, quote(value, safe="")}}
            names = sorted((value for value in self._table if len(value) >= SHORTEST), key=len, reverse=True)
            found = "|".join(map(re.escape, names))
            self._lookup = re.compile(rf"(?<![A-Za-z0-9])(?:{found})(?![A-Za-z0-9])") if names else None
            self._changed = False
        if text in self._table:  # short values only where they stand alone
            return self._table[text]
        text = self._lookup.sub(lambda found: self._table[found[0]], text) if self._lookup else text
        return re.sub(rf"http://(?={re.escape(LMS_HOST)}|{re.escape(OTHER_HOST)})", "https://", text)

    # -- structured --------------------------------------------------------------------------------

    def value(self, name: str, value: Any) -> Any:
        """The value of a field, by its name; lists and objects in depth."""
        kind = self.scrubbing.kind_of(name) if name else ""
        if isinstance(value, dict):
            return {key: self.value(name if kind else key, each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(name, each) for each in value]
        if value is None or isinstance(value, bool | float) or value == "":
            return value
        if kind == "secret":
            return 0 if isinstance(value, int) else MASK
        if kind == "volatile":
            return VOLATILE
        if kind == "personal" and isinstance(value, str | int) and not self._harmless(str(value)):
            return self._person(value)
        if isinstance(value, int) and str(value) in self.stand_ins:
            return self._person(value)
        if isinstance(value, str) and value[:1] in "{[":
            return self._json(value)
        return self.text(value) if isinstance(value, str) else value

    def _harmless(self, text: str) -> bool:
        email = EMAIL.fullmatch(text)
        return text in self.stand_ins.values() or bool(email and is_example_host(email[1]))

    def _json(self, text: str) -> str:
        try:
            body = orjson.loads(text)
        except ValueError:
            return self.text(text)
        return orjson.dumps(self.value("", body)).decode()

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """The fields of a form or a query."""
        return [(name, self.value(name, value)) for name, value in pairs]

    def url(self, url: str) -> str:
        """A URL with its host, path and query scrubbed."""
        parts = urlsplit(url)
        self.learn_host(parts.netloc.rpartition("@")[2])
        path = "/".join(map(self._segment, parts.path.split("/")))
        query = (
            urlencode(self.pairs(parse_qsl(parts.query, keep_blank_values=True)), safe="*")
            if parts.query
            else ""
        )
        place = self._replace(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
        return place + urlunsplit(("", "", path, query, ""))

    def _segment(self, segment: str) -> str:
        plain = unquote(segment)
        scrubbed = self.text(plain)
        return segment if scrubbed == plain else quote(scrubbed, safe="")

    def body(self, body: bytes, content_type: str) -> tuple[bytes, str]:
        """A body and its content type, scrubbed by what it is."""
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            text = None
        media = content_type.lower()
        if "multipart/" in media:
            return self._multipart(body, content_type)
        if text is None:  # nothing to read in it; bytes pass one to one through latin-1
            return self.mask_known(body.decode("latin-1")).encode("latin-1", "replace"), content_type
        if "x-www-form-urlencoded" in media:
            return urlencode(
                self.pairs(parse_qsl(text, keep_blank_values=True)), safe="*"
            ).encode(), content_type
        if text.lstrip()[:1] in ("{", "["):
            return self._json(text).encode(), content_type
        return self.text(self._tags(text)).encode(), content_type

    def _tags(self, text: str) -> str:
        """Fields by name in XML, HTML and whatever else is text; what is not known stays as it was written."""

        def element(found: re.Match[str]) -> str:
            return f"{found[1]}{self.value(found[2], found[3])}"

        text = re.sub(r"(<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>)([^<>]+)(?=</)", element, text)
        return re.sub(r"(\b(?:[\w.-]+:)?([\w.-]+)\s*=\s*[\"'])([^\"'<>]+)", element, text)

    def _multipart(self, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Each part by its name; the boundary, which is drawn anew each time, gets a fixed name."""
        found = re.search(r'boundary="?([^";]+)"?', content_type, re.IGNORECASE)
        if not found:
            return self.text(body.decode("latin-1")).encode("latin-1", "replace"), content_type
        boundary = found[1].encode()
        parts = [self._part(part) for part in body.split(b"--" + boundary)]
        return b"--boundary".join(parts), content_type.replace(found[1], "boundary")

    def _part(self, part: bytes) -> bytes:
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            return part
        end = b"\r\n" if content.endswith(b"\r\n") else b""
        content = content.removesuffix(b"\r\n")
        found = re.search(rb'\bname="([^"]*)"', head)
        name = found[1].decode("utf-8", "replace") if found else ""
        if self.scrubbing.kind_of(name):
            content = str(self.value(name, content.decode("utf-8", "replace"))).encode()
        else:
            kind = re.search(rb"(?i)content-type:\s*([^\r\n]+)", head)
            content, _ = self.body(content, kind[1].decode("latin-1") if kind else "")
        return head + blank + content + end

    def headers(self, headers: Mapping[str, Any]) -> dict[str, Any]:
        """The headers that stay; a value may be a text or a list of them."""
        return {
            name: [self.header(each) for each in value] if isinstance(value, list) else self.header(value)
            for name, value in headers.items()
            if self.scrubbing.keeps(name)
        }

    def header(self, text: str) -> str:
        """The value of a header; URLs in it, as in ``Link``, part by part."""
        return self.text(re.sub(r"https?://[^\s<>\",;]+", lambda found: self.url(found[0]), text))
