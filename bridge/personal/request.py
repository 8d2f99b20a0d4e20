"""Judge one request of a page before anybody is asked (`docs/personal.md`, "Codes"). PURE."""

from __future__ import annotations

from bridge.errors import BridgeError, TicketRefused
from bridge.personal.messages import Identify
from bridge.ticket import ChallengeTicket, UsedTickets

REQUESTS = 5.0
"""So many at once for one origin after a quiet time, ..."""
SECONDS_PER_REQUEST = 30.0
"""... and one more for each of these."""
REMEMBERED_ORIGINS = 64


class RequestRefused(BridgeError):
    """Nobody is asked. `reason` is the code that the page gets."""

    code = "request_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OriginPace:
    """How often each origin may ask; `now` is any rising clock in seconds. Who is forgotten begins anew."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, origin: str, now: float) -> bool:
        """False for an origin that has to wait; its time goes on running."""
        level, at = self._levels.pop(origin, (REQUESTS, now))
        level = min(REQUESTS, level + (now - at) / SECONDS_PER_REQUEST)
        while len(self._levels) >= REMEMBERED_ORIGINS:
            del self._levels[next(iter(self._levels))]
        self._levels[origin] = (level - 1 if level >= 1 else level, now)
        return level >= 1


def judge_request(request: Identify, origin: str, used: UsedTickets, pace: OriginPace, now: float) -> None:
    """`origin` is that of the handshake. Raises `RequestRefused`; a challenge that passes is used up here."""
    if not pace.take(origin, now):
        raise RequestRefused("too_many_requests")
    if request.origin != origin:
        raise RequestRefused("origin_mismatch")
    if request.seconds == 0:
        raise RequestRefused("challenge_expired")
    try:
        used.use(request.challenge, now)
    except TicketRefused:
        raise RequestRefused("challenge_used") from None


def build_challenge(request: Identify, origin: str, card: str) -> ChallengeTicket:
    """What the card `card` is asked to sign. The origin is the handshake's own, whatever the page said."""
    return ChallengeTicket(
        compact="",
        jti=request.challenge,
        expires=0,
        terminal=request.client,
        origin=origin,
        session=request.challenge,
        service=request.system,
        purpose="identify",
        method="pin",
        nonce=request.nonce,
        consent=b"",
        lease="",
        card=card,
    )
