"""One question to a responder, and how an answer to it is judged: what the tests of the ten rules share."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.status import CertificateStatus, HighWaterMark, Stale, Unavailable
from tests.support.jpki import NOW, Issued, Root, build_root, issue, issue_delegate, rsa_key, trust
from tests.support.ocsp_answers import AnswerShape, answer

POLICY = OcspResponderPolicy(url="http://127.0.0.1/ocsp")
NONCE = bytes(range(32))
ROOT = build_root()
CERTIFICATE = trust(issue(ROOT), ROOT)
REQUEST = build_ocsp_request(CERTIFICATE, NONCE, POLICY)
DELEGATE = issue_delegate(ROOT)
MINUTE = timedelta(minutes=1)
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")


def judge(
    response: bytes, policy: OcspResponderPolicy = POLICY, mark: HighWaterMark | None = None, request: bytes = REQUEST
) -> CertificateStatus:
    return judge_ocsp_response(CERTIFICATE, request, response, policy, NOW, mark)


def say(signer: Root | Issued | None = DELEGATE, **shape: object) -> CertificateStatus:
    """The judgement of an answer of this shape."""
    return judge(answer(REQUEST, ROOT, signer, AnswerShape(**shape)))  # type: ignore[arg-type]


def why(status: CertificateStatus) -> str:
    """The kind of a refusal, and the word that it carries."""
    assert isinstance(status, Unavailable | Stale)
    return f"{type(status).__name__}: {status.why}"


BAD_DELEGATES = {
    "of another generation": (issue_delegate(build_root(2019)), "delegate_of_another_issuer"),
    "of another authority": (issue_delegate(build_root(2023, "digital_signature")), "delegate_of_another_issuer"),
    "named after another issuer": (
        issue_delegate(ROOT, issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another CA")])),
        "delegate_of_another_issuer",
    ),
    "that names the key of another generation": (
        issue_delegate(build_root(2019), signing_key=ROOT.key),
        "delegate_of_another_issuer",
    ),
    "signed by a stranger": (issue_delegate(ROOT, signing_key=rsa_key("forger")), "delegate_of_another_issuer"),
    "signed by itself": (issue_delegate(ROOT, signing_key=rsa_key("delegate")), "delegate_of_another_issuer"),
    "signed by a cardholder": (issue_delegate(ROOT, signing_key=rsa_key("card")), "delegate_of_another_issuer"),
    "without OCSPSigning": (issue_delegate(ROOT, extended=None), "delegate_not_for_ocsp"),
    "for anything": (
        issue_delegate(ROOT, extended=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
        "delegate_not_for_ocsp",
    ),
    "that is a CA": (issue_delegate(ROOT, ca=True), "delegate_not_for_ocsp"),
    "that may not sign": (issue_delegate(ROOT, usages=("key_encipherment",)), "delegate_not_for_ocsp"),
    "without nocheck": (issue_delegate(ROOT, nocheck=False), "delegate_without_nocheck"),
    "with an unknown critical extension": (
        issue_delegate(ROOT, extra=[(UNKNOWN_EXTENSION, True)]),
        "delegate_critical_extension",
    ),
    "expired": (issue_delegate(ROOT, not_after=NOW - MINUTE), "delegate_not_valid_now"),
    "not yet valid": (issue_delegate(ROOT, not_before=NOW + MINUTE), "delegate_not_valid_now"),
    "that is a card": (issue(ROOT), "delegate_not_for_ocsp"),
}
