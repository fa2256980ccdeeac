"""The RSA key that signs assertions: read once, checked fully, never quoted."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SMALLEST_KEY_BITS = 2048
_PEM_BLOCK = re.compile(r"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)

KeyField = Literal["private_key", "private_key_passphrase"]


class KeyFaultError(ValueError):
    """The key cannot sign. The message holds nothing of the key, nor of the library's own text.

    Attributes:
        field: The configuration field at fault.
    """

    def __init__(self, message: str, *, field: KeyField = "private_key") -> None:
        self.field = field
        super().__init__(message)


@lru_cache(maxsize=64)
def load_signing_key(text: str, passphrase: str) -> RSAPrivateKey:
    """Read a private key, with all its consistency checks (about 30 ms), once per process.

    Args:
        text: PEM, PKCS#1 or PKCS#8; line ends may be CR-LF or have become blanks, and a certificate may
            stand beside the key.
        passphrase: Byte for byte; empty for an unencrypted key.

    Raises:
        KeyFaultError: What is wrong, and in which field.
    """
    block = _PEM_BLOCK.search(text)
    if block is None:
        raise KeyFaultError(
            "this holds no private key in PEM form; paste the whole text, with its BEGIN and END lines"
        )
    label, body = block.groups()
    if label == "OPENSSH PRIVATE KEY":
        raise KeyFaultError("the OpenSSH form is not taken; convert it with 'ssh-keygen -p -m PKCS8'")
    encrypted = label == "ENCRYPTED PRIVATE KEY" or "ENCRYPTED" in body
    if encrypted and not passphrase:
        raise KeyFaultError("the key is encrypted; give its passphrase", field="private_key_passphrase")
    if passphrase and not encrypted:
        raise KeyFaultError("the key is not encrypted; leave the passphrase empty")
    # A legacy encrypted block has header lines of its own, which must stay lines.
    lines = body if "Proc-Type" in body else "\n" + "\n".join(re.findall(r"\S{1,64}", body)) + "\n"
    pem = f"-----BEGIN {label}-----{lines}-----END {label}-----\n".replace("\r\n", "\n").encode()
    try:
        key = load_pem_private_key(pem, passphrase.encode() if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # "from None": the library's text may quote bytes of the key.
        if encrypted:
            raise KeyFaultError(
                "the passphrase does not open the key, or the key is damaged", field="private_key_passphrase"
            ) from None
        raise KeyFaultError("the private key is damaged or of an unknown kind") from None
    if not isinstance(key, RSAPrivateKey):
        raise KeyFaultError("this is not an RSA key, the only kind that SAP takes")
    if key.key_size < SMALLEST_KEY_BITS:
        raise KeyFaultError(f"the key has {key.key_size} bits; SAP wants {SMALLEST_KEY_BITS} or more")
    return key
