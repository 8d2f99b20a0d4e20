"""Revocation lists (RFC 5280 5): one for each town and one for a whole authority, found by directory name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.simulator.authority import Authority, authority_key_identifier
from kiosk_web.simulator.hierarchy import Hierarchy
from kiosk_web.simulator.names import distribution_point_name
from kiosk_web.simulator.people import MUNICIPALITIES, Municipality
from kiosk_web.simulator.register import Entry, Register
from kiosk_web.simulator.responder import reason_flag

#: J-LIS renews its lists daily; a list is good for a day and the time to fetch it.
LIST_LIFE = timedelta(hours=30)


@dataclass(frozen=True, slots=True)
class ListName:
    """`authca03` is the list of a whole authority, `authca03-12901` the one of a town."""

    authority: Authority
    municipality: Municipality | None

    def __str__(self) -> str:
        return self.authority.id if self.municipality is None else f"{self.authority.id}-{self.municipality.code}"

    @property
    def distribution_point(self) -> x509.Name | None:
        """The name in issuingDistributionPoint, equal to the one in the certificates; None for the whole authority."""
        if self.municipality is None:
            return None
        return distribution_point_name(self.authority.kind, self.municipality)


def derive_list_names(hierarchy: Hierarchy) -> dict[str, ListName]:
    """Every list there is, by name. An expired authority publishes none."""
    names = [
        ListName(hierarchy.authorities[authority], municipality)
        for authority in hierarchy.signers
        for municipality in (None, *MUNICIPALITIES)
    ]
    return {str(name): name for name in names}


def issue_list(name: ListName, register: Register, this_update: datetime) -> bytes:
    """DER of a list with what the register says; crlNumber rises when the content changes."""
    code = None if name.municipality is None else name.municipality.code
    entries = register.load_listed(name.authority.id, code, this_update)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(repr((this_update, [(e.serial, e.state, e.reason, e.changed_at) for e in entries])).encode())
    number = register.issue_list_number(str(name), digest.finalize().hex())
    return build_list(name, entries, number, this_update)


def build_list(name: ListName, entries: list[Entry], number: int, this_update: datetime) -> bytes:
    """DER of a list: AKI, crlNumber, and for a town a critical issuingDistributionPoint with its directory name."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name.authority.certificate.subject)
        .last_update(this_update)
        .next_update(this_update + LIST_LIFE)
        .add_extension(authority_key_identifier(name.authority), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    if name.distribution_point is not None:
        scope = x509.IssuingDistributionPoint(
            full_name=[x509.DirectoryName(name.distribution_point)],
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        )
        builder = builder.add_extension(scope, critical=True)
    for entry in entries:
        revoked = x509.RevokedCertificateBuilder().serial_number(entry.serial)
        revoked = revoked.revocation_date(entry.changed_at or this_update)
        reason = reason_flag(entry.reason)
        if reason is not None:
            revoked = revoked.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(name.authority.key, hashes.SHA256()).public_bytes(Encoding.DER)
