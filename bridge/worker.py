"""The only thread that talks to a card.

One visit is one connection and one transaction from the certificate to the signature. Between any two commands the
visit may end: by the page, by its time, or because the card it began with is no longer the card that lies there. A
PIN is sent to a card once; nothing is ever sent again.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from bridge.basic_four import read_basic_four
from bridge.card.keypad import KEYPAD_RULE, NOT_TYPED
from bridge.card.mynumber import MyNumberCard
from bridge.card.pin import Pin, Secret
from bridge.card.reader_keypad import Keypad
from bridge.card.token_label import TokenLabel
from bridge.card.transport import CardConnection, ReaderSource
from bridge.errors import (
    AccessDenied,
    BridgeError,
    Cancelled,
    CardDataMalformed,
    CardError,
    CardGone,
    CardMute,
    CardRemoved,
    CardSwapped,
    KeypadBusy,
    NotMyNumberCard,
    PinLocked,
    PinRefused,
    PinTimeout,
    PinTriesUsed,
    ReaderBusy,
    ReaderError,
)
from bridge.keypad_search import KeypadSearch
from bridge.messages import CardWord, ReaderWord
from bridge.presence import CardInstance
from bridge.procedure import Hands, build_digest, enrol, load_public_key, tap, verify_signature
from bridge.running_visit import GuardedTransport, RunningVisit, explain
from bridge.ticket import ChallengeTicket
from bridge.visit import (
    MAXIMUM_BIRTH_KEYS,
    MAXIMUM_PINS,
    MAXIMUM_TEXT_SECRETS,
    CertificateRead,
    PinAccepted,
    PinWrong,
    Signed,
    VisitFailed,
    VisitReport,
)

HOLDING_SECONDS = 120.0
KEEP_ALIVE_SECONDS = 4.0  # Windows ends a transaction that says nothing for 5 s
REMEMBERED_INSTANCES = 16

_log = structlog.get_logger("bridge.worker")


@dataclass(frozen=True, slots=True)
class Recognised:
    """What kind of card an instance is; `reader` when the reader, not the card, was the trouble."""

    instance: str
    card: CardWord
    reader: ReaderWord = "ready"


WorkerReport = VisitReport | Recognised


class CardWorker:
    """Runs visits and recognitions one after the other on its own thread.

    `report` is called on that thread. `set_current`, `recognise`, `begin`, `give_pin` and `end` are called by one
    other thread, the event loop's.
    """

    def __init__(
        self,
        source: ReaderSource,
        *,
        report: Callable[[WorkerReport], None],
        take_counter: Callable[[], int],
        allow_simulated: bool,
        allow_birth_key_without_limit: bool = False,
        reader_keypad: bool = False,
        clock: Callable[[], float] = time.monotonic,
        holding_seconds: float = HOLDING_SECONDS,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._source = source
        self._report = report
        self._take_counter = take_counter
        self._allow_simulated = allow_simulated
        self._allow_without_limit = allow_birth_key_without_limit
        self._keypad = KeypadSearch() if reader_keypad else None
        self._clock = clock
        self._holding_seconds = holding_seconds
        self._keep_alive_seconds = keep_alive_seconds
        self._jobs: queue.SimpleQueue[RunningVisit | CardInstance | None] = queue.SimpleQueue()
        self._visits: dict[str, RunningVisit] = {}
        self._current: CardInstance | None = None
        self._pins_used: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="card-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """End what runs and the thread; False when the thread hangs in the driver."""
        for visit in tuple(self._visits.values()):
            visit.end(Cancelled())
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def set_current(self, instance: CardInstance | None) -> None:
        """The card that lies there now. A visit with another one ends before its next command."""
        self._current = instance
        for visit in tuple(self._visits.values()):
            self._judge_instance(visit)

    def recognise(self, instance: CardInstance) -> None:
        """Find out, over a short connection of its own, what kind of card this is; answered by `Recognised`."""
        if self._keypad is not None and self._keypad.waiting:
            self._report(Recognised(instance.id, "unknown", "busy"))
        else:
            self._jobs.put(instance)

    def begin(self, challenge: ChallengeTicket) -> None:
        """Visit the card that lies there now; answered by `VisitReport`s about this challenge, of which one ends it."""
        if self._keypad is not None and self._keypad.waiting:  # for the keys of a visit that is over
            self._report(VisitFailed(challenge.jti, KeypadBusy.code, KeypadBusy.retriable))
            return
        visit = RunningVisit(challenge, self._current)
        self._visits[challenge.jti] = visit
        self._judge_instance(visit)
        self._jobs.put(visit)

    def give_pin(self, challenge: str, pin: Secret) -> None:
        """Every condition for VERIFY is met. The PIN is wiped in every case."""
        visit = self._visits.get(challenge)
        if visit is None:
            pin.wipe()
        else:
            visit.give(pin)

    def end(self, challenge: str, error: BridgeError) -> None:
        visit = self._visits.get(challenge)
        if visit is not None:
            visit.end(error)

    def _judge_instance(self, visit: RunningVisit) -> None:
        current = self._current
        if current is None:
            visit.end(CardRemoved())
        elif current.id != visit.challenge.card:
            visit.end(CardSwapped())

    # ---- on the worker's thread ----

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, CardInstance):
                self._recognise(job)
            else:
                self._visit(job)

    def _recognise(self, instance: CardInstance) -> None:
        def check() -> None:
            if self._current is None or self._current.id != instance.id:
                raise CardRemoved

        for last in (False, True):
            try:
                check()
                connection = self._source.connect(instance.reader_name)
                try:
                    self._recognise_card(MyNumberCard(GuardedTransport(connection, check)))
                    # before the reader is let go, which takes time
                    return self._report(Recognised(instance.id, "ours"))
                finally:
                    # no PIN was opened here, and a card that stays powered answers the visit sooner
                    connection.close(unpower=False)
            except (ReaderBusy, AccessDenied) as trouble:
                reader: ReaderWord = "busy" if isinstance(trouble, ReaderBusy) else "denied"
                return self._report(Recognised(instance.id, "unknown", reader))
            except (NotMyNumberCard, CardDataMalformed) as trouble:
                _log.info("card_not_recognised", reason=trouble.code)
                return self._report(Recognised(instance.id, "unknown"))
            except CardRemoved:
                return None  # the monitor says what lies there instead
            except ReaderError:
                return None  # the monitor says what became of the reader
            except CardError as trouble:
                if last:
                    _log.warning("card_not_answering", reason=trouble.code)
                    return self._report(Recognised(instance.id, "mute"))
            except Exception:
                _log.exception("recognition_failed")
                return self._report(Recognised(instance.id, "mute"))
        return None

    def _recognise_card(self, card: MyNumberCard) -> TokenLabel:
        label = card.recognise()
        if label.simulated and not self._allow_simulated:
            raise NotMyNumberCard("a simulated card")
        return label

    def _visit(self, visit: RunningVisit) -> None:
        connection: CardConnection | None = None
        guard: GuardedTransport | None = None
        card: MyNumberCard | None = None
        gone = False
        try:
            visit.check()
            assert visit.instance is not None
            if visit.challenge.method == "pin" and self._pins_used.get(visit.instance.id, 0) >= MAXIMUM_PINS:
                raise PinTriesUsed
            connection = self._source.connect(visit.instance.reader_name)
            guard = GuardedTransport(connection, visit.check)
            card = MyNumberCard(guard)
            if visit.challenge.method == "pin":
                self._read_and_sign(visit, visit.instance, connection, card)
            else:
                self._recognise_card(card)
                procedure = enrol if visit.challenge.purpose == "enrol" else tap
                procedure(
                    visit.challenge,
                    card,
                    self._build_hands(visit, visit.instance, connection, "birth", MAXIMUM_BIRTH_KEYS),
                )
        except BridgeError as trouble:
            error = explain(visit, trouble)
            gone = isinstance(error, CardGone | ReaderError | CardMute)
            _log.info("visit_failed", code=error.code)
            tries_left = 0 if isinstance(error, PinLocked) else getattr(error, "tries_left", None)
            self._report(VisitFailed(visit.challenge.jti, error.code, error.retriable, tries_left))
        except Exception:
            _log.exception("visit_broken")
            self._report(VisitFailed(visit.challenge.jti, BridgeError.code, retriable=False))
        finally:
            visit.finish()
            self._visits.pop(visit.challenge.jti, None)
            if connection is not None:
                if guard is not None and card is not None and not gone:
                    guard.release()
                    card.end()
                connection.close(unpower=True)

    def _read_and_sign(
        self, visit: RunningVisit, instance: CardInstance, connection: CardConnection, card: MyNumberCard
    ) -> None:
        label = self._recognise_card(card)
        certificate = card.read_authentication_certificate()
        public_key = load_public_key(certificate)
        tries_left = card.read_pin_tries_left()
        visit.check()
        challenge = visit.challenge
        keypad = self._keypad.find(connection) if self._keypad is not None else None
        rule = label.pin_rule if keypad is None else KEYPAD_RULE
        length = rule.minimum, rule.maximum
        read = CertificateRead(challenge.jti, certificate, tries_left, *length, self._take_counter())
        self._report(replace(read, keypad=keypad is not None))
        if tries_left == 0:
            return  # the page connection says so; a locked card is never asked
        while True:
            pin = self._await_pin(visit, connection)
            try:
                if isinstance(pin, Pin):
                    rule.require(pin)
                connection.check_present()
                self._verify(instance, visit, card, pin, keypad)
            except PinRefused as refusal:
                self._judge_refusal(instance, refusal)
                self._report(PinWrong(challenge.jti, refusal.tries_left or 0))
                continue
            finally:
                pin.wipe()
            break
        self._pins_used.pop(instance.id, None)  # it was right: the card's own counter is full again
        self._report(PinAccepted(challenge.jti))
        digest = build_digest(challenge, certificate)
        signature = card.sign_digest(digest)
        verify_signature(public_key, signature, digest)
        visit.check()
        self._report(Signed(challenge.jti, certificate, signature, self._take_counter()))
        if challenge.purpose == "basic_four":
            hands = self._build_hands(visit, instance, connection, "text", MAXIMUM_TEXT_SECRETS, keypad)
            read_basic_four(challenge, card, certificate, hands)

    def _await_pin(self, visit: RunningVisit, connection: CardConnection) -> Secret:
        deadline = self._clock() + self._holding_seconds
        while (remaining := deadline - self._clock()) > 0:
            pin = visit.wait(min(remaining, self._keep_alive_seconds))
            if pin is not None:
                return pin
            connection.check_present()
        raise PinTimeout

    def _verify(
        self, instance: CardInstance, visit: RunningVisit, card: MyNumberCard, pin: Secret, keypad: Keypad | None
    ) -> None:
        """Send the PIN, or have the reader send it, once. The count rises before, so that a lost answer counts too."""
        visit.check()
        self._count_try(instance.id, MAXIMUM_PINS)
        if isinstance(pin, Pin):
            card.verify_pin(pin)
            return
        assert keypad is not None
        before = card.read_pin_tries_left()
        visit.check()  # nothing but the reader ends what begins now
        try:
            card.verify_pin_at_keypad(keypad)
        except NOT_TYPED:
            if card.read_pin_tries_left() == before:  # the card, too, says that nothing was compared
                self._give_try_back(instance.id)
            raise
        visit.check()  # what was typed after the visit had ended opens nothing

    def _count_try(self, what: str, maximum: int) -> None:
        used = self._pins_used.pop(what, 0)
        while len(self._pins_used) >= REMEMBERED_INSTANCES:
            del self._pins_used[next(iter(self._pins_used))]
        self._pins_used[what] = used + 1
        if used >= maximum:
            raise PinTriesUsed

    def _give_try_back(self, what: str) -> None:
        self._pins_used[what] -= 1

    def _build_hands(
        self,
        visit: RunningVisit,
        instance: CardInstance,
        connection: CardConnection,
        secret: str,
        maximum: int,
        keypad: Keypad | None = None,
    ) -> Hands:
        return Hands(
            check=visit.check,
            report=self._report,
            take_counter=self._take_counter,
            await_secret=lambda: self._await_pin(visit, connection),
            check_present=connection.check_present,
            count_try=lambda: self._count_try(f"{instance.id} {secret}", maximum),
            give_try_back=lambda: self._give_try_back(f"{instance.id} {secret}"),
            allow_without_limit=self._allow_without_limit,
            keypad=keypad,
        )

    def _judge_refusal(self, instance: CardInstance, refusal: PinRefused) -> None:
        """Raises when no further PIN may follow in this visit."""
        if not refusal.tries_left:
            raise PinLocked(tries_left=0) from None
        if self._pins_used[instance.id] >= MAXIMUM_PINS:
            raise PinTriesUsed(tries_left=refusal.tries_left) from None
