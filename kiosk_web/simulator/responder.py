"""The OCSP responder of the virtual JPKI (RFC 6960): a delegated signer answers about one certificate, by GET or POST.

`OcspResponder` turns request bytes into an answer and knows the named faults; the routes are in `revocation.py`.
Nothing is logged: a request holds a serial.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import OCSPExtensionOID

from kiosk_web.simulator.authority import Authority, draw_serial, issue_responder_certificate
from kiosk_web.simulator.hierarchy import Hierarchy, Signer
from kiosk_web.simulator.register import Entry, Reason, Register, State

OCSP_RESPONSE_TYPE = "application/ocsp-response"
_HASHES: tuple[hashes.HashAlgorithm, ...] = (hashes.SHA1(), hashes.SHA256())  # noqa: S303 - a name, not a signature
_UNSIGNED = {
    "try_later": ocsp.OCSPResponseStatus.TRY_LATER,
    "unauthorized": ocsp.OCSPResponseStatus.UNAUTHORIZED,
}
_STALE_BY = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    body: bytes
    status: int = 200
    content_type: str = OCSP_RESPONSE_TYPE
    location: str = ""


@dataclass(frozen=True, slots=True)
class _Statement:
    """What is said about one certificate, before it is signed."""

    status: ocsp.OCSPCertStatus
    at: datetime | None = None
    reason: x509.ReasonFlags | None = None


class OcspResponder:
    """Answers for every authority that has a signer. thisUpdate is the last multiple of `grid` (J-LIS: 15 minutes)."""

    def __init__(
        self, hierarchy: Hierarchy, register: Register, clock: Callable[[], datetime], grid: timedelta
    ) -> None:
        self._hierarchy = hierarchy
        self._register = register
        self._clock = clock
        self._grid = grid
        self._odd_signers: dict[tuple[str, str], Signer] = {}
        self._by_key_hash = {
            (str(algorithm.name), _hash(algorithm, _key_bits(authority.certificate))): authority
            for authority in hierarchy.authorities.values()
            for algorithm in _HASHES
        }

    def answer(self, request_der: bytes, fault: str | None = None) -> Answer:
        """The answer to one DER request, with the fault that holds now ("slow" and "refused" happen in the server)."""
        if fault == "http_500":
            return Answer(b"Internal Server Error\n", 500, "text/plain")
        if fault == "garbage":
            return Answer(secrets.token_bytes(300))
        if fault == "oversized":
            return Answer(b"\x30\x83\x01\x86\x9b" + bytes(99_995))
        if fault == "redirect":
            return Answer(b"", 302, "text/plain", location="/elsewhere")
        if fault in _UNSIGNED:
            return _unsigned(_UNSIGNED[fault])
        try:
            request = ocsp.load_der_ocsp_request(request_der)
            algorithm = request.hash_algorithm
            nonce = _find_nonce(request)
        except Exception:  # the parser raises several kinds; all mean the same to the asker
            return _unsigned(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        authority = self._by_key_hash.get((str(algorithm.name), request.issuer_key_hash))
        if authority is None or authority.id not in self._hierarchy.signers:
            return _unsigned(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        if request.issuer_name_hash != _hash(algorithm, authority.certificate.subject.public_bytes()):
            return _unsigned(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        return self._signed(request, authority, nonce, fault)

    def _signed(
        self, request: ocsp.OCSPRequest, authority: Authority, nonce: bytes | None, fault: str | None
    ) -> Answer:
        now = self._clock()
        this_update = floor_to_grid(now, self._grid)
        if fault == "stale":
            this_update -= _STALE_BY
        elif fault == "future":
            this_update = now.replace(microsecond=0) + timedelta(hours=3)
        serial = request.serial_number
        statement = _state(self._register.find(authority.id, serial))
        if fault in ("wrong_serial", "revoked_other"):
            serial = draw_serial()
            statement = _Statement(ocsp.OCSPCertStatus.GOOD)
        if fault == "revoked_other":
            statement = _Statement(ocsp.OCSPCertStatus.REVOKED, this_update, x509.ReasonFlags.superseded)
        if fault == "unknown":
            statement = _Statement(ocsp.OCSPCertStatus.UNKNOWN)
        signer = self._signer(authority, fault)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                request.issuer_name_hash,
                request.issuer_key_hash,
                serial,
                request.hash_algorithm,
                statement.status,
                this_update,
                this_update + 2 * self._grid,
                statement.at,
                statement.reason,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
            .certificates([signer.certificate])
        )
        if nonce is not None and fault != "no_nonce":
            echoed = secrets.token_bytes(len(nonce)) if fault == "wrong_nonce" else nonce
            builder = builder.add_extension(x509.OCSPNonce(echoed), critical=False)
        body = builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)
        if fault == "bad_signature":
            body = _spoil_signature(body)
        return Answer(body, content_type="text/html" if fault == "wrong_content_type" else OCSP_RESPONSE_TYPE)

    def _signer(self, authority: Authority, fault: str | None) -> Signer:
        if fault == "wrong_signer":
            # Issued by another generation: the same issuer name, another key. Only a check of the key finds it out.
            return self._hierarchy.signers[self._hierarchy.sibling(authority).id]
        if fault not in ("expired_signer", "undelegated_signer"):
            return self._hierarchy.signers[authority.id]
        if (authority.id, fault) not in self._odd_signers:
            now, key = self._clock(), self._hierarchy.signers[authority.id].key
            if fault == "expired_signer":
                period = now - timedelta(days=60), now - timedelta(days=30)
            else:
                period = now - timedelta(days=1), now + timedelta(days=30)
            certificate = issue_responder_certificate(
                authority, key.public_key(), *period, delegated=fault != "undelegated_signer"
            )
            self._odd_signers[authority.id, fault] = Signer(certificate, key)
        return self._odd_signers[authority.id, fault]


def floor_to_grid(moment: datetime, grid: timedelta) -> datetime:
    """The last multiple of `grid` since 1970, in whole seconds."""
    step = max(1, int(grid.total_seconds()))
    return datetime.fromtimestamp(int(moment.timestamp()) // step * step, UTC)


def reason_flag(reason: Reason | None) -> x509.ReasonFlags | None:
    """The library's name of a reason."""
    return None if reason is None else x509.ReasonFlags(reason.value)


def _state(entry: Entry | None) -> _Statement:
    if entry is None:
        return _Statement(ocsp.OCSPCertStatus.UNKNOWN)
    if entry.state is State.GOOD:
        return _Statement(ocsp.OCSPCertStatus.GOOD)
    return _Statement(ocsp.OCSPCertStatus.REVOKED, entry.changed_at, reason_flag(entry.reason))


def _unsigned(status: ocsp.OCSPResponseStatus) -> Answer:
    return Answer(ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER))


def _find_nonce(request: ocsp.OCSPRequest) -> bytes | None:
    for extension in request.extensions:
        if extension.oid == OCSPExtensionOID.NONCE and isinstance(extension.value, x509.OCSPNonce):
            return extension.value.nonce
    return None


def _spoil_signature(body: bytes) -> bytes:
    signature = ocsp.load_der_ocsp_response(body).signature
    return body.replace(signature, signature[:-1] + bytes((signature[-1] ^ 1,)))


def _hash(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Value of the subjectPublicKey bit string: PKCS #1 for RSA (RFC 6960 4.1.1)."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
