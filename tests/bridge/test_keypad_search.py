"""A PIN on the reader's own keypad: the machine, the worker, and a whole bridge with the virtual reader's keys."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.card.keypad import KEYPAD_SECONDS
from bridge.card.pin import OnKeypad
from bridge.effects import Effect, EndVisit, GivePin
from bridge.errors import Cancelled
from bridge.messages import BadState, Failed, NeedPin
from bridge.states import State
from bridge.strict_json import encode_base64url
from bridge.visit import BasicFourRead, CertificateRead, PinAccepted, PinWrong, Signed, TextReady
from bridge.visit_turn import STEP_SECONDS
from bridge.worker import Recognised
from tests.bridge.page import Page, expect_failure, running_bridge
from tests.bridge.page_driver import Driver, sent
from tests.bridge.test_worker import SIGN, VERIFY, Bench, bench
from tests.support.profiles import CODE_B, PIN, TEXT_PIN, press_keys

ON_READER = {"iv": "", "data": ""}


def given(effects: list[Effect]) -> list[GivePin]:
    return [effect for effect in effects if isinstance(effect, GivePin)]


# ---- the machine ----


def holding(tries_left: int = 3) -> Driver:
    driver = Driver().reach(State.READING)
    (need,) = [message for message in sent(driver.hold(tries_left, keypad=True)) if isinstance(message, NeedPin)]
    assert (need.keypad, need.min, need.max, need.confirm) == (True, 4, 4, tries_left == 1)
    return driver


@pytest.mark.parametrize(("tries_left", "needed"), [(3, {"authenticate"}), (1, {"authenticate", "confirm_last_try"})])
def test_the_reader_takes_keys_only_when_every_condition_is_met(tries_left: int, needed: set[str]) -> None:
    for chosen in range(8):
        words = [
            word for bit, word in enumerate(("enter_pin", "authenticate", "confirm_last_try")) if chosen >> bit & 1
        ]
        driver = holding(tries_left)
        effects = [
            effect for word in words for effect in driver.say(word, **(ON_READER if word == "enter_pin" else {}))
        ]
        asked = given(effects)
        assert bool(asked) is (set(words) >= needed | {"enter_pin"})
        assert all(isinstance(effect.pin, OnKeypad) for effect in asked)


def test_a_pin_from_the_page_is_refused_while_the_reader_has_the_keys() -> None:
    driver = holding()
    driver.say("authenticate")
    assert sent(driver.pin()) == [BadState(driver.seq, "holding")]
    assert given(driver.say("enter_pin", **ON_READER))


def test_the_page_asks_once_for_one_pin_and_anew_after_a_wrong_one() -> None:
    driver = holding()
    driver.say("enter_pin", **ON_READER)
    assert sent(driver.say("enter_pin", **ON_READER)) == [BadState(driver.seq, "holding")]
    assert given(driver.say("authenticate"))
    driver.machine.report(PinWrong(driver.challenge, 1), driver.now)
    assert not given(driver.say("enter_pin", **ON_READER))
    assert given(driver.say("confirm_last_try"))


def test_typing_on_the_reader_has_the_readers_time() -> None:
    driver = holding()
    driver.say("authenticate")
    driver.say("enter_pin", **ON_READER)
    assert driver.machine.expire(driver.now + KEYPAD_SECONDS + STEP_SECONDS - 1) == []
    overdue = sent(driver.machine.expire(driver.now + KEYPAD_SECONDS + STEP_SECONDS))
    assert [message.code for message in overdue if isinstance(message, Failed)] == ["card_error"]


def test_a_page_that_stops_is_told_at_once_and_what_is_typed_then_counts_for_nothing() -> None:
    driver = holding()
    challenge = driver.challenge
    driver.say("authenticate")
    driver.say("enter_pin", **ON_READER)
    effects = driver.say("cancel")
    assert any(isinstance(effect, EndVisit) for effect in effects)
    assert [message.code for message in sent(effects) if isinstance(message, Failed)] == ["cancelled"]
    assert driver.machine.report(PinAccepted(challenge), driver.now) == []
    assert driver.machine.report(Signed(challenge, b"", bytes(256), 2), driver.now) == []


@pytest.mark.parametrize(("characters", "taken"), [(b"5678", False), (CODE_B.encode(), True), (b"12345", False)])
def test_of_the_text_application_only_code_b_comes_from_the_page(characters: bytes, taken: bool) -> None:
    driver = basic_four()
    driver.say("authenticate")
    effects = driver.pin(characters)
    assert bool(given(effects)) is taken
    assert (sent(effects) == [BadState(driver.seq, "holding")]) is not taken
    if not taken:
        assert given(driver.say("enter_pin", **ON_READER))


def basic_four() -> Driver:
    driver = Driver().reach(State.IDLE)
    driver.read(purpose="basic_four", consent=encode_base64url(bytes(32)))
    driver.hold(keypad=True)
    driver.say("authenticate")
    driver.say("enter_pin", **ON_READER)
    driver.machine.report(PinAccepted(driver.challenge), driver.now)
    driver.machine.report(Signed(driver.challenge, b"certificate", bytes(256), 2), driver.now)
    driver.machine.report(TextReady(driver.challenge, 3, 10, keypad=True), driver.now)
    assert driver.machine.state is State.HOLDING
    return driver


# ---- the worker ----


def on_reader(at: Bench, name: str = "challenge") -> None:
    at.worker.give_pin(name, OnKeypad())


def reach_keys(at: Bench, name: str = "challenge") -> None:
    at.begin(name)
    read = at.next(CertificateRead)
    assert isinstance(read, CertificateRead)
    assert (read.keypad, read.pin_minimum, read.pin_maximum) == (True, 4, 4)
    on_reader(at, name)


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[tuple[Bench, Path]]:
    """A worker whose reader has keys, and the folder in which they are pressed."""
    press_keys(tmp_path, 1, "")
    with bench(tmp_path, reader_keypad=True) as at:
        yield at, tmp_path


def test_the_reader_verifies_and_this_program_sends_no_pin(keyed: tuple[Bench, Path]) -> None:
    at, folder = keyed
    press_keys(folder, 2, PIN)
    reach_keys(at)
    at.next(PinAccepted)
    at.next(Signed)
    assert not [command for command in at.source.commands if command[1] == VERIFY and len(command) > 4]


@pytest.mark.parametrize(
    ("keys", "code", "often"),  # three times is one more than a card may be asked
    [
        ("timeout", "pin_timeout", 3),
        ("cancel", "cancelled", 3),
        ("123", "pin_malformed", 3),
        ("refuse", "keypad_failed", 1),
    ],
)
def test_keys_that_give_no_pin_end_the_visit_and_use_no_try_however_often(
    keyed: tuple[Bench, Path], keys: str, code: str, often: int
) -> None:
    at, folder = keyed
    for serial in range(2, 2 + often):
        press_keys(folder, serial, keys)
        reach_keys(at, str(serial))
        assert at.failure() == code
    press_keys(folder, 5, PIN)
    reach_keys(at, "last")
    at.next(PinAccepted)


def test_two_wrong_pins_on_the_reader_are_the_most_for_one_laying(keyed: tuple[Bench, Path]) -> None:
    at, folder = keyed
    press_keys(folder, 2, "0000")
    reach_keys(at)
    assert at.next(PinWrong) == PinWrong("challenge", 2)
    press_keys(folder, 3, "0000")
    on_reader(at)
    assert at.failure() == "pin_tries_used"
    at.begin("another")
    assert at.failure() == "pin_tries_used"


def test_a_card_that_locks_is_locked(tmp_path: Path) -> None:
    press_keys(tmp_path, 1, "")
    with bench(tmp_path, {"auth_pin": {"value": PIN, "tries": 3, "left": 1}}, reader_keypad=True) as at:
        press_keys(tmp_path, 2, "0000")
        reach_keys(at)
        assert at.failure() == "pin_locked"


def test_a_visit_that_ended_signs_nothing_whatever_is_typed(keyed: tuple[Bench, Path]) -> None:
    at, folder = keyed
    waiting = at.worker._keypad
    assert waiting is not None
    reach_keys(at)
    assert waiting._waiting.wait(20)
    at.worker.end("challenge", Cancelled())
    at.begin("next")
    assert at.failure() == "keypad_busy"
    at.worker.recognise(at.instance)
    assert at.next(Recognised) == Recognised(at.instance.id, "unknown", "busy")
    press_keys(folder, 2, PIN)
    assert at.failure() == "cancelled"
    assert SIGN not in at.source.instructions()
    press_keys(folder, 3, PIN)
    reach_keys(at, "last")
    assert at.source.closed == [True]  # the card was without power in between
    at.next(PinAccepted)


def test_the_text_applications_pin_is_typed_there_too(keyed: tuple[Bench, Path]) -> None:
    at, folder = keyed
    at.begin(service="facility", purpose="basic_four", consent=bytes(32))
    at.next(CertificateRead)
    press_keys(folder, 2, PIN)
    on_reader(at)
    at.next(PinAccepted)
    at.next(Signed)
    ready = at.next(TextReady)
    assert isinstance(ready, TextReady)
    assert ready.keypad
    press_keys(folder, 3, TEXT_PIN)
    on_reader(at)
    at.next(PinAccepted)
    at.next(BasicFourRead)


def test_the_text_applications_pin_that_is_not_typed_uses_no_try_however_often(keyed: tuple[Bench, Path]) -> None:
    at, folder = keyed

    def reach_text_keys(serial: int, keys: str) -> None:
        at.begin(str(serial), service="facility", purpose="basic_four", consent=bytes(32))
        at.next(CertificateRead)
        press_keys(folder, serial, PIN)
        on_reader(at, str(serial))
        at.next(PinAccepted)
        at.next(Signed)
        at.next(TextReady)
        press_keys(folder, serial + 1, keys)
        on_reader(at, str(serial))

    for serial in (2, 4, 6):  # three times is one more than a card may be asked
        reach_text_keys(serial, "cancel")
        assert at.failure() == "cancelled"
    reach_text_keys(8, TEXT_PIN)
    at.next(PinAccepted)
    at.next(BasicFourRead)


@pytest.mark.parametrize("application", [PIN, TEXT_PIN], ids=["certificate", "text"])
def test_the_reader_is_not_asked_for_a_visit_that_ends_at_the_last_question(
    keyed: tuple[Bench, Path], application: str
) -> None:
    at, folder = keyed
    waiting = at.worker._keypad
    assert waiting is not None
    at.begin(service="facility", purpose="basic_four", consent=bytes(32))
    at.next(CertificateRead)
    if application == TEXT_PIN:
        press_keys(folder, 2, PIN)
        on_reader(at)
        at.next(PinAccepted)
        at.next(Signed)
        at.next(TextReady)

    def end(command: bytes) -> None:
        if command[1] == VERIFY:
            at.worker.end("challenge", Cancelled())

    at.source.after = end
    on_reader(at)
    assert at.failure() == "cancelled"  # by itself: no key was pressed
    assert not waiting.waiting


def test_a_birth_key_is_never_typed_on_the_reader(keyed: tuple[Bench, Path]) -> None:
    at, _ = keyed
    at.begin(purpose="enrol", method="kazashi", consent=bytes(32))
    read = at.next(CertificateRead)
    assert isinstance(read, CertificateRead)
    assert (read.secret, read.keypad) == ("birth_key", False)


def test_a_reader_without_keys_is_named_once_and_the_screen_has_them(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs, bench(tmp_path, reader_keypad=True) as at:
        for name in ("first", "second"):
            at.begin(name)
            read = at.next(CertificateRead)
            assert isinstance(read, CertificateRead)
            assert not read.keypad
            at.give(PIN, name)
            at.next(PinAccepted)
            at.next(Signed)
    assert [line["log_level"] for line in logs if line["event"] == "reader_keypad_missing"] == ["warning"]


def test_keys_that_are_there_are_not_used_unless_that_is_set(tmp_path: Path) -> None:
    press_keys(tmp_path, 1, "")
    with bench(tmp_path) as at:
        at.begin()
        read = at.next(CertificateRead)
    assert isinstance(read, CertificateRead)
    assert not read.keypad


# ---- a whole bridge ----


@asynccontextmanager
async def keypad_page(folder: Path, **card: Any) -> AsyncIterator[Page]:
    press_keys(folder, 1, "")
    async with running_bridge(folder, reader_keypad=True, **card) as bridge, Page.verified(bridge) as page:
        bridge.lay("cards/taro")
        await page.expect_card("ours")
        yield page


async def ask_reader(page: Page) -> str:
    """Up to the reader's waiting for its keys."""
    certificate, need = await page.read_certificate()
    assert need["keypad"] is True
    await page.say("authenticate")
    await page.say("enter_pin", **ON_READER)
    while (await page.expect("progress"))["step"] != "verifying":
        pass
    return str(certificate["challenge"])


def test_wrong_then_right_over_the_socket(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with keypad_page(tmp_path) as page:
            press_keys(tmp_path, 2, "9753")
            await ask_reader(page)
            assert (await page.expect("pin_refused"))["tries_left"] == 2
            press_keys(tmp_path, 3, PIN)
            await page.say("enter_pin", **ON_READER)
            assert (await page.expect("result"))["card_signature"]
            assert page.bridge.tries_left() == 3

    caplog.set_level(logging.DEBUG)
    asyncio.run(story())
    assert "9753" not in caplog.text


def test_the_socket_lives_while_the_reader_waits_and_a_stop_is_told_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with keypad_page(tmp_path) as page:
            await ask_reader(page)
            await page.say("ping")
            await page.expect("pong")
            keypad = page.bridge.service._worker._keypad
            assert keypad is not None
            assert await asyncio.to_thread(keypad._waiting.wait, 20)
            await page.say("cancel")
            await expect_failure(page, "cancelled")
            await page.say("read_certificate", ticket=page.challenge())
            await expect_failure(page, "keypad_busy")
            press_keys(tmp_path, 2, "cancel")
            while True:  # until the reader has given up
                await page.say("read_certificate", ticket=page.challenge())
                answer = await page.receive()
                while answer["type"] not in ("failed", "need_pin"):
                    answer = await page.receive()
                if answer["type"] == "need_pin":
                    break
                assert answer["code"] == "keypad_busy"
            assert answer["tries_left"] == 3

    asyncio.run(story())


def test_a_card_lifted_from_a_waiting_reader_ends_the_visit(tmp_path: Path) -> None:
    async def story() -> None:
        async with keypad_page(tmp_path) as page:
            await ask_reader(page)
            page.bridge.lay(None)
            await expect_failure(page, "card_removed")
            page.bridge.lay("cards/taro")
            await page.expect_card("ours")
            press_keys(tmp_path, 2, PIN)
            await ask_reader(page)
            await page.expect("result")

    asyncio.run(story())
