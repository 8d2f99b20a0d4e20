"""The words of the bridge's own window, in Japanese and English: one face for each view. PURE.

Everything that comes from the page is its origin, as the browser told it, and an identifier of small letters, digits
and hyphens; no sentence of a page is ever shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bridge.personal.origins import is_international
from bridge.personal.view import View

Language = Literal["ja", "en"]


@dataclass(frozen=True, slots=True)
class Face:
    """What is on the window. `primary` "": there is nothing to go on with. `field`: label of the field, or ""."""

    title: str
    heading: str
    lines: tuple[str, ...]
    alert: str
    field: str
    primary: str
    secondary: str
    origin_label: str
    system_label: str
    other_language: str


_TEXTS: Mapping[str, tuple[str, str]] = {
    "asking": ("本人確認の求め", "A page asks who you are"),
    "card": ("カードを置いてください", "Put your card on the reader"),
    "reading": ("カードを読み取っています", "Reading the card"),
    "pin": ("暗証番号を入力してください", "Enter your PIN"),
    "last_try": ("あと1回で暗証番号がロックされます", "One more wrong PIN locks the card"),
    "working": ("確認しています", "Checking"),
    "ended": ("終わりました", "It has ended"),
    "origin": ("求めているページ", "The page that asks"),
    "system": ("連携システム", "Cooperating system"),
    "continue": ("続ける", "Continue"),
    "decline": ("やめる", "Cancel"),
    "close": ("閉じる", "Close"),
    "confirm": ("確認", "OK"),
    "last_continue": ("最後の1回を使う", "Use the last try"),
    "other": ("English", "日本語"),
    "asking_1": (
        "マイナンバーカードの利用者証明用電子証明書と、暗証番号（数字4桁）で本人確認をします。",
        "You are identified by the user-authentication certificate of your My Number Card and its 4-digit PIN.",
    ),
    "asking_2": (
        "このページに電子証明書と署名を渡します。暗証番号・氏名・マイナンバーは渡しません。",
        "The page gets the certificate and a signature. It gets neither PIN, nor name, nor My Number.",
    ),
    "asking_3": (
        "自分で開いたページと違うときは、「やめる」を押してください。",
        "If this is not the page that you opened yourself, cancel.",
    ),
    "international": (
        "この名前には英数字でない文字が含まれます（xn-- で始まる部分）。似た名前の別のページかもしれません。",
        "This name has letters of another script (the parts with xn--). It may be another page whose name looks alike.",
    ),
    "pin_1": (
        "暗証番号はこの窓だけに入力します。ページには渡りません。",
        "Type it in this window only. No page gets it.",
    ),
    "pin_field": ("利用者証明用の暗証番号", "PIN of the user-authentication certificate"),
    "tries": ("残り {n} 回", "Tries left: {n}"),
    "wrong": ("暗証番号が違います。", "The PIN is wrong."),
    "pin_malformed": ("数字4桁で入力してください。", "It has 4 digits."),
    "last_1": (
        "次に間違えると、市区町村の窓口で初期化するまで使えなくなります。分からないときは、やめてください。",
        "After one more wrong PIN the card must be reset at a municipal counter. If you are not sure, cancel.",
    ),
    "keep_card": ("カードを動かさないでください。", "Leave the card where it is."),
    "nothing_sent": ("ページには本人確認の結果を渡していません。", "The page got no confirmation."),
}

_AT_THE_READER: Mapping[str, tuple[str, str]] = {
    "no_card": ("マイナンバーカードをカードリーダーに置いてください。", "Put your My Number Card on the card reader."),
    "reader_missing": ("カードリーダーをつないでください。", "Connect a card reader."),
    "reader_service_down": (
        "このパソコンのスマートカードの機能が止まっています。",
        "The smart card service of this computer has stopped.",
    ),
    "access_denied": (
        "このパソコンのスマートカードの機能を使う許可がありません。",
        "This user may not use the smart card service of this computer.",
    ),
    "reader_busy": (
        "ほかのプログラムがカードを使っています。終わるまでお待ちください。",
        "Another program uses the card. Wait until it is done.",
    ),
    "card_mute": (
        "カードが応答しません。向きを確かめて置き直してください。",
        "The card does not answer. Put it down again.",
    ),
    "not_my_number_card": ("マイナンバーカードではありません。", "This is not a My Number Card."),
}

_ENDINGS: Mapping[str, tuple[str, str]] = {
    "cancelled": ("やめました。", "Cancelled."),
    "challenge_expired": (
        "時間が過ぎました。ページからやり直してください。",
        "Time is up. Start again from the page.",
    ),
    "card_removed": (
        "カードが離れました。ページからやり直してください。",
        "The card was lifted. Start again from the page.",
    ),
    "card_swapped": ("カードが入れ替わりました。", "The card was exchanged."),
    "pin_locked": (
        "暗証番号がロックされています。市区町村の窓口で初期化できます。",
        "The PIN is locked. A municipal counter can reset it.",
    ),
    "pin_tries_used": (
        "2回続けて間違えました。カードを一度離し、番号を確かめてからやり直してください。",
        "Two wrong PINs. Lift the card, make sure of the number, and start again.",
    ),
    "certificate_missing": (
        "このカードには利用者証明用電子証明書がありません。",
        "This card has no user-authentication certificate.",
    ),
    "not_my_number_card": ("マイナンバーカードではありません。", "This is not a My Number Card."),
}
_OTHER_ENDING = (
    "カードを読み取れませんでした。ページからやり直してください。",
    "The card could not be read. Start again from the page.",
)


def build_face(view: View, language: Language) -> Face:
    """All words of one view."""
    side = 0 if language == "ja" else 1

    def say(name: str) -> str:
        return _TEXTS[name][side]

    alert, primary = "", ""
    lines: tuple[str, ...]
    match view.step:
        case "asking":
            lines = (say("asking_1"), say("asking_2"), say("asking_3"))
            alert = say("international") if is_international(view.origin) else ""
            primary = say("continue")
        case "card":
            lines = (_AT_THE_READER.get(view.code, _AT_THE_READER["card_mute"])[side],)
        case "pin":
            lines = (say("pin_1"), say("tries").format(n=view.tries_left))
            alert = say("wrong") if view.wrong else say("pin_malformed") if view.code else ""
            primary = say("confirm")
        case "last_try":
            lines = (say("last_1"),)
            alert = say("wrong") if view.wrong else ""
            primary = say("last_continue")
        case "ended":
            lines = (_ENDINGS.get(view.code, _OTHER_ENDING)[side], say("nothing_sent"))
        case _:
            lines = (say("keep_card"),)
    return Face(
        title=f"{say(view.step)} — {view.origin}",
        heading=say(view.step),
        lines=lines,
        alert=alert,
        field=say("pin_field") if view.step == "pin" else "",
        primary=primary,
        secondary=say("close" if view.step == "ended" else "decline"),
        origin_label=say("origin"),
        system_label=f"{say('system')}: {view.system}",
        other_language=say("other"),
    )
