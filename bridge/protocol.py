"""One page connection as a machine without I/O: text and reports in, effects out (`docs/wire.md` 4 to 6). PURE.

The table has a row for every state; what is not in a row is illegal there. The diagram in `docs/bridge.md` is made
from it. `now` is any clock that only rises, in seconds: the server's time is counted on from the hello ticket with it
(`docs/wire.md` 2).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bridge import evidence, messages
from bridge.card.pin import Pin
from bridge.countersign import sign_basic_four, sign_certificate, sign_enrolment, sign_result
from bridge.effects import (
    Claim,
    Close,
    Effect,
    EndVisit,
    GivePin,
    Note,
    Overdue,
    Send,
    StartVisit,
)
from bridge.errors import (
    BridgeError,
    Cancelled,
    CardCommunicationError,
    PinLocked,
    PinMalformed,
    PinUndecryptable,
    TicketRefused,
)
from bridge.handover import HandOverTurn
from bridge.laid_card import judge_laid_card
from bridge.messages import MalformedMessage, PageMessage, Reader, WrongVersion
from bridge.output.order import OutputEnd
from bridge.pinbox import PinBox
from bridge.states import MESSAGES, REPORTS, State
from bridge.ticket import ChallengeTicket, HelloTicket, Terminal, UsedTickets, judge_challenge, judge_hello
from bridge.visit import (
    BasicFourRead,
    CertificateRead,
    EnrolmentSigned,
    PinAccepted,
    PinWrong,
    Signed,
    TextReady,
    VisitFailed,
    VisitReport,
)

OPEN_SECONDS = 2.0
HELLO_SECONDS = 10.0
STEP_SECONDS = 30.0

CLOSE_NORMAL = 1000
CLOSE_MALFORMED = 4400
CLOSE_UNAUTHENTICATED = 4401
CLOSE_SUPERSEDED = 4409
CLOSE_VERSION = 4426


@dataclass(frozen=True, slots=True)
class _Visit:
    """The visit that runs. `authenticated`, `confirmed` and `pin` are the three conditions of VERIFY."""

    challenge: ChallengeTicket
    tries_left: int = 0
    authenticated: bool = False
    confirmed: bool = False
    pin: Pin | None = field(default=None, repr=False)

    LAST: ClassVar[int] = 1

    @property
    def ready(self) -> bool:
        return self.pin is not None and self.authenticated and (self.confirmed or self.tries_left > self.LAST)


class PageConnection:
    """The machine. Every method returns the effects in the order in which they must happen."""

    def __init__(
        self,
        *,
        terminal: Terminal,
        address: str,
        version: str,
        nonce: bytes,
        bridge_key: X25519PrivateKey,
        used: UsedTickets,
        reader: Reader,
        now: float,
    ) -> None:
        """`address` is where the bridge listens; `nonce` (32 bytes) and `bridge_key` are fresh for this connection."""
        self.state = State.OPENED
        self.deadline: float | None = now + OPEN_SECONDS
        self._terminal = terminal
        self._address = address
        self._version = version
        self._nonce = nonce
        self._bridge_key = bridge_key
        self._used = used
        self._reader = reader
        self._opened_at = now
        self._page_key = b""
        self._seq = 0
        self._hello: HelloTicket | None = None
        self._box: PinBox | None = None
        self._watching = False
        self._visit: _Visit | None = None
        self._turn = HandOverTurn(terminal, used)

    @property
    def challenge(self) -> str | None:
        """The visit that runs, or None."""
        return self._visit.challenge.jti if self._visit is not None else None

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    # ---- what comes in ----

    def receive(self, text: str | bytes, now: float) -> list[Effect]:
        """One message of the page."""
        if self.state is State.CLOSED:
            return []
        try:
            message = messages.parse_page_message(text)
        except WrongVersion as trouble:
            return self._close(CLOSE_VERSION, trouble.reason)
        except MalformedMessage as trouble:
            return self._close(CLOSE_MALFORMED, trouble.reason)
        verified = self.state not in (State.OPENED, State.GREETED)
        if verified and message.seq:
            if message.seq <= self._seq:
                return self._close(CLOSE_MALFORMED, "sequence number not rising")
            self._seq = message.seq
        row = MESSAGES[self.state].get(message.kind)
        if row is None:
            if not verified:
                return self._close(CLOSE_UNAUTHENTICATED, "spoke before hello")
            return [Send(messages.BadState(message.seq, self.state.value))]
        effects: list[Effect] = getattr(self, row.does)(message, now)
        return effects

    def report(self, report: VisitReport | OutputEnd, now: float) -> list[Effect]:
        """One report of the card worker or of the hand-over; about one that is over, it changes nothing."""
        named = report.output if isinstance(report, OutputEnd) else report.challenge
        if named != (self._turn.running.jti if self._turn.running is not None else self.challenge):
            return []
        row = REPORTS[self.state].get(type(report))
        if row is None:
            return []
        effects: list[Effect] = getattr(self, row.does)(report, now)
        return effects

    def show_reader(self, reader: Reader) -> list[Effect]:
        """The reader or the card on it has changed."""
        changed = reader != self._reader
        self._reader = reader
        told: list[Effect] = [Send(reader)] if self._watching and changed else []
        return [*told, *self._turn.look(reader)]

    def expire(self, now: float) -> list[Effect]:
        """`deadline` has passed."""
        if self.deadline is None or now < self.deadline:
            return []
        if self.state in (State.OPENED, State.GREETED):
            return self._close(CLOSE_UNAUTHENTICATED, "too late")
        # a late answer of the card worker will not count
        return [Overdue(self.state.value), *self._fail(CardCommunicationError())]

    def displace(self) -> list[Effect]:
        """A newer page has proven itself."""
        return self._close(CLOSE_SUPERSEDED, "superseded")

    def lose(self) -> list[Effect]:
        """The socket is gone."""
        return [effect for effect in self._close(CLOSE_NORMAL, "gone") if not isinstance(effect, Close)]

    # ---- messages ----

    def _greet(self, message: messages.Open, _now: float) -> list[Effect]:
        self._page_key = message.page_key
        self.state = State.GREETED
        self.deadline = self._opened_at + HELLO_SECONDS
        return [Send(messages.Greeting(self._terminal.id, self._nonce, self._version))]

    def _welcome(self, message: messages.Hello, now: float) -> list[Effect]:
        try:
            hello = judge_hello(
                message.ticket,
                message.keys,
                identity_key=self._terminal.identity_key,
                terminal=self._terminal.id,
                origin=self._terminal.origin,
                address=self._address,
                bridge_nonce=self._nonce,
                page_key=self._page_key,
            )
            self._used.use(hello.jti, now)
            bridge_key = self._bridge_key.public_key().public_bytes_raw()
            signed = evidence.build_welcome(
                ticket=message.ticket,
                terminal=self._terminal.id,
                origin=self._terminal.origin,
                address=self._address,
                bridge_nonce=self._nonce,
                page_key=self._page_key,
                bridge_key=bridge_key,
            )
            self._box = PinBox(self._bridge_key, self._page_key, signed)
        except TicketRefused as trouble:
            return [Note("hello_refused", trouble.reason), *self._close(CLOSE_UNAUTHENTICATED, "hello refused")]
        except ValueError:
            return [Note("hello_refused", "weak page key"), *self._close(CLOSE_UNAUTHENTICATED, "hello refused")]
        self._hello = hello
        self.state = State.IDLE
        self.deadline = None
        return [Claim(), Send(messages.Welcome(bridge_key, self._terminal.key.sign(signed), keypad=False))]

    def _watch(self, _message: PageMessage, _now: float) -> list[Effect]:
        self._watching = True
        return [Send(self._reader)]

    def _read_certificate(self, message: messages.ReadCertificate, now: float) -> list[Effect]:
        assert self._hello is not None
        try:
            challenge = judge_challenge(
                message.ticket,
                self._hello.keys,
                terminal=self._terminal.id,
                origin=self._terminal.origin,
                now=self._server_time(now),
            )
            self._used.use(challenge.jti, now)
        except TicketRefused as trouble:
            return [Note("challenge_refused", trouble.reason), Send(_failure("", trouble))]
        refusal = judge_laid_card(self._reader, challenge.card)
        if refusal is not None:
            return [Send(_failure(challenge.jti, refusal))]
        self._visit = _Visit(challenge)
        self._enter(State.READING, now)
        return [StartVisit(challenge), Send(messages.Progress("reading", 0))]

    def _hand_over(self, message: messages.HandOver, now: float) -> list[Effect]:
        assert self._hello is not None
        effects = self._turn.start(
            message.ticket, self._hello.keys, self._reader, server_time=self._server_time(now), now=now
        )
        if self._turn.running is not None:
            self.state = State.HANDING_OVER  # it ends by itself, when its windows or keys are waited for in vain
        return effects

    def _stop_output(self, _message: PageMessage, _now: float) -> list[Effect]:
        return self._turn.stop(Cancelled())

    def _enter_pin(self, message: messages.EnterPin, now: float) -> list[Effect]:
        visit = self._current()
        if visit.pin is not None or not message.data:
            # one PIN at a time; and this bridge has no reader keypad to read from
            return [Send(messages.BadState(message.seq, self.state.value))]
        assert self._box is not None
        try:
            pin = self._box.open_pin(
                message.iv,
                message.data,
                challenge=visit.challenge.jti,
                card=visit.challenge.card,
                seq=message.seq,
            )
        except (PinUndecryptable, PinMalformed) as trouble:
            return self._fail(trouble)
        self._visit = replace(visit, pin=pin)
        return self._verify_when_ready(now)

    def _authenticate(self, _message: PageMessage, now: float) -> list[Effect]:
        self._visit = replace(self._current(), authenticated=True)
        return self._verify_when_ready(now)

    def _confirm_last_try(self, _message: PageMessage, now: float) -> list[Effect]:
        self._visit = replace(self._current(), confirmed=True)
        return self._verify_when_ready(now)

    def _cancel(self, _message: PageMessage, _now: float) -> list[Effect]:
        return self._fail(Cancelled())

    def _nothing(self, _message: PageMessage, _now: float) -> list[Effect]:
        return []

    def _pong(self, message: PageMessage, _now: float) -> list[Effect]:
        return [Send(messages.Pong(message.seq))]

    def _leave(self, _message: PageMessage, _now: float) -> list[Effect]:
        return self._close(CLOSE_NORMAL, "bye")

    # ---- reports ----

    def _certificate_read(self, report: CertificateRead, now: float) -> list[Effect]:
        visit = self._visit = replace(self._current(), tries_left=report.tries_left)
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
            keypad=False,
            min=report.pin_minimum,
            max=report.pin_maximum,
            confirm=report.tries_left <= _Visit.LAST,
            secret=report.secret,
        )
        return [certificate, Send(need_pin)]

    def _pin_wrong(self, report: PinWrong, _now: float) -> list[Effect]:
        self._visit = replace(self._current(), pin=None, confirmed=False, tries_left=report.tries_left)
        self.state = State.HOLDING
        self.deadline = None
        return [Send(messages.PinRefusedMessage(report.challenge, report.tries_left))]

    def _pin_accepted(self, _report: PinAccepted, now: float) -> list[Effect]:
        self._enter(State.SIGNING, now)
        return [Send(messages.Progress("signing", 0))]

    def _signed(self, report: Signed, now: float) -> list[Effect]:
        challenge = self._current().challenge
        result = Send(sign_result(self._terminal.key, challenge, report))
        if challenge.purpose == "basic_four":  # the card is held on
            self._enter(State.SIGNING, now)
        else:
            self._end_visit()
        return [result]

    def _text_ready(self, report: TextReady, _now: float) -> list[Effect]:
        """Another secret, which waits for another `authenticate`. Its last tries are guarded by the worker."""
        self._visit = _Visit(self._current().challenge, confirmed=True)
        self.state = State.HOLDING
        self.deadline = None
        return [Send(messages.NeedText(report.challenge, report.pin_tries_left, report.code_tries_left))]

    def _basic_four_read(self, report: BasicFourRead, _now: float) -> list[Effect]:
        assert self._box is not None
        told = Send(sign_basic_four(self._terminal.key, self._box, self._current().challenge, report))
        self._end_visit()
        return [told]

    def _enrolment_signed(self, report: EnrolmentSigned, _now: float) -> list[Effect]:
        told = Send(sign_enrolment(self._terminal.key, self._current().challenge, report))
        self._end_visit()
        return [told]

    def _failed(self, report: VisitFailed, _now: float) -> list[Effect]:
        self._end_visit()
        return [Send(messages.Failed(report.challenge, report.code, report.retriable, report.tries_left))]

    def _handed_over(self, report: OutputEnd, _now: float) -> list[Effect]:
        self.state = State.IDLE
        return self._turn.finish(report)

    # ---- inside ----

    def _server_time(self, now: float) -> float:
        assert self._hello is not None
        return self._hello.issued_at + (now - self._opened_at)

    def _current(self) -> _Visit:
        assert self._visit is not None
        return self._visit

    def _verify_when_ready(self, now: float) -> list[Effect]:
        visit = self._current()
        if not visit.ready:
            return []
        assert visit.pin is not None
        self._enter(State.VERIFYING, now)
        # the worker owns the PIN from here on; `pin` stays None so that the end of the visit does not wipe it under
        # VERIFY
        self._visit = replace(visit, pin=None)
        return [GivePin(visit.challenge.jti, visit.pin), Send(messages.Progress("verifying", 0))]

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        self.deadline = now + STEP_SECONDS

    def _fail(self, error: BridgeError) -> list[Effect]:
        challenge = self._current().challenge.jti
        self._end_visit()
        return [EndVisit(challenge, error), Send(_failure(challenge, error))]

    def _end_visit(self) -> None:
        if self._visit is not None and self._visit.pin is not None:
            self._visit.pin.wipe()
        self._visit = None
        self.state = State.IDLE
        self.deadline = None

    def _close(self, code: int, reason: str) -> list[Effect]:
        effects: list[Effect] = []
        if self._visit is not None:
            effects.append(EndVisit(self._visit.challenge.jti, Cancelled()))
            self._end_visit()
        effects += self._turn.stop(Cancelled())
        if self.state is not State.CLOSED:
            effects.append(Close(code, reason))
        self.state = State.CLOSED
        self.deadline = None
        return effects


def _failure(challenge: str, error: BridgeError) -> messages.Failed:
    return messages.Failed(challenge, error.code, error.retriable, getattr(error, "tries_left", None))
