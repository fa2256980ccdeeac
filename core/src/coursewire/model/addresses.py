"""The network addresses that an LMS may have, and paths below an address."""

from __future__ import annotations

import re
from html import unescape
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

LONGEST_PATH = 255

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that a gateway will talk to."""


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_UNSEEN = re.compile(r"[\x00-\x20\x7f]+")
"""Characters that browsers pass over in an address."""


def is_web_address(address: str) -> bool:
    """Tell whether an address leads to a page or picture of the web: by http or https, or relative to another.

    An address such as ``javascript:...`` or ``data:...`` does not, however it is written.

    Example:
        >>> is_web_address("https://courses.example.com/KNOTS"), is_web_address("java\\tscript:alert(1)")
        (True, False)
    """
    scheme = _SCHEME.match(_UNSEEN.sub("", unescape(address)))
    return scheme is None or scheme[1].lower() in ("http", "https")


def is_public(address: str) -> bool:
    """Tell whether an IP address is reachable on the public internet.

    Loopback, private, link-local, shared, reserved and multicast addresses are not; an IPv6 address that
    stands for an IPv4 address (mapped, 6to4, NAT64) is as public as that one.

    Raises:
        ValueError: The text is no IP address.
    """
    ip: IPv4Address | IPv6Address = ip_address(address.split("%", 1)[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast


def plain_path(value: str) -> str:
    """Return a path at a host that is set elsewhere: absolute, and nothing but a path, without a slash at its end.

    Raises:
        ValueError: It names a host, or holds what has no place in a path.
    """
    if not value.startswith("/") or value.startswith("//") or not value.strip("/"):
        raise ValueError("write a path that begins with one slash, such as /progress, and no host")
    if any(each in value for each in "?#\\@% ") or ".." in value or not value.isprintable():
        raise ValueError("a path holds no blanks, '?', '#', '%', '@', backslashes or '..'")
    if len(value) > LONGEST_PATH:
        raise ValueError(f"a path has at most {LONGEST_PATH} characters")
    return value.rstrip("/")
