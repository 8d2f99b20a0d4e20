"""What is known of a visit, its card and its certificate: the values that the states are made of. PURE."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Language = Literal["ja", "en"]
TextSize = Literal["normal", "large", "extra"]
ReaderCondition = Literal["ready", "missing", "service_down", "denied", "busy"]
OrderName = Literal["read_certificate", "authenticate", "confirm_last_try", "cancel"]
CardCondition = Literal["none", "ours", "unknown", "mute"]
StatusMethod = Literal["ocsp", "crl"]
FallbackCause = Literal["", "window", "manager", "automatic"]
Purpose = Literal["identify", "enrol", "basic_four"]
Method = Literal["pin", "kazashi"]
ConsentSubject = Literal["", "kazashi", "basic_four"]
BasicFourEnd = Literal["", "sent", "declined", "failed"]
TextWay = Literal["", "pin", "code", "security"]
KazashiOffer = Literal["", "offered", "on"]
LinkOffer = Literal["", "open", "used_up", "linked"]
StaffRefusal = Literal["", "staff_code_refused", "staff_code_limit"]


@dataclass(frozen=True)
class Presence:
    """What the bridge last said of reader and card.

    `instance` names one stay of one card on the reader; "" is not known.
    """

    reader: ReaderCondition = "ready"
    card: CardCondition = "none"
    instance: str = ""


NO_CARD = Presence()


@dataclass(frozen=True)
class BridgeOrder:
    """One command for the bridge, kept in the state until its answer arrives. `id` never comes twice."""

    id: str
    name: OrderName
    arguments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AskedReading:
    """What a municipal system asked to be read here.

    `id` is the request; the title is the system's own words, or "". `returns`: the browser came from the system's own
    page and goes back there at the end. `basic_four`: it asks for these items too.
    """

    id: str
    title_ja: str = ""
    title_en: str = ""
    returns: bool = False
    basic_four: bool = False


@dataclass(frozen=True)
class StatusEvidence:
    """What the responder said: `json` is `kiosk_web.pki.status` in its own form, opaque here."""

    json: str
    checked_at: datetime


@dataclass(frozen=True)
class CardEvidence:
    """What is known of the card whose bridge holds it. `status` is None as long as no answer came."""

    challenge: str
    certificate_sha256: str
    tries_left: int
    status: StatusEvidence | None = None
    status_asked: bool = False


@dataclass(frozen=True)
class TextTries:
    """What the bridge said of the text application: tries left of its PIN, and of verification code B."""

    pin: int
    code: int
