"""Executes what the machine commands, inside the transaction of the event. Each command answers with the next event."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from kiosk_web.pki.status_policy import StatusContext
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.services.kazashi.taps import KazashiService
from kiosk_web.services.links.at_terminal import TerminalLinking
from kiosk_web.services.ports import Transaction
from kiosk_web.services.readings.basic_four_visit import BasicFourVisitService
from kiosk_web.services.readings.results import end_reading
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.visit.audit import record_visit
from kiosk_web.services.visit.challenges import ChallengeService
from kiosk_web.services.visit.conclusions import ConclusionService
from kiosk_web.services.visit.proofs import ProofService
from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import states as s

SUSPENDED = frozenset({"certificate_on_hold", "certificate_revoked"})


class EffectService:
    """One case for each command; the work is done by the service of its subject."""

    def __init__(
        self,
        *,
        challenges: ChallengeService,
        proofs: ProofService,
        conclusions: ConclusionService,
        basic_four: BasicFourVisitService,
        kazashi: KazashiService,
        leases: LeaseService,
        linking: TerminalLinking,
    ) -> None:
        self._challenges = challenges
        self._proofs = proofs
        self._conclusions = conclusions
        self._basic_four = basic_four
        self._kazashi = kazashi
        self._leases = leases
        self._linking = linking

    async def find_question(
        self, transaction: Transaction, challenge: str
    ) -> tuple[TrustedCertificate, StatusContext] | None:
        """The certificate whose status is to be asked, and for what; None after a restart."""
        return await self._conclusions.find_question(transaction, challenge)

    def forget(self, challenge: str) -> None:
        """The visit that held it is over."""
        self._proofs.forget(challenge)

    def forget_number(self, visit: s.Visit) -> None:
        """No number of it waits to be confirmed any more."""
        self._linking.forget(visit)

    async def execute(
        self, transaction: Transaction, terminal: str, command: c.Command, now: datetime
    ) -> e.Event | None:
        """Do it; the answer is for the machine, None where it waits for no answer in this transaction."""
        match command:
            case c.IssueChallenge():
                return await self._challenges.issue(transaction, terminal, command, now)
            case c.JudgeCertificate():
                return await self._proofs.judge_certificate(transaction, terminal, command)
            case c.JudgeProof():
                return await self._proofs.judge_proof(transaction, terminal, command, now)
            case c.Conclude():
                return await self._conclusions.conclude(transaction, command, now)
            case c.RecordAudit():
                await self._record(transaction, terminal, command, now)
                return None
            case c.SealBasicFour():
                return await self._basic_four.seal(transaction, terminal, command, now)
            case c.EndKazashi():
                await transaction.kazashi.end(bytes.fromhex(command.certificate_sha256))
                return e.KazashiEnded()
            case c.CheckNumber():
                return await self._linking.check(transaction, command, now)
            case c.ConfirmLink():
                return await self._linking.confirm(transaction, terminal, command, now)
            case c.OpenLease():
                refusal = await self._leases.open(
                    transaction, terminal, command.page, command.number, command.code, now
                )
                return e.LeaseRefused(refusal) if refusal else e.LeaseOpened()
            case c.CloseLease():
                await self._leases.end(transaction, terminal, "signed_out", now)
                return None
            case c.CheckStatus():
                await transaction.sessions.add_work(terminal, command.challenge, now)
                return None
            case _:
                assert_never(command)

    async def _record(self, transaction: Transaction, terminal: str, command: c.RecordAudit, now: datetime) -> None:
        lease = await self._leases.find(transaction, terminal, now) if command.visit.method == "kazashi" else None
        await record_visit(transaction, terminal, command, now, lease="" if lease is None else lease.id)
        await end_reading(transaction, command, now)

    async def note_suspension(self, transaction: Transaction, certificate: TrustedCertificate) -> None:
        """The certificate was found suspended or revoked."""
        await self._kazashi.note_suspension(transaction, certificate)

    async def leave_page(self, transaction: Transaction, terminal: str, now: datetime) -> None:
        """Another page speaks for the terminal now: nobody has proven to attend that one."""
        await self._leases.end(transaction, terminal, "page_lost", now)
