"""For what the status of a certificate is asked: filled in from the stored challenge, the service and the database, the
same way for the question and, later, for the verdict.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk_web.identity.offer import Service
from kiosk_web.pki.status_policy import StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.services.ports import Transaction
from kiosk_web.services.ports.sessions import ChallengeRecord


async def build_status_context(
    transaction: Transaction,
    challenge: ChallengeRecord,
    service: Service,
    certificate: TrustedCertificate,
    limits: StatusPolicy,
) -> StatusContext:
    """`limits` are the installation's age limits; the policy's name is the service's."""
    return StatusContext(
        policy=replace(limits, name=service.status_policy),
        method=challenge.method,
        purpose=challenge.purpose,
        lists_permitted=await _may_lists_speak(transaction, service, certificate),
        kazashi_in_window=service.kazashi_in_window,
    )


async def _may_lists_speak(transaction: Transaction, service: Service, certificate: TrustedCertificate) -> bool:
    """Row 11 of the profiles' table."""
    match service.terms.crl:
        case "yes":
            return True
        case "responder_out_of_service_only":
            return service.status_policy == "ocsp-then-crl"
        case "valid_mykey_id_only":
            person = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
            known = None if person is None else await transaction.persons.find_mykey_id(person)
            return known is not None and known[1] == "issued"
