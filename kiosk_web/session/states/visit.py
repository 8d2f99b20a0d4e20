"""A visit, the result it reaches, and the states before and after its card is in use. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    NO_CARD,
    AskedReading,
    BasicFourEnd,
    BridgeOrder,
    ConsentSubject,
    FallbackCause,
    KazashiOffer,
    Language,
    LinkOffer,
    Method,
    Presence,
    Purpose,
    StatusMethod,
    TextSize,
)


@dataclass(frozen=True)
class Visit:
    """One resident at one terminal, from the first touch to the card being taken.

    `page` is the random id of the verified page, so that `id` is unique without randomness in the machine.
    `reference` is the 受付番号, drawn whenever the card is asked. `method` is how it is asked, chosen by the server;
    `by_pin`: かざし利用 did not do, and the rest goes by 暗証番号. `consent` is what the resident agreed to, and
    `proven_certificate` (SHA-256, hexadecimal) the certificate that was proven before, both only while the card is
    asked a second time. `reading`: a municipal system asked for this visit and is told how it ends. `reached`: the
    result to which the visit returns, whatever becomes of the basic 4 information.
    """

    page: str
    number: int
    presence: Presence = NO_CARD
    language: Language = "ja"
    text_size: TextSize = "normal"
    help_called: bool = False
    service: str = ""
    reference: str = ""
    started_at: datetime | None = None
    orders_issued: int = 0
    purpose: Purpose = "identify"
    method: Method = "pin"
    by_pin: bool = False
    consent: ConsentSubject = ""
    proven_certificate: str = ""
    reading: AskedReading | None = None
    reached: Result | None = None

    @property
    def id(self) -> str:
        """The `session` of the challenge ticket."""
        return f"{self.page}.{self.number}"


@dataclass(frozen=True)
class Connecting:
    """No page of this terminal has proven its bridge yet."""

    name: Literal["connecting"] = "connecting"
    deadline_at: None = None


@dataclass(frozen=True)
class ChoosingService:
    visit: Visit
    deadline_at: datetime | None = None
    name: Literal["choosing_service"] = "choosing_service"


@dataclass(frozen=True)
class AwaitingCard:
    visit: Visit
    deadline_at: datetime
    name: Literal["awaiting_card"] = "awaiting_card"


@dataclass(frozen=True)
class Result:
    """The one success. `status_as_of` is the thisUpdate of the answer, or of the list with method `crl`.

    `fallback` is why a list stood in for the responder, "" where none did. `kazashi`: it may be registered, or is.
    `card` is the stay on the reader in which the certificate of that hash was proven. `link`: the user number of an old
    card may be linked (`open`; whether there is one already is not known here), is linked now, or was tried too often;
    `link_tries`: numbers that did not do. `basic_four`: how sending it went,
    with code and tries left where it failed; `orders` then has the bridge let the card go.
    """

    visit: Visit
    deadline_at: datetime
    profile: str
    identifier_kind: Literal["ppid", "mykey_id"]
    identifier: str
    expires_soon: bool
    checked_at: datetime
    method: StatusMethod
    status_as_of: datetime | None
    card_held: bool
    fallback: FallbackCause = ""
    kazashi: KazashiOffer = ""
    certificate_sha256: str = ""
    card: str = ""
    link: LinkOffer = ""
    link_tries: int = 0
    basic_four: BasicFourEnd = ""
    basic_four_code: str = ""
    tries_left: int | None = None
    orders: tuple[BridgeOrder, ...] = ()
    name: Literal["result"] = "result"

    @property
    def same_card(self) -> bool:
        """Does the very card still lie there that has just been proven?"""
        return self.card != "" and self.visit.presence.card == "ours" and self.visit.presence.instance == self.card


@dataclass(frozen=True)
class Refused:
    """`code` is a name of `session/codes.py`. `card_held`: the card of this visit is still on the reader.

    `stopped_in` is the name of the state in which the visit ended, so that no later step is shown as done.
    """

    visit: Visit
    deadline_at: datetime
    code: str
    card_held: bool
    tries_left: int | None = None
    orders: tuple[BridgeOrder, ...] = ()
    stopped_in: str = ""
    name: Literal["refused"] = "refused"


@dataclass(frozen=True)
class TakingCard:
    visit: Visit
    deadline_at: None = None
    name: Literal["taking_card"] = "taking_card"


@dataclass(frozen=True)
class Superseded:
    """A newer page of this terminal was verified. Only ever shown to the older page."""

    name: Literal["superseded"] = "superseded"
    deadline_at: None = None


@dataclass(frozen=True)
class OutOfService:
    """Nothing can be done here until a page proves its bridge again."""

    code: str
    visit: Visit | None = None
    deadline_at: None = None
    name: Literal["out_of_service"] = "out_of_service"
