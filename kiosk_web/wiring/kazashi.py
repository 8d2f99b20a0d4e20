"""The parts of かざし利用, from the settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from kiosk_web.adapters.anchor_files import AnchorFileRefused
from kiosk_web.adapters.card_issuer_files import load_card_issuers
from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.errors import SettingsError
from kiosk_web.services.kazashi.taps import KazashiRules
from kiosk_web.services.ports import Clock, Entropy, Feed, Store
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.staff.sealing import SecretSeal
from kiosk_web.settings.server import Settings


def build_leases(settings: Settings, store: Store, feed: Feed, clock: Clock, entropy: Entropy) -> LeaseService:
    """Who may attend a terminal, and for how long. Raises `KeysError`."""
    return LeaseService(
        store=store,
        feed=feed,
        seal=load_seal(settings.data, entropy),
        clock=clock,
        entropy=entropy,
        lifetime=timedelta(minutes=settings.kazashi.lease_minutes),
        idle=timedelta(minutes=settings.kazashi.idle_minutes),
    )


def load_seal(data: Path, entropy: Entropy) -> SecretSeal:
    """What opens the secrets of staff. Raises `KeysError`."""
    return SecretSeal(KeyFiles(data, entropy).load_database_key(), entropy)


def load_kazashi_rules(settings: Settings) -> KazashiRules:
    """Raises `SettingsError` for a key of a card issuer that may not be believed here."""
    kazashi, production = settings.kazashi, not settings.demo
    permitted = kazashi.is_permitted(production=production)
    try:
        issuers = load_card_issuers(
            kazashi.card_issuers if permitted else None,
            production=production,
            confirmed_fingerprints=kazashi.confirmed_fingerprints,
        )
    except AnchorFileRefused as error:
        raise SettingsError(f"kazashi.card_issuers: {error}") from None
    return KazashiRules(permitted, issuers, timedelta(days=kazashi.unused_months * 365 // 12))
