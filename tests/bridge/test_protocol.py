"""The machine of one page connection: every message in every state, and no noise that moves it."""

from __future__ import annotations

import json
import secrets
from copy import copy
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import messages
from bridge.effects import (
    Claim,
    Close,
    Effect,
    EndOutput,
    EndVisit,
    GivePin,
    Note,
    Overdue,
    Send,
    StartOutput,
    StartVisit,
)
from bridge.evidence import build_pin_data, build_welcome, derive_hash
from bridge.messages import BadState, Failed, HandedOver, Reader
from bridge.output.order import OutputEnd
from bridge.protocol import HELLO_SECONDS, OPEN_SECONDS, STEP_SECONDS, PageConnection
from bridge.states import MESSAGES, REPORTS, State
from bridge.strict_json import encode_base64url
from bridge.ticket import UsedTickets
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
from tests.bridge.authority import ADDRESS, NOW, Authority

AUTHORITY = Authority()
CARD = encode_base64url(b"c" * 16)
OURS = Reader("ready", "ours", CARD)
CERTIFICATE = b"stands for a certificate"
PAGE_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PAGE = PAGE_KEY.public_key().public_bytes_raw()


class Driver:
    """One machine and the page that speaks to it. `now` is the machine's clock."""

    def __init__(self, reader: Reader = OURS, used: UsedTickets | None = None) -> None:
        self.now = 1000.0
        self.seq = 0
        self.nonce = secrets.token_bytes(32)
        self.bridge_key = X25519PrivateKey.generate()
        self.machine = PageConnection(
            terminal=AUTHORITY.terminal,
            address=ADDRESS,
            version="test",
            nonce=self.nonce,
            bridge_key=self.bridge_key,
            used=used or UsedTickets(),
            reader=reader,
            now=self.now,
        )
        self.ticket = ""

    @property
    def challenge(self) -> str:
        challenge = self.machine.challenge
        assert challenge is not None
        return challenge

    @property
    def output(self) -> str:
        running = self.machine._turn.running
        return "none" if running is None else running.jti

    def send(self, kind: str, **fields: Any) -> list[Effect]:
        return self.machine.receive(json.dumps({"v": 1, "type": kind, **fields}), self.now)

    def say(self, kind: str, **fields: Any) -> list[Effect]:
        self.seq += 1
        return self.send(kind, seq=self.seq, **fields)

    def open(self) -> list[Effect]:
        return self.send("open", page_key=encode_base64url(PAGE))

    def hello(self, **claims: Any) -> list[Effect]:
        self.ticket = AUTHORITY.hello(self.nonce, PAGE, **claims)
        return self.send("hello", ticket=self.ticket, keys=[AUTHORITY.statement()])

    def read(self, **claims: Any) -> list[Effect]:
        return self.say("read_certificate", ticket=AUTHORITY.challenge(claims.pop("card", CARD), **claims))

    def hand_over(self, number: str = "0123", **claims: Any) -> list[Effect]:
        return self.say("hand_over", ticket=AUTHORITY.output(claims.pop("card", CARD), number, **claims))

    def hold(self, tries_left: int = 3) -> list[Effect]:
        return self.machine.report(CertificateRead(self.challenge, CERTIFICATE, tries_left, 4, 4, 1), self.now)

    def pin(self, pin: bytes = b"1234") -> list[Effect]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        welcome = build_welcome(
            ticket=self.ticket,
            terminal=AUTHORITY.terminal_id,
            origin=AUTHORITY.origin,
            address=ADDRESS,
            bridge_nonce=self.nonce,
            page_key=PAGE,
            bridge_key=self.bridge_key.public_key().public_bytes_raw(),
        )
        shared = PAGE_KEY.exchange(self.bridge_key.public_key())
        key = HKDF(algorithm=SHA256(), length=32, salt=derive_hash(welcome), info=b"kiosk-pin/1").derive(shared)
        bound = build_pin_data(challenge=self.machine.challenge or "", card=CARD, seq=self.seq + 1)
        data = AESGCM(key).encrypt(bytes(12), pin.ljust(16, b"\0"), bound)
        return self.say("enter_pin", iv=encode_base64url(bytes(12)), data=encode_base64url(data))

    def reach(self, state: State) -> Driver:
        """Bring a fresh machine into `state` the ordinary way."""
        steps = {
            State.GREETED: self.open,
            State.IDLE: self.hello,
            State.READING: self.read,
            State.HOLDING: self.hold,
            State.VERIFYING: lambda: [*self.say("authenticate"), *self.pin()],
            State.SIGNING: lambda: self.machine.report(PinAccepted(self.challenge), self.now),
        }
        if state is State.CLOSED:
            self.machine.displace()
        elif state is State.HANDING_OVER:
            self.reach(State.IDLE).hand_over()
        elif state is not State.OPENED:
            for reached, step in steps.items():
                step()
                if reached is state:
                    break
        assert self.machine.state is state
        return self


def sent(effects: list[Effect]) -> list[messages.BridgeMessage]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


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
    assert all(hasattr(PageConnection, row.does) for row in rows)


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


def test_a_pin_that_waits_is_wiped_when_the_visit_ends() -> None:
    driver = Driver().reach(State.HOLDING)
    driver.pin()
    visit = driver.machine._visit
    assert visit is not None
    assert visit.pin is not None
    assert visit.pin.reveal() == b"1234"
    driver.say("cancel")
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


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(st.sampled_from([state for state in State if state is not State.CLOSED]), st.integers(0, 2**32))
def test_ten_thousand_messages_of_noise_close_the_connection_or_change_nothing(state: State, seed: int) -> None:
    random = Random(seed)
    driver = Driver().reach(state)
    for _ in range(100):
        machine, text = copy(driver.machine), make_noise(random)
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
    assert asked == [messages.NeedText(driver.challenge, 2, 10)]
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
    assert "7391" not in repr(driver.machine.__dict__)


def test_an_output_ticket_starts_one_hand_over_and_its_end_is_told() -> None:
    driver = Driver().reach(State.IDLE)
    (start,) = driver.hand_over("0123AZ")
    assert isinstance(start, StartOutput)
    assert (start.output.number, start.output.kind, start.output.card) == ("0123AZ", "serial", CARD)
    assert "0123AZ" not in repr(start)
    assert sent(driver.hand_over("0124")) == [BadState(driver.seq, "handing_over")]
    ended = driver.machine.report(OutputEnd(start.output.jti, "", 7), driver.now)
    assert sent(ended) == [HandedOver(start.output.jti, "", 7)]
    assert driver.machine.state is State.IDLE


@pytest.mark.parametrize(
    ("reader", "code"),
    [
        (Reader("ready", "none", ""), "card_removed"),
        (Reader("ready", "ours", encode_base64url(b"d" * 16)), "card_swapped"),
        (Reader("missing", "none", ""), "card_removed"),
    ],
)
def test_without_its_card_nothing_is_handed_over(reader: Reader, code: str) -> None:
    driver = Driver(reader).reach(State.IDLE)
    (answer,) = sent(driver.hand_over())
    assert isinstance(answer, HandedOver)
    assert (answer.code, answer.sent) == (code, 0)
    assert driver.machine.state is State.IDLE


def test_a_card_that_goes_ends_the_hand_over() -> None:
    driver = Driver().reach(State.HANDING_OVER)
    (end,) = [it for it in driver.machine.show_reader(Reader("ready", "none", "")) if isinstance(it, EndOutput)]
    assert (end.output, end.error.code) == (driver.output, "card_removed")


@pytest.mark.parametrize("how", ["cancel", "bye"])
def test_the_page_can_end_the_hand_over(how: str) -> None:
    driver = Driver().reach(State.HANDING_OVER)
    output = driver.output
    ends = [effect for effect in driver.say(how) if isinstance(effect, EndOutput)]
    assert [end.output for end in ends] == [output]


@pytest.mark.parametrize("later", [5.1, 60.0])
def test_an_output_ticket_lives_five_seconds(later: float) -> None:
    driver = Driver().reach(State.IDLE)
    driver.now += later
    (answer,) = sent(driver.hand_over())
    assert answer == HandedOver("", "ticket_refused", 0)


def test_an_output_ticket_is_used_once() -> None:
    driver = Driver().reach(State.IDLE)
    ticket = AUTHORITY.output(CARD, "0123")
    driver.say("hand_over", ticket=ticket)
    driver.machine.report(OutputEnd(driver.output, "output_window_missing", 0), driver.now)
    assert sent(driver.say("hand_over", ticket=ticket)) == [HandedOver("", "ticket_refused", 0)]
