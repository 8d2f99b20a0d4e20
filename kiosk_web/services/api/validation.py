"""Validation for systems that read cards themselves (Type 2): a challenge, then a certificate with the card's signature
over it.

The challenge is used up before anything else is looked at. Without a signature that verifies nothing is asked of
anybody, nobody is looked up, and nothing but the refusal is recorded. There is no kazashi here: a card far away proves
itself with its PIN. What is asked at the same time is judged together (`visits.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import get_args

from kiosk_web.errors import KioskError
from kiosk_web.identity import reference
from kiosk_web.identity.standing import HolderStanding
from kiosk_web.pki.status_policy import IDENTIFY, PolicyName, StatusContext, StatusPolicy
from kiosk_web.services.api.answers import (
    METHOD,
    ChallengeNotUsable,
    IdentifierUnknown,
    NotPermitted,
    RemoteVerdict,
)
from kiosk_web.services.api.shared_turns import SharedTurns
from kiosk_web.services.api.visits import RemoteVisit, RemoteVisits
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.persons.standing import StandingService
from kiosk_web.services.ports import Clock, Entropy, Store, Transaction, Validation
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.remote import RemoteChallengeRecord
from kiosk_web.services.status.fallback import FallbackService

CHALLENGE_LIFETIME = timedelta(seconds=180)
ATTEMPTS = 8


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
        self._standing = standing
        self._in_use = in_use
        self._contexts: dict[PolicyName, StatusContext] = {
            name: StatusContext(replace(limits, name=name), METHOD, IDENTIFY, lists_permitted=name != "ocsp")
            for name in get_args(PolicyName)
        }
        self._systems_by_list = frozenset(systems_by_list)
        self._clock = clock
        self._entropy = entropy
        self._visits = RemoteVisits(
            store=store,
            validation=validation,
            issuance=issuance,
            fallback=fallback,
            in_use=in_use,
            systems_by_list=systems_by_list,
            clock=clock,
        )
        self._turns = SharedTurns(store, self._visits.serve)

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
        visit = RemoteVisit(client, challenge_id, certificate, signature, name, self._contexts[name])
        written = await self._turns.take(visit)
        try:
            answer = await self._visits.judge_apart(visit, written) if visit.must_wait else visit.ended
        finally:  # no answer goes out before the challenge is used up on the disk
            await asyncio.wait([written])
            written.result()
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            raise KioskError("a validation did not end")
        if standing and isinstance(answer, RemoteVerdict) and answer.ppid is not None:
            return replace(answer, standing=await self._ask_standing(answer.ppid, answer.system))
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
