"""A question to a responder that is about nobody: is it there, does it answer for this authority, does it echo? PURE.

The linkage test asks it. What comes back is never evidence about a certificate.
"""

from __future__ import annotations

from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from kiosk_web.pki.anchors import Anchor
from kiosk_web.pki.ocsp import NONCE_LENGTH, OcspResponderPolicy

ProbeTrouble = Literal["malformed", "unsuccessful", "nonce_missing"]

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 in a CertID it only names a key
    "sha256": hashes.SHA256(),
}


def build_probe(anchor: Anchor, serial: int, nonce: bytes, policy: OcspResponderPolicy) -> bytes:
    """The DER of a request about `serial`, drawn at random, of this authority. `nonce` is 32 fresh random bytes."""
    if len(nonce) != NONCE_LENGTH:
        raise ValueError("a nonce has 32 bytes")
    name = policy.hash_algorithm
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        anchor.name_hashes[name], anchor.key_hashes[name], serial, _HASHES[name]
    )
    if policy.nonce == "required":
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def judge_probe(response: bytes, nonce: bytes, policy: OcspResponderPolicy) -> ProbeTrouble | None:
    """What is wrong with the answer; None: it is a successful one, and echoes the nonce where the policy wants that."""
    try:
        answer = ocsp.load_der_ocsp_response(response)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return "unsuccessful"
        if policy.nonce == "none":
            return None
        echoed = answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return "nonce_missing"
    except ValueError:
        return "malformed"
    return None if echoed == nonce else "nonce_missing"
