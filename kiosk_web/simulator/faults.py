"""Named faults: what goes wrong with the card, and what with the responder; and the board that holds the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CardFault:
    """A fault of the card in the words of `docs/card-profile.md`: switches, and times in milliseconds.

    `swap_command`: at this command another person's card takes the place.
    """

    name: str
    title_ja: str
    title_en: str
    switches: Mapping[str, object] = field(default_factory=dict)
    exchange_ms: int = 0
    sign_ms: int = 0
    swap_command: str | None = None


@dataclass(frozen=True, slots=True)
class OcspFault:
    """A fault of the responder; what each does is in `responder.py`."""

    name: str
    title_ja: str
    title_en: str


CARD_FAULTS: dict[str, CardFault] = {
    fault.name: fault
    for fault in (
        CardFault("remove_while_reading", "読み取り中に離れる", "Taken while reading", {"remove_on": "read"}),
        CardFault("remove_while_pin", "照合中に離れる", "Taken while the PIN is checked", {"remove_on": "verify"}),
        CardFault("remove_while_signing", "署名中に離れる", "Taken while signing", {"remove_on": "sign"}),
        CardFault("swap_same_kind", "署名時に別人のカードになる", "Swapped while signing", swap_command="sign"),
        CardFault("swap_while_reading", "読み取り中に別人のカードになる", "Swapped while reading", swap_command="read"),
        CardFault("first_command_6f00", "最初だけ失敗する", "First command fails once", {"first_command_6f00": True}),
        CardFault("mute", "応答しない（裏返しなど）", "Mute (upside down)", {"mute": True}),
        CardFault("foreign_card", "マイナンバーカードではない", "Not a My Number Card", {"foreign": True}),
        CardFault("truncated_certificate", "証明書が途中まで", "Certificate cut", {"garbage": "truncated_certificate"}),
        CardFault("not_der", "証明書がDERではない", "Certificate is not DER", {"garbage": "not_der"}),
        CardFault("wrong_length", "証明書の長さが合わない", "Certificate length is wrong", {"garbage": "wrong_length"}),
        CardFault("truncated_label", "ラベルが途中まで", "Token label cut", {"garbage": "truncated_label"}),
        CardFault("padded_files", "証明書の後ろに余分なバイト", "Filler after the certificates", {"padding": 64}),
        CardFault("long_forms_only", "短いEF識別子が使えない", "No short file identifiers", {"short_ids": False}),
        CardFault("blocked_6983", "ロック時に6983を返す", "Answers 6983 when locked", {"blocked_status": "6983"}),
        CardFault("slow_card", "カードが遅い", "Slow card", exchange_ms=120),
        CardFault("slow_sign", "署名に5秒かかる", "Signing takes 5 s", sign_ms=5000),
    )
}  # fmt: skip

OCSP_FAULTS: dict[str, OcspFault] = {
    fault.name: fault
    for fault in (
        OcspFault("stale", "古い応答", "Stale answer"),
        OcspFault("unknown", "「不明」の応答", "Answers unknown"),
        OcspFault("slow", "応答が遅い", "Slow"),
        OcspFault("refused", "接続できない", "Connection refused"),
        OcspFault("http_500", "HTTP 500", "HTTP 500"),
        OcspFault("try_later", "「後で再試行」", "tryLater"),
        OcspFault("unauthorized", "「権限なし」", "unauthorized"),
        OcspFault("garbage", "応答が壊れている", "Garbage"),
        OcspFault("oversized", "応答が大きすぎる", "Oversized answer"),
        OcspFault("wrong_content_type", "Content-Typeが違う", "Wrong content type"),
        OcspFault("redirect", "別の場所へ転送", "Redirect"),
        OcspFault("wrong_signer", "別世代の鍵による署名", "Signed under another generation"),
        OcspFault("expired_signer", "署名者の証明書が期限切れ", "Signer certificate expired"),
        OcspFault("undelegated_signer", "署名者に権限がない", "Signer is not a delegate"),
        OcspFault("bad_signature", "署名が正しくない", "Bad signature"),
        OcspFault("no_nonce", "ノンスがない", "No nonce"),
        OcspFault("wrong_nonce", "ノンスが違う", "Wrong nonce"),
        OcspFault("wrong_serial", "別の証明書についての「有効」", "Good, for another certificate"),
        OcspFault("revoked_other", "別の証明書についての「失効」", "Revoked, for another certificate"),
        OcspFault("future", "未来の日時の応答", "Answer from the future"),
    )
}  # fmt: skip


class UnknownFault(ValueError):
    """A fault name that does not exist; the message lists the valid ones."""


@dataclass(slots=True)
class FaultBoard:
    """The faults that hold now. None means: everything works."""

    card: CardFault | None = None
    ocsp: OcspFault | None = None

    def choose_card(self, name: str | None) -> None:
        """Set or clear the card fault."""
        self.card = None if name is None else find_card_fault(name)

    def choose_ocsp(self, name: str | None) -> None:
        """Set or clear the responder fault."""
        self.ocsp = None if name is None else find_ocsp_fault(name)


def find_card_fault(name: str) -> CardFault:
    """The card fault of that name. Raises `UnknownFault`."""
    if name not in CARD_FAULTS:
        raise UnknownFault(f"unknown card fault {name!r}; valid: {', '.join(CARD_FAULTS)}")
    return CARD_FAULTS[name]


def find_ocsp_fault(name: str) -> OcspFault:
    """The responder fault of that name. Raises `UnknownFault`."""
    if name not in OCSP_FAULTS:
        raise UnknownFault(f"unknown ocsp fault {name!r}; valid: {', '.join(OCSP_FAULTS)}")
    return OCSP_FAULTS[name]
