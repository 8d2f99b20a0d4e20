"""Screens before the card is in use, and after a visit."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session.codes import CODES
from kiosk_web.web.patterns.sample import NOON, SERVICES, build_refusal, build_view
from kiosk_web.web.view import StageView

VIEWS: Mapping[str, StageView] = {
    "connecting": StageView("connecting", "", 0, None, "ja", "normal"),
    "choosing_service": build_view("choosing_service", services=SERVICES, card=False),
    "choosing_service-card": build_view("choosing_service", services=SERVICES, card=True),
    "choosing_service-six": build_view(
        "choosing_service",
        services=tuple({**service, "id": f"{service['id']}{copy}"} for copy in "ab" for service in SERVICES),
        card=False,
    ),
    "choosing_service-uncertain": build_view(
        "choosing_service", services=tuple({**service, "uncertain": True} for service in SERVICES), card=False
    ),
    "awaiting_card": build_view("awaiting_card", service=SERVICES[0], hint=""),
    "choosing-none": build_view("choosing_service", services=[], card=False, kazashi=False),
    "refused-status_unavailable-window": build_refusal("status_unavailable", back_at=NOON),
    "taking_card": build_view("taking_card"),
    "superseded": StageView("superseded", "superseded", 1, None, "ja", "normal"),
    "help_called": build_refusal("reader_missing", help_called=True),
    **{
        f"awaiting_card-{hint}": build_view("awaiting_card", service=SERVICES[0], hint=hint)
        for hint in (
            "not_my_number_card",
            "card_mute",
            "reader_missing",
            "service_down",
            "access_denied",
            "reader_busy",
        )
    },
    **{
        f"out_of_service-{code.name}": StageView("out_of_service", code.name, 1, None, "ja", "normal")
        for code in CODES.values()
        if code.group == "terminal" or code.name in ("reading_unusable", "reading_blocked")
    },
    **{f"refused-{name}": build_refusal(name) for name in CODES},
}
