"""The key that protects secrets at rest.

Secrets are encrypted with Fernet (AES-128-CBC with HMAC-SHA256). There may be several keys: the first
encrypts, all of them decrypt, so that keys can be exchanged without a stop; see :mod:`coursewire.configurations.rotation`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from coursewire.errors import SecretKeyError

if TYPE_CHECKING:
    from coursewire.settings import Settings

_MAKE_ONE = "`coursewire init` makes a key file; `coursewire config new-key` prints a key."


def new_key() -> str:
    """Return a new key: 32 random bytes as 44 characters of URL-safe base64."""
    return Fernet.generate_key().decode("ascii")


class SecretBox:
    """A box that encrypts and decrypts secrets and shows nothing of its keys."""

    __slots__ = ("_all", "_first")

    def __init__(self, keys: Sequence[str], *, origin: str = "given by the caller") -> None:
        """Take the keys; ``origin`` says in errors where they came from.

        Raises:
            SecretKeyError: There is no key, or one is not a Fernet key.
        """
        if not keys:
            raise SecretKeyError("there is no secret key", where=origin, next_step=_MAKE_ONE)
        fernets = [_fernet(key, f"{origin}, key {number}") for number, key in enumerate(keys, 1)]
        self._first = fernets[0]
        self._all = MultiFernet(fernets)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return a box with the keys of ``COURSEWIRE_SECRET_KEY``, or of the key file.

        Raises:
            SecretKeyError: There is no key, a key has another form, or other users may read the file.
        """
        if settings.secret_key is not None:
            return cls(_split(settings.secret_key.get_secret_value()), origin="setting secret_key")
        path = settings.secret_key_file
        return cls(_split(_read_key_file(path)), origin=str(path))

    @staticmethod
    def create_key_file(path: Path) -> None:
        """Write a new key to ``path``, which only we may read, and the folders above it.

        Raises:
            SecretKeyError: The file exists already, which is left as it is, or cannot be written.
        """
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(new_key() + "\n")
        except FileExistsError:
            raise SecretKeyError(
                "the key file is there already",
                where=str(path),
                why="a new key would make every stored secret unreadable",
                next_step="Keep it. To exchange the key, put a new one in front and run `coursewire config rotate-key`.",
            ) from None
        except OSError as error:
            raise _unreadable(path, error, "cannot be written") from error

    def encrypt(self, plain: bytes) -> bytes:
        """Return the ciphertext of data, encrypted with the first key."""
        return self._first.encrypt(plain)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the data of a ciphertext, decrypted with the key that fits.

        Raises:
            SecretKeyError: No key fits.
        """
        try:
            return self._all.decrypt(ciphertext)
        except InvalidToken:
            raise SecretKeyError(
                "a stored secret cannot be decrypted",
                why="it was written with a key that is not among those of COURSEWIRE_SECRET_KEY or the key file",
                next_step="Put the missing key behind the present one, or set the secret again.",
            ) from None

    def renew(self, ciphertext: bytes) -> bytes | None:
        """Encrypt a ciphertext anew with the first key.

        Returns:
            The new ciphertext; None if the first key had written the old one.

        Raises:
            SecretKeyError: No key fits.
        """
        try:
            self._first.decrypt(ciphertext)
        except InvalidToken:
            return self.encrypt(self.decrypt(ciphertext))
        return None

    def __repr__(self) -> str:
        return "<SecretBox>"


def _fernet(key: str, origin: str) -> Fernet:
    try:
        return Fernet(key.encode("utf-8"))
    except ValueError:
        pass  # outside the handler, so that no traceback leads to the key
    raise SecretKeyError(
        "this is not a secret key",
        where=origin,
        why="a key is 44 characters of URL-safe base64",
        next_step=_MAKE_ONE,
    )


def _split(text: str) -> list[str]:
    """Return the keys of a text, which stand with commas or on lines of their own."""
    return text.replace(",", " ").split()


def _read_key_file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())  # of what is open, not of what the path may mean by now
            _demand_private(status, path)
            return file.read()
    except FileNotFoundError:
        raise SecretKeyError(
            "there is no secret key",
            why=f"COURSEWIRE_SECRET_KEY is not set and {path} does not exist",
            next_step=_MAKE_ONE,
        ) from None
    except UnicodeDecodeError:
        pass
    except OSError as error:
        raise _unreadable(path, error, "cannot be read") from error
    raise SecretKeyError(
        "the key file cannot be read", where=str(path), why="it is not text", next_step=_MAKE_ONE
    )


def _demand_private(status: os.stat_result, path: Path) -> None:
    if status.st_uid != os.geteuid():
        raise SecretKeyError(
            "the key file belongs to another user",
            where=str(path),
            why=f"its owner is user {status.st_uid}, and we run as user {os.geteuid()}",
            next_step=f"Run as its owner, or: chown {os.geteuid()} {path}",
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise SecretKeyError(
            "others may read the key file",
            where=str(path),
            why=f"its mode is {stat.S_IMODE(status.st_mode):04o}",
            next_step=f"chmod 600 {path}",
        )


def _unreadable(path: Path, error: OSError, what: str) -> SecretKeyError:
    return SecretKeyError(
        f"the key file {what}",
        where=str(path),
        why=error.strerror or "",
        next_step="Correct the setting secret_key_file or the rights of its folder.",
    )
