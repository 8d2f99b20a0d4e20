"""What is judged over and over: certificates of many people, each with a serial number and one of several keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from kiosk_web.pki.trust import TrustedCertificate, TrustStore
from tests.support.jpki import Issued, Root, build_root, issue, rsa_key, trust

TOWNS = 1740
"""Municipalities, about."""

KEYS = 10
"""Making an RSA key takes longer than all else; nothing that is measured depends on there being more."""


@dataclass(frozen=True)
class People:
    """Certificates of one root, in turn with one of `KEYS` keys."""

    root: Root
    issued: tuple[Issued, ...]

    @property
    def store(self) -> TrustStore:
        return TrustStore([self.root.anchor])

    @property
    def ders(self) -> tuple[bytes, ...]:
        return tuple(issued.der for issued in self.issued)

    @property
    def trusted(self) -> tuple[TrustedCertificate, ...]:
        return tuple(trust(issued, self.root) for issued in self.issued)


def issue_people(serials: Sequence[int], towns: int = TOWNS) -> People:
    """One certificate for each serial number, each of another town, as long as there are any."""
    root = build_root()
    return People(
        root,
        tuple(
            issue(root, serial=serial, key=rsa_key(f"person {number % KEYS}"), point=name_town(number % towns))
            for number, serial in enumerate(serials)
        ),
    )


def name_town(town: int) -> x509.Name:
    """The distribution point of a municipality, shaped like those of JPKI."""
    return x509.Name.from_rfc4514_string(
        f"CN=Town {town:04} CRLDP,OU=Prefecture {town % 47:02},OU=CRL Distribution Points,O=JPKI,C=JP"
    )
