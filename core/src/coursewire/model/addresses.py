"""The network addresses that an LMS may have, and paths below an address."""

from __future__ import annotations

import re
from html import unescape
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import idna

LONGEST_PATH = 255

_UNICAST = IPv6Network("2000::/3")
"""RFC 4291: the one part of IPv6 in which public addresses are given out."""

_ENDS_IN_IPV4 = tuple(map(IPv6Network, ("64:ff9b::/96", "::ffff:0:0/96", "::ffff:0:0:0/96")))
"""Networks whose last 32 bits are the IPv4 address that is talked to: NAT64 (RFC 6052), mapped (RFC 4291), translated
(RFC 2765)."""

_NOT_PUBLIC = tuple(
    map(
        IPv6Network,
        (
            "2001::/32",  # Teredo (RFC 4380)
            "2001:20::/28",  # ORCHID (RFC 7343)
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
"""Networks within public unicast that no LMS is in, some of which ``ipaddress`` takes for public."""

_NOT_PUBLIC_IPV4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments (RFC 6890)
    IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
)
"""Networks that no LMS is in, and some of whose addresses ``ipaddress`` takes for public."""

_ISATAP = (0x00005EFE, 0x02005EFE)
"""RFC 5214: an address whose third quarter is one of these ends in the IPv4 address that is talked to."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.I)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.I)


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

    Loopback, private, link-local, site-local, shared, reserved, documentation, Teredo, IPv4-compatible and multicast
    addresses are not; an IPv6 address that stands for an IPv4 address (mapped, translated, 6to4, NAT64, ISATAP) is as public
    as that one.

    Raises:
        ValueError: The text is no IP address.
    """
    ip: IPv4Address | IPv6Address = ip_address(address.split("%", 1)[0])
    if isinstance(ip, IPv6Address):
        last = IPv4Address(int(ip) & 0xFFFFFFFF)
        if any(ip in network for network in _ENDS_IN_IPV4):
            return _is_public_ipv4(last)
        if ip not in _UNICAST or any(ip in network for network in _NOT_PUBLIC):
            return False
        if ip.sixtofour is not None:
            return _is_public_ipv4(ip.sixtofour)
        if int(ip) >> 32 & 0xFFFFFFFF in _ISATAP and not _is_public_ipv4(last):
            return False
        return ip.is_global and not ip.is_multicast
    return _is_public_ipv4(ip)


def _is_public_ipv4(ip: IPv4Address) -> bool:
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _NOT_PUBLIC_IPV4)
    return ip.is_global and not special


def check_host(host: str) -> None:
    """Check that a host is an IP address or a name that can be looked up.

    Args:
        host: The host of a URL, without port and brackets.

    Raises:
        ValueError: It is neither: an empty label, one of more than 63 letters, letters that no name has, a number that is
            no whole IP address.
    """
    try:
        ip_address(host.split("%", 1)[0])
        return
    except ValueError:
        pass
    name = host.removesuffix(".")
    try:
        plain = name if name.isascii() else idna.encode(name.lower()).decode("ascii")
        labels = plain.split(".")
        for label in labels:
            if label.lower().startswith("xn--"):
                idna.decode(label)
    except UnicodeError as error:
        raise ValueError(f"{host[:100]!r} is no name of a host: {error}"[:300]) from error
    if len(plain) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            f"{host[:100]!r} is no name of a host: it has parts of 1 to 63 letters, digits and hyphens between its dots"
        )
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{host[:100]!r} is no name of a host, and no IP address with all of its parts")


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
