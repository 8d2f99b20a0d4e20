"""Screens of a visit whose card is in use."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.web.patterns.sample import SERVICES, build_view
from kiosk_web.web.view import StageView

VIEWS: Mapping[str, StageView] = {
    "reading_card": build_view("reading_card", service=SERVICES[0]),
    "awaiting_pin": build_view("awaiting_pin", service=SERVICES[0], tries_left=3, refused=False),
    "awaiting_pin-refused": build_view("awaiting_pin", service=SERVICES[0], tries_left=2, refused=True),
    "awaiting_pin-reader": build_view(
        "awaiting_pin", service=SERVICES[0], tries_left=3, refused=False, keypad="reader"
    ),
    "awaiting_pin-reader_now": build_view(
        "awaiting_pin", service=SERVICES[0], tries_left=2, refused=True, keypad="reader-now"
    ),
    "confirming_last_pin": build_view("confirming_last_pin", service=SERVICES[0], tries_left=1, refused=False),
    "confirming_last_pin-refused": build_view("confirming_last_pin", service=SERVICES[0], tries_left=1, refused=True),
    "checking_pin": build_view("checking_pin", service=SERVICES[0]),
    "checking_card": build_view("checking_card", service=SERVICES[0], tap=True, enrolling=False),
    "checking": build_view("checking", service=SERVICES[0]),
    "awaiting_pin-by_pin": build_view("awaiting_pin", service=SERVICES[0], tries_left=3, refused=False, by_pin=True),
}
