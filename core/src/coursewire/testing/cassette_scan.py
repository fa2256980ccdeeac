"""Looking through cassettes for what should not be in them: secrets, places and people.

::

    from coursewire.testing import scan_cassettes


    def test_no_cassette_holds_a_secret():
        assert scan_cassettes(Path(__file__).parent / "cassettes") == []

The scan does not trust the scrubbing: it reads the files as anybody could, and by rules of its own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
import yaml

from coursewire.http.redact import MASK
from coursewire.testing.scrubbing import (
    EMAIL,
    JWT,
    NAMESPACES,
    URL_HOST,
    VOLATILE,
    is_example_host,
    is_personal_name,
    is_secret_name,
)

_HARMLESS = re.compile(
    rf"{re.escape(MASK)}|{VOLATILE}|(?:person|learner|student|user)[-_.]?\d+|9\d{{7}}|masked|scrubbed|redacted|x+",
    re.IGNORECASE,
)
"""The text that scrubbing puts in the place of a value."""

_PATTERNS = (
    ("a JSON web token", JWT),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a user and password in a URL", re.compile(r"://[^/\s\"'<>@:]+:[^/\s\"'<>@]+@")),
    (
        "an authorization header",
        re.compile(r"(?i)\b(?:bearer|basic)\s+(?=[^\s\"']*\d)[A-Za-z0-9._~+/-]{12,}=*"),
    ),
    (
        "a SAML assertion",
        re.compile(r"<(?:\w+:)?Assertion\b|\b(?:PHNhbW|PEFzc2VydGlvb)[A-Za-z0-9+/=_-]{20,}"),
    ),
    (
        "a key of a known kind",
        re.compile(
            r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|"
            r"sk_live_\w{16,}|AIza[\w-]{35})"
        ),
    ),
)
_PHONE = re.compile(
    r"(?<![\w.+@-])(?:\+\d{1,3}[ ()./-]?\d[\d ()./-]{6,14}\d|\(\d{3}\) ?\d{3}[ -]\d{4}|\d{3}-\d{3}-\d{4})(?![\w-])"
)
_ADDRESS = re.compile(
    r"(?<![\d.])(?:127|10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}(?![\d.])|\blocalhost\b"
)
_BARE_HOST = re.compile(
    r"(?i)(?<![\w@.-])((?:[a-z0-9-]+\.)+(?:com|net|org|edu|gov|io|eu|cloud|dev|app|online|co\.uk|de|fr))(?![\w-])"
)
_WORD = re.compile(r"[A-Za-z0-9]{24,}")
_UUID = re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_HEX = re.compile(r"(?i)\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{32,}\b")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that should not be in a cassette.

    Attributes:
        file: Name of the cassette.
        where: Path of keys to it, such as ``interactions/2/response/body/access_token``.
        what: What it looks like.
        hint: Its first characters and its length: enough to find it, too little to use it.
    """

    file: str
    where: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}: {self.where}: {self.what} ({self.hint})"


def scan_cassettes(
    folder: Path, *, hosts: Collection[str] = (), ignored: Collection[str] = ()
) -> list[Finding]:
    """Look through every cassette of a folder and of those below it.

    Args:
        folder: With ``*.yaml`` files.
        hosts: Host names that may stand in them, beside example hosts and those of vocabularies.
        ignored: Texts that look like something and are nothing, such as a made-up checksum.

    Returns:
        What was found, in the order of the files; a file that cannot be read is a finding, too.
    """
    found: set[Finding] = set()
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        name = path.relative_to(folder).as_posix()
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            found.add(Finding(name, "", "a file that cannot be read", type(error).__name__))
            continue
        for where, what, text in _Scan(frozenset(hosts), frozenset(ignored)).look("", "", content):
            found.add(Finding(name, where, what, f"{text[:3]}…, {len(text)} characters"))
    return sorted(found)


@dataclass(frozen=True)
class _Scan:
    hosts: frozenset[str]
    ignored: frozenset[str]

    def look(self, where: str, name: str, value: Any) -> Iterator[tuple[str, str, str]]:
        """(where, what, text) of everything in a value, which may be a whole document."""
        if isinstance(value, dict):
            for key, each in value.items():
                yield from self.look(f"{where}/{key}".strip("/"), _name(name, str(key)), each)
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from self.look(f"{where}/{number}".strip("/"), name, each)
        elif isinstance(value, bytes):
            yield from self._texts(where, name, value.decode("latin-1"))
        elif isinstance(value, str):
            yield from self._texts(where, name, value)
        elif isinstance(value, int) and not isinstance(value, bool) and value:
            yield from self._by_name(where, name, str(value))

    def _texts(self, where: str, name: str, text: str) -> Iterator[tuple[str, str, str]]:
        yield from self._by_name(where, name, text)
        if text.lstrip()[:1] in ("{", "["):
            try:
                yield from self.look(where, name, orjson.loads(text))
            except ValueError:
                pass
            else:
                return
        fields = urlsplit(text).query if "://" in text[:10] else text
        if re.fullmatch(r"[^\s<>{}=&]+=[^\s<>{}]*", fields):
            for field, value in parse_qsl(fields):
                yield from self._by_name(f"{where}/{field}", field, value)
        for tag, value in re.findall(r"<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>([^<>]+)(?=</)", text):
            yield from self._by_name(f"{where}/{tag}", tag, value)
        for field, value in re.findall(r"\b(?:[\w.-]+:)?([\w.-]+)\s*[=:]\s*[\"']([^\"'<>]+)", text):
            yield from self._by_name(f"{where}/{field}", field, value)
        for field, value in re.findall(r'\bname="([^"]+)"\r?\n(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]+)', text):
            yield from self._by_name(f"{where}/{field}", field, value)  # multipart
        yield from ((where, what, each) for what, each in self._patterns(text))

    def _by_name(self, where: str, name: str, text: str) -> Iterator[tuple[str, str, str]]:
        if not text.strip() or _HARMLESS.fullmatch(text.strip()) or text in self.ignored:
            return
        if is_secret_name(name):
            yield where, f"a value of {name!r}, which is named like a credential", text
        elif is_personal_name(name) and not _example_email(text):
            yield where, f"a value of {name!r}, which is named like personal data", text

    def _patterns(self, text: str) -> Iterator[tuple[str, str]]:
        text = unquote(text)
        for what, pattern in (*_PATTERNS, ("a telephone number", _PHONE), ("an address", _ADDRESS)):
            yield from ((what, found[0]) for found in pattern.finditer(text) if found[0] not in self.ignored)
        for found in EMAIL.finditer(text):
            if not is_example_host(found[1]) and found[0] not in self.ignored:
                yield "an e-mail address", found[0]
        for host in (*(found[1] for found in URL_HOST.finditer(text)), *_BARE_HOST.findall(text)):
            if not self._may_stand(host):
                yield "a host name", host
        for word in _random_words(text):
            if word not in self.ignored:
                yield "random text, as keys and tokens are", word

    def _may_stand(self, host: str) -> bool:
        return is_example_host(host) or host.lower() in NAMESPACES or host in self.hosts


def _name(outer: str, key: str) -> str:
    """A key's name for the rules; what is below a secret is one, too."""
    return outer if is_secret_name(outer) else key


def _example_email(text: str) -> bool:
    found = EMAIL.fullmatch(text)
    return found is not None and is_example_host(found[1])


def _random_words(text: str) -> Iterator[str]:
    """Words that nobody wrote: they change between kinds of characters all the time."""
    text = _UUID.sub(" ", text)
    yield from (found[0] for found in _HEX.finditer(text))
    for found in _WORD.finditer(text):
        word = found[0]
        kinds = ["d" if each.isdigit() else "u" if each.isupper() else "l" for each in word]
        changes = sum(one != other for one, other in pairwise(kinds))
        if len(set(kinds)) == 3 and changes >= 0.3 * len(word) and _entropy(word) >= 3.8:
            yield word


def _entropy(word: str) -> float:
    """Bits a character, as often as the characters of the word occur in it."""
    return -sum(n / len(word) * math.log2(n / len(word)) for n in Counter(word).values())
