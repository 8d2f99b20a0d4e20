"""What is held about somebody, as they see it themselves."""

from __future__ import annotations

from datetime import date, timedelta

from kiosk_web.identity.offer import Words
from kiosk_web.identity.terms import KINDS
from kiosk_web.services.persons.held_records import HeldForSystem, HeldRecords, ShownLink
from kiosk_web.services.ports.held import HeldKey, HeldMyKeyId, HeldReading, HeldTerms
from kiosk_web.web.patterns.sample import NOON, REFERENCE


def build_records(language: str) -> HeldRecords:
    """Somebody who has been here for a while, at two systems."""
    terms = tuple(HeldTerms("city-library", kind, "2026-11", NOON) for kind in KINDS)
    ended = ShownLink("••••••••04", NOON - timedelta(days=400), NOON - timedelta(days=30))
    library = HeldForSystem(
        Words("みほん市立図書館", "Mihon City Library"),
        None,
        (ShownLink("••••••••28", NOON, None), ended),
        terms,
        None,
        (),
    )
    booking = HeldForSystem(
        Words("施設予約システム", "Facility booking"),
        NOON - timedelta(days=90),
        (),
        terms[:1],
        date(2026, 4, 7),
        (HeldReading("booking", NOON + timedelta(minutes=20)),),
    )
    return HeldRecords(
        language=language,
        reference=REFERENCE,
        since=NOON - timedelta(days=400),
        certificates=(NOON - timedelta(days=400), NOON),
        mykey_ids=(HeldMyKeyId("issued", NOON - timedelta(days=400)),),
        keys=(HeldKey(NOON - timedelta(days=90), NOON),),
        systems=(library, booking),
        visits=1,
    )
