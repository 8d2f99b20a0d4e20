"""The words on the bridge socket, each as a frozen dataclass, read strictly and written plainly (`docs/wire.md` 6).
PURE.

No message carries an APDU, a digest or a file name: what the card is asked is decided here in the bridge alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from bridge.strict_json import NotStrict, build_text, decode_base64url, encode_base64url, parse_object

VERSION = 1
SUBPROTOCOL = "kiosk-card.v1"
MAXIMUM_BYTES = 8192
MAXIMUM_TICKET = 4096
MAXIMUM_STATEMENTS = 4
MAXIMUM_SEQ = 2**53 - 1  # the largest whole number that a page can count to exactly


class MalformedMessage(ValueError):
    """Not a message of the wire. `reason` is a fixed phrase that never quotes the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongVersion(MalformedMessage):
    """A message of another version of the wire: the side with the lower number has to be updated."""

    def __init__(self) -> None:
        super().__init__("wrong version")


# ---- page → bridge ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageMessage:
    """What the page may say. `seq` is 0 in the two messages that have none."""

    kind: ClassVar[str]
    seq: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Open(PageMessage):
    kind = "open"
    page_key: bytes


@dataclass(frozen=True, slots=True)
class Hello(PageMessage):
    kind = "hello"
    ticket: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watch(PageMessage):
    kind = "watch"


@dataclass(frozen=True, slots=True)
class ReadCertificate(PageMessage):
    kind = "read_certificate"
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EnterPin(PageMessage):
    """Both empty: the PIN is typed on the reader's own keypad."""

    kind = "enter_pin"
    iv: bytes = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate(PageMessage):
    kind = "authenticate"


@dataclass(frozen=True, slots=True)
class ConfirmLastTry(PageMessage):
    kind = "confirm_last_try"


@dataclass(frozen=True, slots=True)
class HandOver(PageMessage):
    """Hand the number in the ticket over to the system on this computer."""

    kind = "hand_over"
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cancel(PageMessage):
    kind = "cancel"


@dataclass(frozen=True, slots=True)
class Ping(PageMessage):
    kind = "ping"


@dataclass(frozen=True, slots=True)
class Bye(PageMessage):
    kind = "bye"


_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def _bytes_of(*lengths: int) -> Callable[[object], bytes]:
    def read(value: object) -> bytes:
        if not isinstance(value, str):
            raise NotStrict("not text")
        raw = decode_base64url(value)
        if len(raw) not in lengths:
            raise NotStrict("wrong length")
        return raw

    return read


def _ticket(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAXIMUM_TICKET or not _JWS.fullmatch(value):
        raise NotStrict("not a ticket")
    return value


def _tickets(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAXIMUM_STATEMENTS:
        raise NotStrict("not a list of tickets")
    return tuple(_ticket(item) for item in value)


def _seq(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAXIMUM_SEQ:
        raise NotStrict("not a sequence number")
    return value


_NUMBERED: Mapping[str, Callable[[object], Any]] = {"seq": _seq}
_SCHEMAS: Mapping[str, tuple[type[PageMessage], Mapping[str, Callable[[object], Any]]]] = {
    "open": (Open, {"page_key": _bytes_of(32)}),
    "hello": (Hello, {"ticket": _ticket, "keys": _tickets}),
    "watch": (Watch, _NUMBERED),
    "read_certificate": (ReadCertificate, {**_NUMBERED, "ticket": _ticket}),
    "enter_pin": (EnterPin, {**_NUMBERED, "iv": _bytes_of(0, 12), "data": _bytes_of(0, 32)}),
    "authenticate": (Authenticate, _NUMBERED),
    "confirm_last_try": (ConfirmLastTry, _NUMBERED),
    "hand_over": (HandOver, {**_NUMBERED, "ticket": _ticket}),
    "cancel": (Cancel, _NUMBERED),
    "ping": (Ping, _NUMBERED),
    "bye": (Bye, _NUMBERED),
}
PAGE_MESSAGES: tuple[type[PageMessage], ...] = tuple(kind for kind, _ in _SCHEMAS.values())


def open_message(text: str | bytes, *, version: int, limit: int) -> dict[str, Any]:
    """The object of a message, on this socket or on that of personal mode. Raises `MalformedMessage`, `WrongVersion` or
    `NotStrict`; none quotes the text.
    """
    if isinstance(text, bytes):
        raise MalformedMessage("binary frame")
    value = parse_object(text, limit=limit)
    if type(value.get("v")) is not int:
        raise NotStrict("no version")
    if value["v"] != version:
        raise WrongVersion
    return value


def parse_page_message(text: str | bytes) -> PageMessage:
    """One message of the page. Raises `MalformedMessage` or `WrongVersion`; neither quotes the text."""
    try:
        value = open_message(text, version=VERSION, limit=MAXIMUM_BYTES)
        name = value.get("type")
        if not isinstance(name, str) or name not in _SCHEMAS:
            raise NotStrict("unknown type")
        build, readers = _SCHEMAS[name]
        if value.keys() != {"v", "type", *readers}:
            raise NotStrict("missing or unknown field")
        message = build(**{key: read(value[key]) for key, read in readers.items()})
    except NotStrict as trouble:
        raise MalformedMessage(str(trouble)) from None
    if isinstance(message, EnterPin) and bool(message.iv) != bool(message.data):
        raise MalformedMessage("half of a PIN")
    return message


# ---- bridge → page ---------------------------------------------------------------------------------------------------

ReaderWord = Literal["ready", "missing", "service_down", "denied", "busy"]
CardWord = Literal["none", "ours", "unknown", "mute"]
Step = Literal["reading", "verifying", "signing"]
SecretWord = Literal["pin", "birth_key"]


@dataclass(frozen=True, slots=True)
class BridgeMessage:
    """What the bridge may say. Bytes are written as base64url."""

    kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Greeting(BridgeMessage):
    kind = "greeting"
    terminal: str
    bridge_nonce: bytes
    version: str


@dataclass(frozen=True, slots=True)
class Welcome(BridgeMessage):
    kind = "welcome"
    bridge_key: bytes
    signature: bytes
    keypad: bool


@dataclass(frozen=True, slots=True)
class Reader(BridgeMessage):
    """`instance` names one laying of one card; it is empty without a card."""

    kind = "reader"
    reader: ReaderWord
    card: CardWord
    instance: str


@dataclass(frozen=True, slots=True)
class Progress(BridgeMessage):
    kind = "progress"
    step: Step
    percent: int


@dataclass(frozen=True, slots=True)
class Certificate(BridgeMessage):
    kind = "certificate"
    challenge: str
    certificate: bytes = field(repr=False)
    tries_left: int
    counter: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class NeedPin(BridgeMessage):
    kind = "need_pin"
    challenge: str
    tries_left: int
    keypad: bool
    min: int
    max: int
    confirm: bool
    secret: SecretWord = "pin"  # noqa: S105 - the name of it


@dataclass(frozen=True, slots=True)
class PinRefusedMessage(BridgeMessage):
    kind = "pin_refused"
    challenge: str
    tries_left: int


@dataclass(frozen=True, slots=True)
class Result(BridgeMessage):
    kind = "result"
    challenge: str
    card_signature: bytes = field(repr=False)
    counter: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Enrolment(BridgeMessage):
    """`record` has the holder's birth date in it, which the signature of the card's issuer covers."""

    kind = "enrolment"
    challenge: str
    card_signature: bytes = field(repr=False)
    record: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    counter: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class NeedText(BridgeMessage):
    """The card has signed and waits for a secret of the text application; `authenticate` is to be given anew."""

    kind = "need_text"
    challenge: str
    pin_tries_left: int
    code_tries_left: int
    keypad: bool


@dataclass(frozen=True, slots=True)
class BasicFourMessage(BridgeMessage):
    """`data`: the items, sealed for the page (`docs/wire.md` 5); `signature` is over the items themselves."""

    kind = "basic_four"
    challenge: str
    data: bytes = field(repr=False)
    counter: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Failed(BridgeMessage):
    kind = "failed"
    challenge: str
    code: str
    retriable: bool
    tries_left: int | None


@dataclass(frozen=True, slots=True)
class HandedOver(BridgeMessage):
    """`code` is "" when everything went out. `sent` counts keys or bytes, prefix and suffix included."""

    kind = "handed_over"
    output: str
    code: str
    sent: int


@dataclass(frozen=True, slots=True)
class BadState(BridgeMessage):
    kind = "bad_state"
    seq: int
    state: str


@dataclass(frozen=True, slots=True)
class Pong(BridgeMessage):
    kind = "pong"
    seq: int


def build_bridge_message(message: BridgeMessage) -> str:
    """The text of one message to the page."""
    fields = {
        key: encode_base64url(value) if isinstance(value, bytes) else value for key, value in asdict(message).items()
    }
    return build_text({"v": VERSION, "type": message.kind, **fields})
