"""Services, times and results of which the screens are made. All people, numbers and services are invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from kiosk_web.session.codes import CODES
from kiosk_web.web.view import StageView

NOON = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)
REFERENCE = "K7M2-4Q9X"

SERVICES: tuple[dict[str, object], ...] = (
    {
        "id": "library",
        "profile": "library",
        "icon": "library",
        "name": {"ja": "図書館の利用", "en": "Library"},
        "description": {"ja": "本の貸出しや予約に使います", "en": "Borrow and reserve books"},
        "uncertain": False,
    },
    {
        "id": "counter",
        "profile": "type1",
        "icon": "counter",
        "name": {"ja": "窓口の受付", "en": "Service counter"},
        "description": {"ja": "窓口での受付をします", "en": "Check in at the counter"},
        "uncertain": False,
    },
    {
        "id": "booking",
        "profile": "type2",
        "icon": "booking",
        "name": {"ja": "施設の予約", "en": "Facility booking"},
        "description": {"ja": "会議室や体育館を予約します", "en": "Book a meeting room or a gymnasium"},
        "uncertain": False,
    },
)

READING: Mapping[str, object] = {
    "system": {"ja": "施設予約システム", "en": "Facility booking system"},
    "title": {"ja": "体育館の利用登録", "en": "Registration for the gymnasium"},
    "returns": False,
}

RETURNING: Mapping[str, object] = {**READING, "returns": True}
"""The browser came from the system's own page."""

RESULT: Mapping[str, object] = {
    "service": SERVICES[0],
    "profile": "library",
    "identifier_kind": "mykey_id",
    "identifier": "7KX2M9QD",
    "expires_soon": False,
    "checked_at": NOON,
    "method": "ocsp",
    "fallback": "",
    "status_as_of": NOON,
    "reference": REFERENCE,
    "card": True,
    "standing": None,
    "records": True,
}

PPID: Mapping[str, object] = {
    **RESULT,
    "service": SERVICES[1],
    "profile": "type1",
    "identifier_kind": "ppid",
    "identifier": "Q7DK2MVX9TZL4ARW8HNB3CEP",
}
PANEL: Mapping[str, object] = {
    "masked": "••••••••23",
    "barcode": True,
    "library": False,
    "status": "",
    "code": "",
    "reason": "other",
    "number": "K-607",
    "sent": 0,
    "may_retry": False,
}


def build_view(state: str, **data: object) -> StageView:
    return StageView(state, "", 1, None, "ja", "normal", (), {"help_called": False, **data})


def build_refusal(name: str, **more: object) -> StageView:
    tries = {"pin_locked": 0, "last_try_declined": 1, "pin_tries_used": 1}.get(name)
    group = CODES[name].group
    data: dict[str, object] = {
        "reference": REFERENCE,
        "tries_left": tries,
        "card": group != "terminal",
        "stopped_in": {"pin": "awaiting_pin", "confirmation": "awaiting_pin", "identity": "checking"}.get(
            group, "reading_card"
        ),
        "back_at": None,
        **more,
    }
    return replace(build_view("refused", **data), code=name)
