"""The virtual JPKI before the product's own judge: its certificates are trusted, its answers count, no fault does."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_trust_store
from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.pki.status import CertificateStatus, Good, OnHold, Revoked
from kiosk_web.pki.status_policy import StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, Untrusted
from kiosk_web.services.status.validation import ValidationService
from kiosk_web.simulator.faults import OCSP_FAULTS
from tests.kiosk_web.simulator.conftest import Running
from tests.support.fallback import MemoryFallback
from tests.support.high_water import MemoryHighWaterMarks

ASK = StatusContext(StatusPolicy("ocsp"), "pin", "identify")


def build_service(running: Running, fetcher: HttpFetcher) -> ValidationService:
    return ValidationService(
        store=load_trust_store(running.ready.anchors, production=False),
        trust_policy=TrustPolicy(),
        responder_policy=OcspResponderPolicy(url=running.ready.ocsp),
        fetcher=fetcher,
        high_water=MemoryHighWaterMarks(),
        lists=None,
        fallback=MemoryFallback(),
        is_clock_trusted=lambda: True,
        clock=lambda: datetime.now(UTC),
        entropy=secrets.token_bytes,
    )


async def check(
    running: Running, certificates: Sequence[TrustedCertificate], patience: float = 2
) -> list[CertificateStatus]:
    async with HttpFetcher(phase=patience, budget=patience) as fetcher:
        service = build_service(running, fetcher)
        return [await service.check_status(certificate, ASK) for certificate in certificates]


def judge_cards(running: Running) -> dict[str, TrustedCertificate | Untrusted]:
    service = build_service(running, HttpFetcher())
    files = sorted(running.folder.glob("cards/*/auth-cert.der"))
    return {path.parent.name: service.judge_trust(path.read_bytes()) for path in files}


def test_every_card_is_trusted_or_expired_and_their_statuses_are_told_apart(running: Running) -> None:
    cards = judge_cards(running)
    assert len(cards) >= 8
    assert {verdict.reason for verdict in cards.values() if isinstance(verdict, Untrusted)} == {"certificate_expired"}
    trusted = [verdict for verdict in cards.values() if isinstance(verdict, TrustedCertificate)]
    outcomes = asyncio.run(check(running, trusted))
    assert {type(outcome) for outcome in outcomes} == {Good, Revoked, OnHold}


def test_signature_certificates_of_the_simulator_are_the_wrong_kind(running: Running) -> None:
    service = build_service(running, HttpFetcher())
    verdicts = [service.judge_trust(path.read_bytes()) for path in running.folder.glob("cards/*/sign-cert.der")]
    assert len(verdicts) >= 5
    assert all(isinstance(verdict, Untrusted) for verdict in verdicts)
    assert "certificate_wrong_kind" in {verdict.reason for verdict in verdicts if isinstance(verdict, Untrusted)}


FAULTS = {
    "stale": "stale too_old",
    "unknown": "unknown",
    "slow": "good",
    "refused": "unavailable refused",
    "http_500": "unavailable http_status",
    "try_later": "unavailable responder_try_later",
    "unauthorized": "unavailable responder_unauthorized",
    "garbage": "unavailable malformed",
    "oversized": "unavailable too_large",
    "wrong_content_type": "unavailable content_type",
    "redirect": "unavailable redirect",
    "wrong_signer": "unavailable delegate_of_another_issuer",
    "expired_signer": "unavailable delegate_not_valid_now",
    "undelegated_signer": "unavailable delegate_not_for_ocsp",
    "bad_signature": "unavailable signature_invalid",
    "no_nonce": "unavailable nonce_missing",
    "wrong_nonce": "unavailable nonce_wrong",
    "wrong_serial": "unavailable other_certificate",
    "revoked_other": "unavailable other_certificate",
    "future": "stale from_the_future",
}
"""What each fault of the simulator's responder comes to; `docs/faults.md` prints it."""


def spell(status: CertificateStatus) -> str:
    return f"{type(status).__name__.lower()} {getattr(status, 'why', '')}".strip()


def test_every_fault_of_the_responder_has_its_word_and_only_slowness_is_a_yes(running: Running) -> None:
    trusted = next(verdict for verdict in judge_cards(running).values() if isinstance(verdict, TrustedCertificate))
    assert FAULTS.keys() == OCSP_FAULTS.keys()
    found = {}
    for name in FAULTS:
        running.tray.put("/faults", json={"card": None, "ocsp": name}).raise_for_status()
        (status,) = asyncio.run(check(running, [trusted], patience=10))
        found[name] = spell(status)
    assert found == FAULTS
    running.tray.put("/faults", json={"card": None, "ocsp": None}).raise_for_status()
    (status,) = asyncio.run(check(running, [trusted]))
    assert isinstance(status, Good)


def test_production_refuses_the_roots_of_the_simulator(running: Running) -> None:
    with pytest.raises(AnchorFileRefused, match="not on the list"):
        load_trust_store(running.ready.anchors, production=True)
