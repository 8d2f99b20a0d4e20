import pytest

from bridge.card.apdu import CommandApdu
from bridge.card.application import JPKI, TEXT
from bridge.card.channel import CardChannel, ForbiddenCommand
from bridge.card.status_word import FileNotFound, LengthHint, NoDiagnosis
from bridge.errors import BridgeError, CardCommunicationError, CardDataMalformed, CardRemoved, CardReset
from tests.support.transports import ScriptedTransport

READ = CommandApdu(0x00, 0xB0, 0x8A, 0x00, expected=256)
VERIFY = CommandApdu(0x00, 0x20, 0x00, 0x98, b"1234")
SIGN = CommandApdu(0x80, 0x2A, 0x00, 0x97, bytes(51), 256)


def open_channel(*answers: str | Exception) -> tuple[CardChannel, ScriptedTransport]:
    """With the JPKI application selected."""
    transport = ScriptedTransport("9000", *answers)
    channel = CardChannel(transport)
    channel.select(JPKI)
    return channel, transport


def test_a_command_that_is_not_on_the_list_never_reaches_the_card() -> None:
    channel, transport = open_channel()
    with pytest.raises(ForbiddenCommand) as caught:
        channel.transmit(CommandApdu(0x00, 0x24, 0x01, 0x80, b"9999"))
    assert len(transport.sent) == 1
    assert caught.value.code == "internal"


def test_the_refusal_of_a_verify_does_not_show_the_pin() -> None:
    channel = CardChannel(ScriptedTransport())
    with pytest.raises(ForbiddenCommand) as caught:
        channel.transmit(CommandApdu(0x00, 0x20, 0x00, 0x98, b"4711"))
    assert "4711" not in str(caught.value)
    assert "34373131" not in str(caught.value)


def test_a_selection_that_fails_leaves_nothing_selected() -> None:
    channel = CardChannel(ScriptedTransport("9000", "6A82"))
    channel.select(JPKI)
    with pytest.raises(FileNotFound):
        channel.select(TEXT)
    assert channel.application is None
    with pytest.raises(ForbiddenCommand):
        channel.transmit(READ)


def test_6f00_to_the_very_first_command_is_tried_once_more() -> None:
    transport = ScriptedTransport("6F00", "9000")
    CardChannel(transport).select(JPKI)
    assert len(transport.sent) == 2


def test_6f00_twice_is_an_error() -> None:
    transport = ScriptedTransport("6F00", "6F00")
    with pytest.raises(NoDiagnosis):
        CardChannel(transport).select(JPKI)
    assert len(transport.sent) == 2


@pytest.mark.parametrize("command", [READ, VERIFY, SIGN], ids=["read", "verify", "sign"])
def test_6f00_to_a_later_command_is_not_tried_again(command: CommandApdu) -> None:
    channel, transport = open_channel("6F00")
    assert channel.transmit(command).status == 0x6F00
    assert len(transport.sent) == 2


@pytest.mark.parametrize("status", ["6F00", "6C04", "6700", "6982", "63C2"])
@pytest.mark.parametrize("command", [VERIFY, SIGN], ids=["verify", "sign"])
def test_neither_verify_nor_sign_is_ever_sent_twice(command: CommandApdu, status: str) -> None:
    channel, transport = open_channel(status)
    assert channel.transmit(command).status == int(status, 16)
    assert transport.sent.count(command.encode().hex().upper()) == 1


@pytest.mark.parametrize("error", [CardRemoved(), CardReset(), CardCommunicationError()], ids=lambda e: e.code)
def test_a_lost_card_ends_the_verify_without_another(error: BridgeError) -> None:
    channel, transport = open_channel(error)
    with pytest.raises(type(error)):
        channel.transmit(VERIFY)
    assert transport.sent.count("002000980431323334") == 1


def test_the_right_length_is_asked_for_when_the_card_names_it() -> None:
    channel, transport = open_channel("6C02", "AABB9000")
    assert channel.transmit(READ).require_success() == b"\xaa\xbb"
    assert transport.sent[-1] == "00B08A0002"


def test_a_second_hint_is_not_followed() -> None:
    channel, _ = open_channel("6C02", "6C02")
    with pytest.raises(LengthHint):
        channel.transmit(READ).require_success()


def test_data_held_back_is_collected() -> None:
    channel, transport = open_channel("01026103", "030461 01", "059000")
    assert channel.transmit(READ).require_success() == bytes((1, 2, 3, 4, 5))
    assert transport.sent[-2:] == ["00C0000003", "00C0000001"]


def test_a_card_that_holds_back_for_ever_is_malformed() -> None:
    channel, _ = open_channel("6110", "6110")
    with pytest.raises(CardDataMalformed):
        channel.transmit(READ)


def test_the_end_of_the_file_is_a_success_with_less_data() -> None:
    channel, _ = open_channel("AA6282")
    assert channel.transmit(READ).require_success() == b"\xaa"
