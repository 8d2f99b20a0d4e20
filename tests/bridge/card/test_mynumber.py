"""The whole card against the virtual one: what a visit sends, and what becomes of every fault of the card."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.card.applet import CommandForms
from bridge.card.channel import ForbiddenCommand
from bridge.card.mynumber import MyNumberCard, NotRecognised
from bridge.card.pin import Pin
from bridge.card.status_word import SecurityStatusNotSatisfied, StatusWordError
from bridge.card.token_label import CardKind
from bridge.errors import (
    BridgeError,
    CardDataMalformed,
    CardRemoved,
    NotMyNumberCard,
    PinLocked,
    PinMalformed,
    PinRefused,
)
from tests.support.profiles import PIN, make_certificate, make_key, write_profile
from tests.support.transports import ScriptedTransport, VirtualTransport, make_card

DIGEST = hashlib.sha256(b"challenge").digest()
SELECT_JPKI = "00A4040C0AD392F000260100000001"


def open_card(folder: Path, forms: CommandForms = CommandForms.SHORT_IDS, **profile: Any) -> MyNumberCard:
    return MyNumberCard(VirtualTransport(make_card(write_profile(folder, **profile))), forms=forms)


def sent_by(card: MyNumberCard) -> list[str]:
    transport = card._channel._transport
    assert isinstance(transport, VirtualTransport)
    return transport.sent


def visit(card: MyNumberCard, pin: str = PIN) -> bytes:
    """From recognition to signature."""
    card.recognise()
    card.read_authentication_certificate()
    card.read_pin_tries_left()
    card.verify_pin(Pin.from_ascii(pin.encode()))
    return card.sign_digest(DIGEST)


def require_signature(signature: bytes, key: str = "taro-auth") -> None:
    make_key(key).public_key().verify(signature, b"challenge", PKCS1v15(), SHA256())


@pytest.mark.parametrize("length", [1400, 1535, 1536, 1537, 1583, 1792, 1800])
def test_a_visit_is_exactly_five_exchanges_and_one_for_each_256_bytes(tmp_path: Path, length: int) -> None:
    card = open_card(tmp_path, certificate_length=length)
    require_signature(visit(card))
    sent = sent_by(card)
    assert len(sent) == 5 + -(-length // 256)
    assert len(set(sent)) == len(sent)


def test_the_commands_of_a_visit_are_these_and_in_this_order(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    visit(card)
    sent = sent_by(card)
    assert sent[:3] == [SELECT_JPKI, "00B0860020", "00B08A0000"]
    assert sent[3:9] == [f"00B0{block:02X}0000" for block in range(1, 6)] + ["00B006002F"]
    assert sent[9:11] == ["00200098", "002000980431323334"]
    assert sent[11].startswith("802A0097333031300D060960864801650304020105000420")


def test_after_the_pin_nothing_but_verify_and_sign_is_sent(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    card.recognise()
    card.read_authentication_certificate()
    card.read_pin_tries_left()
    before = len(sent_by(card))
    card.verify_pin(Pin.from_ascii(PIN.encode()))
    card.sign_digest(DIGEST)
    assert [command[2:4] for command in sent_by(card)[before:]] == ["20", "2A"]


def test_the_certificate_is_read_exactly_however_much_filler_follows_it(tmp_path: Path) -> None:
    card = open_card(tmp_path, switches={"padding": 300})
    assert card.recognise().kind is CardKind.MY_NUMBER_CARD
    assert card.read_authentication_certificate() == make_certificate("taro-auth")


@pytest.mark.parametrize("forms", CommandForms)
def test_every_command_form_leads_to_the_same_visit(tmp_path: Path, forms: CommandForms) -> None:
    card = open_card(tmp_path, forms)
    require_signature(visit(card))
    assert card.read_authentication_certificate() == make_certificate("taro-auth")
    assert card.forms is forms


def test_the_extended_form_reads_the_certificate_in_one_exchange(tmp_path: Path) -> None:
    card = open_card(tmp_path, CommandForms.EXTENDED)
    visit(card)
    assert sent_by(card)[2] == "00B08A00000000"
    assert len(sent_by(card)) == 6


def test_a_card_without_extended_length_is_read_in_blocks(tmp_path: Path) -> None:
    card = open_card(tmp_path, CommandForms.EXTENDED, switches={"extended_length": False})
    require_signature(visit(card))
    assert card.forms is CommandForms.SHORT_IDS


def test_a_card_without_short_identifiers_is_asked_in_the_long_form_from_then_on(tmp_path: Path) -> None:
    card = open_card(tmp_path, switches={"short_ids": False})
    require_signature(visit(card))
    assert card.forms is CommandForms.LONG
    assert "00A4020C020018" in sent_by(card)
    assert sent_by(card).count("002000800431323334") == 1


def test_a_sleepy_card_is_woken_without_anybody_noticing(tmp_path: Path) -> None:
    card = open_card(tmp_path, switches={"first_command_6f00": True})
    require_signature(visit(card))
    assert sent_by(card)[:2] == [SELECT_JPKI, SELECT_JPKI]


def test_a_wrong_pin_tells_the_tries_left_and_the_last_one_locks(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    card.recognise()
    wrong = Pin.from_ascii(b"0000")
    for left in (2, 1):
        with pytest.raises(PinRefused) as refused:
            card.verify_pin(wrong)
        assert refused.value.tries_left == left
        assert card.read_pin_tries_left() == left
    for _ in range(2):
        with pytest.raises(PinLocked) as locked:
            card.verify_pin(wrong)
        assert locked.value.tries_left == 0
    assert card.read_pin_tries_left() == 0
    with pytest.raises(PinLocked):
        card.verify_pin(Pin.from_ascii(PIN.encode()))


@pytest.mark.parametrize("status", ["6983", "6984"])
def test_both_answers_of_a_locked_card_mean_locked(tmp_path: Path, status: str) -> None:
    card = open_card(tmp_path, auth_pin={"value": PIN, "tries": 3, "left": 0}, switches={"blocked_status": status})
    card.recognise()
    with pytest.raises(PinLocked):
        card.verify_pin(Pin.from_ascii(PIN.encode()))


def test_a_right_pin_gives_all_tries_back(tmp_path: Path) -> None:
    card = open_card(tmp_path, auth_pin={"value": PIN, "tries": 3, "left": 1})
    card.recognise()
    assert card.read_pin_tries_left() == 1
    card.verify_pin(Pin.from_ascii(PIN.encode()))
    assert card.read_pin_tries_left() == 3


@pytest.mark.parametrize("characters", [b"123", b"12345", b"ABCD"])
def test_a_pin_of_another_form_is_refused_before_the_card_is_asked(tmp_path: Path, characters: bytes) -> None:
    card = open_card(tmp_path)
    card.recognise()
    before = len(sent_by(card))
    with pytest.raises(PinMalformed):
        card.verify_pin(Pin.from_ascii(characters))
    assert len(sent_by(card)) == before
    assert card.read_pin_tries_left() == 3


def test_a_simulated_card_takes_a_long_pin(tmp_path: Path) -> None:
    pin = {"value": "SENTINEL1234", "tries": 3, "left": 3}
    card = open_card(tmp_path, label="JPKIAPSIMTOKEN", auth_pin=pin)
    require_signature(visit(card, "SENTINEL1234"))


def test_nothing_is_signed_without_a_pin(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    card.recognise()
    with pytest.raises(SecurityStatusNotSatisfied):
        card.sign_digest(DIGEST)


def test_the_end_of_a_visit_makes_the_card_forget_the_pin(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    visit(card)
    card.end()
    again = MyNumberCard(card._channel._transport)
    again.recognise()
    with pytest.raises(SecurityStatusNotSatisfied):
        again.sign_digest(DIGEST)


def test_ending_never_raises_not_even_when_the_card_is_gone() -> None:
    transport = ScriptedTransport("9000", b"JPKIAPICCTOKEN2".ljust(32).hex() + "9000", CardRemoved())
    card = MyNumberCard(transport)
    card.recognise()
    card.end()
    assert transport.sent[-1] == SELECT_JPKI


def test_only_a_digest_of_32_bytes_is_signed(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    card.recognise()
    card.verify_pin(Pin.from_ascii(PIN.encode()))
    with pytest.raises(ValueError, match="32 bytes"):
        card.sign_digest(b"any other bytes")


def test_the_surface_key_signs_without_a_pin_and_leaves_none_verified(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    visit(card)
    require_signature(card.sign_with_surface_key(DIGEST), "surface")
    assert sent_by(card)[-1].startswith("802A000033")
    with pytest.raises(SecurityStatusNotSatisfied):
        card.sign_digest(DIGEST)


@pytest.mark.parametrize("label", ["JPKIAPICCTOKEN", "JPKIAPGPSETOKEN", "SOMETHINGELSE"])
def test_another_token_is_not_this_card(tmp_path: Path, label: str) -> None:
    with pytest.raises(NotMyNumberCard):
        open_card(tmp_path, label=label).recognise()


def test_a_library_card_is_not_this_card(tmp_path: Path) -> None:
    with pytest.raises(NotMyNumberCard):
        open_card(tmp_path, switches={"foreign": True}).recognise()


@pytest.mark.parametrize("status", ["6A82", "6D00", "6E00", "6A86", "6881", "6999"])
def test_whatever_a_foreign_card_says_to_the_selection_it_is_not_this_card(status: str) -> None:
    with pytest.raises(NotMyNumberCard):
        MyNumberCard(ScriptedTransport(status)).recognise()


@pytest.mark.parametrize("status", ["6581", "6400"])
def test_a_card_that_reports_a_fault_of_its_memory_is_not_called_foreign(status: str) -> None:
    with pytest.raises(StatusWordError) as caught:
        MyNumberCard(ScriptedTransport(status)).recognise()
    assert caught.value.code == "card_error"


def test_a_garbled_label_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(CardDataMalformed):
        open_card(tmp_path, switches={"garbage": "truncated_label"}).recognise()


@pytest.mark.parametrize("garbage", ["truncated_certificate", "not_der", "wrong_length"])
@pytest.mark.parametrize("forms", CommandForms)
def test_a_garbled_certificate_is_malformed(tmp_path: Path, garbage: str, forms: CommandForms) -> None:
    card = open_card(tmp_path, forms, switches={"garbage": garbage})
    card.recognise()
    with pytest.raises(CardDataMalformed):
        card.read_authentication_certificate()
    assert card.read_pin_tries_left() == 3


@pytest.mark.parametrize("answer", ["9000", "6300"])
def test_a_question_for_the_tries_that_names_no_number_is_malformed(answer: str) -> None:
    card = MyNumberCard(ScriptedTransport("9000", b"JPKIAPICCTOKEN2".ljust(32).hex() + "9000", answer))
    card.recognise()
    with pytest.raises(CardDataMalformed):
        card.read_pin_tries_left()


def test_a_signature_of_another_length_is_malformed() -> None:
    card = MyNumberCard(ScriptedTransport("9000", b"JPKIAPICCTOKEN2".ljust(32).hex() + "9000", "AABB9000"))
    card.recognise()
    with pytest.raises(CardDataMalformed):
        card.sign_digest(DIGEST)


def test_a_card_that_was_not_recognised_cannot_be_used(tmp_path: Path) -> None:
    card = open_card(tmp_path)
    for attempt in (card.read_authentication_certificate, card.read_pin_tries_left, card.open_text):
        with pytest.raises(NotRecognised):
            attempt()
    assert sent_by(card) == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 0xFFFF)), min_size=30, max_size=30))
def test_whatever_a_card_answers_every_step_ends_in_a_value_or_a_named_error(answers: list[tuple[bytes, int]]) -> None:
    class Babbler:
        def __init__(self) -> None:
            self.left = answers * 40

        def transmit(self, command: bytes) -> tuple[bytes, int]:
            assert command[1] not in (0x24, 0x32, 0xA2, 0xAE, 0xD6, 0xE2)
            data, status = self.left.pop()
            return data, 0x9000 if status % 3 else status

    card = MyNumberCard(Babbler())
    pin = Pin.from_ascii(PIN.encode())
    steps = (
        card.recognise,
        card.read_authentication_certificate,
        card.read_pin_tries_left,
        lambda: card.verify_pin(pin),
        lambda: card.sign_digest(DIGEST),
    )
    errors = []
    for step in steps:
        try:
            step()
        except BridgeError as error:
            errors.append(error)
    card.end()
    assert not [error for error in errors if isinstance(error, ForbiddenCommand)]
