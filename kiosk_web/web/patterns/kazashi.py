"""Screens on which かざし利用 is offered, set up and ended."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.web.patterns.basic_four import OFFERED
from kiosk_web.web.patterns.sample import RESULT, SERVICES, build_view
from kiosk_web.web.view import StageView

VIEWS: Mapping[str, StageView] = {
    "result-kazashi": build_view("result", **{**RESULT, "kazashi": "offered"}),
    "result-kazashi_on": build_view("result", **{**RESULT, "kazashi": "on"}),
    "consenting": build_view("consenting", service=SERVICES[0], subject="kazashi", offered=OFFERED),
    "awaiting_birth": build_view("awaiting_birth", service=SERVICES[0]),
    "kazashi_set-on": build_view("kazashi_set", on=True, card=True),
    "kazashi_set-off": build_view("kazashi_set", on=False, card=False),
}
