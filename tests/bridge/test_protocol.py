"""The machine of one page connection: every message in every state, and no noise that moves it."""

from __future__ import annotations

import json
from copy import copy
from operator import attrgetter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import messages
from bridge.effects import Claim, Close, Note, Send
from bridge.messages import BadState, Reader
from bridge.output.order import OutputEnd
from bridge.protocol import HELLO_SECONDS, OPEN_SECONDS, PageConnection
from bridge.states import MESSAGES, REPORTS, State
from bridge.strict_json import encode_base64url
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
from tests.bridge.page_driver import AUTHORITY, CERTIFICATE, OURS, PAGE, Driver, sent

EXAMPLES: dict[str, dict[str, Any]] = {
    "open": {"page_key": encode_base64url(PAGE)},
    "hello": {"ticket": "a.b.c", "keys": ["a.b.c"]},
    "watch": {"seq": 90},
    "read_certificate": {"seq": 90, "ticket": "a.b.c"},
    "enter_pin": {"seq": 90, "iv": encode_base64url(bytes(12)), "data": encode_base64url(bytes(32))},
    "authenticate": {"seq": 90},
    "confirm_last_try": {"seq": 90},
    "hand_over": {"seq": 90, "ticket": "a.b.c"},
    "cancel": {"seq": 90},
    "ping": {"seq": 90},
    "bye": {"seq": 90},
}


def test_both_tables_have_a_row_for_every_state_and_know_only_real_words() -> None:
    assert set(MESSAGES) == set(REPORTS) == set(State)
    words = {kind.kind for kind in messages.PAGE_MESSAGES}
    assert {word for rows in MESSAGES.values() for word in rows} == words
    rows = [row for table in (MESSAGES, REPORTS) for state in table.values() for row in state.values()]
    machine = Driver().machine
    assert all(callable(attrgetter(row.does)(machine)) for row in rows)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_message_in_every_state_does_what_the_table_says(state: State, kind: str) -> None:
    driver = Driver().reach(state)
    effects = driver.send(kind, **EXAMPLES[kind])
    row = MESSAGES[state].get(kind)
    if row is not None:
        assert driver.machine.state in (row.to or (state,))
        assert not any(isinstance(message, BadState) for message in sent(effects))
    elif state is State.CLOSED:
        assert effects == []
    elif state in (State.OPENED, State.GREETED):
        assert [type(effect) for effect in effects] == [Close]
        assert isinstance(effects[0], Close)
        assert effects[0].code == 4401
    else:
        assert sent(effects) == [BadState(EXAMPLES[kind].get("seq", 0), state.value)]
        assert driver.machine.state is state


@pytest.mark.parametrize("state", State)
def test_a_report_about_another_visit_or_hand_over_changes_nothing_in_any_state(state: State) -> None:
    """What a card worker says late, of the visit before, is nothing that this one may sign or show."""
    driver = Driver().reach(state)
    for report in (
        CertificateRead("another", CERTIFICATE, 3, 4, 4, 1),
        PinWrong("another", 2),
        PinAccepted("another"),
        Signed("another", CERTIFICATE, bytes(256), 2),
        EnrolmentSigned("another", CERTIFICATE, bytes(256), b"record", b"issuer", 2),
        TextReady("another", 3, 10),
        BasicFourRead("another", CERTIFICATE, b"items", 3),
        VisitFailed("another", "card_error", retriable=True),
        OutputEnd("another", "", 5),
    ):
        assert (driver.machine.report(report, driver.now), driver.machine.state) == ([], state)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(
    "kind",
    [CertificateRead, PinWrong, PinAccepted, Signed, EnrolmentSigned, TextReady, BasicFourRead, VisitFailed, OutputEnd],
)
def test_every_report_in_every_state_does_what_the_table_says(state: State, kind: type) -> None:
    driver = Driver().reach(state)
    challenge = driver.machine.challenge or "none"
    report = {
        CertificateRead: CertificateRead(challenge, CERTIFICATE, 3, 4, 4, 1),
        PinWrong: PinWrong(challenge, 2),
        PinAccepted: PinAccepted(challenge),
        Signed: Signed(challenge, CERTIFICATE, bytes(256), 2),
        EnrolmentSigned: EnrolmentSigned(challenge, CERTIFICATE, bytes(256), b"record", b"issuer", 2),
        TextReady: TextReady(challenge, 3, 10),
        BasicFourRead: BasicFourRead(challenge, CERTIFICATE, b"items", 3),
        VisitFailed: VisitFailed(challenge, "card_error", retriable=True),
        OutputEnd: OutputEnd(driver.output, "", 5),
    }[kind]
    effects = driver.machine.report(report, driver.now)
    row = REPORTS[state].get(kind)
    if row is None:
        assert (effects, driver.machine.state) == ([], state)
    else:
        assert driver.machine.state in row.to
        assert sent(effects)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
@pytest.mark.parametrize(
    ("text", "code"),
    [("x", 4400), ("{}", 4400), ('{"v":1,"type":"ping","seq":0}', 4400), ('{"v":2,"type":"ping","seq":99}', 4426)],
)
def test_malformed_messages_close(state: State, text: str, code: int) -> None:
    driver = Driver().reach(state)
    closes = [effect for effect in driver.machine.receive(text, driver.now) if isinstance(effect, Close)]
    assert [close.code for close in closes] == [code]
    assert driver.machine.closed


def test_the_sequence_must_rise() -> None:
    for seq in (5, 4):
        driver = Driver().reach(State.IDLE)
        assert sent(driver.send("ping", seq=5)) == [messages.Pong(5)]
        assert isinstance(driver.send("ping", seq=seq)[-1], Close)


def test_greeting_and_welcome() -> None:
    driver = Driver()
    assert sent(driver.open()) == [messages.Greeting(AUTHORITY.terminal_id, driver.nonce, "test")]
    claim, welcome = driver.hello()
    assert claim == Claim()
    assert isinstance(welcome, Send)
    assert isinstance(welcome.message, messages.Welcome)
    assert welcome.message.keypad is False


@pytest.mark.parametrize("page_key", [bytes(32), b"\x01" + bytes(31)])
def test_a_page_key_that_gives_no_secret_is_refused(page_key: bytes) -> None:
    driver = Driver()
    driver.send("open", page_key=encode_base64url(page_key))
    ticket = AUTHORITY.hello(driver.nonce, page_key)
    effects = driver.send("hello", ticket=ticket, keys=[AUTHORITY.statement()])
    assert effects == [Note("hello_refused", "weak page key"), Close(4401, "hello refused")]


def test_a_hello_of_another_bridge_is_refused() -> None:
    driver = Driver().reach(State.GREETED)
    effects = driver.hello(address="127.0.0.1:9999")
    assert effects == [Note("hello_refused", "dialled another address"), Close(4401, "hello refused")]


def test_time_runs_out_before_hello() -> None:
    driver = Driver()
    assert driver.machine.deadline == driver.now + OPEN_SECONDS
    assert driver.machine.expire(driver.now + 1) == []
    assert driver.machine.expire(driver.now + OPEN_SECONDS) == [Close(4401, "too late")]
    driver = Driver().reach(State.GREETED)
    assert driver.machine.deadline == driver.now + HELLO_SECONDS
    assert driver.machine.expire(driver.now + HELLO_SECONDS) == [Close(4401, "too late")]


def test_the_reader_is_told_only_to_a_page_that_watches_and_only_when_it_changed() -> None:
    none = Reader("ready", "none", "")
    driver = Driver().reach(State.IDLE)
    assert driver.machine.show_reader(none) == []
    assert sent(driver.say("watch")) == [none]
    assert driver.machine.show_reader(none) == []
    assert driver.machine.show_reader(OURS) == [Send(OURS)]


def make_noise(random: Random) -> str:
    """Text that is sometimes close to a message."""
    if random.random() < 0.3:
        return "".join(chr(random.randrange(1, 0x3000)) for _ in range(random.randrange(60)))
    kind = random.choice([*EXAMPLES, "transmit", ""])
    fields: dict[str, Any] = {"v": 1, "type": kind, **EXAMPLES.get(kind, {})}
    for _ in range(random.randrange(1, 3)):
        change = random.choice([None, True, -1, 2**60, 1.5, "", "\ud800", [], {}, "A" * 43, [[[[[]]]]]])
        fields[random.choice([*fields, "extra", "seq"])] = change
    text = json.dumps(fields)
    cut = random.randrange(len(text))
    return text if random.random() < 0.7 else text[:cut] + random.choice(["", '"', "}", "\x00"]) + text[cut:]


def twin_of(machine: PageConnection) -> PageConnection:
    """What happens to it does not happen to `machine`."""
    twin = copy(machine)
    twin._visit, twin._output = copy(machine._visit), copy(machine._output)
    return twin


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(st.sampled_from([state for state in State if state is not State.CLOSED]), st.integers(0, 2**32))
def test_ten_thousand_messages_of_noise_close_the_connection_or_change_nothing(state: State, seed: int) -> None:
    random = Random(seed)
    driver = Driver().reach(state)
    for _ in range(100):
        machine, text = twin_of(driver.machine), make_noise(random)
        effects = machine.receive(text, driver.now)
        if not _legal(text):
            closes = [effect for effect in effects if isinstance(effect, Close)]
            assert [close.code for close in closes] == [4426 if closes[0].reason == "wrong version" else 4400]
            assert machine.closed
        elif not machine.closed:
            row = MESSAGES[state].get(json.loads(text)["type"])
            assert machine.state in ((row.to or (state,)) if row else (state,))


def _legal(text: str) -> bool:
    try:
        messages.parse_page_message(text)
    except messages.MalformedMessage:
        return False
    return True
