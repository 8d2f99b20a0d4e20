"""OCSP answers to order: right ones, and wrong in exactly one respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.support.der import (
    BIT_STRING,
    EXPLICIT_0,
    GENERALIZED_TIME,
    OCTET_STRING,
    SEQUENCE,
    content,
    split,
    tlv,
)
from tests.support.jpki import NOW, Issued, Key, Root, choose_hash

Status = Literal["good", "revoked", "unknown"]


@dataclass(frozen=True)
class AnswerShape:
    """What an OCSP answer says and how. Defaults make a good one of the moment `NOW`."""

    status: Status = "good"
    revoked_at: datetime = NOW - timedelta(days=1)
    reason: x509.ReasonFlags | None = None
    this_update: datetime = NOW - timedelta(minutes=3)
    next_update: datetime | None = NOW + timedelta(minutes=12)
    produced_at: datetime = NOW
    repeat: int = 1
    nonce: bytes | Literal["echo", "absent"] = "echo"
    serial: int | None = None
    issuer: Root | None = None
    hash_algorithm: hashes.HashAlgorithm | None = None
    embed: bool = True
    embedded: Sequence[x509.Certificate] = field(default=())
    by_name: bool = False
    algorithm: hashes.HashAlgorithm | None = None
    signing_key: Key | None = None  # another than that of the responder it names
    extra: Sequence[tuple[x509.ExtensionType, bool]] = ()
    single_extensions: bytes = b""  # DER of [1] Extensions, as the last field of the single response


_STATUS = {
    "good": ocsp.OCSPCertStatus.GOOD,
    "revoked": ocsp.OCSPCertStatus.REVOKED,
    "unknown": ocsp.OCSPCertStatus.UNKNOWN,
}


def answer(request: bytes, root: Root, signer: Root | Issued | None = None, shape: AnswerShape | None = None) -> bytes:
    """The DER of a signed answer to `request`; signed by the root itself, or by the given delegate (then embedded)."""
    shape, signer = shape or AnswerShape(), signer or root
    asked = ocsp.load_der_ocsp_request(request)
    named = shape.issuer or root
    algorithm = shape.hash_algorithm or asked.hash_algorithm
    identity = _identify(named, algorithm)
    revoked = shape.status == "revoked"
    responder = ocsp.OCSPResponderEncoding.NAME if shape.by_name else ocsp.OCSPResponderEncoding.HASH
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            identity.issuer_name_hash,
            identity.issuer_key_hash,
            shape.serial or asked.serial_number,
            algorithm,
            _STATUS[shape.status],
            shape.this_update,
            shape.next_update,
            shape.revoked_at if revoked else None,
            shape.reason if revoked else None,
        )
        .responder_id(responder, signer.certificate)
    )
    nonce = _find_nonce(asked) if shape.nonce == "echo" else shape.nonce
    if isinstance(nonce, bytes):
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    for extension, critical in shape.extra:
        builder = builder.add_extension(extension, critical=critical)
    embedded = list(shape.embedded) or ([signer.certificate] if shape.embed and isinstance(signer, Issued) else [])
    if embedded:
        builder = builder.certificates(embedded)
    algorithm = shape.algorithm or choose_hash(signer.key)
    built = builder.sign(signer.key, algorithm).public_bytes(Encoding.DER)
    return _sign_again(built, shape.signing_key or signer.key, algorithm, shape)


def _identify(root: Root, algorithm: hashes.HashAlgorithm) -> ocsp.OCSPRequest:
    """A CertID of this root, computed by the library and not by the product."""
    return ocsp.OCSPRequestBuilder().add_certificate(root.certificate, root.certificate, algorithm).build()


def _find_nonce(request: ocsp.OCSPRequest) -> bytes | None:
    for extension in request.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            return extension.value.nonce
    return None


def _sign_again(response: bytes, key: Key, algorithm: hashes.HashAlgorithm, shape: AnswerShape) -> bytes:
    """Set what the library does not let one choose (producedAt, several single responses) and sign the result."""
    status, tagged = split(content(response))
    kind, octets = split(content(content(tagged)))
    body, identifier, _signature, *embedded = split(content(content(octets)))
    responder, _produced_at, singles, *extensions = split(content(body))
    produced_at = tlv(GENERALIZED_TIME, f"{shape.produced_at:%Y%m%d%H%M%SZ}".encode())
    single = tlv(SEQUENCE, content(content(singles)) + shape.single_extensions)
    repeated = tlv(SEQUENCE, single * shape.repeat)
    body = tlv(SEQUENCE, responder + produced_at + repeated + b"".join(extensions))
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(body, padding.PKCS1v15(), algorithm)
    else:
        signature = key.sign(body, ec.ECDSA(algorithm))
    bits = tlv(BIT_STRING, b"\0" + signature)
    basic = tlv(SEQUENCE, body + identifier + bits + b"".join(embedded))
    wrapped = tlv(EXPLICIT_0, tlv(SEQUENCE, kind + tlv(OCTET_STRING, basic)))
    return tlv(SEQUENCE, status + wrapped)
