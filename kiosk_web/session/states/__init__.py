"""The conditions one terminal can be in, as values, one module for each subject. PURE.

Each holds what the next event needs and nothing more: of a certificate only the SHA-256. `name` is the wire's
(`docs/wire.md` 8).
"""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from kiosk_web.session.facts import BridgeOrder
from kiosk_web.session.states.basic_four import AwaitingText, BasicFourSent, CheckingText
from kiosk_web.session.states.card import (
    AwaitingBirth,
    AwaitingPin,
    Checking,
    CheckingCard,
    CheckingPin,
    ConfirmingLastPin,
    ReadingCard,
)
from kiosk_web.session.states.kazashi import Consenting, KazashiSet
from kiosk_web.session.states.linking import ConfirmingLink, EnteringNumber
from kiosk_web.session.states.staff import StaffSigningIn
from kiosk_web.session.states.terms import Agreeing
from kiosk_web.session.states.visit import (
    AwaitingCard,
    ChoosingService,
    Connecting,
    OutOfService,
    Refused,
    Result,
    Superseded,
    TakingCard,
    Visit,
)

Holding = AwaitingPin | ConfirmingLastPin | CheckingPin | AwaitingBirth | CheckingCard | AwaitingText | CheckingText
State = (
    Connecting
    | ChoosingService
    | StaffSigningIn
    | AwaitingCard
    | ReadingCard
    | AwaitingPin
    | ConfirmingLastPin
    | CheckingPin
    | AwaitingBirth
    | CheckingCard
    | Checking
    | AwaitingText
    | CheckingText
    | Agreeing
    | Result
    | BasicFourSent
    | Consenting
    | EnteringNumber
    | ConfirmingLink
    | KazashiSet
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
