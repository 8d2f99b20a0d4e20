"""The result: by each way to confirm it, with what is handed over and what the register says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from kiosk_web.web.patterns.sample import NOON, PANEL, PPID, RESULT, SERVICES, build_view
from kiosk_web.web.view import StageView

_STANDING: Mapping[str, object] = {
    "asking": False,
    "signature": "valid",
    "items": "unchanged",
    "since": date(2026, 4, 7),
    "as_of": NOON,
}

_STANDINGS: Mapping[str, Mapping[str, object]] = {
    "asking": {"asking": True},
    "unchanged": _STANDING,
    "changed": {**_STANDING, "items": "changed", "signature": "revoked"},
    "first": {**_STANDING, "items": "first", "since": None, "signature": "none_issued"},
    "expired": {**_STANDING, "signature": "expired"},
    "unknown": {**_STANDING, "items": "unknown", "signature": "unknown", "as_of": None},
}

_PANELS: Mapping[str, Mapping[str, object]] = {
    "masked": {},
    "sending": {"status": "sending", "barcode": False},
    "sent": {"status": "sent", "library": True},
    "failed": {
        "status": "failed",
        "code": "output_window_lost",
        "reason": "output_window_lost",
        "number": "K-803",
        "sent": 4,
        "may_retry": True,
        "barcode": False,
    },
}

VIEWS: Mapping[str, StageView] = {
    "result": build_view("result", **RESULT),
    "result-ppid": build_view(
        "result", **{**PPID, "service": SERVICES[2], "profile": "type2", "expires_soon": True, "card": False}
    ),
    **{
        f"result-number-{name}": build_view("result", **{**RESULT, "handover": {**PANEL, **changes}})
        for name, changes in _PANELS.items()
    },
    **{
        f"result-standing-{name}": build_view("result", **{**PPID, "standing": standing})
        for name, standing in _STANDINGS.items()
    },
    **{
        f"result-list-{cause or 'chosen'}": build_view("result", **{**RESULT, "method": "crl", "fallback": cause})
        for cause in ("", "window", "manager", "automatic")
    },
}
