"""What a visit without a PIN asks of the card: a tap (かざし利用), and the enrolment for it. On the worker's thread.

Both sign with the surface application's own key, in the connection in which the certificate was read. A tap asks the
card for nothing else. An enrolment has the card compare the birth key once, never with its last try, and hands over
the age record that names the key; the birth date in it is looked at by nobody here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate

from bridge.card.mynumber import MyNumberCard
from bridge.card.pin import BIRTH_KEY, Pin, Secret
from bridge.card.reader_keypad import Keypad
from bridge.card.surface import AgeRecord
from bridge.errors import (
    BirthDateWrong,
    BirthKeyGuarded,
    BirthKeyWithoutLimit,
    CardDataMalformed,
    PinLocked,
    PinRefused,
    SignatureMismatch,
)
from bridge.evidence import build_card_digest
from bridge.ticket import ChallengeTicket
from bridge.visit import CertificateRead, EnrolmentSigned, PinAccepted, Signed, VisitReport

MAXIMUM_CERTIFICATE = 5000  # bytes of DER that fit into one message; a JPKI certificate has about 1700
LAST_TRY = 1
NO_LIMIT = 15
"""What is told of a counter that has no limit: as many as a counter can say."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What a procedure may do beside asking the card. `check` raises when the visit has to end; `await_secret` gives
    what was typed or picked, once every condition for VERIFY is met; `count_try` raises when this card had its last,
    `give_try_back` takes back one that never reached the card. `keypad`: that of the reader, if PINs are typed there.
    """

    check: Callable[[], None]
    report: Callable[[VisitReport], None]
    take_counter: Callable[[], int]
    await_secret: Callable[[], Secret]
    check_present: Callable[[], None]
    count_try: Callable[[], None]
    give_try_back: Callable[[], None]
    allow_without_limit: bool
    keypad: Keypad | None


def tap(challenge: ChallengeTicket, card: MyNumberCard, hands: Hands) -> None:
    """Certificate, then signature. The bridge does not know the key that fits it; the server does."""
    certificate = card.read_authentication_certificate()
    hands.check()
    hands.report(CertificateRead(challenge.jti, certificate, 0, 0, 0, hands.take_counter(), secret=""))
    signature = card.sign_with_surface_key(build_digest(challenge, certificate))
    hands.check()
    hands.report(Signed(challenge.jti, certificate, signature, hands.take_counter()))


def enrol(challenge: ChallengeTicket, card: MyNumberCard, hands: Hands) -> None:
    """Certificate, counter, birth key once, age record, issuer certificate, signature."""
    certificate = card.read_authentication_certificate()
    surface = card.open_surface()
    tries_left = surface.read_birth_key_tries_left()
    if tries_left is None:
        if not hands.allow_without_limit:
            raise BirthKeyWithoutLimit
        tries_left = NO_LIMIT
    if tries_left <= LAST_TRY:
        raise BirthKeyGuarded
    hands.check()
    rule = BIRTH_KEY
    hands.report(
        CertificateRead(
            challenge.jti,
            certificate,
            tries_left,
            rule.minimum,
            rule.maximum,
            hands.take_counter(),
            secret="birth_key",  # noqa: S106 - the name of it
        )
    )
    key = hands.await_secret()
    assert isinstance(key, Pin)  # it was asked for without a keypad
    try:
        rule.require(key)
        hands.check_present()
        hands.check()
        hands.count_try()
        surface.verify_birth_key(key)
    except (PinRefused, PinLocked):
        raise BirthDateWrong from None
    finally:
        key.wipe()
    hands.report(PinAccepted(challenge.jti))
    record = surface.read_age_record()
    issuer = surface.read_issuer_certificate()
    digest = build_digest(challenge, certificate)
    signature = surface.sign_digest(digest)
    _verify(record, signature, digest)
    hands.check()
    hands.report(
        EnrolmentSigned(challenge.jti, certificate, signature, record.raw, issuer, counter=hands.take_counter())
    )


def build_digest(challenge: ChallengeTicket, certificate: bytes) -> bytes:
    """The 32 bytes that the card signs for this challenge."""
    return build_card_digest(
        method=challenge.method,
        purpose=challenge.purpose,
        origin=challenge.origin,
        terminal=challenge.terminal,
        session=challenge.session,
        service=challenge.service,
        nonce=challenge.nonce,
        certificate=certificate,
        consent=challenge.consent,
        lease=challenge.lease,
    )


def verify_signature(key: RSAPublicKey, signature: bytes, digest: bytes) -> None:
    """Raises `SignatureMismatch`."""
    try:
        key.verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
    except InvalidSignature:
        raise SignatureMismatch from None


def _verify(record: AgeRecord, signature: bytes, digest: bytes) -> None:
    try:
        key = RSAPublicNumbers(record.exponent, record.modulus).public_key()
    except ValueError:
        raise CardDataMalformed("the age record names no key") from None
    verify_signature(key, signature, digest)


def load_public_key(certificate: bytes) -> RSAPublicKey:
    """The key with which the bridge checks the card's signature. No trust is judged here: that is the server's work."""
    if len(certificate) > MAXIMUM_CERTIFICATE:
        raise CardDataMalformed("the certificate is too long")
    try:
        key = load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CardDataMalformed("not a certificate") from None
    if not isinstance(key, RSAPublicKey) or key.key_size != 2048:
        raise CardDataMalformed("not an RSA-2048 certificate")
    return key
