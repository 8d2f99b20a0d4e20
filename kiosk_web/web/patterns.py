"""Every screen with sample data: for `/patterns` (demo only), screenshots, and the tests of layout and accessibility.

All people, numbers and services here are invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from kiosk_web.identity.basic_four import BasicFour, BasicFourTerms
from kiosk_web.identity.offer import CooperatingSystem, Service, Words
from kiosk_web.identity.terms import KINDS
from kiosk_web.pki.status import Opening
from kiosk_web.services.held_records import HeldForSystem, HeldRecords, ShownLink
from kiosk_web.services.linking import FoundLink
from kiosk_web.services.ports.held import HeldKey, HeldMyKeyId, HeldReading, HeldTerms
from kiosk_web.session.codes import CODES
from kiosk_web.web.catalogue import LANGUAGES
from kiosk_web.web.render import TEXT_SIZES, Renderer
from kiosk_web.web.view import ListAlarm, OpeningNotice, StaffBoard, StageView, TerminalRow

_NOON = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)
_REFERENCE = "K7M2-4Q9X"

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

_READING: Mapping[str, object] = {
    "system": {"ja": "施設予約システム", "en": "Facility booking system"},
    "title": {"ja": "体育館の利用登録", "en": "Registration for the gymnasium"},
    "returns": False,
}
_RETURNING = {**_READING, "returns": True}

_RESULT: Mapping[str, object] = {
    "service": SERVICES[0],
    "profile": "library",
    "identifier_kind": "mykey_id",
    "identifier": "7KX2M9QD",
    "expires_soon": False,
    "checked_at": _NOON,
    "method": "ocsp",
    "fallback": "",
    "status_as_of": _NOON,
    "reference": _REFERENCE,
    "card": True,
    "standing": None,
    "records": True,
}

_TERMS = BasicFourTerms(
    receiver=Words("みほん市 施設予約システム", "Mihon City facility booking"),
    purpose=Words("体育館・公民館の利用者登録", "Registration as a user of gymnasium and halls"),
    kept=Words(
        "利用者登録が続くあいだ。登録をやめると消します。", "As long as you are registered. Deleted when you leave."
    ),
    minutes=10,
)
_OFFERED = Service(
    "counter", "booking", "type1", Words("窓口の受付", "Service counter"), Words("", ""), "counter", basic_four=_TERMS
)
FOUR = BasicFour("𠮷野　髙子", "みほん県みほん市見本町一丁目2番3号　みほん荘●号室", "19800217", "2")
_SENT: Mapping[str, object] = {
    "service": SERVICES[1],
    "receiver": {"ja": _TERMS.receiver.ja, "en": _TERMS.receiver.en},
    "kept_until": _NOON,
    "reference": _REFERENCE,
    "card": True,
}
_PPID: Mapping[str, object] = {
    **_RESULT,
    "service": SERVICES[1],
    "profile": "type1",
    "identifier_kind": "ppid",
    "identifier": "Q7DK2MVX9TZL4ARW8HNB3CEP",
}

_STANDING: Mapping[str, object] = {
    "asking": False,
    "signature": "valid",
    "items": "unchanged",
    "since": date(2026, 4, 7),
    "as_of": _NOON,
}
_STANDINGS: Mapping[str, Mapping[str, object]] = {
    "asking": {"asking": True},
    "unchanged": _STANDING,
    "changed": {**_STANDING, "items": "changed", "signature": "revoked"},
    "first": {**_STANDING, "items": "first", "since": None, "signature": "none_issued"},
    "expired": {**_STANDING, "signature": "expired"},
    "unknown": {**_STANDING, "items": "unknown", "signature": "unknown", "as_of": None},
}


_CHANGES: tuple[Mapping[str, object], ...] = tuple(
    {"document": document, "version": "2026-11", "accepted": "2026-04", "accepted_at": _NOON}
    for document in ("terms-of-use", "privacy-policy")
)
_INVITATION: Mapping[str, object] = {"service": {"ja": "図書館の利用", "en": "Library"}, "used_up": False}
_PANEL: Mapping[str, object] = {
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


def _view(state: str, **data: object) -> StageView:
    return StageView(state, "", 1, None, "ja", "normal", (), {"help_called": False, **data})


def _refusal(name: str) -> StageView:
    tries = {"pin_locked": 0, "last_try_declined": 1, "pin_tries_used": 1}.get(name)
    group = CODES[name].group
    data: dict[str, object] = {
        "reference": _REFERENCE,
        "tries_left": tries,
        "card": group != "terminal",
        "stopped_in": {"pin": "awaiting_pin", "confirmation": "awaiting_pin", "identity": "checking"}.get(
            group, "reading_card"
        ),
        "back_at": None,
    }
    view = _view("refused", **data)
    return replace(view, code=name)


def build_patterns() -> dict[str, StageView]:
    """All sample views in Japanese at normal size, by a name that says what is special."""
    library = SERVICES[0]
    patterns = {
        "connecting": StageView("connecting", "", 0, None, "ja", "normal"),
        "choosing_service": _view("choosing_service", services=SERVICES, card=False),
        "choosing_service-card": _view("choosing_service", services=SERVICES, card=True),
        "choosing_service-six": _view(
            "choosing_service",
            services=tuple({**service, "id": f"{service['id']}{copy}"} for copy in "ab" for service in SERVICES),
            card=False,
        ),
        "choosing_service-uncertain": _view(
            "choosing_service", services=tuple({**service, "uncertain": True} for service in SERVICES), card=False
        ),
        "awaiting_card": _view("awaiting_card", service=library, hint=""),
        "awaiting_card-reading": _view("awaiting_card", service=SERVICES[1], hint="", reading=_READING),
        "awaiting_card-reading_untitled": _view(
            "awaiting_card", service=SERVICES[1], hint="", reading={**_READING, "title": {"ja": "", "en": ""}}
        ),
        "result-reading": _view(
            "result",
            **{
                **_RESULT,
                "service": SERVICES[1],
                "profile": "type1",
                "identifier_kind": "ppid",
                "identifier": "Q7DK2MVX9TZL4ARW8HNB3CEP",
                "reading": _READING,
            },
        ),
        "awaiting_card-reading_returns": _view("awaiting_card", service=SERVICES[1], hint="", reading=_RETURNING),
        "refused-cancelled-reading_returns": replace(
            _refusal("cancelled"), data={**_refusal("cancelled").data, "reading": _RETURNING}
        ),
        "refused-certificate_revoked-reading": replace(
            _refusal("certificate_revoked"), data={**_refusal("certificate_revoked").data, "reading": _READING}
        ),
        "refused-pin_locked-reading": replace(
            _refusal("pin_locked"), data={**_refusal("pin_locked").data, "reading": _READING}
        ),
        "refused-card_removed-sending": replace(
            _refusal("card_removed"), data={**_refusal("card_removed").data, "reading": _READING, "sending": True}
        ),
        "reading_card": _view("reading_card", service=library),
        "awaiting_pin": _view("awaiting_pin", service=library, tries_left=3, refused=False),
        "awaiting_pin-refused": _view("awaiting_pin", service=library, tries_left=2, refused=True),
        "confirming_last_pin": _view("confirming_last_pin", service=library, tries_left=1, refused=False),
        "confirming_last_pin-refused": _view("confirming_last_pin", service=library, tries_left=1, refused=True),
        "checking_pin": _view("checking_pin", service=library),
        "checking_card": _view("checking_card", service=library, tap=True, enrolling=False),
        "checking": _view("checking", service=library),
        "awaiting_pin-by_pin": _view("awaiting_pin", service=library, tries_left=3, refused=False, by_pin=True),
        "choosing_service-staff": _view("choosing_service", services=SERVICES, card=False, kazashi=True),
        "choosing_service-attended": _view(
            "choosing_service",
            services=SERVICES,
            card=False,
            kazashi=True,
            attended={"name": "見本 花子", "until": _NOON},
        ),
        "choosing-none": _view("choosing_service", services=[], card=False, kazashi=False),
        "result-kazashi": _view("result", **{**_RESULT, "kazashi": "offered"}),
        "result-kazashi_on": _view("result", **{**_RESULT, "kazashi": "on"}),
        "agreeing": _view("agreeing", service=library, changes=_CHANGES),
        "agreeing-first": _view(
            "agreeing",
            service=SERVICES[1],
            tap=True,
            changes=[{**change, "accepted": "", "accepted_at": None} for change in _CHANGES],
        ),
        "consenting": _view("consenting", service=library, subject="kazashi", offered=_OFFERED),
        "consenting-basic_four": _view(
            "consenting", service=SERVICES[1], subject="basic_four", offered=_OFFERED, reading=_READING
        ),
        "awaiting_pin-signing": _view("awaiting_pin", service=SERVICES[1], tries_left=3, refused=False, sending=True),
        "awaiting_text": _view("awaiting_text", service=SERVICES[1], way="", pin_tries=3, code_tries=10),
        "awaiting_text-pin": _view("awaiting_text", service=SERVICES[1], way="pin", pin_tries=3, code_tries=10),
        "awaiting_text-code": _view("awaiting_text", service=SERVICES[1], way="code", pin_tries=3, code_tries=10),
        "awaiting_text-security": _view(
            "awaiting_text", service=SERVICES[1], way="security", pin_tries=3, code_tries=10
        ),
        "awaiting_text-guarded": _view("awaiting_text", service=SERVICES[1], way="code", pin_tries=1, code_tries=10),
        "checking_text": _view("checking_text", service=SERVICES[1]),
        "basic_four_sent": _view("basic_four_sent", **_SENT),
        "basic_four_sent-items": _view("basic_four_sent", **_SENT, items=FOUR),
        **{
            f"result-basic_four_{end}": _view(
                "result",
                **_PPID,
                basic_four={"end": end, "code": code, "tries_left": tries, "again": end != "sent"},
            )
            for end, code, tries in (
                ("sent", "", None),
                ("declined", "cancelled", None),
                ("failed", "text_secret_wrong", 2),
            )
        },
        "awaiting_card-reading_basic_four": _view(
            "awaiting_card", service=SERVICES[1], hint="", reading={**_READING, "basic_four": True}
        ),
        "awaiting_birth": _view("awaiting_birth", service=library),
        "kazashi_set-on": _view("kazashi_set", on=True, card=True),
        "kazashi_set-off": _view("kazashi_set", on=False, card=False),
        "result-link": _view("result", **{**_RESULT, "invitation": _INVITATION}),
        "result-link_kazashi": _view("result", **{**_RESULT, "invitation": _INVITATION, "kazashi": "offered"}),
        "result-link_used_up": _view("result", **{**_RESULT, "invitation": {**_INVITATION, "used_up": True}}),
        "result-linked": _view("result", **{**_RESULT, "link": "linked", "handover": _PANEL, "kazashi": "offered"}),
        "entering_number": _view("entering_number", service=library, refused=""),
        **{
            f"entering_number-{name}": _view("entering_number", service=library, refused=name)
            for name in ("link_number_malformed", "link_number_unknown", "link_number_taken", "link_not_possible")
        },
        "confirming_link": _view("confirming_link", service=library, refused=""),
        "confirming_link-refused": _view("confirming_link", service=library, refused="staff_code_refused"),
        "staff_sign_in": _view("staff_sign_in", refused=""),
        "staff_sign_in-refused": _view("staff_sign_in", refused="staff_code_refused"),
        "result": _view("result", **_RESULT),
        "result-ppid": _view(
            "result",
            **{
                **_RESULT,
                "service": SERVICES[2],
                "profile": "type2",
                "identifier_kind": "ppid",
                "identifier": "Q7DK2MVX9TZL4ARW8HNB3CEP",
                "expires_soon": True,
                "card": False,
            },
        ),
        **{
            f"result-number-{name}": _view("result", **{**_RESULT, "handover": {**_PANEL, **changes}})
            for name, changes in _PANELS.items()
        },
        **{
            f"result-standing-{name}": _view(
                "result",
                **{
                    **_RESULT,
                    "service": SERVICES[1],
                    "profile": "type1",
                    "identifier_kind": "ppid",
                    "identifier": "Q7DK2MVX9TZL4ARW8HNB3CEP",
                    "standing": standing,
                },
            )
            for name, standing in _STANDINGS.items()
        },
        **{
            f"result-list-{cause or 'chosen'}": _view("result", **{**_RESULT, "method": "crl", "fallback": cause})
            for cause in ("", "window", "manager", "automatic")
        },
        "refused-status_unavailable-window": replace(
            _refusal("status_unavailable"), data={**_refusal("status_unavailable").data, "back_at": _NOON}
        ),
        "taking_card": _view("taking_card"),
        "superseded": StageView("superseded", "superseded", 1, None, "ja", "normal"),
        "help_called": replace(
            _refusal("reader_missing"), data={**_refusal("reader_missing").data, "help_called": True}
        ),
    }
    for name in ("result", "result-list-automatic", "result-linked", "result-number-sent", "result-standing-changed"):
        full = {**patterns[name].data, "expires_soon": True, "kazashi": "offered"}
        patterns[f"{name}-expires_soon"] = replace(patterns[name], data=full)
    for hint in ("not_my_number_card", "card_mute", "reader_missing", "service_down", "access_denied", "reader_busy"):
        patterns[f"awaiting_card-{hint}"] = _view("awaiting_card", service=library, hint=hint)
    for code in CODES.values():
        if code.group == "terminal" or code.name in ("reading_unusable", "reading_blocked"):
            patterns[f"out_of_service-{code.name}"] = StageView("out_of_service", code.name, 1, None, "ja", "normal")
        patterns[f"refused-{code.name}"] = _refusal(code.name)
    return patterns


TERMINALS: tuple[TerminalRow, ...] = (
    TerminalRow("library-1", True, "awaiting_pin", _NOON, _NOON, "done", "", False, "見本 花子", _NOON),
    TerminalRow("library-2", True, "choosing_service", _NOON, _NOON, "could_not_finish", "", False),
    TerminalRow("hall-1", True, "refused", _NOON, _NOON, "could_not_finish", "K-301", True),
    TerminalRow("hall-2", False, "offline", _NOON, _NOON, "abandoned", "K-113", False),
    TerminalRow("hall-3", False, "offline", None, None, "", "", False),
)

OPENINGS: tuple[OpeningNotice, ...] = (
    OpeningNotice(Opening("window", _NOON, _NOON + timedelta(hours=4), ask_responder=False)),
    OpeningNotice(Opening("manager", _NOON, _NOON + timedelta(hours=20)), "照会先の障害のお知らせ", "見本 花子"),
    OpeningNotice(Opening("automatic", _NOON, _NOON + timedelta(hours=24))),
)
ALARMS: tuple[ListAlarm, ...] = (
    ListAlarm("due_soon", 12, "town-1.crl", _NOON + timedelta(hours=5)),
    ListAlarm("source_failing", 1, "towns", detail="timeout"),
)
BOARD = StaffBoard(TERMINALS, OPENINGS, ALARMS)


def build_records(language: str) -> HeldRecords:
    """Somebody who has been here for a while, at two systems."""
    terms = tuple(HeldTerms("city-library", kind, "2026-11", _NOON) for kind in KINDS)
    ended = ShownLink("••••••••04", _NOON - timedelta(days=400), _NOON - timedelta(days=30))
    library = HeldForSystem(
        Words("みほん市立図書館", "Mihon City Library"),
        None,
        (ShownLink("••••••••28", _NOON, None), ended),
        terms,
        None,
        (),
    )
    booking = HeldForSystem(
        Words("施設予約システム", "Facility booking"),
        _NOON - timedelta(days=90),
        (),
        terms[:1],
        date(2026, 4, 7),
        (HeldReading("booking", _NOON + timedelta(minutes=20)),),
    )
    return HeldRecords(
        language=language,
        reference=_REFERENCE,
        since=_NOON - timedelta(days=400),
        certificates=(_NOON - timedelta(days=400), _NOON),
        mykey_ids=(HeldMyKeyId("issued", _NOON - timedelta(days=400)),),
        keys=(HeldKey(_NOON - timedelta(days=90), _NOON),),
        systems=(library, booking),
        visits=1,
    )


def show_desk(renderer: Renderer, name: str, language: str) -> str:
    """The link desk, or one of its answers."""
    if name == "link-answer":
        return renderer.render_link_answer("find", FoundLink("city-library", "1234567897", _NOON), "", language)
    library = CooperatingSystem("city-library", Words("みほん市立図書館", "Mihon City Library"), "platform", True)
    return renderer.render_link_desk((library,), language)


def build_pattern_routes(renderer: Renderer) -> list[Route]:
    """`/patterns` lists all, `/patterns/{name}?lang=en&size=large` shows one without script, `/patterns/staff` too."""
    patterns = build_patterns()

    async def list_patterns(_request: Request) -> Response:
        items = "".join(
            f"<li>{escape(name)}: "
            + " · ".join(f'<a href="/patterns/{escape(name)}?lang={lang}">{lang}</a>' for lang in LANGUAGES)
            + "</li>"
            for name in (*patterns, "records", "staff", "staff-empty", "link-desk", "link-answer")
        )
        return HTMLResponse(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Screens</title></head>'
            f"<body><main><h1>Screens</h1><ul>{items}</ul></main></body></html>"
        )

    async def show_pattern(request: Request) -> Response:
        name = request.path_params["name"]
        language = request.query_params.get("lang", "ja")
        size = request.query_params.get("size", "normal")
        if language not in LANGUAGES or size not in TEXT_SIZES:
            return PlainTextResponse("unknown language or size", status_code=404)
        if name == "records":
            view = replace(patterns["result"], language=language, text_size=size)
            return HTMLResponse(renderer.render_page(view, live=False, records=build_records(language)))
        if name in ("link-desk", "link-answer"):
            return HTMLResponse(show_desk(renderer, name, language))
        if name in ("staff", "staff-empty"):
            return HTMLResponse(renderer.render_staff(BOARD if name == "staff" else StaffBoard(()), language))
        if name not in patterns:
            return PlainTextResponse("no such screen", status_code=404)
        return HTMLResponse(
            renderer.render_page(replace(patterns[name], language=language, text_size=size), live=False)
        )

    return [Route("/patterns", list_patterns), Route("/patterns/{name}", show_pattern)]
