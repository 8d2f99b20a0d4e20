"""OCSP: OpenSSL and the kiosk's own judge as clients, and every fault."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_anchors, load_trust_store
from kiosk_web.pki import status
from kiosk_web.pki.certificates import parse_certificate
from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted, judge_trust
from kiosk_web.simulator.faults import OCSP_FAULTS
from kiosk_web.simulator.responder import OcspResponder, floor_to_grid
from kiosk_web.simulator.server import Simulator
from tests.kiosk_web.simulator.conftest import Running
from tests.kiosk_web.simulator.openssl import openssl, to_pem

GRID = timedelta(minutes=15)
NONCE = bytes(range(32))


def load(folder: Path, name: str) -> x509.Certificate:
    return x509.load_der_x509_certificate((folder / "cards" / name).read_bytes())


def build_request(
    folder: Path, person: str, algorithm: hashes.HashAlgorithm | None = None, nonce: bytes | None = NONCE
) -> bytes:
    certificate, issuer = load(folder, f"{person}/auth-cert.der"), load(folder, f"{person}/auth-ca.der")
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm or hashes.SHA1())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


@pytest.fixture
def responder(simulator: Simulator) -> OcspResponder:
    return OcspResponder(simulator.hierarchy, simulator.register, lambda: datetime.now(UTC), GRID)


def answer(responder: OcspResponder, request: bytes, fault: str | None = None) -> ocsp.OCSPResponse:
    reply = responder.answer(request, fault)
    assert reply.status == 200
    return ocsp.load_der_ocsp_response(reply.body)


@pytest.mark.parametrize(
    ("person", "words"),
    [
        ("midori", ": good"),
        ("ken", ": revoked"),
        ("sakura", ": revoked"),
        ("haruto", ": good"),
        ("ichiro", ": good"),  # expired is not revoked
    ],
)
def test_openssl_accepts_the_answer(standing: Running, tmp_path: Path, person: str, words: str) -> None:
    card = to_pem(standing.folder / f"cards/{person}/auth-cert.der", tmp_path / "card.pem")
    ca = to_pem(standing.folder / f"cards/{person}/auth-ca.der", tmp_path / "ca.pem")
    for algorithm in ("-sha1", "-sha256"):
        output = openssl(
            "ocsp", algorithm, "-issuer", ca, "-cert", card, "-url", standing.ready.ocsp, "-CAfile", ca, "-text"
        )
        assert "Response verify OK" in output
        assert f"card.pem{words}" in output
        assert "WARNING" not in output  # the nonce came back


def test_openssl_is_told_why_a_certificate_is_on_hold(standing: Running, tmp_path: Path) -> None:
    card = to_pem(standing.folder / "cards/ken/auth-cert.der", tmp_path / "card.pem")
    ca = to_pem(standing.folder / "cards/ken/auth-ca.der", tmp_path / "ca.pem")
    output = openssl("ocsp", "-issuer", ca, "-cert", card, "-url", standing.ready.ocsp, "-CAfile", ca)
    assert "Reason: certificateHold" in output


def test_openssl_refuses_a_signer_of_another_generation(running: Running, tmp_path: Path) -> None:
    running.tray.put("/faults", json={"ocsp": "wrong_signer"}).raise_for_status()
    card = to_pem(running.folder / "cards/midori/auth-cert.der", tmp_path / "card.pem")
    ca = to_pem(running.folder / "cards/midori/auth-ca.der", tmp_path / "ca.pem")
    output = openssl("ocsp", "-issuer", ca, "-cert", card, "-url", running.ready.ocsp, "-CAfile", ca, check=False)
    assert "Response Verify Failure" in output


def test_get_and_post_give_the_same_answer(standing: Running) -> None:
    request = build_request(standing.folder, "midori")
    posted = standing.ocsp.post("", content=request, headers={"content-type": "application/ocsp-request"})
    got = standing.ocsp.get("/" + quote(base64.b64encode(request).decode(), safe=""))
    for reply in (posted, got):
        assert reply.headers["content-type"] == "application/ocsp-response"
        parsed = ocsp.load_der_ocsp_response(reply.content)
        assert parsed.certificate_status is ocsp.OCSPCertStatus.GOOD
        assert parsed.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == NONCE


def test_a_get_request_may_leave_slashes_of_base64_unescaped(standing: Running) -> None:
    requests = (build_request(standing.folder, "midori", nonce=hashlib.sha256(bytes([n])).digest()) for n in range(256))
    encoded = next(e for e in (base64.b64encode(r).decode() for r in requests) if "/" in e and "//" not in e)
    reply = standing.ocsp.get("/" + encoded.replace("+", "%2B").replace("=", "%3D"))
    assert ocsp.load_der_ocsp_response(reply.content).certificate_status is ocsp.OCSPCertStatus.GOOD


@pytest.mark.parametrize(
    ("method", "path", "content", "content_type", "status"),
    [
        ("POST", "/", b"x" * 5000, "application/ocsp-request", 413),
        ("POST", "/", b"x", "text/plain", 415),
        ("GET", "/" + "A" * 5000, b"", "", 414),
        ("GET", "/crl/nothing.crl", b"", "", 404),
    ],
)
def test_what_is_no_request_is_refused_by_http(
    standing: Running, method: str, path: str, content: bytes, content_type: str, status: int
) -> None:
    reply = standing.ocsp.request(method, path, content=content, headers={"content-type": content_type})
    assert reply.status_code == status


@pytest.mark.parametrize("body", [b"", b"\x30", b"\x30\x03\x02\x01\x01", bytes(200)])
def test_bytes_that_are_no_request_are_malformed(responder: OcspResponder, body: bytes) -> None:
    assert answer(responder, body).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_get_path_that_is_not_base64_is_malformed(standing: Running) -> None:
    reply = standing.ocsp.get("/not*base64")
    status_of = ocsp.load_der_ocsp_response(reply.content).response_status
    assert status_of is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_foreign_issuer_is_unauthorized(made: Path, responder: OcspResponder) -> None:
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(bytes(20), bytes(20), 5, hashes.SHA1())
    parsed = answer(responder, builder.build().public_bytes(Encoding.DER))
    assert parsed.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    known = ocsp.load_der_ocsp_request(build_request(made, "midori"))
    odd = ocsp.OCSPRequestBuilder().add_certificate_by_hash(bytes(20), known.issuer_key_hash, 5, hashes.SHA1())
    parsed = answer(responder, odd.build().public_bytes(Encoding.DER))
    assert parsed.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_a_serial_that_was_never_issued_is_unknown(made: Path, responder: OcspResponder) -> None:
    known = ocsp.load_der_ocsp_request(build_request(made, "midori"))
    other = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        known.issuer_name_hash, known.issuer_key_hash, 4711, hashes.SHA1()
    )
    parsed = answer(responder, other.build().public_bytes(Encoding.DER))
    assert parsed.certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_the_signer_is_a_delegate_of_the_same_key_named_by_its_key(made: Path, responder: OcspResponder) -> None:
    parsed = answer(responder, build_request(made, "midori"))
    (signer,) = parsed.certificates
    signer.verify_directly_issued_by(load(made, "midori/auth-ca.der"))
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert signer.extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert parsed.responder_name is None
    assert parsed.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(signer.public_key()).digest
    assert len(list(parsed.responses)) == 1


def test_without_a_nonce_in_the_request_there_is_none_in_the_answer(made: Path, responder: OcspResponder) -> None:
    assert not list(answer(responder, build_request(made, "midori", nonce=None)).extensions)


@pytest.mark.parametrize(
    ("clock", "this_update"),
    [("10:00:00", "10:00:00"), ("10:14:59", "10:00:00"), ("10:15:00", "10:15:00"), ("10:59:01", "10:45:00")],
)
def test_this_update_lies_on_the_grid(simulator: Simulator, made: Path, clock: str, this_update: str) -> None:
    day = datetime.now(UTC).date().isoformat()
    now = datetime.fromisoformat(f"{day}T{clock}+00:00")
    responder = OcspResponder(simulator.hierarchy, simulator.register, lambda: now, GRID)
    parsed = answer(responder, build_request(made, "midori"))
    assert parsed.this_update_utc == datetime.fromisoformat(f"{day}T{this_update}+00:00")
    assert parsed.next_update_utc == parsed.this_update_utc + 2 * GRID
    assert floor_to_grid(parsed.this_update_utc, GRID) == parsed.this_update_utc


def trusted(folder: Path, person: str) -> TrustedCertificate | Untrusted:
    certificate = parse_certificate((folder / f"cards/{person}/auth-cert.der").read_bytes())
    store = TrustStore(load_anchors(folder / "anchors"))
    return judge_trust(certificate, store, TrustPolicy(), datetime.now(UTC))


def judge(folder: Path, responder: OcspResponder, person: str, fault: str | None = None) -> status.CertificateStatus:
    certificate = trusted(folder, person)
    assert isinstance(certificate, TrustedCertificate), certificate
    policy = OcspResponderPolicy(url=None)
    request = build_ocsp_request(certificate, NONCE, policy)
    body = responder.answer(request, fault).body
    return judge_ocsp_response(certificate, request, body, policy, datetime.now(UTC), None)


@pytest.mark.parametrize(
    ("person", "kind"),
    [
        ("midori", status.Good),
        ("taro", status.Good),
        ("sakura", status.Revoked),
        ("ken", status.OnHold),
        ("aoi", status.Good),
        ("saburo", status.Good),
        ("haruto", status.Good),
        ("minh", status.Good),
        ("takako", status.Good),
        ("kyoko", status.Good),
        ("nagisa", status.Good),
        ("sentinel", status.Good),
    ],
)
def test_the_kiosk_judges_everybody_as_the_note_says(
    made: Path, responder: OcspResponder, person: str, kind: type
) -> None:
    assert type(judge(made, responder, person)) is kind


def test_the_kiosk_finds_the_expired_certificate_expired(made: Path) -> None:
    verdict = trusted(made, "ichiro")
    assert isinstance(verdict, Untrusted)
    assert verdict.reason == "certificate_expired"


@pytest.mark.parametrize(
    "fault",
    [name for name in OCSP_FAULTS if name not in ("slow", "refused", "redirect", "http_500", "wrong_content_type")],
)
def test_no_fault_in_the_bytes_is_taken_for_good_or_revoked(made: Path, responder: OcspResponder, fault: str) -> None:
    expected = {"unknown": status.Unknown, "stale": status.Stale, "future": status.Stale}.get(fault, status.Unavailable)
    for person in ("midori", "saburo"):  # two generations
        assert isinstance(judge(made, responder, person, fault), expected)


@pytest.mark.parametrize(("fault", "code"), [("http_500", 500), ("redirect", 302)])
def test_faults_of_http_show_in_the_status(made: Path, responder: OcspResponder, fault: str, code: int) -> None:
    assert responder.answer(build_request(made, "midori"), fault).status == code


def test_the_wrong_content_type_carries_a_right_answer(made: Path, responder: OcspResponder) -> None:
    reply = responder.answer(build_request(made, "midori"), "wrong_content_type")
    assert reply.content_type == "text/html"
    assert ocsp.load_der_ocsp_response(reply.body).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_a_slow_answer_is_a_right_one(running: Running) -> None:
    running.tray.put("/faults", json={"ocsp": "slow"}).raise_for_status()
    reply = running.ocsp.post(
        "", content=build_request(running.folder, "midori"), headers={"content-type": "application/ocsp-request"}
    )
    assert ocsp.load_der_ocsp_response(reply.content).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_a_production_kiosk_refuses_the_anchors_of_the_simulator(made: Path) -> None:
    with pytest.raises(AnchorFileRefused):
        load_trust_store(made / "anchors", production=True)
    assert len(load_trust_store(made / "anchors", production=False).anchors) == 6
