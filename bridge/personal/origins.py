"""Which page may ask a resident's own bridge, and how its socket is opened (`docs/personal.md`, "The gate"). PURE.

The origin is the one that the browser wrote into the handshake. It is compared as it came: no case, no trailing dot and
no pattern is forgiven.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bridge.gate import HandshakeRequest, Refusal
from bridge.personal.messages import SUBPROTOCOL

PATH = "/personal"
MAXIMUM_ORIGIN = 255

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))?"
_HTTPS = re.compile(rf"https://{_LABEL}(?:\.{_LABEL})*{_PORT}")
_LOOPBACK = re.compile(rf"http://(?:127\.0\.0\.1|localhost){_PORT}")


def is_secure_origin(origin: str) -> bool:
    """An `https` origin as a browser serialises it: a name in ASCII, its port if it is not 443, nothing else."""
    return _matches(_HTTPS, origin, usual_port="443")


def is_loopback_origin(origin: str) -> bool:
    """A page of this very computer without TLS, as an engineer at work has it."""
    return _matches(_LOOPBACK, origin, usual_port="80")


def is_international(origin: str) -> bool:
    """Is part of the name written in other letters than those shown (RFC 5890)? Names that look alike are."""
    return any(label.startswith("xn--") for label in origin.partition("://")[2].split("."))


def judge_page(request: HandshakeRequest, *, host: str, allowed: Collection[str], development: bool) -> Refusal | None:
    """`allowed`: the only origins, or none for every `https` page. `development` admits loopback pages too."""
    if request.method != "GET" or request.path != PATH:
        return Refusal(404, "path")
    if list(request.hosts) != [host]:
        return Refusal(403, "host")
    if len(request.origins) != 1 or not _may_ask(request.origins[0], allowed, development):
        return Refusal(403, "origin")
    if SUBPROTOCOL not in request.subprotocols:
        return Refusal(400, "subprotocol")
    return None


def _may_ask(origin: str, allowed: Collection[str], development: bool) -> bool:
    if allowed and origin not in allowed:
        return False
    return is_secure_origin(origin) or (development and is_loopback_origin(origin))


def _matches(pattern: re.Pattern[str], origin: str, *, usual_port: str) -> bool:
    found = pattern.fullmatch(origin) if len(origin) <= MAXIMUM_ORIGIN else None
    port = found["port"] if found else None
    return found is not None and port != usual_port and int(port or 1) <= 65535
