"""What was read or signed at the card, as messages under the terminal's own key (`docs/wire.md` 7). PURE."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge import evidence, messages
from bridge.pinbox import PinBox
from bridge.ticket import ChallengeTicket
from bridge.visit import BasicFourRead, CertificateRead, EnrolmentSigned, Signed


def sign_certificate(
    key: Ed25519PrivateKey, challenge: ChallengeTicket, report: CertificateRead
) -> messages.Certificate:
    """The evidence of reading, before any secret is asked for."""
    signed = evidence.build_certificate_evidence(
        ticket=challenge.compact,
        certificate=report.certificate,
        method=challenge.method,
        tries_left=report.tries_left,
        counter=report.counter,
    )
    return messages.Certificate(challenge.jti, report.certificate, report.tries_left, report.counter, key.sign(signed))


def sign_result(key: Ed25519PrivateKey, challenge: ChallengeTicket, report: Signed) -> messages.Result:
    """The evidence of the card's signature (256 bytes, RSA-2048) over the challenge."""
    signed = evidence.build_result_evidence(
        ticket=challenge.compact,
        certificate=report.certificate,
        method=challenge.method,
        card_signature=report.signature,
        counter=report.counter,
    )
    return messages.Result(challenge.jti, report.signature, report.counter, key.sign(signed))


def sign_enrolment(key: Ed25519PrivateKey, challenge: ChallengeTicket, report: EnrolmentSigned) -> messages.Enrolment:
    """The surface key's signature, with its record (EF 0001) and its issuer's certificate (EF 0004)."""
    signed = evidence.build_enrolment_evidence(
        ticket=challenge.compact,
        certificate=report.certificate,
        method=challenge.method,
        card_signature=report.signature,
        record=report.record,
        issuer=report.issuer,
        counter=report.counter,
    )
    return messages.Enrolment(
        challenge.jti, report.signature, report.record, report.issuer, report.counter, key.sign(signed)
    )


def sign_basic_four(
    key: Ed25519PrivateKey, box: PinBox, challenge: ChallengeTicket, report: BasicFourRead
) -> messages.BasicFourMessage:
    """The items themselves are signed, and leave the bridge sealed for its page alone."""
    signed = evidence.build_basic_four_evidence(
        ticket=challenge.compact,
        certificate=report.certificate,
        method=challenge.method,
        items=report.items,
        counter=report.counter,
    )
    data = box.seal_items(report.items, challenge=challenge.jti, counter=report.counter)
    return messages.BasicFourMessage(challenge.jti, data, report.counter, key.sign(signed))
