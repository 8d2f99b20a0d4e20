"""Issues the challenge that one card answers: a ticket for the bridge, and the row it is rebuilt from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from kiosk_web.errors import KioskError
from kiosk_web.identity import reference
from kiosk_web.identity.offer import Offer, Service
from kiosk_web.services.kazashi.taps import KazashiService
from kiosk_web.services.keys import AUDIENCE, ISSUER, KeyRing, encode_base64url
from kiosk_web.services.ports import Entropy, Transaction
from kiosk_web.services.ports.sessions import ChallengeRecord
from kiosk_web.session import commands as c
from kiosk_web.session import events as e

CHALLENGE_TYPE = "kiosk-challenge+jwt"
CHALLENGE_LIFETIME = timedelta(seconds=180)
ATTEMPTS = 8

ConsentHash = Callable[[str, str, Service], bytes]
"""What was shown as (subject, language, service), as the 32 bytes that the card signs."""


class ChallengeService:
    """Works inside the caller's transaction. The server chooses purpose and method, never the page."""

    def __init__(
        self, *, offer: Offer, keys: KeyRing, entropy: Entropy, kazashi: KazashiService, consent_hash: ConsentHash
    ) -> None:
        self._offer = offer
        self._keys = keys
        self._entropy = entropy
        self._kazashi = kazashi
        self._consent_hash = consent_hash

    async def issue(self, transaction: Transaction, terminal: str, command: c.IssueChallenge, now: datetime) -> e.Event:
        record = await transaction.terminals.find(terminal)
        if record is None:
            raise KioskError("the terminal of a session is gone")
        visit = command.visit
        service = self._offer.find(visit.service)
        jti, nonce = encode_base64url(self._entropy(16)), self._entropy(32)
        number = await self._draw_reference(transaction)
        consent = self._consent_hash(visit.consent, visit.language, service) if visit.consent and service else b""
        lease, method = "", visit.method
        if visit.purpose == "identify":
            held = None if visit.by_pin else await self._kazashi.find_lease(transaction, terminal, service, now)
            lease, method = ("", "pin") if held is None else (held.id, "kazashi")
        issued_at = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "jti": jti,
            "iat": issued_at,
            "exp": issued_at + int(CHALLENGE_LIFETIME.total_seconds()),
            "terminal": terminal,
            "origin": record.origin,
            "session": visit.id,
            "service": visit.service,
            "purpose": visit.purpose,
            "method": method,
            "nonce": encode_base64url(nonce),
            "consent": encode_base64url(consent),
            "lease": lease,
            "card": visit.presence.instance,
        }
        ticket = self._keys.sign_ticket(CHALLENGE_TYPE, claims)
        await transaction.sessions.add_challenge(
            ChallengeRecord(
                id=jti,
                ticket=ticket,
                terminal=terminal,
                origin=record.origin,
                session=visit.id,
                service=visit.service,
                purpose=visit.purpose,
                method=method,
                nonce=nonce,
                consent=consent,
                lease=lease,
                card=visit.presence.instance,
                reference=number,
                issued_at=now,
                expires_at=now + CHALLENGE_LIFETIME,
            )
        )
        return e.ChallengeIssued(jti, ticket, number, method)

    async def _draw_reference(self, transaction: Transaction) -> str:
        for _ in range(ATTEMPTS):
            number = reference.build_reference(self._entropy(reference.ENTROPY))
            if not await transaction.sessions.is_reference_used(number):
                return number
        raise KioskError("no unused reference number was drawn")
