"""Who may open the card socket: the checks before the upgrade, in their one order (`docs/wire.md` 4). PURE.

The limiter comes before anything of the request is looked at, and loopback is no exemption from it: every page and
program on this computer comes from loopback. All refusals have the same text, so a refused page learns nothing but a
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PATH = "/card"
REFUSAL_TEXT = "refused\n"
MAXIMUM_SOCKETS = 8
RATE_PER_SECOND = 20.0
BURST = 40.0


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """What the gate looks at. Each header as often as it came."""

    method: str
    path: str
    hosts: Sequence[str]
    origins: Sequence[str]
    subprotocols: Sequence[str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`step` is a stable name for the log."""

    status: int
    step: str


class RateLimiter:
    """A bucket of handshakes for the whole process; `now` is any rising clock in seconds."""

    def __init__(self, now: float) -> None:
        self._level = BURST
        self._at = now

    def take(self, now: float) -> bool:
        """False when there is no room for one more now; then nothing is taken."""
        self._level = min(BURST, self._level + (now - self._at) * RATE_PER_SECOND)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


def judge_load(*, sockets: int, within_rate: bool) -> Refusal | None:
    """The first step, which needs nothing of the request."""
    if sockets >= MAXIMUM_SOCKETS:
        return Refusal(503, "sockets")
    if not within_rate:
        return Refusal(503, "rate")
    return None


def judge_request(request: HandshakeRequest, *, host: str, origin: str, subprotocol: str) -> Refusal | None:
    """The other steps. Host and Origin are compared as strings: no case, no trailing dot, no pattern is forgiven."""
    if request.method != "GET" or request.path != PATH:
        return Refusal(404, "path")
    if list(request.hosts) != [host]:
        return Refusal(403, "host")
    if list(request.origins) != [origin]:
        return Refusal(403, "origin")
    if subprotocol not in request.subprotocols:
        return Refusal(400, "subprotocol")
    return None
