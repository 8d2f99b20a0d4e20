"""The virtual JPKI before `kiosk verify`: its responder, its lists and an answer that OpenSSL kept tell the same."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk_web.pki.anchors import HashName
from kiosk_web.verify.inquiry import Given, verify
from kiosk_web.verify.judgement import Verification
from tests.kiosk_web.simulator.conftest import Running
from tests.kiosk_web.simulator.openssl import openssl, to_pem

OTHERWISE = {"ichiro": "expired", "sakura": "revoked", "ken": "on_hold"}
"""All other cards are good."""


def judge(given: Given) -> Verification:
    return asyncio.run(verify(given, lambda: datetime.now(UTC), secrets.token_bytes))


def find_cards(standing: Running) -> dict[str, Path]:
    return {path.parent.name: path for path in sorted(standing.folder.glob("cards/*/auth-cert.der"))}


@pytest.fixture(scope="module")
def lists(standing: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Every list of the authorities, as files."""
    folder = tmp_path_factory.mktemp("lists")
    paths = []
    for number, entry in enumerate(standing.ocsp.get("/crl").json()["lists"]):
        paths.append(folder / f"{number}.crl")
        paths[-1].write_bytes(standing.ocsp.get(entry["url"]).content)
    return tuple(paths)


@pytest.mark.parametrize("ocsp_hash", ["sha1", "sha256"])
def test_the_responder_tells_every_card(standing: Running, ocsp_hash: HashName) -> None:
    for person, card in find_cards(standing).items():
        given = Given(card, anchors=standing.ready.anchors, ocsp_url=standing.ready.ocsp, ocsp_hash=ocsp_hash)
        assert judge(given).outcome == OTHERWISE.get(person, "good"), person


def test_the_lists_tell_the_same(standing: Running, lists: tuple[Path, ...]) -> None:
    assert len(lists) == 20
    for person, card in find_cards(standing).items():
        verification = judge(Given(card, anchors=standing.ready.anchors, crls=lists))
        assert verification.outcome == OTHERWISE.get(person, "good"), person
        assert not [exhibit for exhibit in verification.evidence if exhibit.refused], person


def test_a_signature_certificate_is_of_the_wrong_kind(standing: Running, lists: tuple[Path, ...]) -> None:
    card = standing.folder / "cards/midori/sign-cert.der"
    assert judge(Given(card, anchors=standing.ready.anchors, crls=lists)).outcome == "wrong_kind"


@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
@pytest.mark.parametrize("person", ["midori", "sakura", "ken"])
def test_an_answer_that_openssl_kept_tells_the_same(standing: Running, tmp_path: Path, person: str, nonce: str) -> None:
    card = standing.folder / f"cards/{person}/auth-cert.der"
    ca = to_pem(standing.folder / f"cards/{person}/auth-ca.der", tmp_path / "ca.pem")
    kept = tmp_path / "answer.ocsp"
    pem = to_pem(card, tmp_path / "card.pem")
    arguments = ["ocsp", "-issuer", ca, "-cert", pem, "-url", standing.ready.ocsp, "-CAfile", ca, nonce]
    assert "Response verify OK" in openssl(*arguments, "-respout", kept)
    verification = judge(Given(card, anchors=standing.ready.anchors, ocsp_response=kept))
    assert verification.outcome == OTHERWISE.get(person, "good")
