"""The conditions one terminal can be in, as values. PURE.

Each holds what the next event needs and nothing more: of a certificate only the SHA-256. `name` is the wire's
(`docs/wire.md` 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from kiosk_web.session import facts
from kiosk_web.session.terms_change import TermsChange

AskedReading = facts.AskedReading
BasicFourEnd = facts.BasicFourEnd
BridgeOrder = facts.BridgeOrder
CardCondition = facts.CardCondition
CardEvidence = facts.CardEvidence
ConsentSubject = facts.ConsentSubject
FallbackCause = facts.FallbackCause
KazashiOffer = facts.KazashiOffer
Language = facts.Language
LinkOffer = facts.LinkOffer
Method = facts.Method
OrderName = facts.OrderName
Presence = facts.Presence
Purpose = facts.Purpose
ReaderCondition = facts.ReaderCondition
StaffRefusal = facts.StaffRefusal
StatusEvidence = facts.StatusEvidence
StatusMethod = facts.StatusMethod
TextSize = facts.TextSize
TextTries = facts.TextTries
TextWay = facts.TextWay


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
    presence: Presence = facts.NO_CARD
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
class ReadingCard:
    """`challenge` is "" until the challenge asked for is issued; `orders` then holds `read_certificate`."""

    visit: Visit
    deadline_at: datetime
    challenge: str = ""
    orders: tuple[BridgeOrder, ...] = ()
    name: Literal["reading_card"] = "reading_card"


@dataclass(frozen=True)
class AwaitingPin:
    """The bridge holds the card. `release_at` is when VERIFY is let go without the status, None once it was let go."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    refused: bool = False
    name: Literal["awaiting_pin"] = "awaiting_pin"


@dataclass(frozen=True)
class ConfirmingLastPin:
    """One try is left: the resident is asked first."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    refused: bool = False
    name: Literal["confirming_last_pin"] = "confirming_last_pin"


@dataclass(frozen=True)
class CheckingPin:
    """The bridge has the 暗証番号; it may be waiting for `authenticate`, or the card is at work."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    refused: bool = False
    name: Literal["checking_pin"] = "checking_pin"


@dataclass(frozen=True)
class AwaitingBirth:
    """An enrolment: the bridge holds the card and waits for the birth date, which only page and bridge ever see."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    name: Literal["awaiting_birth"] = "awaiting_birth"


@dataclass(frozen=True)
class CheckingCard:
    """The card is at work without a 暗証番号: a tap, or the end of an enrolment."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    name: Literal["checking_card"] = "checking_card"


@dataclass(frozen=True)
class Checking:
    """The card has signed, the nonce is consumed.

    `proven` once the signature was judged; then only the status is missing. `agreed`: to the terms as they are now.
    Before the basic 4 information is read: `permitted` once the verdict accepted, `text` once the card's text
    application was opened.
    """

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    proven: bool = False
    agreed: bool = False
    permitted: bool = False
    text: TextTries | None = None
    name: Literal["checking"] = "checking"


@dataclass(frozen=True)
class Agreeing:
    """Card and certificate are confirmed, and the terms are others than this person accepted: nothing goes to anybody
    before the resident agrees.
    """

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    changes: tuple[TermsChange, ...] = ()
    name: Literal["agreeing"] = "agreeing"


@dataclass(frozen=True)
class AwaitingText:
    """The bridge holds the card for the basic 4 information and waits for a secret, which only page and bridge see.

    `way`: its PIN; verification code B, in two steps: what is picked (`code`) and the security code (`security`); or ""
    as long as the resident has not chosen.
    """

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    text: TextTries
    way: TextWay = ""
    orders: tuple[BridgeOrder, ...] = ()
    release_at: None = None
    name: Literal["awaiting_text"] = "awaiting_text"


@dataclass(frozen=True)
class CheckingText:
    """The card compares the secret; then its basic 4 information is read and sealed."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    orders: tuple[BridgeOrder, ...] = ()
    release_at: None = None
    name: Literal["checking_text"] = "checking_text"


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
class Consenting:
    """The resident reads what is asked of them; whoever does not agree goes back to `result`."""

    visit: Visit
    result: Result
    deadline_at: datetime
    subject: ConsentSubject = "kazashi"
    name: Literal["consenting"] = "consenting"


@dataclass(frozen=True)
class BasicFourSent:
    """The basic 4 information was sealed to its receiver. `kept_until`: when the ciphertext is gone at the latest."""

    visit: Visit
    result: Result
    deadline_at: datetime
    kept_until: datetime
    card_held: bool
    name: Literal["basic_four_sent"] = "basic_four_sent"


@dataclass(frozen=True)
class KazashiSet:
    """かざし利用 was registered (`on`), or is over."""

    visit: Visit
    deadline_at: datetime
    on: bool
    card_held: bool
    name: Literal["kazashi_set"] = "kazashi_set"


@dataclass(frozen=True)
class EnteringNumber:
    """The number of the old card is typed or scanned; no state ever has it. `refused`: why the last one did not do."""

    visit: Visit
    result: Result
    deadline_at: datetime
    refused: str = ""
    name: Literal["entering_number"] = "entering_number"


@dataclass(frozen=True)
class ConfirmingLink:
    """The number would do: staff compare it with the old card. `refused`: why their last code did not do."""

    visit: Visit
    result: Result
    deadline_at: datetime
    refused: StaffRefusal = ""
    name: Literal["confirming_link"] = "confirming_link"


@dataclass(frozen=True)
class StaffSigningIn:
    """A member of staff proves to be at this terminal. `refused` is why the last code did not do."""

    visit: Visit
    deadline_at: datetime
    refused: StaffRefusal = ""
    name: Literal["staff_sign_in"] = "staff_sign_in"


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


Holding = AwaitingPin | ConfirmingLastPin | CheckingPin | AwaitingBirth | CheckingCard | AwaitingText | CheckingText
State = (
    Connecting
    | ChoosingService
    | AwaitingCard
    | ReadingCard
    | AwaitingPin
    | ConfirmingLastPin
    | CheckingPin
    | AwaitingBirth
    | CheckingCard
    | Checking
    | Agreeing
    | AwaitingText
    | CheckingText
    | Result
    | Consenting
    | BasicFourSent
    | KazashiSet
    | EnteringNumber
    | ConfirmingLink
    | StaffSigningIn
    | Refused
    | TakingCard
    | Superseded
    | OutOfService
)
STATES: tuple[type, ...] = get_args(State)


def derive_visit(state: State) -> Visit | None:
    """The visit of a state, None where there is none."""
    return None if isinstance(state, Connecting | Superseded) else state.visit


def derive_challenge(state: State) -> str:
    """The challenge under way, "" when the card is not in use."""
    if isinstance(state, ReadingCard):
        return state.challenge
    if isinstance(state, Holding | Checking | Agreeing):
        return state.evidence.challenge
    return ""


def derive_orders(state: State) -> tuple[BridgeOrder, ...]:
    """The bridge commands that the page must have run in this state."""
    if isinstance(state, ReadingCard | Holding | Refused | Result):
        return state.orders
    return ()


def derive_wake_at(state: State) -> datetime | None:
    """When `DeadlinePassed` is due: the state's own deadline, or the earlier release of VERIFY."""
    if isinstance(state, Holding) and state.release_at is not None:
        return min(state.release_at, state.deadline_at)
    return state.deadline_at
