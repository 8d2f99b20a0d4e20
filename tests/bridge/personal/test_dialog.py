"""One request from the question to the answer, without a window, a card or a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.card.pin import Pin
from bridge.effects import EndVisit, GivePin, StartVisit
from bridge.messages import Reader
from bridge.personal.dialog import Answer, CloseWindow, Dialog, DialogEffect, Show
from bridge.personal.messages import Identify
from bridge.personal.view import Agreed, Declined, LastTryConfirmed, PinTyped, View, WindowAction, WindowGone
from bridge.visit import CertificateRead, PinAccepted, PinWrong, Signed, VisitFailed

ORIGIN = "https://www.city.mihon.example"
CHALLENGE = "A" * 22
NOTHING = Reader("ready", "none", "")
CARD = Reader("ready", "ours", "card-1")


class Run:
    """A dialog and the effects of what happens to it."""

    def __init__(self, reader: Reader = NOTHING) -> None:
        request = Identify(ORIGIN, "home-page", CHALLENGE, "facility-booking", bytes(32), 170)
        self.dialog = Dialog(request, ORIGIN, reader, 1000.0)
        self.seen: list[DialogEffect] = list(self.dialog.open())
        self.last: list[DialogEffect] = self.seen

    def do(self, effects: list[DialogEffect]) -> Run:
        self.last = effects
        self.seen = [*self.seen, *effects]
        return self

    def act(self, action: WindowAction) -> Run:
        return self.do(self.dialog.act(action))

    def report(self, report: Any) -> Run:
        return self.do(self.dialog.report(report))

    def at_pin(self, tries_left: int = 3) -> Run:
        self.act(Agreed())
        return self.report(CertificateRead(CHALLENGE, b"cert", tries_left, 4, 4, 0))

    @property
    def view(self) -> View:
        return [effect.view for effect in self.seen if isinstance(effect, Show)][-1]

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(effect.text) for effect in self.seen if isinstance(effect, Answer)]

    def has(self, kind: type) -> bool:
        return any(isinstance(effect, kind) for effect in self.last)


def test_the_window_asks_first_and_no_card_is_touched() -> None:
    run = Run(CARD)
    assert (run.view.step, run.view.origin, run.view.system) == ("asking", ORIGIN, "facility-booking")
    assert not run.has(StartVisit)
    run.do(run.dialog.show_reader(Reader("ready", "ours", "card-2")))
    assert not run.has(StartVisit)
    for action in (PinTyped(bytearray(b"1234")), LastTryConfirmed()):
        assert run.act(action).last == []


def test_with_a_card_the_way_is_question_reading_pin_signature() -> None:
    run = Run(CARD)
    (_, start) = run.act(Agreed()).last
    assert isinstance(start, StartVisit)
    assert (start.challenge.origin, start.challenge.card) == (ORIGIN, "card-1")
    assert run.view.step == "reading"
    run.report(CertificateRead(CHALLENGE, b"cert", 3, 4, 4, 0))
    assert (run.view.step, run.view.tries_left) == ("pin", 3)
    typed = bytearray(b"1234")
    run.act(PinTyped(typed))
    (given,) = [effect for effect in run.last if isinstance(effect, GivePin)]
    assert given.pin.reveal() == b"1234"
    assert typed == bytearray(4), "what came from the window is overwritten"
    run.report(PinAccepted(CHALLENGE)).report(Signed(CHALLENGE, b"cert", b"sig", 0))
    assert run.has(CloseWindow)
    assert [answer["type"] for answer in run.answers] == ["signed"]
    assert run.dialog.answered


def test_the_window_says_what_the_reader_lacks_until_the_card_is_there() -> None:
    run = Run()
    assert (run.act(Agreed()).view.step, run.view.code) == ("card", "no_card")
    for reader, code in (
        (Reader("missing", "none", ""), "reader_missing"),
        (Reader("service_down", "none", ""), "reader_service_down"),
        (Reader("ready", "mute", "a"), "card_mute"),
        (Reader("ready", "unknown", "b"), "not_my_number_card"),
        (Reader("busy", "unknown", "c"), "reader_busy"),
        (Reader("denied", "unknown", "d"), "access_denied"),
    ):
        run.do(run.dialog.show_reader(reader))
        assert (run.view.step, run.view.code) == ("card", code)
        assert not run.has(StartVisit)
    assert run.do(run.dialog.show_reader(CARD)).has(StartVisit)
    assert run.do(run.dialog.show_reader(Reader("ready", "ours", "card-9"))).last == []


def test_a_wrong_pin_is_told_in_the_window_and_not_to_the_page() -> None:
    run = Run(CARD).at_pin()
    run.act(PinTyped(bytearray(b"0000"))).report(PinWrong(CHALLENGE, 2))
    assert (run.view.step, run.view.wrong, run.view.tries_left) == ("pin", True, 2)
    assert run.answers == []


@pytest.mark.parametrize("typed", [b"", b"123", b"12345", b"12 4", b"12a4x", b"1" * 17, b"1?34"])
def test_a_pin_of_the_wrong_form_is_asked_for_again_and_costs_nothing(typed: bytes) -> None:
    run = Run(CARD).at_pin()
    run.act(PinTyped(bytearray(typed)))
    assert not run.has(GivePin)
    assert (run.view.step, run.view.code, run.view.tries_left) == ("pin", "pin_malformed", 3)


def test_the_last_try_is_confirmed_each_time_before_it_can_be_typed() -> None:
    run = Run(CARD).at_pin(1)
    assert run.view.step == "last_try"
    assert run.act(PinTyped(bytearray(b"1234"))).last == []
    assert (run.act(LastTryConfirmed()).view.step, run.view.tries_left) == ("pin", 1)
    run = Run(CARD).at_pin(2)
    run.act(PinTyped(bytearray(b"0000"))).report(PinWrong(CHALLENGE, 1))
    assert (run.view.step, run.view.wrong) == ("last_try", True)


def test_a_locked_card_is_told_without_a_try() -> None:
    run = Run(CARD).at_pin(0)
    assert run.answers == [{"v": 1, "type": "failed", "code": "pin_locked"}]
    assert (run.view.step, run.view.code) == ("ended", "pin_locked")


@pytest.mark.parametrize("code", ["card_removed", "pin_tries_used", "pin_locked", "signature_mismatch"])
def test_what_the_card_says_ends_the_request(code: str) -> None:
    run = Run(CARD).at_pin()
    run.report(VisitFailed(CHALLENGE, code, retriable=True, tries_left=1))
    assert run.answers == [{"v": 1, "type": "failed", "code": code}]
    assert run.view.step == "ended"
    assert run.act(Declined()).last == [CloseWindow()]
    assert len(run.answers) == 1


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_cancelling_the_page_going_and_time_end_it_at_every_step(steps: int) -> None:
    def there() -> Run:
        run = Run(CARD)
        return run.act(Agreed()) if steps == 1 else run.at_pin() if steps == 2 else run

    for end, code in (
        (lambda run: run.dialog.act(Declined()), "cancelled"),
        (lambda run: run.dialog.act(WindowGone(opened=True)), "cancelled"),
        (lambda run: run.dialog.act(WindowGone(opened=False)), "window_unavailable"),
        (lambda run: run.dialog.lose(), "cancelled"),
        (lambda run: run.dialog.expire(), "challenge_expired"),
    ):
        run = there()
        run.do(end(run))
        assert [answer["code"] for answer in run.answers] == [code]
        assert run.has(EndVisit) == (steps > 0), "a visit that runs is ended"
        assert run.do(run.dialog.lose()).do(run.dialog.expire()).last == []
        late = run.report(Signed(CHALLENGE, b"cert", b"sig", 0))
        assert late.last == [], "a signature that comes too late goes nowhere"


def test_a_report_about_another_request_changes_nothing() -> None:
    run = Run(CARD).at_pin()
    assert run.report(Signed("B" * 22, b"cert", b"sig", 0)).last == []


def test_the_challenge_holds_as_long_as_the_page_said_it_does() -> None:
    assert Run().dialog.deadline == 1170.0


@pytest.mark.parametrize("step", ["asking", "last_try", "working", "ended"])
def test_a_pin_that_is_not_asked_for_is_overwritten_and_goes_nowhere(step: str) -> None:
    run = Run(CARD)
    if step == "last_try":
        run.at_pin(1)
    elif step == "working":
        run.at_pin().act(PinTyped(bytearray(b"1234")))
    elif step == "ended":
        run.at_pin(0)
    typed = bytearray(b"9876")
    assert run.act(PinTyped(typed)).last == []
    assert typed == bytearray(4)
    assert run.view.step == step


def test_a_pin_of_the_wrong_form_is_overwritten_too() -> None:
    for characters in (b"12345", b"12a4"):
        typed = bytearray(characters)
        Run(CARD).at_pin().act(PinTyped(typed))
        assert typed == bytearray(len(characters))


def test_the_card_says_how_long_a_pin_is() -> None:
    run = Run(CARD).act(Agreed()).report(CertificateRead(CHALLENGE, b"cert", 3, 6, 16, 0))
    assert (run.view.minimum, run.view.maximum) == (6, 16)
    assert not run.act(PinTyped(bytearray(b"12345"))).has(GivePin)
    assert run.view.code == "pin_malformed"
    assert run.act(PinTyped(bytearray(b"1234567890123456"))).has(GivePin)
    longest = Run(CARD).act(Agreed()).report(CertificateRead(CHALLENGE, b"cert", 3, 4, 4, 0))
    assert longest.act(PinTyped(bytearray(b"1234"))).has(GivePin)


@pytest.mark.parametrize(
    ("step", "visit"),
    [("asking", False), ("card", False), ("reading", True), ("pin", True), ("last_try", True), ("working", True)],
)
def test_a_card_that_is_held_is_let_go_and_only_one_that_is_held(step: str, visit: bool) -> None:
    run = Run(NOTHING if step == "card" else CARD)
    if step == "card" or step == "reading":
        run.act(Agreed())
    elif step != "asking":
        run.at_pin(1 if step == "last_try" else 3)
    if step == "working":
        run.act(PinTyped(bytearray(b"1234")))
    assert run.view.step == step
    run.do(run.dialog.expire())
    ended = [effect for effect in run.last if isinstance(effect, EndVisit)]
    assert [effect.challenge for effect in ended] == ([CHALLENGE] if visit else [])
    assert not run.has(CloseWindow), "the window says why"
    assert run.act(WindowGone(opened=False)).last == [CloseWindow()]
    assert len(run.answers) == 1


def test_agreeing_and_confirming_count_where_they_are_asked_for() -> None:
    run = Run(CARD).at_pin()
    for action in (Agreed(), LastTryConfirmed()):
        assert run.act(action).last == []
    assert run.view.step == "pin"
    ended = Run(CARD).at_pin(0)
    for action in (Agreed(), LastTryConfirmed()):
        assert ended.act(action).last == []
    assert ended.do(ended.dialog.show_reader(CARD)).last == []


def test_the_answer_in_the_log_is_a_code_and_no_signature() -> None:
    run = Run(CARD).at_pin().act(PinTyped(bytearray(b"1234"))).report(Signed(CHALLENGE, b"cert", b"sig", 0))
    (answer,) = [effect for effect in run.last if isinstance(effect, Answer)]
    assert (answer.code, "sig" in repr(answer)) == ("", False)
    failed = Run(CARD).at_pin(0)
    assert [effect.code for effect in failed.last if isinstance(effect, Answer)] == ["pin_locked"]


def test_the_first_face_says_who_asks_and_nothing_of_a_card() -> None:
    assert Run(CARD).view == View("asking", ORIGIN, "facility-booking")


def test_after_the_answer_nothing_that_ends_a_request_answers_again() -> None:
    for ended in (Run(CARD).at_pin(0), Run(CARD).at_pin().report(Signed(CHALLENGE, b"cert", b"sig", 0))):
        for end in (ended.dialog.lose, ended.dialog.expire):
            assert ended.do(end()).last == []
        assert len(ended.answers) == 1


@pytest.mark.parametrize("typed", [b"12345", b"123456789"])
def test_a_pin_of_another_length_leaves_no_copy_behind(typed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    wiped: list[bytes] = []
    wipe = Pin.wipe
    monkeypatch.setattr(Pin, "wipe", lambda pin: (wiped.append(pin.reveal()), wipe(pin)))
    Run(CARD).at_pin().act(PinTyped(bytearray(typed)))
    Run(CARD).act(PinTyped(bytearray(typed)))
    assert wiped == [typed, typed]
