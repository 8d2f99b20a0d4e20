"""What an outcome rests on, and what was looked at beside it: an `Exhibit` for each certificate, answer, list. PURE.

Hashes, times and the names of files that were given: nothing of what stands in a certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.pki.crl import UnverifiedCrl
from kiosk_web.pki.status import CertificateStatus

ExhibitKind = Literal["certificate", "issuer", "ocsp_response", "crl", "message"]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence. `sha256` is of its DER, empty where there are no bytes (a responder that said nothing).

    `source`: the file as it was given, or the address that was asked. `signer`: `issuer`, or `delegate:` and the first
    16 hexadecimal digits of its certificate's hash. `refused`: the word with which it was refused. `decisive`: the
    status rests on it.
    """

    kind: ExhibitKind
    sha256: bytes
    source: str = ""
    this_update: datetime | None = None
    next_update: datetime | None = None
    produced_at: datetime | None = None
    crl_number: int | None = None
    signer: str = ""
    refused: str = ""
    decisive: bool = False


def describe_answer(status: CertificateStatus, source: str) -> Exhibit:
    """The answer of a responder, or its silence, behind a status."""
    evidence = status.evidence
    return Exhibit(
        "ocsp_response",
        evidence.sha256,
        source or evidence.responder,
        evidence.this_update,
        evidence.next_update,
        evidence.produced_at,
        signer=evidence.signer,
        refused=getattr(status, "why", ""),
        decisive=True,
    )


def describe_list(
    crl: UnverifiedCrl, sha256: bytes, source: str, *, refused: str = "", decisive: bool = False
) -> Exhibit:
    """A list that could be read."""
    return Exhibit(
        "crl",
        sha256,
        source,
        crl.this_update,
        crl.next_update,
        crl_number=crl.crl_number,
        signer="" if refused else "issuer",
        refused=refused,
        decisive=decisive,
    )
