"""The screen with terms that are new to the resident."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.web.patterns.sample import NOON, SERVICES, build_view
from kiosk_web.web.view import StageView

_CHANGES: tuple[Mapping[str, object], ...] = tuple(
    {"document": document, "version": "2026-11", "accepted": "2026-04", "accepted_at": NOON}
    for document in ("terms-of-use", "privacy-policy")
)

VIEWS: Mapping[str, StageView] = {
    "agreeing": build_view("agreeing", service=SERVICES[0], changes=_CHANGES),
    "agreeing-first": build_view(
        "agreeing",
        service=SERVICES[1],
        tap=True,
        changes=[{**change, "accepted": "", "accepted_at": None} for change in _CHANGES],
    ),
}
