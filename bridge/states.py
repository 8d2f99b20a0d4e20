"""The states of one page connection, and what each message and each report does in each of them (`docs/wire.md` 6).
PURE.

Every state has a row in both tables; what is not in a row is illegal there. `docs/bridge.md` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bridge.output.order import OutputEnd
from bridge.visit import (
    BasicFourRead,
    CertificateRead,
    EnrolmentSigned,
    PinAccepted,
    PinWrong,
    Signed,
    TextReady,
    VisitFailed,
)


class State(Enum):
    OPENED = "opened"
    GREETED = "greeted"
    IDLE = "idle"
    READING = "reading"
    HOLDING = "holding"
    VERIFYING = "verifying"
    SIGNING = "signing"
    HANDING_OVER = "handing_over"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Row:
    """What one word does in one state: the method of `PageConnection` or of its visit that does it, and the states that
    may hold afterwards.
    """

    does: str
    to: tuple[State, ...]


_ALWAYS: Mapping[str, Row] = {"ping": Row("_pong", ()), "bye": Row("_leave", (State.CLOSED,))}
_IN_VISIT: Mapping[str, Row] = {**_ALWAYS, "cancel": Row("_visit.cancel", (State.IDLE,))}
_BYE: Mapping[str, Row] = {"bye": _ALWAYS["bye"]}

MESSAGES: Mapping[State, Mapping[str, Row]] = {
    State.OPENED: {**_BYE, "open": Row("_greet", (State.GREETED,))},
    State.GREETED: {**_BYE, "hello": Row("_welcome", (State.IDLE, State.CLOSED))},
    State.IDLE: {
        **_ALWAYS,
        "watch": Row("_watch", ()),
        "read_certificate": Row("_read_certificate", (State.READING, State.IDLE)),
        "hand_over": Row("_hand_over", (State.HANDING_OVER, State.IDLE)),
        "cancel": Row("_nothing", ()),
    },
    State.READING: _IN_VISIT,
    State.HOLDING: {
        **_IN_VISIT,
        "enter_pin": Row("_visit.enter_pin", (State.HOLDING, State.VERIFYING, State.IDLE)),
        "authenticate": Row("_visit.authenticate", (State.HOLDING, State.VERIFYING)),
        "confirm_last_try": Row("_visit.confirm_last_try", (State.HOLDING, State.VERIFYING)),
    },
    State.VERIFYING: _IN_VISIT,
    State.SIGNING: _IN_VISIT,
    State.HANDING_OVER: {**_ALWAYS, "cancel": Row("_stop_output", ())},
    State.CLOSED: {},
}

_FAILED: Mapping[type, Row] = {VisitFailed: Row("_visit.failed", (State.IDLE,))}
REPORTS: Mapping[State, Mapping[type, Row]] = {
    State.OPENED: {},
    State.GREETED: {},
    State.IDLE: {},
    State.READING: {
        **_FAILED,
        CertificateRead: Row("_visit.certificate_read", (State.HOLDING, State.SIGNING, State.IDLE)),
    },
    State.HOLDING: _FAILED,
    State.VERIFYING: {
        **_FAILED,
        PinWrong: Row("_visit.pin_wrong", (State.HOLDING,)),
        PinAccepted: Row("_visit.pin_accepted", (State.SIGNING,)),
    },
    State.SIGNING: {
        **_FAILED,
        Signed: Row("_visit.signed", (State.IDLE, State.SIGNING)),
        EnrolmentSigned: Row("_visit.enrolment_signed", (State.IDLE,)),
        TextReady: Row("_visit.text_ready", (State.HOLDING,)),
        BasicFourRead: Row("_visit.basic_four_read", (State.IDLE,)),
    },
    State.HANDING_OVER: {OutputEnd: Row("_handed_over", (State.IDLE,))},
    State.CLOSED: {},
}
