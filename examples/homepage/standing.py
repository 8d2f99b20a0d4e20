"""What the register of J-LIS said of the holder, in the city's words: what it is, what to do, and where. Pure.

`unknown` is neither "valid" nor "unchanged", and what changed is told to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

JAPAN = timezone(timedelta(hours=9))
_COUNTER = "施設予約の窓口（公民館・体育館の受付）"
_CITY_HALL = "みほん市役所 市民課の窓口"


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


_SIGNATURE = {
    "valid": Line("good", "署名用電子証明書は有効です。"),
    "revoked": Line(
        "act", "署名用電子証明書は失効しています。", f"電子申請に使う証明書です。{_CITY_HALL}で、新しく発行できます。"
    ),
    "expired": Line(
        "act",
        "署名用電子証明書は有効期間が満了しています。",
        f"電子申請に使う証明書です。{_CITY_HALL}で、新しく発行できます。",
    ),
    "none_issued": Line("open", "署名用電子証明書は発行されていません。"),
}
_SIGNATURE_UNKNOWN = Line("open", "署名用電子証明書の状態は確認できませんでした。", "ログインには差し支えありません。")


def describe_standing(standing: Mapping[str, Any] | None) -> ShownStanding | None:
    """`standing` of an accepted verdict (the kiosk's docs/api.md). None: nobody was asked, and nothing is shown."""
    if standing is None or standing.get("why") == "not_configured":
        return None
    return ShownStanding(
        items=_describe_items(standing),
        signature=_SIGNATURE.get(str(standing["signature_certificate"]), _SIGNATURE_UNKNOWN),
        as_of=_write_time(standing["as_of"]) if standing["as_of"] else "",
        confirmable=standing["items"] == "changed",
    )


def write_day(day: date) -> str:
    """`2026年11月26日`."""
    return f"{day.year}年{day.month}月{day.day}日"


def _describe_items(standing: Mapping[str, Any]) -> Line:
    since = standing["since"] and write_day(date.fromisoformat(str(standing["since"])))
    match standing["items"]:
        case "unchanged" if since:
            return Line("good", f"{since}の確認以降、氏名・住所・生年月日・性別の変更はありません。")
        case "changed" if since:
            return Line(
                "act",
                f"{since}の確認以降、氏名・住所・生年月日・性別のいずれかが変わっています。",
                f"施設予約の登録内容を、{_COUNTER}で直してください。何が変わったかは、市には届いていません。",
            )
        case _ if standing["as_of"] and not since:
            return Line("open", "氏名・住所などの変更は、次回のログインからお知らせします。")
    return Line(
        "open",
        "氏名・住所などが変わったかどうかは、確認できませんでした。",
        "変わったという意味ではありません。ログインには差し支えありません。",
    )


def _write_time(moment: str) -> str:
    """RFC 3339 to the minute in Japan."""
    there = datetime.fromisoformat(moment).astimezone(JAPAN)
    return f"{write_day(there.date())} {there:%H:%M}"
