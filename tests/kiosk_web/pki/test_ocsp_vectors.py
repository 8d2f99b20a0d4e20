"""The OCSP files of `cryptography_vectors`: answers of real responders and odd ones, each with its word.

Most of their issuers are not in the package, and none of their certificates: each answer is judged for a stand-in, a
certificate of ours that has the CertID which the answer names. Where the issuer's own certificate is known, its key
decides; elsewhere the stand-in's issuer has another key, and no answer may be believed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from kiosk_web.pki.anchors import build_issuer
from kiosk_web.pki.certificates import parse_certificate
from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.status import CertificateStatus, Good, Stale, Unavailable
from kiosk_web.pki.trust import TrustedCertificate
from tests.support.jpki import build_root, issue, trust

FOLDER = Path(cryptography_vectors.__file__).parent / "x509"
FILES = FOLDER / "ocsp"
STAND_IN = trust(issue(build_root()), build_root())
LETS_ENCRYPT = parse_certificate(
    x509.load_pem_x509_certificate((FOLDER / "letsencryptx3.pem").read_bytes()).public_bytes(Encoding.DER)
)

NO_ANSWER = "malformed"
EXPECTED = {
    "ocsp-army.deps.mil-resp.der": "not_single",
    "ocsp-army.inapplicable-req.der": NO_ANSWER,
    "ocsp-army.revoked-req.der": NO_ANSWER,
    "ocsp-army.valid-req.der": NO_ANSWER,
    "req-acceptable-responses.der": NO_ANSWER,
    "req-duplicate-ext.der": NO_ANSWER,
    "req-ext-nonce.der": NO_ANSWER,
    "req-ext-unknown-oid.der": NO_ANSWER,
    "req-invalid-hash-alg.der": NO_ANSWER,
    "req-invalid-version.der": NO_ANSWER,
    "req-multi-sha1.der": NO_ANSWER,
    "req-sha1.der": NO_ANSWER,
    "resp-delegate-unknown-cert.der": "delegate_of_another_issuer",
    "resp-invalid-signature-oid.der": "algorithm_refused",
    "resp-invalid-version.der": NO_ANSWER,
    "resp-responder-key-hash.der": "signature_invalid",
    "resp-response-type-unknown-oid.der": NO_ANSWER,
    "resp-revoked-no-next-update.der": "signer_unknown",
    "resp-revoked-reason.der": "delegate_of_another_issuer",
    "resp-revoked.der": "signature_invalid",
    "resp-sct-extension.der": "delegate_of_another_issuer",
    "resp-sha256.der": "good",
    "resp-single-extension-reason.der": "signer_unknown",
    "resp-successful-no-response-bytes.der": NO_ANSWER,
    "resp-unauthorized.der": "responder_unauthorized",
    "resp-unknown-extension.der": "delegate_of_another_issuer",
    "resp-unknown-hash-alg.der": NO_ANSWER,
    "resp-unknown-response-status.der": NO_ANSWER,
}
"""Each is `Unavailable` with this word, but for the one that is good."""


def judge(response: bytes, now: datetime | None = None) -> CertificateStatus:
    """As an answer from a file, in the middle of its time."""
    certificate, moment = stand_in_for(response)
    policy = OcspResponderPolicy(url="", nonce="none", trust_next_update=True)
    request = build_ocsp_request(certificate, bytes(32), policy)
    return judge_ocsp_response(certificate, request, response, policy, now or moment, None)


def stand_in_for(response: bytes) -> tuple[TrustedCertificate, datetime]:
    """A certificate with the CertID of the answer, and the moment at which it was produced."""
    try:
        answer = ocsp.load_der_ocsp_response(response)
        serial, produced_at = answer.serial_number, answer.produced_at_utc
        names, keys = {"sha1": answer.issuer_name_hash}, {"sha1": answer.issuer_key_hash}
    except Exception:  # whatever the library says of these files: they have no CertID
        return STAND_IN, datetime(2018, 9, 1, tzinfo=UTC)
    certificate = STAND_IN.certificate._replace(serial=serial)
    anchor = build_issuer(LETS_ENCRYPT)
    if keys["sha1"] != anchor.key_hashes["sha1"]:
        anchor = replace(STAND_IN.anchor, name_hashes=names, key_hashes=keys)
    return TrustedCertificate(certificate, anchor, STAND_IN.public_key), produced_at


def test_every_file_is_in_the_table() -> None:
    assert sorted(path.name for path in FILES.iterdir()) == sorted(EXPECTED)
    assert len(EXPECTED) == 28


@pytest.mark.parametrize("name", EXPECTED)
def test_each_file_is_judged_as_expected(name: str) -> None:
    status = judge((FILES / name).read_bytes())
    if EXPECTED[name] == "good":
        assert isinstance(status, Good)
        assert status.evidence.signer == "issuer"
    else:
        assert isinstance(status, Unavailable)
        assert status.why == EXPECTED[name]


@pytest.mark.parametrize(
    ("moment", "word"),
    [
        (datetime(2018, 8, 30, 10, 57, 59, tzinfo=UTC), "from_the_future"),
        (datetime(2018, 9, 6, 11, 0, 1, tzinfo=UTC), "next_update_passed"),
    ],
)
def test_the_good_one_is_good_in_its_time_alone(moment: datetime, word: str) -> None:
    status = judge((FILES / "resp-sha256.der").read_bytes(), moment)
    assert isinstance(status, Stale)
    assert status.why == word
