"""Screens on which the basic 4 information is asked for, read and sent."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.identity.basic_four import BasicFour, BasicFourTerms
from kiosk_web.identity.offer import Service, Words
from kiosk_web.web.patterns.sample import NOON, PPID, READING, REFERENCE, RETURNING, SERVICES, build_refusal, build_view
from kiosk_web.web.view import StageView

_TERMS = BasicFourTerms(
    receiver=Words("みほん市 施設予約システム", "Mihon City facility booking"),
    purpose=Words("体育館・公民館の利用者登録", "Registration as a user of gymnasium and halls"),
    kept=Words(
        "利用者登録が続くあいだ。登録をやめると消します。", "As long as you are registered. Deleted when you leave."
    ),
    minutes=10,
)

OFFERED = Service(
    "counter", "booking", "type1", Words("窓口の受付", "Service counter"), Words("", ""), "counter", basic_four=_TERMS
)

FOUR = BasicFour("𠮷野　髙子", "みほん県みほん市見本町一丁目2番3号　みほん荘●号室", "19800217", "2")

_SENT: Mapping[str, object] = {
    "service": SERVICES[1],
    "receiver": {"ja": _TERMS.receiver.ja, "en": _TERMS.receiver.en},
    "kept_until": NOON,
    "reference": REFERENCE,
    "card": True,
}

VIEWS: Mapping[str, StageView] = {
    "refused-card_removed-sending": build_refusal("card_removed", reading=READING, sending=True, card=False),
    "consenting-basic_four": build_view(
        "consenting", service=SERVICES[1], subject="basic_four", offered=OFFERED, reading=READING
    ),
    "awaiting_pin-signing": build_view("awaiting_pin", service=SERVICES[1], tries_left=3, refused=False, sending=True),
    "awaiting_text": build_view("awaiting_text", service=SERVICES[1], way="", pin_tries=3, code_tries=10),
    "awaiting_text-pin": build_view("awaiting_text", service=SERVICES[1], way="pin", pin_tries=3, code_tries=10),
    "awaiting_text-code": build_view("awaiting_text", service=SERVICES[1], way="code", pin_tries=3, code_tries=10),
    "awaiting_text-security": build_view(
        "awaiting_text", service=SERVICES[1], way="security", pin_tries=3, code_tries=10
    ),
    "awaiting_text-guarded": build_view("awaiting_text", service=SERVICES[1], way="code", pin_tries=1, code_tries=10),
    "checking_text": build_view("checking_text", service=SERVICES[1]),
    "basic_four_sent": build_view("basic_four_sent", **_SENT),
    "basic_four_sent-items": build_view("basic_four_sent", **_SENT, items=FOUR),
    **{
        f"result-basic_four_{end}": build_view(
            "result",
            **PPID,
            basic_four={"end": end, "code": code, "tries_left": tries, "again": end != "sent"},
        )
        for end, code, tries in (
            ("sent", "", None),
            ("declined", "cancelled", None),
            ("failed", "text_secret_wrong", 2),
        )
    },
    "awaiting_card-reading_basic_four": build_view(
        "awaiting_card", service=SERVICES[1], hint="", reading={**READING, "basic_four": True}
    ),
    "awaiting_card-reading_returns_basic_four": build_view(
        "awaiting_card", service=SERVICES[1], hint="", reading={**RETURNING, "basic_four": True}
    ),
    "basic_four_sent-returns": build_view("basic_four_sent", **_SENT, items=FOUR, reading=RETURNING),
    **{
        f"result-returns_basic_four_{end}": build_view(
            "result",
            **PPID,
            reading=RETURNING,
            basic_four={"end": end, "code": code, "tries_left": tries, "again": False},
        )
        for end, code, tries in (("sent", "", None), ("failed", "text_secret_wrong", 2))
    },
}
