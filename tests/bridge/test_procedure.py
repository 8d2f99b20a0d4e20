"""Taps and enrolments on the virtual card: the commands they need, and the one try of the birth date."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from bridge.evidence import build_card_digest
from bridge.ticket import ChallengeTicket
from bridge.visit import CertificateRead, EnrolmentSigned, PinAccepted, Signed
from kiosk_web.simulator.card_issuer import CardIssuer
from tests.bridge.test_worker import READ, SELECT, SIGN, VERIFY, Bench, bench
from tests.support.profiles import BIRTH_KEY, make_key

ISSUER = CardIssuer(make_key("card authority"), make_key("card issuer"))


def begin(at: Bench, purpose: str, name: str = "challenge") -> ChallengeTicket:
    proof = {"consent": bytes(32)} if purpose == "enrol" else {"lease": "lease"}
    return at.begin(name, purpose=purpose, method="kazashi", **proof)


def digest(challenge: ChallengeTicket, certificate: bytes) -> bytes:
    names = ("method", "purpose", "origin", "terminal", "session", "service", "nonce", "consent", "lease")
    return build_card_digest(certificate=certificate, **{name: getattr(challenge, name) for name in names})


def issue(folder: Path) -> None:
    """What the card's issuer put on it; before it lies on the reader."""
    card = folder / "cards/taro"
    card.mkdir(parents=True)
    record = ISSUER.build_age_record(date(1980, 2, 17), make_key("surface").public_key())
    (card / "surface-record.bin").write_bytes(record)
    (card / "surface-issuer.bin").write_bytes(ISSUER.build_certificate())


def verified_with_data(at: Bench) -> int:
    return len([command for command in at.source.commands if command[1] == VERIFY and len(command) > 5])


def test_a_tap_is_certificate_and_signature_and_asks_for_nothing(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        challenge = begin(at, "identify")
        certificate = at.next(CertificateRead)
        signed = at.next(Signed)
    assert isinstance(certificate, CertificateRead)
    assert isinstance(signed, Signed)
    assert (certificate.secret, certificate.tries_left, certificate.counter, signed.counter) == ("", 0, 1, 2)
    blocks = -(-len(certificate.certificate) // 256)
    assert at.source.instructions() == [SELECT, *[READ] * (1 + blocks), SELECT, SIGN, SELECT]
    assert at.source.closed == [True]
    expected = hashlib.sha256(certificate.certificate).digest()
    assert expected == hashlib.sha256(signed.certificate).digest()
    make_key("surface").public_key().verify(
        signed.signature, digest(challenge, certificate.certificate), PKCS1v15(), Prehashed(SHA256())
    )


def test_a_tap_works_with_a_locked_pin_and_after_two_pins(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.begin()
        at.next(CertificateRead)
        at.give("9999")
        at.reports.get(timeout=20)
        at.give("9998")
        assert at.failure() == "pin_tries_used"
        begin(at, "identify", "second")
        at.next(CertificateRead)
        at.next(Signed)


def test_an_enrolment_hands_over_what_the_issuer_signed(tmp_path: Path) -> None:
    issue(tmp_path)
    with bench(tmp_path) as at:
        challenge = begin(at, "enrol")
        certificate = at.next(CertificateRead)
        assert isinstance(certificate, CertificateRead)
        assert (certificate.secret, certificate.tries_left) == ("birth_key", 10)
        assert (certificate.pin_minimum, certificate.pin_maximum) == (6, 6)
        given = at.give(BIRTH_KEY)
        at.next(PinAccepted)
        signed = at.next(EnrolmentSigned)
    assert isinstance(signed, EnrolmentSigned)
    assert signed.record == (tmp_path / "cards/taro/surface-record.bin").read_bytes()
    assert signed.issuer == ISSUER.build_certificate()
    make_key("surface").public_key().verify(
        signed.signature, digest(challenge, certificate.certificate), PKCS1v15(), Prehashed(SHA256())
    )
    assert verified_with_data(at) == 1
    assert "1980" not in repr(signed)
    with pytest.raises(Exception, match="wiped"):
        given.reveal()


def test_a_wrong_birth_date_ends_it_and_a_second_one_is_not_sent_to_the_same_card(tmp_path: Path) -> None:
    issue(tmp_path)
    with bench(tmp_path) as at:
        begin(at, "enrol")
        at.next(CertificateRead)
        at.give("800217")
        assert at.failure() == "birth_date_wrong"
        begin(at, "enrol", "second")
        at.next(CertificateRead)
        at.give(BIRTH_KEY, "second")
        assert at.failure() == "pin_tries_used"
    assert verified_with_data(at) == 1


@pytest.mark.parametrize("left", [1, 0])
def test_the_last_try_of_the_birth_date_is_never_used(tmp_path: Path, left: int) -> None:
    with bench(tmp_path, {"birth_key": {"value": BIRTH_KEY, "tries": 10, "left": left}}) as at:
        begin(at, "enrol")
        assert at.failure() == "birth_key_guarded"
    assert verified_with_data(at) == 0


@pytest.mark.parametrize("allowed", [False, True])
def test_a_card_without_a_limit_is_asked_only_where_the_operator_says_so(tmp_path: Path, allowed: bool) -> None:
    issue(tmp_path)
    unlimited = {"switches": {"birth_key_without_limit": True}}
    with bench(tmp_path, unlimited, allow_birth_key_without_limit=allowed) as at:
        begin(at, "enrol")
        if not allowed:
            assert at.failure() == "birth_key_without_limit"
            return
        certificate = at.next(CertificateRead)
        assert isinstance(certificate, CertificateRead)
        assert certificate.tries_left == 15
        at.give("990101")
        assert at.failure() == "birth_date_wrong"


def test_a_record_with_another_key_than_the_one_that_signs_never_leaves(tmp_path: Path) -> None:
    issue(tmp_path)
    record = ISSUER.build_age_record(date(1980, 2, 17), make_key("another surface").public_key())
    (tmp_path / "cards/taro/surface-record.bin").write_bytes(record)
    with bench(tmp_path) as at:
        begin(at, "enrol")
        at.next(CertificateRead)
        at.give(BIRTH_KEY)
        at.next(PinAccepted)
        assert at.failure() == "signature_mismatch"
