"""The visit within a page connection: what begins it, what lets a PIN go to the card, and what ends it."""

from __future__ import annotations

import pytest

from bridge import messages
from bridge.effects import Effect, EndVisit, GivePin, Overdue, StartVisit
from bridge.messages import BadState, Failed, Reader
from bridge.states import State
from bridge.strict_json import encode_base64url
from bridge.ticket import UsedTickets
from bridge.visit import BasicFourRead, PinAccepted, PinWrong, Signed, TextReady, VisitFailed
from bridge.visit_turn import STEP_SECONDS
from tests.bridge.authority import NOW
from tests.bridge.page_driver import AUTHORITY, CARD, CERTIFICATE, Driver, sent


@pytest.mark.parametrize("state", [State.READING, State.VERIFYING, State.SIGNING])
def test_a_card_step_that_hangs_ends_the_visit_and_its_late_answer_counts_for_nothing(state: State) -> None:
    driver = Driver().reach(state)
    challenge = driver.challenge
    effects = driver.machine.expire(driver.now + STEP_SECONDS)
    assert [message.code for message in sent(effects) if isinstance(message, Failed)] == ["card_error"]
    assert effects[0] == Overdue(state.value)
    assert any(isinstance(effect, EndVisit) for effect in effects)
    assert driver.machine.report(Signed(challenge, CERTIFICATE, bytes(256), 2), driver.now) == []


def test_the_servers_time_is_counted_on_with_the_bridges_own_clock() -> None:
    for waited, accepted in ((179.0, True), (181.0, False)):
        driver = Driver().reach(State.IDLE)
        driver.now += waited
        effects = driver.say("read_certificate", ticket=AUTHORITY.challenge(CARD, iat=NOW, exp=NOW + 180))
        assert any(isinstance(effect, StartVisit) for effect in effects) is accepted


@pytest.mark.parametrize(
    ("reader", "code"),
    [
        (Reader("ready", "none", ""), "card_removed"),
        (Reader("missing", "none", ""), "card_removed"),
        (Reader("ready", "ours", encode_base64url(b"d" * 16)), "card_swapped"),
        (Reader("ready", "mute", CARD), "card_mute"),
        (Reader("ready", "unknown", CARD), "not_my_number_card"),
        (Reader("busy", "unknown", CARD), "reader_busy"),
        (Reader("denied", "unknown", CARD), "access_denied"),
    ],
)
def test_a_visit_begins_only_with_the_card_it_is_for(reader: Reader, code: str) -> None:
    driver = Driver(reader).reach(State.IDLE)
    effects = driver.read()
    assert [message.code for message in sent(effects) if isinstance(message, Failed)] == [code]
    assert driver.machine.state is State.IDLE
    assert not any(isinstance(effect, StartVisit) for effect in effects)


def test_a_used_challenge_is_refused_on_another_connection_too() -> None:
    used = UsedTickets()
    ticket = AUTHORITY.challenge(CARD)
    for expected in (True, False):
        driver = Driver(used=used).reach(State.IDLE)
        effects = driver.say("read_certificate", ticket=ticket)
        assert any(isinstance(effect, StartVisit) for effect in effects) is expected


def test_a_pin_is_verified_only_when_every_condition_is_met() -> None:
    conditions = {"authenticate": True, "confirm_last_try": True, "pin": True}
    for tries_left, needed in ((3, {"authenticate", "pin"}), (1, set(conditions))):
        for chosen in range(8):
            given = {name for bit, name in enumerate(conditions) if chosen >> bit & 1}
            driver = Driver().reach(State.READING)
            driver.hold(tries_left)
            effects: list[Effect] = []
            for name in sorted(given, key=lambda name: hash((chosen, name))):
                effects += driver.pin() if name == "pin" else driver.say(name)
            assert any(isinstance(effect, GivePin) for effect in effects) is (given >= needed)


def test_after_a_wrong_pin_the_last_try_is_confirmed_anew() -> None:
    driver = Driver().reach(State.READING)
    driver.hold(tries_left=2)
    driver.say("confirm_last_try")
    driver.say("authenticate")
    assert any(isinstance(effect, GivePin) for effect in driver.pin())
    driver.machine.report(PinWrong(driver.challenge, 1), driver.now)
    assert not any(isinstance(effect, GivePin) for effect in driver.pin())
    assert any(isinstance(effect, GivePin) for effect in driver.say("confirm_last_try"))


def test_a_second_pin_and_a_pin_from_a_keypad_that_is_not_there_change_nothing() -> None:
    driver = Driver().reach(State.HOLDING)
    assert sent(driver.say("enter_pin", iv="", data="")) == [BadState(driver.seq, "holding")]
    assert driver.pin() == []
    assert sent(driver.pin(b"5678")) == [BadState(driver.seq, "holding")]


@pytest.mark.parametrize("ending", ["cancel", "bye", "malformed", "displace", "lose", "a failure of the card"])
def test_a_pin_that_waits_is_wiped_however_the_visit_ends(ending: str) -> None:
    driver = Driver().reach(State.HOLDING)
    driver.pin()
    visit = driver.machine._visit._visit
    assert visit is not None
    assert visit.pin is not None
    assert visit.pin.reveal() == b"1234"
    if ending in ("cancel", "bye"):
        driver.say(ending)
    elif ending == "malformed":
        driver.machine.receive("x", driver.now)
    elif ending == "a failure of the card":
        driver.machine.report(VisitFailed(driver.challenge, "card_removed", retriable=True), driver.now)
    else:
        getattr(driver.machine, ending)()
    from bridge.errors import PinMalformed

    with pytest.raises(PinMalformed):
        visit.pin.reveal()


@pytest.mark.parametrize("state", [State.READING, State.HOLDING, State.VERIFYING, State.SIGNING])
def test_whatever_ends_the_connection_ends_the_visit(state: State) -> None:
    endings = ("displace", "lose", "bye", "malformed")
    for ending in endings:
        driver = Driver().reach(state)
        challenge = driver.challenge
        if ending == "bye":
            effects = driver.say("bye")
        elif ending == "malformed":
            effects = driver.machine.receive("x", driver.now)
        else:
            effects = getattr(driver.machine, ending)()
        ended = [effect.challenge for effect in effects if isinstance(effect, EndVisit)]
        assert ended == [challenge]
        assert driver.machine.closed


def test_after_the_signature_a_reading_waits_for_another_secret_and_another_release() -> None:
    driver = Driver().reach(State.IDLE)
    driver.read(purpose="basic_four", consent=encode_base64url(bytes(32)))
    driver.hold()
    driver.say("authenticate")
    driver.pin()
    driver.machine.report(PinAccepted(driver.challenge), driver.now)
    (result,) = sent(driver.machine.report(Signed(driver.challenge, CERTIFICATE, bytes(256), 2), driver.now))
    assert isinstance(result, messages.Result)
    assert driver.machine.state is State.SIGNING
    asked = sent(driver.machine.report(TextReady(driver.challenge, 2, 10), driver.now))
    assert asked == [messages.NeedText(driver.challenge, 2, 10, keypad=False)]
    assert not any(isinstance(effect, GivePin) for effect in driver.pin(b"5678"))  # the server lets it go, once more
    assert any(isinstance(effect, GivePin) for effect in driver.say("authenticate"))
    driver.machine.report(PinAccepted(driver.challenge), driver.now)
    items = "見本 花子".encode()
    effects = driver.machine.report(BasicFourRead(driver.challenge, CERTIFICATE, items, 3), driver.now)
    (told,) = sent(effects)
    assert isinstance(told, messages.BasicFourMessage)
    assert items not in told.data
    assert len(told.data) == len(items) + 16
    assert driver.machine.state is State.IDLE


def test_a_reading_that_is_declined_ends_the_visit_after_its_result() -> None:
    driver = Driver().reach(State.IDLE)
    driver.read(purpose="basic_four", consent=encode_base64url(bytes(32)))
    driver.hold()
    driver.say("authenticate")
    driver.pin()
    driver.machine.report(PinAccepted(driver.challenge), driver.now)
    driver.machine.report(Signed(driver.challenge, CERTIFICATE, bytes(256), 2), driver.now)
    driver.machine.report(TextReady(driver.challenge, 3, 10), driver.now)
    ended = [effect.error.code for effect in driver.say("cancel") if isinstance(effect, EndVisit)]
    assert ended == ["cancelled"]
    assert driver.machine.state is State.IDLE


def test_nothing_of_the_pin_is_in_the_text_of_the_machine_or_its_effects() -> None:
    driver = Driver().reach(State.HOLDING)
    driver.say("authenticate")
    effects = driver.pin(b"7391")
    assert "7391" not in repr(effects)
    assert "7391" not in repr((driver.machine.__dict__, driver.machine._visit.__dict__))
