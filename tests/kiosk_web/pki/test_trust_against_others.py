"""Other judges beside ours: whom we trust, the library's own path validation and OpenSSL trust as well.

Ours is the stricter one (it knows what a JPKI certificate is), so the comparison has one direction; the cases that the
others accept and we refuse are listed by name.
"""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, judge_trust
from tests.support.jpki import NOW, SIGNATURE_POLICY, Issued, build_name, build_root, ec_key, issue, rsa_key

ROOTS = [build_root(2015), build_root(2019), build_root(2023), build_root(2023, label="ec", algorithm="ec")]
ROOT = ROOTS[2]
DAY = timedelta(days=1)
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")

CASES: dict[str, Issued] = {
    "right": issue(ROOT),
    "right, middle generation": issue(ROOTS[1]),
    "right, P-384": issue(ROOTS[3], key=ec_key("next card")),
    "basicConstraints CA false": issue(ROOT, ca=False),
    "unknown extension": issue(ROOT, extra=[(UNKNOWN_EXTENSION, False)]),
    "unknown critical extension": issue(ROOT, extra=[(UNKNOWN_EXTENSION, True)]),
    "expired root": issue(ROOTS[0]),
    "expired": issue(ROOT, not_after=NOW - DAY),
    "not yet valid": issue(ROOT, not_before=NOW + DAY),
    "forged": issue(ROOT, signing_key=rsa_key("forger")),
    "signed by another generation": issue(ROOT, signing_key=ROOTS[1].key),
    "another issuer name": issue(ROOT, issuer_name=build_name("digital_signature")),
    "CA": issue(ROOT, ca=True),
    "short key": issue(ROOT, key=rsa_key("short", 1024)),
    "no extendedKeyUsage": issue(ROOT, extended=None),
    "OCSP signer": issue(ROOT, extended=(ExtendedKeyUsageOID.OCSP_SIGNING,)),
    "signature policy": issue(ROOT, policy=SIGNATURE_POLICY),
    "no policy": issue(ROOT, policy=None),
    "nonRepudiation": issue(ROOT, usages=("digital_signature", "content_commitment")),
    "no authorityKeyIdentifier": issue(ROOT, authority_key_id="absent"),
    "SHA-384 with RSA": issue(ROOT, algorithm=hashes.SHA384()),
}
TRUSTED = {
    "right",
    "right, middle generation",
    "right, P-384",
    "basicConstraints CA false",
    "unknown extension",
}
STRICTER = {
    "CA",
    "no extendedKeyUsage",
    "signature policy",
    "no policy",
    "nonRepudiation",
    "no authorityKeyIdentifier",
    "SHA-384 with RSA",
}
"""What a general judge has no reason to refuse."""


def judge_ours(issued: Issued, now: datetime = NOW) -> bool:
    store = TrustStore(root.anchor for root in ROOTS)
    return isinstance(judge_trust(issued.parsed, store, TrustPolicy(), now), TrustedCertificate)


def judge_library(issued: Issued, now: datetime = NOW) -> bool:
    leaf = (
        ExtensionPolicy.permit_all()
        .may_be_present(x509.CertificatePolicies, Criticality.AGNOSTIC, None)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _require_client_auth)
    )
    authority = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    # The library refuses a root outside its validity only when asked to look: it takes anchors as they are.
    roots = [root.certificate for root in ROOTS if root.certificate.not_valid_after_utc >= now]
    builder = PolicyBuilder().store(Store(roots)).time(now.replace(tzinfo=None)).max_chain_depth(2)
    verifier = builder.extension_policies(ca_policy=authority, ee_policy=leaf).build_client_verifier()
    try:
        verifier.verify(issued.certificate, [])
    except VerificationError:
        return False
    return True


def _require_client_auth(_policy: object, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise ValueError("not for clients")


def judge_openssl(issued: Issued, folder: Path, now: datetime = NOW) -> bool:
    (folder / "roots.pem").write_bytes(b"".join(root.certificate.public_bytes(Encoding.PEM) for root in ROOTS))
    (folder / "leaf.pem").write_bytes(issued.certificate.public_bytes(Encoding.PEM))
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-no-CApath",
        "-no-CAstore",
        "-purpose",
        "sslclient",
        "-auth_level",
        "2",
    ]
    command += ["-attime", str(int(now.timestamp())), "-CAfile", "roots.pem", "leaf.pem"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", CASES)
def test_whom_we_trust_the_others_trust_too(name: str, tmp_path: Path) -> None:
    issued = CASES[name]
    ours, library, openssl = judge_ours(issued), judge_library(issued), judge_openssl(issued, tmp_path)
    assert ours == (name in TRUSTED)
    if ours:
        assert (library, openssl) == (True, True)
    elif name not in STRICTER:
        assert (library, openssl) != (True, True)


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_the_ends_of_a_validity_are_the_same_for_all(offset: int, tmp_path: Path) -> None:
    issued = CASES["right"]
    for edge in (issued.certificate.not_valid_before_utc, issued.certificate.not_valid_after_utc):
        moment = edge + timedelta(seconds=offset)
        assert judge_ours(issued, moment) == judge_library(issued, moment)
        if (
            moment != issued.certificate.not_valid_after_utc
        ):  # OpenSSL 3.0 leaves the last second out, RFC 5280 does not
            assert judge_ours(issued, moment) == judge_openssl(issued, tmp_path, moment)
