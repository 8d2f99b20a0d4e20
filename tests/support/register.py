"""A register that tests script, and count the questions of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime

from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.standing import HolderStanding, SignatureState, Silence, judge_items
from kiosk_web.services.persons.register import Predecessor, RegisterSilent
from tests.support.jpki import NOW


@dataclass
class ScriptedRegister:
    """`before`: serial → the serial that it replaced. `silence`: why nothing is answered. `gate` holds answers back."""

    before: dict[int, int] = field(default_factory=dict)
    silence: Silence | None = None
    signature: SignatureState = "valid"
    changed_at: datetime | None = None
    asked: list[int] = field(default_factory=list)
    standings: list[tuple[int, date | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()

    async def find_predecessor(self, issuer_key_id: bytes, serial: int) -> Predecessor | RegisterSilent:
        self.asked.append(serial)
        await self.gate.wait()
        if self.silence is not None:
            return RegisterSilent(self.silence)
        before = self.before.get(serial)
        return Predecessor(None if before is None else CertificateName(issuer_key_id, before))

    async def fetch_standing(self, issuer_key_id: bytes, serial: int, since: date | None) -> HolderStanding:
        self.standings.append((serial, since))
        await self.gate.wait()
        if self.silence is not None:
            return HolderStanding(since=since, why=self.silence)
        return HolderStanding(self.signature, judge_items(self.changed_at, since), since, NOW)
