"""One request from the question to the answer: what window, card and page are told. PURE.

The resident acts for every request: nothing is read from a card before `Agreed`, and the PIN comes from the window
alone. The page hears how it ended and nothing on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.card.pin import Pin
from bridge.effects import EndVisit, GivePin, StartVisit
from bridge.errors import Cancelled, PinMalformed
from bridge.laid_card import judge_laid_card
from bridge.messages import Reader
from bridge.personal.messages import Identify, build_failed, build_signed
from bridge.personal.request import build_challenge
from bridge.personal.view import Agreed, Declined, LastTryConfirmed, PinTyped, Step, View, WindowAction, WindowGone
from bridge.visit import CertificateRead, PinAccepted, PinWrong, Signed, VisitFailed, VisitReport

LAST_TRY = 1


@dataclass(frozen=True, slots=True)
class Show:
    view: View


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Nothing is left to say to the resident."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The one and last message to the page. `code` is "" for success, and is for the log."""

    text: str = field(repr=False)
    code: str


DialogEffect = Show | CloseWindow | Answer | StartVisit | GivePin | EndVisit


class Dialog:
    """`origin` is that of the handshake; `deadline` on the rising clock whose values `expire` gets."""

    def __init__(self, request: Identify, origin: str, reader: Reader, now: float) -> None:
        self._request = request
        self._origin = origin
        self._reader = reader
        self.deadline = now + request.seconds
        self._step: Step = "asking"
        self._tries_left = 0
        self._lengths = (4, 4)

    @property
    def answered(self) -> bool:
        """The page has its answer; the window may still say why."""
        return self._step == "ended"

    def open(self) -> list[DialogEffect]:
        return [self._show("asking")]

    def act(self, action: WindowAction) -> list[DialogEffect]:
        """What the resident did. What does not fit the step changes nothing."""
        match action:
            case WindowGone(opened=False) if not self.answered:
                return self._end("window_unavailable")
            case Declined() | WindowGone():
                return [CloseWindow()] if self.answered else [*self._end("cancelled"), CloseWindow()]
            case Agreed() if self._step == "asking":
                return self._await_card()
            case LastTryConfirmed() if self._step == "last_try":
                return [self._show("pin", tries_left=LAST_TRY)]
            case PinTyped(characters):
                return self._take_pin(characters)
            case _:
                return []

    def show_reader(self, reader: Reader) -> list[DialogEffect]:
        """The reader or the card on it has changed. During a visit the card worker says what that means."""
        self._reader = reader
        return self._await_card() if self._step == "card" else []

    def report(self, report: VisitReport) -> list[DialogEffect]:
        """What the card worker has to say."""
        if self.answered or report.challenge != self._request.challenge:
            return []
        match report:
            case CertificateRead(tries_left=0):
                return self._end("pin_locked")
            case CertificateRead():
                self._lengths = (report.pin_minimum, report.pin_maximum)
                return [self._ask_pin(report.tries_left)]
            case PinWrong():
                return [self._ask_pin(report.tries_left, wrong=True)]
            case PinAccepted():
                return []
            case Signed():
                self._step = "ended"
                return [Answer(build_signed(report.certificate, report.signature), ""), CloseWindow()]
            case VisitFailed():
                return self._end(report.code)
            case _:
                return []

    def lose(self) -> list[DialogEffect]:
        """The page went, or does not wait any longer."""
        return [] if self.answered else [*self._end("cancelled"), CloseWindow()]

    def expire(self) -> list[DialogEffect]:
        """The deadline has passed."""
        return [] if self.answered else self._end("challenge_expired")

    def _await_card(self) -> list[DialogEffect]:
        """With the right card, the visit begins; else the window says what is missing."""
        instance = self._reader.instance
        trouble = judge_laid_card(self._reader, instance)
        if self._reader.reader in ("missing", "service_down"):
            return [self._show("card", code=f"reader_{self._reader.reader}")]
        if self._reader.card == "none":
            return [self._show("card", code="no_card")]
        if trouble is not None:
            return [self._show("card", code=trouble.code)]
        challenge = build_challenge(self._request, self._origin, instance)
        return [self._show("reading"), StartVisit(challenge)]

    def _ask_pin(self, tries_left: int, *, wrong: bool = False) -> Show:
        step: Step = "last_try" if tries_left == LAST_TRY else "pin"
        return self._show(step, tries_left=tries_left, wrong=wrong)

    def _take_pin(self, characters: bytearray) -> list[DialogEffect]:
        """A PIN of the wrong length is asked for again; the card is not."""
        try:
            pin = Pin.from_ascii(characters)
        except PinMalformed:
            pin = None
        length = len(characters)
        for position in range(length):
            characters[position] = 0
        minimum, maximum = self._lengths
        if self._step != "pin" or pin is None or not minimum <= length <= maximum:
            if pin is not None:
                pin.wipe()
            return [self._show("pin", code="pin_malformed", tries_left=self._tries_left)] if self._step == "pin" else []
        return [self._show("working"), GivePin(self._request.challenge, pin)]

    def _end(self, code: str) -> list[DialogEffect]:
        """The page hears the code, the resident in the window what it means."""
        visit = self._step in ("reading", "pin", "last_try", "working")
        ending: list[DialogEffect] = [EndVisit(self._request.challenge, Cancelled())] if visit else []
        return [*ending, Answer(build_failed(code), code), self._show("ended", code=code)]

    def _show(self, step: Step, *, code: str = "", tries_left: int = 0, wrong: bool = False) -> Show:
        self._step = step
        self._tries_left = tries_left
        minimum, maximum = self._lengths
        return Show(View(step, self._origin, self._request.system, code, tries_left, minimum, maximum, wrong))
