"""Items are sealed for one challenge, at its terminal, of a visit that has a result; for nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk_web.pki.fields import build_fields
from kiosk_web.services.ports.sessions import ChallengeRecord
from kiosk_web.services.readings.basic_four_visit import BasicFourVisitService
from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=10)
VISIT = s.Visit("page", 1, service="gym", reference="ABCD-EFGH", purpose="basic_four")
REACHED = s.Result(VISIT, NOW, "type1", "ppid", "K7Q", False, NOW, "ocsp", NOW, True)
DONE = replace(VISIT, reached=REACHED)
ITEMS = build_fields(*(text.encode() for text in ("桜井\u3000一郎", "みほん市", "19800217", "1")))
CHALLENGE = ChallengeRecord(
    "c2", "ticket", "t1", "http://127.0.0.1:8480", "page.1", "gym", "basic_four", "pin", bytes(32), bytes(32), "",
    "card-1", "ABCD-EFGH", NOW, NOW + timedelta(seconds=180), NOW,
)  # fmt: skip


@dataclass
class Played:
    """The parts around the service, which say yes unless they are told otherwise, and what was sealed."""

    challenge: ChallengeRecord | None = CHALLENGE
    countersigned: bool = True
    receiver: bool = True
    refusal: str = ""
    sealed: list[tuple[str, ...]] = field(default_factory=list)

    async def find_challenge(self, challenge: str) -> ChallengeRecord | None:
        return self.challenge

    async def find_refusal(self, reading: str, now: datetime) -> str:
        return self.refusal

    async def judge_countersignature(self, *evidence: Any) -> bool:
        return self.countersigned

    def find(self, service: str) -> Any:
        return SimpleNamespace(system="hall") if service == "gym" else None

    def has_receiver(self, system: str) -> bool:
        return self.receiver

    async def record_reading(
        self, transaction: Any, system: str, reference: str, ppid: str, *rest: Any, **more: Any
    ) -> Any:
        self.sealed.append((system, reference, ppid))
        return SimpleNamespace(expires_at=UNTIL)

    async def seal(self, visit: s.Visit = DONE, items: bytes = ITEMS) -> object:
        command = c.SealBasicFour("c2", visit, "ab" * 32, items, 5, b"signature")
        service: Any = BasicFourVisitService(offer=self, proofs=self, basic_four=self)  # type: ignore[arg-type]
        return await service.seal(SimpleNamespace(sessions=self, asked_readings=self), "t1", command, NOW)


async def test_what_fits_is_sealed_for_the_system_of_the_service() -> None:
    played = Played()
    assert await played.seal() == e.BasicFourSealed("c2", UNTIL)
    assert played.sealed == [("hall", "ABCD-EFGH", "K7Q")]


@pytest.mark.parametrize(
    "played",
    [
        Played(None),
        Played(replace(CHALLENGE, consumed_at=None)),
        Played(replace(CHALLENGE, purpose="identify")),
        Played(replace(CHALLENGE, purpose="enrol")),
        Played(replace(CHALLENGE, terminal="t2")),
        Played(countersigned=False),
    ],
    ids=["unknown", "not used", "another purpose", "an enrolment", "another terminal", "no countersignature"],
)
async def test_what_belongs_to_no_proof_of_this_visit_is_not_sealed(played: Played) -> None:
    assert await played.seal() == e.BasicFourRejected("c2", "evidence_refused")
    assert played.sealed == []


@pytest.mark.parametrize("visit", [VISIT, replace(DONE, service="nowhere")])
async def test_a_visit_without_a_result_or_a_service_has_no_items(visit: s.Visit) -> None:
    played = Played()
    assert await played.seal(visit) == e.BasicFourRejected("c2", "evidence_refused")
    assert played.sealed == []


async def test_nobody_to_read_them_and_nothing_to_be_read_are_named() -> None:
    asked = replace(DONE, reading=facts.AskedReading("r"))
    for played, visit, items, code in (
        (Played(receiver=False), asked, ITEMS, "receiver_missing"),
        (Played(refusal="reading_expired"), asked, ITEMS, "reading_expired"),
        (Played(), asked, ITEMS[:-1], "card_data_malformed"),
    ):
        assert await played.seal(visit, items) == e.BasicFourRejected("c2", code)
        assert played.sealed == []
