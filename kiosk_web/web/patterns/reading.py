"""Screens of a visit that a municipal system asked for."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.web.patterns.sample import PPID, READING, RETURNING, SERVICES, build_refusal, build_view
from kiosk_web.web.view import StageView

VIEWS: Mapping[str, StageView] = {
    "awaiting_card-reading": build_view("awaiting_card", service=SERVICES[1], hint="", reading=READING),
    "awaiting_card-reading_untitled": build_view(
        "awaiting_card", service=SERVICES[1], hint="", reading={**READING, "title": {"ja": "", "en": ""}}
    ),
    "result-reading": build_view("result", **{**PPID, "reading": READING}),
    "awaiting_card-reading_returns": build_view("awaiting_card", service=SERVICES[1], hint="", reading=RETURNING),
    "refused-cancelled-reading_returns": build_refusal("cancelled", reading=RETURNING),
    "refused-certificate_revoked-reading": build_refusal("certificate_revoked", reading=READING),
    "refused-pin_locked-reading": build_refusal("pin_locked", reading=READING),
}
