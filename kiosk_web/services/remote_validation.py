"""Validation for systems that read cards themselves (Type 2): a challenge, then a certificate with the card's signature
over it.

The challenge is used up before anything else is looked at. Without a signature that verifies nothing is asked of
anybody, nobody is looked up, and nothing but the refusal is recorded. There is no kazashi here: a card far away proves
itself with its PIN.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from kiosk_web.errors import KioskError
from kiosk_web.identity import reference
from kiosk_web.identity.standing import HolderStanding
from kiosk_web.pki.fallback import FallbackState
from kiosk_web.pki.outcomes import OUTCOMES, Outcome
from kiosk_web.pki.signature import Proof, build_card_message, judge_pin_proof
from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    OnHold,
    Revoked,
    Stale,
    Unavailable,
    derive_kept_times,
    name_outcome,
)
from kiosk_web.pki.status_policy import IDENTIFY, PolicyName, StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.pki.verdict import Verdict, VerdictPolicy, judge_verdict
from kiosk_web.services.fallback import FallbackService
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.issuance import IssuanceService
from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store, Transaction, Validation
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.remote import RemoteChallengeRecord, RemoteVisitRecord
from kiosk_web.services.standing import StandingService

CHALLENGE_LIFETIME = timedelta(seconds=180)
EXPIRES_SOON = timedelta(days=92)
ATTEMPTS = 8
METHOD: Literal["pin"] = "pin"


@dataclass(frozen=True)
class NotPermitted:
    """What the client may not ask for. A system that does not exist is refused like one of somebody else's."""

    what: Literal["system", "origin", "method", "stage"]


@dataclass(frozen=True)
class ChallengeNotUsable:
    """Unknown, somebody else's, used before, or too old: which of these is not told."""


@dataclass(frozen=True)
class IdentifierUnknown:
    """There is no such PPID in this system; one of another system is answered alike."""


@dataclass(frozen=True)
class RemoteVerdict:
    """What a client is told. `ppid` is None unless the verdict accepted; `evidence` None where nobody was asked.

    `standing`: what the register says of the holder, None unless the client asked for it and the verdict accepted.
    """

    outcome: Outcome
    reason: str | None
    reference: str
    system: str
    judged_at: datetime
    ppid: str | None = None
    expires_soon: bool | None = None
    evidence: Evidence | None = None
    standing: HolderStanding | None = None


@dataclass(frozen=True, slots=True)
class _Card:
    """What was found of a certificate and the signature beside it, and for what its status is asked. `proof` is None
    for a certificate that is not trusted.
    """

    trust: TrustedCertificate | Untrusted
    proof: Proof | None
    context: StatusContext


class RemoteValidationService:
    """`limits` are the installation's age limits; `systems_by_list` may live on lists alone."""

    def __init__(
        self,
        *,
        store: Store,
        validation: Validation,
        issuance: IssuanceService,
        standing: StandingService,
        fallback: FallbackService,
        in_use: SystemsInUse,
        limits: StatusPolicy,
        systems_by_list: Collection[str],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._validation = validation
        self._issuance = issuance
        self._standing = standing
        self._fallback = fallback
        self._in_use = in_use
        self._contexts: dict[PolicyName, StatusContext] = {
            name: StatusContext(replace(limits, name=name), METHOD, IDENTIFY, lists_permitted=name != "ocsp")
            for name in get_args(PolicyName)
        }
        self._systems_by_list = frozenset(systems_by_list)
        self._clock = clock
        self._entropy = entropy

    async def issue_challenge(
        self, client: ClientRecord, system: str, origin: str
    ) -> RemoteChallengeRecord | NotPermitted:
        """Bound to client, system, origin and purpose; usable once."""
        if system not in client.systems:
            return NotPermitted("system")
        if origin not in client.origins:
            return NotPermitted("origin")
        if not self._in_use.may_be_tested(system):
            return NotPermitted("stage")
        now = self._clock()
        async with self._store.write() as transaction:
            challenge = RemoteChallengeRecord(
                id=encode_base64url(self._entropy(16)),
                client=client.name,
                system=system,
                origin=origin,
                purpose=IDENTIFY,
                nonce=self._entropy(32),
                reference=await self._draw_reference(transaction),
                issued_at=now,
                expires_at=now + CHALLENGE_LIFETIME,
            )
            await transaction.remote.add_challenge(challenge)
        return challenge

    async def _draw_reference(self, transaction: Transaction) -> str:
        for _ in range(ATTEMPTS):
            number = reference.build_reference(self._entropy(reference.ENTROPY))
            if not await transaction.sessions.is_reference_used(number):
                return number
        raise KioskError("no unused reference number was drawn")

    async def validate(
        self,
        client: ClientRecord,
        challenge_id: str,
        certificate: bytes,
        signature: bytes,
        policy: PolicyName | None,
        *,
        standing: bool = False,
    ) -> RemoteVerdict | NotPermitted | ChallengeNotUsable:
        """`policy` None: the client's first method. `standing`: ask the register, too, where the verdict accepts."""
        name = policy or client.methods[0]
        if name not in client.methods or (name == "crl" and self._systems_by_list.isdisjoint(client.systems)):
            return NotPermitted("method")
        consumption = self._store.write_ahead()
        async with consumption as transaction:
            challenge = await transaction.remote.consume_challenge(challenge_id, client.name, self._clock())
            if challenge is None:
                return ChallengeNotUsable()
            first = await self._judge_first(transaction, client, challenge, certificate, signature, name)
        try:
            answer = await self._judge(challenge, first) if isinstance(first, _Card) else first
        finally:  # no answer goes out before the challenge is used up on the disk
            await consumption.wait()
        if isinstance(answer, Exception):
            raise answer
        if standing and isinstance(answer, RemoteVerdict) and answer.ppid is not None:
            return replace(answer, standing=await self._ask_standing(answer.ppid, challenge.system))
        return answer

    async def confirm_items(
        self, client: ClientRecord, system: str, ppid: str
    ) -> NotPermitted | IdentifierUnknown | None:
        """The system has the basic 4 information of the person as they are today: from now on they are compared."""
        if system not in client.systems:
            return NotPermitted("system")
        if not self._in_use.serves(system):
            return NotPermitted("stage")
        async with self._store.read() as transaction:
            person = await transaction.persons.find_by_ppid(ppid, system)
        if person is None:
            return IdentifierUnknown()
        await self._standing.confirm_by_client(person, system, client.name)
        return None

    async def _ask_standing(self, ppid: str, system: str) -> HolderStanding:
        async with self._store.read() as transaction:
            person = await transaction.persons.find_by_ppid(ppid, system)
        if person is None:  # absorbed by another one at this very moment
            return HolderStanding(why="unknown_certificate")
        return await self._standing.ask_for_system(person, system)

    async def _judge_first(
        self,
        transaction: Transaction,
        client: ClientRecord,
        challenge: RemoteChallengeRecord,
        certificate: bytes,
        signature: bytes,
        name: PolicyName,
    ) -> RemoteVerdict | NotPermitted | ChallengeNotUsable | _Card | Exception:
        """All of it where nobody has to be waited for, in the transaction and the commit of the challenge. A `_Card`
        where somebody has: nothing was written. What fails is given back: the challenge stays used up.
        """
        if challenge.system not in client.systems:
            return ChallengeNotUsable()
        if not self._in_use.serves(challenge.system):
            return NotPermitted("stage")
        if name == "crl" and challenge.system not in self._systems_by_list:
            return NotPermitted("method")
        try:
            card = self._judge_card(challenge, certificate, signature, name)
            if card.proof is None or not card.proof.verified or not isinstance(card.trust, TrustedCertificate):
                return await self._conclude(transaction, challenge, card, None, FallbackState())
            status = await self._validation.find_good(transaction, card.trust, card.context)
            if status is None:
                return card
            ppid = await self._issuance.find_settled_ppid(transaction, card.trust, challenge.system)
            if ppid is None:
                return card
            return await self._conclude(transaction, challenge, card, status, FallbackState(), ppid)
        except Exception as error:
            return error

    def _judge_card(
        self, challenge: RemoteChallengeRecord, certificate: bytes, signature: bytes, name: PolicyName
    ) -> _Card:
        context = self._contexts[name]
        if challenge.purpose != context.purpose:  # none yet; were there one, lists must not speak for it
            context = replace(context, purpose=challenge.purpose)
        trust = self._validation.judge_trust(certificate)
        if not isinstance(trust, TrustedCertificate):
            return _Card(trust, None, context)
        message = build_remote_message(challenge, trust.sha256)
        return _Card(trust, judge_pin_proof(trust, message, signature), context)

    async def _judge(self, challenge: RemoteChallengeRecord, card: _Card) -> RemoteVerdict:
        """Where somebody has to be asked, or something be remembered. The challenge is used up, and nobody waits."""
        assert isinstance(card.trust, TrustedCertificate)
        status = await self._validation.check_status(card.trust, card.context)
        async with self._store.write() as transaction:
            openings = await self._fallback.load_within(transaction)
            return await self._conclude(transaction, challenge, card, status, openings)

    async def _conclude(
        self,
        transaction: Transaction,
        challenge: RemoteChallengeRecord,
        card: _Card,
        status: CertificateStatus | None,
        openings: FallbackState,
        ppid: str | None = None,
    ) -> RemoteVerdict:
        """Judge, and record it. `ppid`: it need not be issued; it is told only if the verdict accepts."""
        now, trust = self._clock(), card.trust
        verdict = _judge_signature(card, status) or judge_verdict(
            trust, status, card.proof, VerdictPolicy(card.context, openings), now
        )
        expires_soon = None
        if verdict.accepted and isinstance(trust, TrustedCertificate):
            ppid = ppid or await self._issuance.issue_ppid(transaction, trust, challenge.system, now)
            expires_soon = trust.not_after - now <= EXPIRES_SOON
        elif isinstance(trust, TrustedCertificate) and isinstance(status, Revoked | OnHold):
            await _note_suspension(transaction, trust)
        await transaction.remote.add_visit(_build_visit(challenge, verdict, status, now))
        return _build_answer(challenge, verdict, status, now, ppid if verdict.accepted else None, expires_soon)


async def _note_suspension(transaction: Transaction, certificate: TrustedCertificate) -> None:
    """As at a terminal: should it come back, a tap asks for the 暗証番号 first."""
    person = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
    if person is not None:
        await transaction.persons.mark_check_again([person])


def build_remote_message(challenge: RemoteChallengeRecord, certificate_sha256: bytes) -> bytes:
    """What the card signs, rebuilt from the stored challenge: `terminal` is the client, `session` the challenge,
    `service` the cooperating system (docs/api.md).
    """
    return build_card_message(
        method=METHOD,
        purpose=challenge.purpose,
        origin=challenge.origin,
        terminal=challenge.client,
        session=challenge.id,
        service=challenge.system,
        nonce=challenge.nonce,
        certificate_sha256=certificate_sha256,
    )


def _judge_signature(card: _Card, status: CertificateStatus | None) -> Verdict | None:
    """A wrong signature is named as such: nobody was asked for the status, so the verdict could only miss that."""
    if status is None and card.proof is not None and not card.proof.verified:
        return Verdict(accepted=False, refusal_code="evidence_refused")
    return None


def _build_answer(
    challenge: RemoteChallengeRecord,
    verdict: Verdict,
    status: CertificateStatus | None,
    now: datetime,
    ppid: str | None,
    expires_soon: bool | None,
) -> RemoteVerdict:
    outcome = OUTCOMES[verdict.refusal_code]
    reason: str | None = None
    match outcome, status:
        case "revoked", Revoked(_, said, _):
            reason = said
        case "on_hold", OnHold():
            reason = "certificateHold"
        case "unavailable" | "stale", Unavailable(why, _) | Stale(why, _):
            reason = why
        case "unavailable", _:  # good when it was asked, and not on the way that holds now
            reason = "clock_unreliable" if verdict.refusal_code == "clock_unreliable" else "no_policy"
        case "stale", _:
            reason = "too_old"
        case _:
            pass
    evidence = None if status is None else status.evidence
    return RemoteVerdict(outcome, reason, challenge.reference, challenge.system, now, ppid, expires_soon, evidence)


def _build_visit(
    challenge: RemoteChallengeRecord, verdict: Verdict, status: CertificateStatus | None, now: datetime
) -> RemoteVisitRecord:
    evidence = None if status is None else status.evidence
    this_update, next_update = (None, None) if evidence is None else derive_kept_times(evidence)
    return RemoteVisitRecord(
        reference=challenge.reference,
        client=challenge.client,
        system=challenge.system,
        outcome="accepted" if verdict.accepted else "refused",
        code=verdict.refusal_code,
        status_outcome="" if status is None else name_outcome(status),
        status_method="" if evidence is None else evidence.method,
        fallback="" if evidence is None or evidence.opening is None else evidence.opening.cause,
        this_update=this_update,
        next_update=next_update,
        started_at=challenge.issued_at,
        ended_at=now,
    )
