import pytest

from bridge.card.pcsc_codes import Code, State, build_error
from bridge.errors import (
    AccessDenied,
    BridgeError,
    CardCommunicationError,
    CardMute,
    CardRemoved,
    CardReset,
    ReaderBusy,
    ReaderMissing,
    ReaderServiceDown,
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.NO_SERVICE, ReaderServiceDown),
        (Code.SERVICE_STOPPED, ReaderServiceDown),
        (Code.INVALID_HANDLE, ReaderServiceDown),
        (Code.SYSTEM_CANCELLED, ReaderServiceDown),
        (Code.SECURITY_VIOLATION, AccessDenied),
        (Code.UNKNOWN_READER, ReaderMissing),
        (Code.READER_UNAVAILABLE, ReaderMissing),
        (Code.SHARING_VIOLATION, ReaderBusy),
        (Code.NO_SMARTCARD, CardRemoved),
        (Code.REMOVED_CARD, CardRemoved),
        (Code.RESET_CARD, CardReset),
        (Code.UNRESPONSIVE_CARD, CardMute),
        (Code.UNPOWERED_CARD, CardMute),
        (Code.COMM_ERROR, CardCommunicationError),
        (Code.NOT_TRANSACTED, CardCommunicationError),
    ],
)
def test_each_code_is_its_named_error(code: Code, kind: type[BridgeError]) -> None:
    error = build_error(code)
    assert type(error) is kind
    assert code.name in str(error)


def test_a_code_of_no_list_is_a_communication_error_with_its_number() -> None:
    error = build_error(0x80101234)
    assert type(error) is CardCommunicationError
    assert "80101234" in str(error)


def test_the_numbers_are_those_of_the_installed_interface() -> None:
    scard = pytest.importorskip("smartcard.scard")
    for name in ("E_NO_SERVICE", "E_SHARING_VIOLATION", "W_REMOVED_CARD", "W_RESET_CARD", "F_COMM_ERROR"):
        assert Code[name[2:]] == getattr(scard, f"SCARD_{name}") & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("raw", "present", "mute", "known"),
    [
        (0x0003_0022, True, False, True),
        (0x0003_0222, True, True, True),
        (0x0003_0012, False, False, True),
        (0x0003_0200, False, False, True),
        (0x0003_0006, False, False, False),
        (0x0003_000A, False, False, False),
    ],
)
def test_a_state_tells_card_muteness_and_whether_the_reader_is_known(
    raw: int, present: bool, mute: bool, known: bool
) -> None:
    state = State(raw)
    assert (state.present, state.mute, state.known, state.event_count) == (present, mute, known, 3)
    assert state.to_wait_from == raw & ~0x0002
