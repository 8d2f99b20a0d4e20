"""How the OCSP responder is asked, as the settings have it."""

from __future__ import annotations

from datetime import timedelta

from kiosk_web.pki.circuit import CircuitPolicy
from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.settings.server import Settings


def build_responder_policy(settings: Settings) -> OcspResponderPolicy:
    """How the responder is asked and believed here."""
    max_age = timedelta(minutes=settings.ocsp_max_age_minutes)
    return OcspResponderPolicy(
        settings.ocsp_url,
        nonce=settings.ocsp_nonce,
        max_age=max_age,
        hash_algorithm=settings.ocsp_hash,
        pins=tuple(pin.build_pin() for pin in settings.ocsp_pins),
    )


def build_circuit_policy(settings: Settings) -> CircuitPolicy:
    """When a responder that fails is left alone."""
    return CircuitPolicy(settings.ocsp_circuit_failures, timedelta(seconds=settings.ocsp_circuit_seconds))
