"""Where a webhook may go: to a computer of the municipality's network or of the internet. PURE.

Not to what this computer alone, or its own link, can reach: a name that leads there (by mistake, or because whoever
answers for the name turned it round) would have the kiosk speak to its own services, or to the metadata service of a
cloud. This computer itself is a receiver only where the settings name it as such.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_OWN_NAME = "localhost"
_TRANSLATED = IPv6Network("64:ff9b::/96")


def judge_receiver_host(host: str) -> bool:
    """May the settings name it? A name is judged by what it leads to (`is_receiver_address`)."""
    try:
        ip_address(host)
    except ValueError:
        return True
    return is_receiver_address(host, host=host)


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
    above = isinstance(ip, IPv4Address) and ip.is_reserved  # 240.0.0.0/4, with the address of everybody
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or above)


def _find_embedded(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which this one leads (RFC 4291 2.5.5.2, RFC 6052 2.1)."""
    return IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _TRANSLATED else ip.ipv4_mapped
