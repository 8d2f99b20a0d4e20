"""Concludes a visit: every piece of evidence combined into one verdict, and what follows from an accepted one."""

from __future__ import annotations

from datetime import datetime, timedelta

from kiosk_web.identity.offer import Offer, Service
from kiosk_web.pki.status import CertificateStatus, StatusMalformed, from_json
from kiosk_web.pki.status_policy import StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.pki.verdict import VerdictPolicy, judge_verdict
from kiosk_web.services.kazashi.taps import KazashiService
from kiosk_web.services.links.at_terminal import derive_link_offer
from kiosk_web.services.persons.issuance import IdentifierRefused, IssuanceService
from kiosk_web.services.persons.terms_acceptance import TermsUnaccepted
from kiosk_web.services.ports import Transaction
from kiosk_web.services.ports.sessions import ChallengeRecord
from kiosk_web.services.readings.basic_four import BasicFourService
from kiosk_web.services.readings.results import hold_reading, record_reading
from kiosk_web.services.status.context import build_status_context
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.visit.proofs import ProofService
from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts

EXPIRES_SOON = timedelta(days=92)  # 「3か月以内」: renewal is possible from three months before the end


class ConclusionService:
    """Works inside the caller's transaction. `limits` are the installation's age limits."""

    def __init__(
        self,
        *,
        offer: Offer,
        proofs: ProofService,
        issuance: IssuanceService,
        fallback: FallbackService,
        kazashi: KazashiService,
        basic_four: BasicFourService,
        limits: StatusPolicy,
    ) -> None:
        self._offer = offer
        self._proofs = proofs
        self._issuance = issuance
        self._fallback = fallback
        self._kazashi = kazashi
        self._basic_four = basic_four
        self._limits = limits

    async def find_question(
        self, transaction: Transaction, challenge: str
    ) -> tuple[TrustedCertificate, StatusContext] | None:
        """The certificate whose status is to be asked, and for what; None after a restart."""
        held, record = self._proofs.find(challenge), await transaction.sessions.find_challenge(challenge)
        if held is None or record is None:
            return None
        return held.certificate, await self._build_context(transaction, record, held.certificate)

    async def _build_context(
        self, transaction: Transaction, challenge: ChallengeRecord, certificate: TrustedCertificate
    ) -> StatusContext:
        service = self._offer.find(challenge.service)
        if service is None:
            return StatusContext()
        return await build_status_context(transaction, challenge, service, certificate, self._limits)

    async def conclude(self, transaction: Transaction, command: c.Conclude, now: datetime) -> e.Event:
        held = self._proofs.find(command.challenge)
        challenge = await transaction.sessions.find_challenge(command.challenge)
        service = self._offer.find(command.visit.service)
        if held is None or challenge is None or service is None:
            return e.VisitRejected(command.challenge, "internal")
        try:
            status = from_json(command.status_json)
        except StatusMalformed:
            return e.VisitRejected(command.challenge, "internal")
        # What a service accepts is in its settings and in the stored challenge, not in a request.
        policy = VerdictPolicy(
            await self._build_context(transaction, challenge, held.certificate),
            await self._fallback.load_within(transaction),
        )
        verdict = judge_verdict(held.certificate, status, held.proof, policy, now)
        if not verdict.accepted:
            return e.VisitRejected(command.challenge, verdict.refusal_code)
        match challenge.purpose:
            case "basic_four":
                return await self._permit(transaction, command, service, now)
            case "enrol":
                kept = await self._kazashi.record_enrolment(transaction, held.certificate, held.surface_key, now)
                return e.EnrolmentConcluded(challenge.id) if kept else e.VisitRejected(challenge.id, "internal")
            case _:
                return await self._identify(transaction, command, challenge, service, held.certificate, status, now)

    async def _identify(
        self,
        transaction: Transaction,
        command: c.Conclude,
        challenge: ChallengeRecord,
        service: Service,
        certificate: TrustedCertificate,
        status: CertificateStatus,
        now: datetime,
    ) -> e.Event:
        """The verdict accepted: the holder gets the identifier of this service, unless something else forbids it."""
        if not await self._kazashi.may_still_count(transaction, challenge, certificate, now, agreed=command.agreed):
            return e.VisitRejected(challenge.id, "kazashi_unavailable")
        asked = command.visit.reading
        if asked is not None and (refusal := await transaction.asked_readings.find_refusal(asked.id, now)):
            return e.VisitRejected(challenge.id, refusal)
        try:
            identifier = await self._issuance.issue_identifier(
                transaction,
                certificate,
                service,
                now,
                reference=challenge.reference,
                method=challenge.method,
                agreed=command.agreed,
            )
        except TermsUnaccepted as unaccepted:
            return e.TermsOutdated(command.challenge, unaccepted.changes)
        except IdentifierRefused as refused:
            return e.VisitRejected(command.challenge, refused.code)
        expires_soon = certificate.not_after - now <= EXPIRES_SOON
        basic_four = _asks_basic_four(service, asked)
        if asked is not None:
            tell = hold_reading if basic_four else record_reading
            await tell(transaction, asked.id, challenge.reference, identifier, expires_soon, status, now)
        kazashi: facts.KazashiOffer = ""
        if challenge.method == "pin":
            kazashi = await self._kazashi.note_pin(transaction, certificate, service, now)
        else:
            await self._kazashi.note_tap(transaction, certificate, now)
        return e.VisitConcluded(
            challenge=command.challenge,
            profile=service.profile,
            identifier_kind=service.terms.identifier_kind,
            identifier=identifier,
            expires_soon=expires_soon,
            checked_at=status.evidence.checked_at,
            status_as_of=status.evidence.this_update,
            status_method=status.evidence.method,
            fallback=status.evidence.opening.cause if status.evidence.opening else "",
            kazashi=kazashi,
            link=derive_link_offer(self._offer, service, challenge.method),
            basic_four=basic_four,
        )

    async def _permit(
        self, transaction: Transaction, command: c.Conclude, service: Service, now: datetime
    ) -> e.BasicFourPermitted | e.VisitRejected:
        """The second verdict of a visit. Nothing is issued by it; it lets the text application be asked."""
        asked = command.visit.reading
        if asked is not None and (refusal := await transaction.asked_readings.find_refusal(asked.id, now)):
            return e.VisitRejected(command.challenge, refusal)
        if not self._basic_four.has_receiver(service.system):
            return e.VisitRejected(command.challenge, "receiver_missing")
        return e.BasicFourPermitted(command.challenge)


def _asks_basic_four(service: Service, asked: facts.AskedReading | None) -> bool:
    """By the service's own terms where a resident chose it, else as the system asked."""
    if service.basic_four is None:
        return False
    return asked.basic_four if asked is not None else not service.basic_four.on_request_only
