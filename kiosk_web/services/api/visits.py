"""The steps that a request for a validation goes through: the challenge is used up, then certificate, signature, status
and person are judged, and what came of it is recorded.

Each step is taken for all who ask at the same time before the next one (`shared_turns.py`), in one transaction and one
commit. Where somebody has to be waited for, the request goes on by itself, its challenge used up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from kiosk_web.errors import KioskError
from kiosk_web.pki.fallback import FallbackState
from kiosk_web.pki.signature import Proof, judge_pin_proof
from kiosk_web.pki.status import CertificateStatus, OnHold, Revoked
from kiosk_web.pki.status_policy import PolicyName, StatusContext
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.pki.verdict import Verdict, VerdictPolicy, judge_verdict
from kiosk_web.services.api.answers import (
    EXPIRES_SOON,
    ChallengeNotUsable,
    NotPermitted,
    RemoteVerdict,
    build_answer,
    build_record,
    build_remote_message,
)
from kiosk_web.services.api.shared_turns import Written
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.ports import Clock, Store, Transaction, Validation
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.remote import RemoteChallengeRecord, RemoteVisitRecord
from kiosk_web.services.status.fallback import FallbackService


@dataclass(slots=True, eq=False)
class RemoteVisit:
    """One request: what was sent, and below that what the steps found. `context`: for what the status is asked.

    `ended` with an answer, or with what failed: it takes no more steps. Nor does one that `must_wait` for somebody.
    """

    client: ClientRecord
    challenge_id: str
    certificate: bytes
    signature: bytes
    method: PolicyName
    context: StatusContext

    challenge: RemoteChallengeRecord | None = None
    trust: TrustedCertificate | Untrusted | None = None
    proof: Proof | None = None
    status: CertificateStatus | None = None
    ppid: str | None = None
    record: RemoteVisitRecord | None = None
    must_wait: bool = False
    ended: RemoteVerdict | NotPermitted | ChallengeNotUsable | Exception | None = None

    @property
    def trusted(self) -> TrustedCertificate | None:
        """The certificate, if it is trusted and its holder has signed. For no other anything is asked of anybody."""
        proven = self.proof is not None and self.proof.verified
        return self.trust if proven and isinstance(self.trust, TrustedCertificate) else None


class RemoteVisits:
    """`systems_by_list` may live on lists alone."""

    def __init__(
        self,
        *,
        store: Store,
        validation: Validation,
        issuance: IssuanceService,
        fallback: FallbackService,
        in_use: SystemsInUse,
        systems_by_list: Collection[str],
        clock: Clock,
    ) -> None:
        self._store = store
        self._validation = validation
        self._issuance = issuance
        self._fallback = fallback
        self._in_use = in_use
        self._systems_by_list = frozenset(systems_by_list)
        self._clock = clock
        self._steps = (
            self._use_challenge,
            self._judge_permission,
            self._judge_trust,
            self._judge_proof,
            self._find_status,
            self._find_ppid,
            self._conclude,
        )

    async def serve(self, transaction: Transaction, visits: Sequence[RemoteVisit]) -> list[RemoteVisit]:
        """All steps for all of them. Given back are those that must wait: of them nothing was written but that the
        challenge is used up.
        """
        for step in self._steps:
            for visit in visits:
                if visit.ended is None and not visit.must_wait:
                    try:
                        await step(transaction, visit)
                    except Exception as error:
                        visit.ended = error
                    except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit):
                        raise
                    except BaseException as error:  # a panic in Rust (PyO3) is no Exception; it is this visit's alone
                        visit.ended = KioskError(f"{type(error).__name__} in a library")
        await transaction.remote.add_visits([visit.record for visit in visits if visit.record is not None])
        return [visit for visit in visits if visit.must_wait]

    async def _use_challenge(self, transaction: Transaction, visit: RemoteVisit) -> None:
        now = self._clock()
        visit.challenge = await transaction.remote.consume_challenge(visit.challenge_id, visit.client.name, now)
        if visit.challenge is None:
            visit.ended = ChallengeNotUsable()

    async def _judge_permission(self, transaction: Transaction, visit: RemoteVisit) -> None:
        assert visit.challenge is not None
        system = visit.challenge.system
        if system not in visit.client.systems:
            visit.ended = ChallengeNotUsable()
        elif not self._in_use.serves(system):
            visit.ended = NotPermitted("stage")
        elif visit.method == "crl" and system not in self._systems_by_list:
            visit.ended = NotPermitted("method")

    async def _judge_trust(self, transaction: Transaction, visit: RemoteVisit) -> None:
        visit.trust = self._validation.judge_trust(visit.certificate)

    async def _judge_proof(self, transaction: Transaction, visit: RemoteVisit) -> None:
        assert visit.challenge is not None
        if isinstance(visit.trust, TrustedCertificate):
            message = build_remote_message(visit.challenge, visit.trust.sha256)
            visit.proof = judge_pin_proof(visit.trust, message, visit.signature)

    async def _find_status(self, transaction: Transaction, visit: RemoteVisit) -> None:
        assert visit.challenge is not None
        if visit.challenge.purpose != visit.context.purpose:  # none yet; were there one, lists must not speak for it
            visit.context = replace(visit.context, purpose=visit.challenge.purpose)
        if (trusted := visit.trusted) is not None:
            visit.status = await self._validation.find_good(transaction, trusted, visit.context)
            visit.must_wait = visit.status is None

    async def _find_ppid(self, transaction: Transaction, visit: RemoteVisit) -> None:
        assert visit.challenge is not None
        if (trusted := visit.trusted) is not None:
            visit.ppid = await self._issuance.find_settled_ppid(transaction, trusted, visit.challenge.system)
            visit.must_wait = visit.ppid is None

    async def _conclude(self, transaction: Transaction, visit: RemoteVisit) -> None:
        visit.ended = await self._judge(transaction, visit, FallbackState())

    async def judge_apart(self, visit: RemoteVisit, written: Written) -> RemoteVerdict:
        """One that had to wait: somebody is asked, and what was learned is remembered. `written`: the challenge is used
        up on the disk; where it is not, nobody is issued anything, and there is nothing to record.
        """
        trusted = visit.trusted
        assert trusted is not None
        visit.status = await self._validation.check_status(trusted, visit.context)
        visit.ppid = None
        await asyncio.wait([written])
        written.result()
        async with self._store.write() as transaction:
            openings = await self._fallback.load_within(transaction)
            answer = await self._judge(transaction, visit, openings)
            await transaction.remote.add_visits([visit.record] if visit.record is not None else [])
        return answer

    async def _judge(self, transaction: Transaction, visit: RemoteVisit, openings: FallbackState) -> RemoteVerdict:
        """The verdict, and the record of it. A PPID that was found is told only if the verdict accepts."""
        challenge, trust, status, now = visit.challenge, visit.trust, visit.status, self._clock()
        assert challenge is not None
        verdict = _judge_signature(visit) or judge_verdict(
            trust, status, visit.proof, VerdictPolicy(visit.context, openings), now
        )
        ppid, expires_soon = None, None
        if verdict.accepted and isinstance(trust, TrustedCertificate):
            ppid = visit.ppid or await self._issuance.issue_ppid(transaction, trust, challenge.system, now)
            expires_soon = trust.not_after - now <= EXPIRES_SOON
        elif isinstance(trust, TrustedCertificate) and isinstance(status, Revoked | OnHold):
            await _note_suspension(transaction, trust)
        answer = build_answer(challenge, verdict, status, now, ppid, expires_soon)
        visit.record = build_record(challenge, verdict, status, now)  # of what can be told
        return answer


def _judge_signature(visit: RemoteVisit) -> Verdict | None:
    """A wrong signature is named as such: nobody was asked for the status, so the verdict could only miss that."""
    if visit.status is None and visit.proof is not None and not visit.proof.verified:
        return Verdict(accepted=False, refusal_code="evidence_refused")
    return None


async def _note_suspension(transaction: Transaction, certificate: TrustedCertificate) -> None:
    """As at a terminal: should it come back, a tap asks for the 暗証番号 first."""
    person = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
    if person is not None:
        await transaction.persons.mark_check_again([person])
