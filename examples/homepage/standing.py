"""What the register of J-LIS said of the holder, in the city's words: what it is, what to do, and where. Pure.

`unknown` is neither "valid" nor "unchanged", and what changed is told to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

JAPAN = timezone(timedelta(hours=9))
_ISSUED_ANEW = (
    "電子申請に使う証明書です。みほん市役所 市民課の窓口で、新しく発行できます。",
    "It is for online applications. The Citizens' Affairs counter of Mihon City Hall can issue a new one.",
)
_SIGNATURE = {
    "valid": ("good", ("署名用電子証明書は有効です。", "Your signature certificate is valid."), ("", "")),
    "revoked": ("act", ("署名用電子証明書は失効しています。", "Your signature certificate is revoked."), _ISSUED_ANEW),
    "expired": (
        "act",
        ("署名用電子証明書は有効期間が満了しています。", "Your signature certificate has expired."),
        _ISSUED_ANEW,
    ),
    "none_issued": (
        "open",
        ("署名用電子証明書は発行されていません。", "No signature certificate was issued to you."),
        ("", ""),
    ),
}
_SIGNATURE_UNKNOWN = (
    "open",
    (
        "署名用電子証明書の状態は確認できませんでした。",
        "The state of your signature certificate could not be confirmed.",
    ),
    ("ログインには差し支えありません。", "You are signed in all the same."),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Line:
    """`tone`: `good`, `act` (there is something to do) or `open` (not known). `advice`: what to do and where, or ""."""

    tone: str
    text: str
    advice: str = ""


@dataclass(frozen=True)
class ShownStanding:
    """`as_of`: when the register said so, or "". `confirmable`: taking a change over can be recorded now."""

    items: Line
    signature: Line
    as_of: str
    confirmable: bool


def describe_standing(standing: Mapping[str, Any] | None, *, english: bool = False) -> ShownStanding | None:
    """`standing` of an accepted verdict (the kiosk's docs/api.md). None: nobody was asked, and nothing is shown."""
    if standing is None or standing.get("why") == "not_configured":
        return None
    tone, text, advice = _SIGNATURE.get(str(standing["signature_certificate"]), _SIGNATURE_UNKNOWN)
    return ShownStanding(
        items=_describe_items(standing, english),
        signature=Line(tone, text[english], advice[english]),
        as_of=_write_time(standing["as_of"], english) if standing["as_of"] else "",
        confirmable=standing["items"] == "changed",
    )


def _write_day(day: date, *, english: bool = False) -> str:
    """`2026年11月26日`, or `26 Nov 2026`."""
    if english:
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def _describe_items(standing: Mapping[str, Any], english: bool) -> Line:
    since = standing["since"] and _write_day(date.fromisoformat(str(standing["since"])), english=english)
    tone, text, advice = _choose_items(standing, since)
    return Line(tone, text[english], advice[english])


def _choose_items(standing: Mapping[str, Any], since: str) -> tuple[str, tuple[str, str], tuple[str, str]]:
    """Tone, text and advice, both in Japanese and English."""
    match standing["items"]:
        case "unchanged" if since:
            text = (
                f"{since}の確認以降、氏名・住所・生年月日・性別の変更はありません。",
                f"Name, address, birth date and sex have not changed since the confirmation of {since}.",
            )
            return "good", text, ("", "")
        case "changed" if since:
            text = (
                f"{since}の確認以降、氏名・住所・生年月日・性別のいずれかが変わっています。",
                f"Name, address, birth date or sex changed after the confirmation of {since}.",
            )
            advice = (
                "施設予約の登録内容を、施設予約の窓口（公民館・体育館の受付）で直してください。"
                "何が変わったかは、市には届いていません。",
                "Please have your registration corrected at a booking counter (community centres, gyms). "
                "The city was not told what changed.",
            )
            return "act", text, advice
        case _ if standing["as_of"] and not since:
            text = (
                "氏名・住所などの変更は、次回のログインからお知らせします。",
                "From your next visit on, you are told whether name, address and so on have changed.",
            )
            return "open", text, ("", "")
    text = (
        "氏名・住所などが変わったかどうかは、確認できませんでした。",
        "We could not confirm whether name, address and so on have changed.",
    )
    advice = (
        "変わったという意味ではありません。ログインには差し支えありません。",
        "This does not mean that they have. You are signed in all the same.",
    )
    return "open", text, advice


def _write_time(moment: str, english: bool) -> str:
    """RFC 3339 to the minute in Japan."""
    there = datetime.fromisoformat(moment).astimezone(JAPAN)
    return f"{_write_day(there.date(), english=english)} {there:%H:%M}"
