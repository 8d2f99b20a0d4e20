"""The basic 4 information of a visit: judged, sealed to its receiver, and gone, in the transaction of one event."""

from __future__ import annotations

from datetime import datetime

from kiosk_web.identity.basic_four import BasicFourMalformed
from kiosk_web.identity.offer import Offer
from kiosk_web.pki.terminal import build_basic_four_evidence_bytes
from kiosk_web.services.ports import Transaction
from kiosk_web.services.readings.basic_four import BasicFourService, read_items
from kiosk_web.services.visit.proofs import ProofService
from kiosk_web.session import commands as c
from kiosk_web.session import events as e


class BasicFourVisitService:
    """The proof and the verdict of this challenge were judged before: the machine lets no item in without them."""

    def __init__(self, *, offer: Offer, proofs: ProofService, basic_four: BasicFourService) -> None:
        self._offer = offer
        self._proofs = proofs
        self._basic_four = basic_four

    async def seal(
        self, transaction: Transaction, terminal: str, command: c.SealBasicFour, now: datetime
    ) -> e.BasicFourSealed | e.BasicFourRejected:
        """What the terminal countersigned for the stored challenge and the certificate that was proven, or nothing."""
        challenge = await transaction.sessions.find_challenge(command.challenge)
        reached, service = command.visit.reached, self._offer.find(command.visit.service)
        consumed = challenge is not None and challenge.consumed_at is not None and challenge.purpose == "basic_four"
        if challenge is None or not consumed or challenge.terminal != terminal or reached is None or service is None:
            return e.BasicFourRejected(command.challenge, "evidence_refused")
        message = build_basic_four_evidence_bytes(
            ticket=challenge.ticket,
            certificate_sha256=bytes.fromhex(command.certificate_sha256),
            method=challenge.method,
            items=command.items,
            counter=command.counter,
        )
        signed = await self._proofs.judge_countersignature(
            transaction, terminal, message, command.counter, command.signature
        )
        if not signed:
            return e.BasicFourRejected(command.challenge, "evidence_refused")
        if not self._basic_four.has_receiver(service.system):
            return e.BasicFourRejected(command.challenge, "receiver_missing")
        asked = command.visit.reading
        if asked is not None and (refusal := await transaction.asked_readings.find_refusal(asked.id, now)):
            return e.BasicFourRejected(command.challenge, refusal)
        try:
            four = read_items(command.items)
        except BasicFourMalformed:
            return e.BasicFourRejected(command.challenge, "card_data_malformed")
        sealed = await self._basic_four.record_reading(
            transaction,
            service.system,
            command.visit.reference,
            reached.identifier,
            four,
            now,
            on_request=asked is not None,
        )
        return e.BasicFourSealed(command.challenge, sealed.expires_at)
