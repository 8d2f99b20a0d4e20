"""One page connection as a machine without I/O: text and reports in, effects out (`docs/wire.md` 4 to 6). PURE.

Here is what a page must be before it is believed, and what it may say when. A visit to the card is `visit_turn`'s, a
hand-over `handover`'s. The table of `states` has a row for every state; what is not in a row is illegal there. The
diagram in `docs/bridge.md` is made from it. `now` is any clock that only rises, in seconds: the server's time is
counted on from the hello ticket with it (`docs/wire.md` 2).
"""

from __future__ import annotations

from operator import attrgetter

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bridge import evidence, messages
from bridge.effects import Claim, Close, Effect, Note, Send
from bridge.errors import Cancelled, TicketRefused
from bridge.handover import HandOverTurn
from bridge.messages import MalformedMessage, PageMessage, Reader, WrongVersion
from bridge.output.order import OutputEnd
from bridge.pinbox import PinBox
from bridge.states import MESSAGES, REPORTS, State
from bridge.ticket import HelloTicket, Terminal, UsedTickets, judge_hello
from bridge.visit import VisitReport
from bridge.visit_turn import VisitTurn

OPEN_SECONDS = 2.0
HELLO_SECONDS = 10.0

CLOSE_NORMAL = 1000
CLOSE_MALFORMED = 4400
CLOSE_UNAUTHENTICATED = 4401
CLOSE_SUPERSEDED = 4409
CLOSE_VERSION = 4426


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
        keypad: bool = False,
    ) -> None:
        """`address` is where the bridge listens; `nonce` (32 bytes) and `bridge_key` are fresh for this connection;
        `keypad`: PINs are typed on the reader, where it has a keypad.
        """
        self._page = State.OPENED  # IDLE: the page has proven itself; the rest is the state of its visit or hand-over
        self._page_deadline: float | None = now + OPEN_SECONDS
        self._terminal = terminal
        self._address = address
        self._version = version
        self._nonce = nonce
        self._bridge_key = bridge_key
        self._used = used
        self._reader = reader
        self._keypad = keypad
        self._opened_at = now
        self._page_key = b""
        self._seq = 0
        self._hello: HelloTicket | None = None
        self._box: PinBox | None = None
        self._watching = False
        self._visit = VisitTurn(terminal, used)
        self._output = HandOverTurn(terminal, used)

    @property
    def state(self) -> State:
        if self._page is not State.IDLE:
            return self._page
        return State.HANDING_OVER if self._output.running is not None else self._visit.state

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do, on the clock of `now`. A hand-over has none: it ends by itself when its
        window or its keys are waited for in vain.
        """
        return self._visit.deadline if self._page is State.IDLE else self._page_deadline

    @property
    def challenge(self) -> str | None:
        """The `jti` of the visit that runs, or None."""
        return self._visit.challenge

    @property
    def closed(self) -> bool:
        return self._page is State.CLOSED

    # ---- what comes in ----

    def receive(self, text: str | bytes, now: float) -> list[Effect]:
        """One message of the page."""
        if self.closed:
            return []
        try:
            message = messages.parse_page_message(text)
        except WrongVersion as trouble:
            return self._close(CLOSE_VERSION, trouble.reason)
        except MalformedMessage as trouble:
            return self._close(CLOSE_MALFORMED, trouble.reason)
        verified = self._page is State.IDLE
        if verified and message.seq:
            if message.seq <= self._seq:
                return self._close(CLOSE_MALFORMED, "sequence number not rising")
            self._seq = message.seq
        row = MESSAGES[self.state].get(message.kind)
        if row is None:
            if not verified:
                return self._close(CLOSE_UNAUTHENTICATED, "spoke before hello")
            return [Send(messages.BadState(message.seq, self.state.value))]
        effects: list[Effect] = attrgetter(row.does)(self)(message, now)
        return effects

    def report(self, report: VisitReport | OutputEnd, now: float) -> list[Effect]:
        """One report of the card worker or of the hand-over; about one that is over, it changes nothing."""
        named = report.output if isinstance(report, OutputEnd) else report.challenge
        if named != (self._output.running.jti if self._output.running is not None else self.challenge):
            return []
        row = REPORTS[self.state].get(type(report))
        if row is None:
            return []
        effects: list[Effect] = attrgetter(row.does)(self)(report, now)
        return effects

    def show_reader(self, reader: Reader) -> list[Effect]:
        """The reader or the card on it has changed."""
        changed = reader != self._reader
        self._reader = reader
        told: list[Effect] = [Send(reader)] if self._watching and changed else []
        return [*told, *self._output.look(reader)]

    def expire(self, now: float) -> list[Effect]:
        """`deadline` has passed."""
        if self.deadline is None or now < self.deadline:
            return []
        if self._page is not State.IDLE:
            return self._close(CLOSE_UNAUTHENTICATED, "too late")
        return self._visit.overdue()

    def displace(self) -> list[Effect]:
        """A newer page has proven itself."""
        return self._close(CLOSE_SUPERSEDED, "superseded")

    def lose(self) -> list[Effect]:
        """The socket is gone."""
        return [effect for effect in self._close(CLOSE_NORMAL, "gone") if not isinstance(effect, Close)]

    # ---- messages ----

    def _greet(self, message: messages.Open, _now: float) -> list[Effect]:
        self._page_key = message.page_key
        self._page = State.GREETED
        self._page_deadline = self._opened_at + HELLO_SECONDS
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
        self._page = State.IDLE
        return [Claim(), Send(messages.Welcome(bridge_key, self._terminal.key.sign(signed), keypad=self._keypad))]

    def _watch(self, _message: PageMessage, _now: float) -> list[Effect]:
        self._watching = True
        return [Send(self._reader)]

    def _read_certificate(self, message: messages.ReadCertificate, now: float) -> list[Effect]:
        assert self._hello is not None
        assert self._box is not None
        time = self._server_time(now)
        return self._visit.start(message.ticket, self._hello.keys, self._box, self._reader, server_time=time, now=now)

    def _hand_over(self, message: messages.HandOver, now: float) -> list[Effect]:
        assert self._hello is not None
        time = self._server_time(now)
        return self._output.start(message.ticket, self._hello.keys, self._reader, server_time=time, now=now)

    def _stop_output(self, _message: PageMessage, _now: float) -> list[Effect]:
        return self._output.stop(Cancelled())

    def _nothing(self, _message: PageMessage, _now: float) -> list[Effect]:
        return []

    def _pong(self, message: PageMessage, _now: float) -> list[Effect]:
        return [Send(messages.Pong(message.seq))]

    def _leave(self, _message: PageMessage, _now: float) -> list[Effect]:
        return self._close(CLOSE_NORMAL, "bye")

    # ---- reports ----

    def _handed_over(self, report: OutputEnd, _now: float) -> list[Effect]:
        return self._output.finish(report)

    # ---- inside ----

    def _server_time(self, now: float) -> float:
        assert self._hello is not None
        return self._hello.issued_at + (now - self._opened_at)

    def _close(self, code: int, reason: str) -> list[Effect]:
        effects = [*self._visit.abandon(), *self._output.stop(Cancelled())]
        if not self.closed:
            effects.append(Close(code, reason))
        self._page = State.CLOSED
        self._page_deadline = None
        return effects
