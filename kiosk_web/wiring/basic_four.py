"""The way of the basic 4 information, from the settings."""

from __future__ import annotations

from datetime import timedelta

from kiosk_web.pki.receiver_key import read_receiver_key
from kiosk_web.services.keys import KeyRing
from kiosk_web.services.ports import Clock, Entropy, Store
from kiosk_web.services.readings.basic_four import BasicFourService
from kiosk_web.services.readings.delivery import ReadingDelivery, Webhook
from kiosk_web.settings.server import Settings


def build_basic_four(settings: Settings, store: Store, clock: Clock, entropy: Entropy) -> BasicFourService:
    """Every system with a `receiver_key` is a receiver; those with a webhook are sent to at once."""
    return BasicFourService(
        store=store,
        receivers={
            system.id: read_receiver_key(system.receiver_key)
            for system in settings.systems
            if system.receiver_key is not None
        },
        sent_to=frozenset(system.id for system in settings.systems if system.webhook_url is not None),
        lifetime=timedelta(minutes=settings.basic_four.lifetime_minutes),
        clock=clock,
        entropy=entropy,
    )


def build_delivery(
    settings: Settings, store: Store, webhook: Webhook, keys: KeyRing, clock: Clock, entropy: Entropy
) -> ReadingDelivery:
    """What sends sealed readings to the systems that are sent to."""
    urls = {system.id: system.webhook_url for system in settings.systems if system.webhook_url is not None}
    return ReadingDelivery(store=store, webhook=webhook, urls=urls, keys=keys, clock=clock, entropy=entropy)
