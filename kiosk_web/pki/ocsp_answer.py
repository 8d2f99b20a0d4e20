"""An OCSP answer as it comes (RFC 6960 4.2), read and not yet believed: `read_ocsp_answer` gives an `OcspAnswer`.

`cryptography` reads its fields; what is signed and the certificates that came along are cut out of the bytes as they
are, since it would write them anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.x509 import ocsp

from kiosk_web.pki.der import (
    BIT_STRING,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    read_value,
    read_whole,
)

SaidStatus = Literal["good", "revoked", "unknown"]

_ENUMERATED = 0x0A
_EXPLICIT_0 = 0xA0

_STATUSES: dict[ocsp.OCSPCertStatus, SaidStatus] = {
    ocsp.OCSPCertStatus.GOOD: "good",
    ocsp.OCSPCertStatus.REVOKED: "revoked",
    ocsp.OCSPCertStatus.UNKNOWN: "unknown",
}


class AnswerRefused(Exception):
    """The answer counts for nothing; `why` is a word of `docs/validation.md`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class CertificateId:
    """A CertID (RFC 6960 4.1.1): which certificate of which issuer key is meant."""

    hash_algorithm: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """The fields of a successful answer with one single response. Times are aware.

    The responder names itself by `responder_name` (a Name in DER) or by `responder_key_hash` (SHA-1); the other is
    None. `tbs` is what is signed and `embedded` the certificates in it, as they came. `reason` is the CRLReason by its
    name in RFC 5280 5.3.1.
    """

    identity: CertificateId
    status: SaidStatus
    revoked_at: datetime | None
    reason: str | None
    this_update: datetime
    next_update: datetime | None
    produced_at: datetime
    nonce: bytes | None
    responder_name: bytes | None
    responder_key_hash: bytes | None
    tbs: bytes
    signature: bytes
    signature_oid: str
    embedded: tuple[bytes, ...]


def read_ocsp_answer(response: bytes) -> OcspAnswer:
    """Read an answer that says something: `successful`, with one single response and nothing critical unread.

    Raises `AnswerRefused` for any other, and whatever of `PARSE_ERRORS` for bytes that are none.
    """
    parsed = ocsp.load_der_ocsp_response(response)
    if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise AnswerRefused(f"responder_{parsed.response_status.name.lower()}")
    if len(list(parsed.responses)) != 1:
        raise AnswerRefused("not_single")
    name, reason = parsed.responder_name, parsed.revocation_reason
    tbs, embedded = _cut(response)
    return OcspAnswer(
        identity=CertificateId(
            parsed.hash_algorithm.name, parsed.issuer_name_hash, parsed.issuer_key_hash, parsed.serial_number
        ),
        status=_STATUSES[parsed.certificate_status],
        revoked_at=parsed.revocation_time_utc,
        reason=reason.value if reason else None,
        this_update=parsed.this_update_utc,
        next_update=parsed.next_update_utc,
        produced_at=parsed.produced_at_utc,
        nonce=_take_nonce(parsed),
        responder_name=name.public_bytes() if name is not None else None,
        responder_key_hash=parsed.responder_key_hash,
        tbs=tbs,
        signature=parsed.signature,
        signature_oid=parsed.signature_algorithm_oid.dotted_string,
        embedded=embedded,
    )


def _take_nonce(parsed: ocsp.OCSPResponse) -> bytes | None:
    nonce: bytes | None = None
    for extension in parsed.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            nonce = extension.value.nonce
        elif extension.critical:
            raise AnswerRefused("critical_extension")
    if any(extension.critical for extension in parsed.single_extensions):
        raise AnswerRefused("critical_extension")
    return nonce


def _cut(response: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """What is signed, and the certificates, of a successful answer."""
    limit = len(response)
    position = read_whole(response, 0, limit, SEQUENCE)
    _, position = read_value(response, position, limit, _ENUMERATED)
    position = read_whole(response, position, limit, _EXPLICIT_0)
    position = read_whole(response, position, limit, SEQUENCE)
    _, position = read_value(response, position, limit, OBJECT_IDENTIFIER)
    position = read_whole(response, position, limit, OCTET_STRING)
    start = read_whole(response, position, limit, SEQUENCE)
    _, tbs_end = read_value(response, start, limit, SEQUENCE)
    _, position = read_value(response, tbs_end, limit, SEQUENCE)
    _, position = read_value(response, position, limit, BIT_STRING)
    embedded: list[bytes] = []
    if position != limit:
        position = read_whole(response, position, limit, _EXPLICIT_0)
        position = read_whole(response, position, limit, SEQUENCE)
        while position < limit:
            begin = position
            _, position = read_value(response, begin, limit, SEQUENCE)
            embedded.append(response[begin:position])
    return response[start:tbs_end], tuple(embedded)
