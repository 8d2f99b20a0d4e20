"""Where a webhook may go: to a computer of the municipality's network or of the internet. PURE.

Not to what this computer alone, or its own link, can reach: a name that leads there (by mistake, or because whoever
answers for the name turned it round) would have the kiosk speak to its own services, or to the metadata service of a
cloud. This computer itself is a receiver only where the settings name it as such.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_OWN_NAME = "localhost"
_LAST_FOUR = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))
"""An IPv4 address stands in the last four octets: RFC 6052 2.1, RFC 8215, RFC 2765 2.1, RFC 4291 2.5.5.1."""
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16")))
"""Of clouds that have it elsewhere than on the link."""
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?", re.DOTALL)


def judge_receiver_host(host: str) -> bool:
    """May the settings name it? A name is judged by what it leads to (`is_receiver_address`), an address at once: also
    one in full-width signs, which programs make half-width. What ends in a number is no name (WHATWG URL, 3.5), and
    other spellings of an address are none that anybody means.
    """
    plain = unicodedata.normalize("NFKC", host).replace("。", ".")
    try:
        ip_address(plain)
    except ValueError:
        return _NUMERIC.fullmatch(plain) is None
    return is_receiver_address(plain, host=plain)


def is_receiver_address(address: str, *, host: str) -> bool:
    """May an IP address be connected to for this host of the settings?"""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        ip = _find_embedded(ip) or ip
    if ip.is_loopback:
        return host.lower() == _OWN_NAME or host == address
    if ip in _METADATA or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return False
    return isinstance(ip, IPv6Address) or not (ip.is_reserved or int(ip) >> 24 == 0)  # 240.0.0.0/4 and 0.0.0.0/8


def _find_embedded(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which this one leads: mapped (RFC 4291 2.5.5.2), translated, or through a tunnel (RFC 3056 2,
    RFC 4380 4). `::1` is none.
    """
    if any(ip in network for network in _LAST_FOUR) and int(ip) > 1:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
