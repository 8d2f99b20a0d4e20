"""The visit to the card as a part of one page connection: a challenge in, at most one at a time, its end out. PURE.

VERIFY has three conditions, and the PIN leaves for the card only when all are met: the PIN is there, the server lets it
go (`authenticate`), and the resident has confirmed the last try. A PIN that is typed on the reader is "there" when the
page has asked for it; the reader takes its keys only when the other two are met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from bridge import messages
from bridge.card.keypad import KEYPAD_SECONDS
from bridge.card.pin import CODE_B, OnKeypad, Pin, Secret
from bridge.countersign import sign_basic_four, sign_certificate, sign_enrolment, sign_result
from bridge.effects import Effect, EndVisit, GivePin, Note, Overdue, Send, StartVisit
from bridge.errors import (
    BridgeError,
    Cancelled,
    CardCommunicationError,
    PinLocked,
    PinMalformed,
    PinUndecryptable,
    TicketRefused,
)
from bridge.laid_card import judge_laid_card
from bridge.messages import PageMessage, Reader
from bridge.pinbox import PinBox
from bridge.states import State
from bridge.ticket import ChallengeTicket, Terminal, TicketKey, UsedTickets, judge_challenge
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

STEP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Visit:
    """The visit that runs. `authenticated`, `confirmed` and `pin` are the three conditions of VERIFY. `keypad`: the PIN
    is typed on the reader; `text`: the card waits for a secret of its text application.
    """

    challenge: ChallengeTicket
    box: PinBox
    tries_left: int = 0
    authenticated: bool = False
    confirmed: bool = False
    pin: Secret | None = field(default=None, repr=False)
    keypad: bool = False
    text: bool = False

    LAST: ClassVar[int] = 1

    @property
    def ready(self) -> bool:
        return self.pin is not None and self.authenticated and (self.confirmed or self.tries_left > self.LAST)


class VisitTurn:
    """`state` is `IDLE` while no visit runs; `deadline` is that of the card worker's next report, on the connection's
    clock. Every method returns the effects in their order.
    """

    def __init__(self, terminal: Terminal, used: UsedTickets) -> None:
        self.state = State.IDLE
        self.deadline: float | None = None
        self._terminal = terminal
        self._used = used
        self._visit: _Visit | None = None

    @property
    def challenge(self) -> str | None:
        """The `jti` of the visit that runs, or None."""
        return self._visit.challenge.jti if self._visit is not None else None

    def start(
        self,
        ticket: str,
        keys: Mapping[str, TicketKey],
        box: PinBox,
        reader: Reader,
        *,
        server_time: float,
        now: float,
    ) -> list[Effect]:
        """`keys` are those of the hello, `box` opens this page's PINs; `now` is the connection's own clock."""
        try:
            challenge = judge_challenge(
                ticket, keys, terminal=self._terminal.id, origin=self._terminal.origin, now=server_time
            )
            self._used.use(challenge.jti, now)
        except TicketRefused as trouble:
            return [Note("challenge_refused", trouble.reason), Send(_failure("", trouble))]
        refusal = judge_laid_card(reader, challenge.card)
        if refusal is not None:
            return [Send(_failure(challenge.jti, refusal))]
        self._visit = _Visit(challenge, box)
        self._enter(State.READING, now)
        return [StartVisit(challenge), Send(messages.Progress("reading", 0))]

    def overdue(self) -> list[Effect]:
        """`deadline` has passed. A late answer of the card worker will not count."""
        return [Overdue(self.state.value), *self._fail(CardCommunicationError())]

    def abandon(self) -> list[Effect]:
        """The page is gone, or is the terminal's page no longer: it is told nothing."""
        if self._visit is None:
            return []
        challenge = self._visit.challenge.jti
        self._end()
        return [EndVisit(challenge, Cancelled())]

    # ---- messages ----

    def enter_pin(self, message: messages.EnterPin, now: float) -> list[Effect]:
        """Opened here, kept until VERIFY may go. What does not open, or is no PIN, ends the visit; no try is used.

        With a keypad nothing but verification code B, which is no PIN, may come from the page.
        """
        visit = self._current()
        pin: Secret | None = None
        try:
            if visit.pin is None and not message.data:
                pin = OnKeypad() if visit.keypad else None
            elif visit.pin is None and (visit.text or not visit.keypad):
                pin = self._open_pin(visit, message)
        except (PinUndecryptable, PinMalformed) as trouble:
            return self._fail(trouble)
        if pin is None:
            return [Send(messages.BadState(message.seq, self.state.value))]
        self._visit = replace(visit, pin=pin)
        return self._verify_when_ready(now)

    def _open_pin(self, visit: _Visit, message: messages.EnterPin) -> Pin | None:
        """What the page sent; None for a PIN that has to be typed on the reader. Raises as `PinBox.open_pin`."""
        pin = visit.box.open_pin(
            message.iv, message.data, challenge=visit.challenge.jti, card=visit.challenge.card, seq=message.seq
        )
        if visit.keypad and len(pin.reveal()) != CODE_B.minimum:
            pin.wipe()
            return None
        return pin

    def authenticate(self, _message: PageMessage, now: float) -> list[Effect]:
        self._visit = replace(self._current(), authenticated=True)
        return self._verify_when_ready(now)

    def confirm_last_try(self, _message: PageMessage, now: float) -> list[Effect]:
        self._visit = replace(self._current(), confirmed=True)
        return self._verify_when_ready(now)

    def cancel(self, _message: PageMessage, _now: float) -> list[Effect]:
        return self._fail(Cancelled())

    # ---- reports ----

    def certificate_read(self, report: CertificateRead, now: float) -> list[Effect]:
        """Sent at once, so that the server can refuse before a try is used. What the card waits for is asked next."""
        visit = self._visit = replace(self._current(), tries_left=report.tries_left, keypad=report.keypad)
        challenge = visit.challenge
        certificate = Send(sign_certificate(self._terminal.key, challenge, report))
        if not report.secret:  # the card signs without being asked for anything
            self._enter(State.SIGNING, now)
            return [certificate, Send(messages.Progress("signing", 0))]
        if report.tries_left == 0:
            return [certificate, *self._fail(PinLocked(tries_left=0))]
        self.state = State.HOLDING
        self.deadline = None  # the worker ends holding by itself, so that the card is let go even if this loop hangs
        need_pin = messages.NeedPin(
            challenge.jti,
            report.tries_left,
            keypad=report.keypad,
            min=report.pin_minimum,
            max=report.pin_maximum,
            confirm=report.tries_left <= _Visit.LAST,
            secret=report.secret,
        )
        return [certificate, Send(need_pin)]

    def pin_wrong(self, report: PinWrong, _now: float) -> list[Effect]:
        """The next one needs its own confirmation where it is the last; `authenticate` holds."""
        self._visit = replace(self._current(), pin=None, confirmed=False, tries_left=report.tries_left)
        self.state = State.HOLDING
        self.deadline = None
        return [Send(messages.PinRefusedMessage(report.challenge, report.tries_left))]

    def pin_accepted(self, _report: PinAccepted, now: float) -> list[Effect]:
        self._enter(State.SIGNING, now)
        return [Send(messages.Progress("signing", 0))]

    def signed(self, report: Signed, now: float) -> list[Effect]:
        """The result. A visit for the basic 4 information goes on with the same card."""
        challenge = self._current().challenge
        result = Send(sign_result(self._terminal.key, challenge, report))
        if challenge.purpose == "basic_four":  # the card is held on
            self._enter(State.SIGNING, now)
        else:
            self._end()
        return [result]

    def text_ready(self, report: TextReady, _now: float) -> list[Effect]:
        """Another secret, which waits for another `authenticate`. Its last tries are guarded by the worker."""
        visit = self._current()
        self._visit = _Visit(visit.challenge, visit.box, confirmed=True, keypad=report.keypad, text=True)
        self.state = State.HOLDING
        self.deadline = None
        left = report.pin_tries_left, report.code_tries_left
        return [Send(messages.NeedText(report.challenge, *left, keypad=report.keypad))]

    def basic_four_read(self, report: BasicFourRead, _now: float) -> list[Effect]:
        """The items leave sealed for this page alone."""
        visit = self._current()
        told = Send(sign_basic_four(self._terminal.key, visit.box, visit.challenge, report))
        self._end()
        return [told]

    def enrolment_signed(self, report: EnrolmentSigned, _now: float) -> list[Effect]:
        told = Send(sign_enrolment(self._terminal.key, self._current().challenge, report))
        self._end()
        return [told]

    def failed(self, report: VisitFailed, _now: float) -> list[Effect]:
        self._end()
        return [Send(messages.Failed(report.challenge, report.code, report.retriable, report.tries_left))]

    # ---- inside ----

    def _current(self) -> _Visit:
        assert self._visit is not None
        return self._visit

    def _verify_when_ready(self, now: float) -> list[Effect]:
        visit = self._current()
        if not visit.ready:
            return []
        assert visit.pin is not None
        self._enter(State.VERIFYING, now, KEYPAD_SECONDS if isinstance(visit.pin, OnKeypad) else 0)
        # the worker owns the PIN from here on; `pin` stays None so that the end of the visit does not wipe it under
        # VERIFY
        self._visit = replace(visit, pin=None)
        return [GivePin(visit.challenge.jti, visit.pin), Send(messages.Progress("verifying", 0))]

    def _enter(self, state: State, now: float, typing_seconds: float = 0) -> None:
        """`typing_seconds`: how long the card's part may wait for keys on the reader."""
        self.state = state
        self.deadline = now + STEP_SECONDS + typing_seconds

    def _fail(self, error: BridgeError) -> list[Effect]:
        challenge = self._current().challenge.jti
        self._end()
        return [EndVisit(challenge, error), Send(_failure(challenge, error))]

    def _end(self) -> None:
        if self._visit is not None and self._visit.pin is not None:
            self._visit.pin.wipe()
        self._visit = None
        self.state = State.IDLE
        self.deadline = None


def _failure(challenge: str, error: BridgeError) -> messages.Failed:
    return messages.Failed(challenge, error.code, error.retriable, getattr(error, "tries_left", None))
