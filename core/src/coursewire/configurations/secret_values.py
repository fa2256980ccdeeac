"""The forms of a secret that a person gives, and its form in the database.

A secret is text, taken byte for byte, or ``{"env": "NAME"}``: then the secret stays in the environment of the process
that needs it, and only the name is stored. Both forms are stored encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from coursewire.configurations.secrets import SecretBox
from coursewire.errors import SecretKeyError

_TEXT = b"text:"
_ENVIRONMENT = b"env:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SecretValue:
    """A secret in one of its two forms: its text, or the name of an environment variable."""

    text: str = field(repr=False)
    from_environment: bool = False

    @classmethod
    def given(cls, value: Any) -> SecretValue | None:
        """Read the form that a person gave; return None for None and empty text, which clear the secret.

        Raises:
            ValueError: The value has neither form; the message does not show it.
        """
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and value.keys() == {"env"}:
            name = value["env"]
            if isinstance(name, str) and _VARIABLE.fullmatch(name):
                return cls(name, from_environment=True)
        raise ValueError('a secret is text, or {"env": "NAME"} with the name of an environment variable')

    @classmethod
    def stored(cls, plain: bytes) -> SecretValue:
        """Read the form that :meth:`to_bytes` wrote."""
        if plain.startswith(_ENVIRONMENT):
            return cls(_decode(plain.removeprefix(_ENVIRONMENT)), from_environment=True)
        return cls(_decode(plain.removeprefix(_TEXT)))

    def to_bytes(self) -> bytes:
        """Return the form that is encrypted and stored."""
        kind = _ENVIRONMENT if self.from_environment else _TEXT
        return kind + self.text.encode("utf-8", "surrogatepass")

    def resolve(self, environ: Mapping[str, str]) -> str:
        """Return the secret itself.

        Raises:
            LookupError: The environment variable is not set, or empty.
        """
        if not self.from_environment:
            return self.text
        value = environ.get(self.text)
        if not value:
            raise LookupError(f"the environment variable {self.text} is not set")
        return value


def _decode(plain: bytes) -> str:
    return plain.decode("utf-8", "surrogatepass")


UNREADABLE = "it cannot be read with the present secret key; set it again"


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """The secrets of one configuration.

    Attributes:
        values: Secrets that could be decrypted, by name.
        unreadable: Names of the secrets that no key opens.
    """

    values: Mapping[str, SecretValue] = field(default_factory=dict)
    unreadable: frozenset[str] = frozenset()

    def with_changes(self, changes: Mapping[str, SecretValue | None]) -> OpenedSecrets:
        """Return the secrets after a change; None in it clears a secret."""
        after = {**self.values, **changes}
        return OpenedSecrets(
            {name: value for name, value in after.items() if value is not None},
            self.unreadable - changes.keys(),
        )

    def resolve(self, environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the secrets in clear by name, and the reasons for those that cannot be read."""
        clear: dict[str, str] = {}
        broken = dict.fromkeys(sorted(self.unreadable), UNREADABLE)
        for name, value in self.values.items():
            try:
                clear[name] = value.resolve(environ)
            except LookupError as error:
                broken[name] = str(error.args[0])
        return clear, broken


def open_secrets(box: SecretBox, ciphertexts: Mapping[str, bytes]) -> OpenedSecrets:
    """Decrypt stored secrets; one that no key opens does not stop the others."""
    values: dict[str, SecretValue] = {}
    for name, ciphertext in ciphertexts.items():
        with suppress(SecretKeyError):
            values[name] = SecretValue.stored(box.decrypt(ciphertext))
    return OpenedSecrets(values, frozenset(ciphertexts.keys() - values.keys()))
