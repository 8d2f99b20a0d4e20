"""Screens on which the number of an old card is linked."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.web.patterns.sample import PANEL, RESULT, SERVICES, build_view
from kiosk_web.web.view import StageView

_INVITATION: Mapping[str, object] = {"service": {"ja": "図書館の利用", "en": "Library"}, "used_up": False}

VIEWS: Mapping[str, StageView] = {
    "result-link": build_view("result", **{**RESULT, "invitation": _INVITATION}),
    "result-link_kazashi": build_view("result", **{**RESULT, "invitation": _INVITATION, "kazashi": "offered"}),
    "result-link_used_up": build_view("result", **{**RESULT, "invitation": {**_INVITATION, "used_up": True}}),
    "result-linked": build_view("result", **{**RESULT, "link": "linked", "handover": PANEL, "kazashi": "offered"}),
    "entering_number": build_view("entering_number", service=SERVICES[0], refused=""),
    **{
        f"entering_number-{name}": build_view("entering_number", service=SERVICES[0], refused=name)
        for name in ("link_number_malformed", "link_number_unknown", "link_number_taken", "link_not_possible")
    },
    "confirming_link": build_view("confirming_link", service=SERVICES[0], refused=""),
    "confirming_link-refused": build_view("confirming_link", service=SERVICES[0], refused="staff_code_refused"),
}
