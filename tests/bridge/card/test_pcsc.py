"""Recovery and odd readers, with an interface made of a script; the real service is in tests/contract."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from bridge.card.pcsc import PcscSource
from bridge.card.pcsc_codes import Code
from bridge.card.transport import ReaderState
from bridge.errors import (
    AccessDenied,
    CardCommunicationError,
    CardRemoved,
    CardReset,
    KeypadFailed,
    ReaderBusy,
    ReaderServiceDown,
    SettingsError,
)

READER = "Some Reader 00 00"
PRESENT, EMPTY, MUTE = 0x0020, 0x0010, 0x0200


class Interface:
    """The calls of `smartcard.scard` that the bridge uses, over one imaginary reader."""

    SCARD_SCOPE_USER = 0
    SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1 = 1, 2
    SCARD_PCI_T0, SCARD_PCI_T1 = 1, 2
    SCARD_SHARE_EXCLUSIVE, SCARD_SHARE_SHARED = 1, 2
    SCARD_LEAVE_CARD, SCARD_UNPOWER_CARD = 0, 2

    def __init__(self) -> None:
        self.service: int = Code.SUCCESS
        self.readers = [READER]
        self.state = PRESENT | 1 << 16
        self.refused_shares: set[int] = set()
        self.tried_shares: list[int] = []
        self.transmit_code: int = Code.SUCCESS
        self.answer = [0x90, 0x00]
        self.status_code: int = Code.SUCCESS
        self.protocol = self.SCARD_PROTOCOL_T1
        self.contexts = 0
        self.released = 0
        self.calls: list[str] = []
        self.controls: dict[int, tuple[int, list[int]]] = {}

    def SCardEstablishContext(self, scope: int) -> tuple[int, object]:
        if self.service != Code.SUCCESS:
            return self.service, None
        self.contexts += 1
        return Code.SUCCESS, object()

    def SCardReleaseContext(self, context: object) -> int:
        assert context is not None
        self.released += 1
        return Code.SUCCESS

    def SCardListReaders(self, context: object, groups: list[str]) -> tuple[int, list[str]]:
        if self.service != Code.SUCCESS:
            return self.service, []
        return (Code.SUCCESS, self.readers) if self.readers else (Code.NO_READERS_AVAILABLE, [])

    def SCardGetStatusChange(self, context: object, wait: int, states: list[tuple[str, int]]) -> tuple[int, list[Any]]:
        if self.service != Code.SUCCESS:
            return self.service, []
        atr = [0x3B, 0x80]
        return Code.SUCCESS, [(name, self.state | 2 if name == READER else 0, atr) for name, _ in states]

    def SCardCancel(self, context: object) -> int:
        return Code.SUCCESS

    def SCardConnect(self, context: object, reader: str, share: int, protocols: int) -> tuple[int, object, int]:
        self.tried_shares.append(share)
        if share in self.refused_shares:
            return Code.SHARING_VIOLATION, None, 0
        return Code.SUCCESS, object(), self.protocol

    def SCardBeginTransaction(self, card: object) -> int:
        self.calls.append("begin")
        return Code.SUCCESS

    def SCardEndTransaction(self, card: object, disposition: int) -> int:
        self.calls.append("end")
        return Code.SUCCESS

    def SCardDisconnect(self, card: object, disposition: int) -> int:
        self.calls.append(f"disconnect {disposition}")
        return Code.SUCCESS

    def SCardTransmit(self, card: object, header: int, command: list[int]) -> tuple[int, list[int]]:
        self.calls.append(f"transmit {header} {bytes(command).hex()}")
        return self.transmit_code, self.answer

    def SCARD_CTL_CODE(self, function: int) -> int:
        return 0x42000000 + function

    def SCardControl(self, card: object, code: int, data: list[int]) -> tuple[int, list[int]]:
        self.calls.append(f"control {code:08x} {bytes(data).hex()}")
        return self.controls.get(code, (Code.INVALID_PARAMETER, []))

    def SCardStatus(self, card: object) -> tuple[int, Any]:
        return self.status_code, None


FEATURE_REQUEST = 0x42000D48
VERIFY_PIN_DIRECT = 0x42330006
KEYPAD = [0x06, 0x04, 0x42, 0x33, 0x00, 0x06, 0x0A, 0x04, 0x42, 0x33, 0x00, 0x0A]


@pytest.fixture
def interface(monkeypatch: pytest.MonkeyPatch) -> Interface:
    interface = Interface()
    monkeypatch.setattr("bridge.card.pcsc.load_scard", lambda: interface)
    return interface


def negative(code: int) -> int:
    """As Windows gives it."""
    return code - 0x1_0000_0000


def test_without_pyscard_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    with pytest.raises(SettingsError, match="pcsc"):
        PcscSource()


def test_no_reader_and_no_service_and_no_right_are_told_apart(interface: Interface) -> None:
    interface.readers = []
    assert PcscSource().wait_for_change(None, 0).state is ReaderState.MISSING
    interface.service = Code.NO_SERVICE
    assert PcscSource().wait_for_change(None, 0).state is ReaderState.SERVICE_DOWN
    interface.service = Code.SECURITY_VIOLATION
    assert PcscSource().wait_for_change(None, 0).state is ReaderState.DENIED


@pytest.mark.parametrize(
    "code",
    [
        Code.NO_SERVICE,
        Code.SERVICE_STOPPED,
        Code.INVALID_HANDLE,
        Code.COMM_ERROR,
        Code.SYSTEM_CANCELLED,
        Code.READER_UNAVAILABLE,
        negative(Code.NO_SERVICE),
    ],
)
def test_after_each_loss_a_new_context_is_opened_and_the_generation_rises(interface: Interface, code: int) -> None:
    source = PcscSource()
    before = source.wait_for_change(None, 0)
    interface.service = code
    down = source.wait_for_change(before, 60)
    assert down.state is ReaderState.SERVICE_DOWN
    assert interface.released == 1
    interface.service = Code.SUCCESS
    up = source.wait_for_change(down, 60)
    assert up.state is ReaderState.READY
    assert up.generation == before.generation + 1
    assert interface.contexts == 2


def test_a_card_taken_while_the_service_was_away_is_reported_as_gone(interface: Interface) -> None:
    source = PcscSource()
    before = source.wait_for_change(None, 0)
    assert before.readers[0].card_present
    interface.service = Code.NO_SERVICE
    down = source.wait_for_change(before, 60)
    interface.service, interface.state = Code.SUCCESS, EMPTY
    assert not source.wait_for_change(down, 60).readers[0].card_present


def test_a_card_of_a_driver_that_finds_it_silent_is_mute(interface: Interface) -> None:
    interface.state = PRESENT | MUTE
    assert PcscSource().wait_for_change(None, 0).readers[0].mute


def test_closing_ends_the_wait_for_a_service_that_never_comes(interface: Interface) -> None:
    interface.service = Code.NO_SERVICE
    source = PcscSource()
    down = source.wait_for_change(None, 0)
    waiting = threading.Thread(target=lambda: source.wait_for_change(down, 600))
    waiting.start()
    source.close()
    waiting.join(60)
    assert not waiting.is_alive()


def test_a_connection_is_exclusive_in_a_transaction_and_ends_by_taking_the_power(interface: Interface) -> None:
    source = PcscSource()
    source.wait_for_change(None, 0)
    connection = source.connect(READER)
    assert interface.tried_shares == [Interface.SCARD_SHARE_EXCLUSIVE]
    assert connection.transmit(b"\x00\xa4") == (b"", 0x9000)
    connection.close()
    assert interface.calls == ["begin", "transmit 2 00a4", "end", "disconnect 2"]
    assert interface.released == 1


def test_a_card_under_t0_is_spoken_to_as_such(interface: Interface) -> None:
    interface.protocol = Interface.SCARD_PROTOCOL_T0
    PcscSource().connect(READER).transmit(b"\x00\xa4")
    assert interface.calls[-1] == "transmit 1 00a4"


def test_a_shared_connection_does_where_an_exclusive_one_is_refused(interface: Interface) -> None:
    interface.refused_shares = {Interface.SCARD_SHARE_EXCLUSIVE}
    PcscSource().connect(READER)
    assert interface.tried_shares == [Interface.SCARD_SHARE_EXCLUSIVE, Interface.SCARD_SHARE_SHARED]


def test_a_reader_that_refuses_both_is_busy_and_leaves_no_context(interface: Interface) -> None:
    interface.refused_shares = {Interface.SCARD_SHARE_EXCLUSIVE, Interface.SCARD_SHARE_SHARED}
    with pytest.raises(ReaderBusy):
        PcscSource().connect(READER)
    assert interface.released == interface.contexts == 1


def test_a_service_that_refuses_this_user_is_named(interface: Interface) -> None:
    interface.service = negative(Code.SECURITY_VIOLATION)
    with pytest.raises(AccessDenied):
        PcscSource().connect(READER)


@pytest.mark.parametrize("code", [Code.COMM_ERROR, Code.NOT_TRANSACTED])
def test_an_unclear_code_is_a_removed_card_when_the_reader_is_empty_now(interface: Interface, code: int) -> None:
    connection = PcscSource().connect(READER)
    interface.transmit_code, interface.state = negative(code), EMPTY | 2 << 16
    with pytest.raises(CardRemoved):
        connection.transmit(bytes(4))


def test_an_unclear_code_is_a_removed_card_when_another_one_is_there_now(interface: Interface) -> None:
    connection = PcscSource().connect(READER)
    interface.transmit_code, interface.state = Code.COMM_ERROR, PRESENT | 3 << 16
    with pytest.raises(CardRemoved):
        connection.transmit(bytes(4))


def test_an_unclear_code_with_the_card_still_there_is_a_communication_error(interface: Interface) -> None:
    connection = PcscSource().connect(READER)
    interface.transmit_code = Code.NOT_TRANSACTED
    with pytest.raises(CardCommunicationError):
        connection.transmit(bytes(4))


def test_an_unclear_code_with_the_service_dead_is_a_dead_service(interface: Interface) -> None:
    connection = PcscSource().connect(READER)
    interface.transmit_code, interface.service = Code.COMM_ERROR, Code.COMM_ERROR
    with pytest.raises(ReaderServiceDown):
        connection.transmit(bytes(4))


@pytest.mark.parametrize("answer", [[], [0x90]])
def test_an_answer_without_a_status_word_is_an_error(interface: Interface, answer: list[int]) -> None:
    connection = PcscSource().connect(READER)
    interface.answer = answer
    with pytest.raises(CardCommunicationError):
        connection.transmit(bytes(4))


def test_a_card_reset_by_another_program_is_named(interface: Interface) -> None:
    connection = PcscSource().connect(READER)
    interface.status_code = Code.RESET_CARD
    with pytest.raises(CardReset):
        connection.check_present()


def test_a_connection_from_before_a_restart_is_dead_even_if_its_handle_is_not(interface: Interface) -> None:
    source = PcscSource()
    before = source.wait_for_change(None, 0)
    connection = source.connect(READER)
    interface.service = Code.NO_SERVICE
    down = source.wait_for_change(before, 60)
    interface.service = Code.SUCCESS
    source.wait_for_change(down, 60)
    with pytest.raises(ReaderServiceDown):
        connection.transmit(bytes(4))


@pytest.mark.parametrize(
    "answer",
    [
        (Code.INVALID_PARAMETER, []),
        (negative(Code.COMM_ERROR), []),
        (Code.SUCCESS, []),
        (Code.SUCCESS, [0x0A, 0x04, 0x42, 0x33, 0x00, 0x0A]),
        (Code.SUCCESS, KEYPAD[:5]),
        (Code.SUCCESS, [0x06, 0x02, 0x42, 0x33, 0x00, 0x06]),
    ],
    ids=["refused", "failed", "nothing", "only properties", "cut short", "another length"],
)
def test_a_reader_that_does_not_announce_a_keypad_has_none(interface: Interface, answer: tuple[int, list[int]]) -> None:
    interface.controls[FEATURE_REQUEST] = answer
    assert PcscSource().connect(READER).find_keypad() is None
    assert interface.calls[-1] == "control 42000d48 "


def test_a_keypad_is_handed_the_structure_and_gives_the_status_word(interface: Interface) -> None:
    interface.controls |= {FEATURE_REQUEST: (0, KEYPAD), VERIFY_PIN_DIRECT: (0, [0x63, 0xC2])}
    keypad = PcscSource().connect(READER).find_keypad()
    assert keypad is not None
    assert keypad.verify(b"\x3c\x1e") == 0x63C2
    assert interface.calls[-1] == "control 42330006 3c1e"


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [
        (Code.REMOVED_CARD, PRESENT | 1 << 16, CardRemoved),
        (Code.COMM_ERROR, EMPTY | 2 << 16, CardRemoved),
        (Code.RESET_CARD, PRESENT | 1 << 16, CardReset),
        (Code.NO_SERVICE, PRESENT | 1 << 16, ReaderServiceDown),
        (Code.COMM_ERROR, PRESENT | 1 << 16, KeypadFailed),
        (negative(Code.INVALID_PARAMETER), PRESENT | 1 << 16, KeypadFailed),
        (Code.SUCCESS, PRESENT | 1 << 16, KeypadFailed),  # and no status word
    ],
)
def test_a_keypad_that_fails_says_why(interface: Interface, code: int, state: int, error: type[Exception]) -> None:
    interface.controls |= {FEATURE_REQUEST: (0, KEYPAD), VERIFY_PIN_DIRECT: (code, [])}
    keypad = PcscSource().connect(READER).find_keypad()
    assert keypad is not None
    interface.state = state
    with pytest.raises(error):
        keypad.verify(b"")
