"""The virtual card by its bytes: what docs/card.md says of the real one, and each switch."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.virtual.card import VirtualCard
from tests.support.profiles import CODE_B, make_certificate, make_key, write_profile
from tests.support.transports import ask, ask_once, make_card

JPKI = "00A4040C0AD392F000260100000001"
TEXT = "00A4040C0AD3921000310001010408"
SURFACE = "00A4040C0AD3921000310001010402"
VERIFY = "002000980431323334"
WRONG = "002000980430303030"
QUERY = "00200098"
DIGEST_INFO = "3031300D060960864801650304020105000420" + "AB" * 32
SIGN = f"802A009733{DIGEST_INFO}00"


def build_card(folder: Path, **profile: Any) -> VirtualCard:
    return make_card(write_profile(folder, **profile))


def last(card: VirtualCard, *commands: str) -> str:
    return ask(card, *commands)[-1]


def encrypt(signature: str, key: str) -> str:
    """The padded block inside a signature."""
    numbers = make_key(key).public_key().public_numbers()
    return f"{pow(int(signature, 16), numbers.e, numbers.n):0512X}"


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        (["00A4040C07A0000000791000"], "6A82"),
        (["00A4040007627601FF000000"], "6A82"),
        (["00CADF3005"], "6D00"),
        (["00CB3FFF035C017E08"], "6D00"),
        (["01A4040C0AD392F000260100000001"], "6881"),
        (["0CA4040C0AD392F000260100000001"], "6882"),
        (["A0A40000023F00"], "6E00"),
        (["00A40000"], "6A86"),
        ([JPKI, "00A4090C02000A"], "6A86"),
        ([JPKI, "00A4020C021234"], "6A82"),
        ([JPKI, "00A4020C0100"], "6700"),
        ([JPKI, "00B0000000"], "6986"),
        ([JPKI, "00A4020C020018", "00B0000000"], "6981"),
        ([JPKI, "00A4020C020001", "00B0000000"], "6982"),
        ([JPKI, "00A4020C02000A", "00B0063000"], "6B00"),
        ([JPKI, "00A4020C02000A", "00200080"], "6981"),
        ([JPKI, "00200080"], "6986"),
        ([JPKI, "00200018"], "6A86"),
        ([JPKI, "0020019800"], "6A86"),
        ([JPKI, QUERY], "63C3"),
        ([JPKI, "0020009B"], "63C5"),
        ([JPKI, SIGN], "6982"),
        ([JPKI, VERIFY, SIGN.replace("802A00", "802A07")], "6A86"),
        ([JPKI, VERIFY, "802A00971000"], "6700"),
        ([JPKI, VERIFY, "802A02970301020300"], "6985"),
        ([JPKI, VERIFY, SIGN.replace("802A", "002A")], "6D00"),
        ([JPKI, VERIFY, SIGN.replace("0097", "0000")], "6A88"),
        ([JPKI, "00840000000010"], "6985"),
        ([TEXT, "00B0810000"], "6982"),
        ([TEXT, "00B0830000"], "6982"),
        ([TEXT, "00B0820000"], "6982"),
        ([TEXT, "00200095"], "63CA"),
        ([TEXT, "00200094"], "6A82"),
        ([SURFACE, "00B0850000"], "6A82"),
        ([JPKI, "00B0"], "6700"),
    ],
)
def test_each_refusal_is_the_one_of_the_real_card(tmp_path: Path, commands: list[str], status: str) -> None:
    assert last(build_card(tmp_path), *commands)[-4:] == status


def test_an_application_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    assert ask(build_card(tmp_path), "00A4040C06D392F0002601", QUERY) == ["9000", "63C3"]


def test_a_selection_that_fails_changes_nothing(tmp_path: Path) -> None:
    assert last(build_card(tmp_path), JPKI, VERIFY, "00A4040C07A0000000791000", SIGN)[-4:] == "9000"


def test_a_file_is_read_up_to_its_end_and_no_further(tmp_path: Path) -> None:
    certificate = make_certificate("taro-auth").hex().upper()
    card = build_card(tmp_path)
    assert last(card, JPKI, "00B08A0000") == certificate[:512] + "9000"
    assert last(card, "00B0060000") == certificate[-47 * 2 :] + "9000"
    assert last(card, "00B08A00000000") == certificate + "9000"


def test_a_wrong_pin_counts_down_and_the_right_one_restores(tmp_path: Path) -> None:
    card = build_card(tmp_path)
    assert ask(card, JPKI, WRONG, QUERY, VERIFY, QUERY) == ["9000", "63C2", "63C2", "9000", "63C3"]
    assert ask(card, WRONG, WRONG, WRONG, WRONG, VERIFY, QUERY) == ["63C2", "63C1", "63C0", "6984", "6984", "63C0"]
    assert card.counters["auth_pin"] == 0


def test_a_pin_of_another_length_is_a_wrong_pin(tmp_path: Path) -> None:
    assert last(build_card(tmp_path), JPKI, "0020009803313233") == "63C2"


def test_a_wrong_pin_takes_back_what_a_right_one_gave(tmp_path: Path) -> None:
    assert last(build_card(tmp_path), JPKI, VERIFY, WRONG, SIGN) == "6982"


@pytest.mark.parametrize("status", ["6983", "6984"])
def test_the_blocked_status_is_a_switch(tmp_path: Path, status: str) -> None:
    locked = {"value": "1234", "tries": 3, "left": 0}
    card = build_card(tmp_path, auth_pin=locked, switches={"blocked_status": status})
    assert ask(card, JPKI, QUERY, VERIFY) == ["9000", "63C0", status]


def test_a_signature_holds_what_was_given_under_pkcs1_padding(tmp_path: Path) -> None:
    signature = last(build_card(tmp_path), JPKI, VERIFY, SIGN)
    assert signature.endswith("9000")
    block = encrypt(signature[:-4], "taro-auth")
    assert block == "0001" + "FF" * (256 - 3 - 51) + "00" + DIGEST_INFO


@pytest.mark.parametrize("p1", ["02", "03"])
def test_the_card_builds_the_digest_info_by_itself_when_asked(tmp_path: Path, p1: str) -> None:
    payload = "AB" * 32
    signature = last(build_card(tmp_path), JPKI, VERIFY, f"802A{p1}9720{payload}00")
    assert encrypt(signature[:-4], "taro-auth")[-102:-64] == DIGEST_INFO[:38]


def test_short_and_current_key_sign_alike(tmp_path: Path) -> None:
    card = build_card(tmp_path)
    named = last(card, JPKI, VERIFY, SIGN)
    assert last(card, "00A4020C020017", SIGN.replace("0097", "0080")) == named


def test_the_surface_key_signs_without_any_pin(tmp_path: Path) -> None:
    signature = last(build_card(tmp_path), SURFACE, f"802A000033{DIGEST_INFO}00")
    assert encrypt(signature[:-4], "surface").endswith(DIGEST_INFO)


def test_code_b_opens_the_basic_four_but_not_the_my_number(tmp_path: Path) -> None:
    card = build_card(tmp_path)
    assert ask(card, TEXT, "002000950E" + CODE_B.encode().hex())[-1] == "9000"
    assert last(card, "00B0820000").startswith("FF20")
    assert ask(card, "00A4020C020001", "00B0000000", "00B0810000", "00B0830000") == ["9000", "6982", "6982", "6982"]


@pytest.mark.parametrize("event", ["select", "power_off", "reset"])
def test_a_verified_pin_is_forgotten_with_each_event(tmp_path: Path, event: str) -> None:
    card = build_card(tmp_path)
    ask(card, JPKI, VERIFY)
    if event == "power_off":
        card.power_off()
    if event == "reset":
        card.reset()
    assert ask(card, JPKI, SIGN) == ["9000", "6982"]


def test_power_and_reset_also_forget_the_selected_application(tmp_path: Path) -> None:
    card = build_card(tmp_path)
    ask(card, JPKI)
    card.reset()
    assert ask(card, QUERY) == ["6A82"]
    ask(card, JPKI)
    card.power_off()
    assert ask(card, QUERY) == ["6A82"]


def test_by_a_switch_a_pin_outlives_a_reset_but_not_the_loss_of_power(tmp_path: Path) -> None:
    card = build_card(tmp_path, switches={"pin_state_over_reset": True})
    ask(card, JPKI, VERIFY)
    card.reset()
    assert last(card, JPKI, SIGN)[-4:] == "9000"
    card.power_off()
    assert last(card, JPKI, SIGN) == "6982"


def test_by_a_switch_the_first_command_after_each_power_up_fails(tmp_path: Path) -> None:
    card = build_card(tmp_path, switches={"first_command_6f00": True})
    assert ask(card, JPKI, JPKI) == ["6F00", "9000"]
    card.power_off()
    assert ask(card, JPKI, JPKI) == ["6F00", "9000"]


def test_by_a_switch_there_are_no_short_identifiers(tmp_path: Path) -> None:
    card = build_card(tmp_path, switches={"short_ids": False})
    assert ask(card, JPKI, "00B08A0000", QUERY, SIGN) == ["9000", "6A86", "6A86", "6A86"]
    assert ask(card, "00A4020C020018", "00200080") == ["9000", "63C3"]


def test_by_a_switch_there_is_no_extended_length(tmp_path: Path) -> None:
    card = build_card(tmp_path, switches={"extended_length": False})
    assert last(card, JPKI, "00B08A00000000") == "6700"


def test_by_a_switch_filler_follows_each_certificate(tmp_path: Path) -> None:
    card = build_card(tmp_path, switches={"padding": 3})
    assert last(card, JPKI, "00B08A00000000") == make_certificate("taro-auth").hex().upper() + "FFFFFF9000"


@pytest.mark.parametrize(("status", "answers"), [("6A82", ["6A82"]), ("6982", ["6982"])])
def test_a_card_without_a_signature_certificate_says_so_as_the_switch_tells(
    tmp_path: Path, status: str, answers: list[str]
) -> None:
    card = build_card(tmp_path, signature_certificate=False, switches={"no_sign_certificate_status": status})
    ask(card, JPKI)
    assert ask(card, "00B0810000") == answers
    assert ask(card, "00B0880000", "0020009B", "0020009B0641424331 3233") == ["008F009000", "63C0", "6984"]


def test_a_card_without_an_authentication_certificate_has_no_file_of_it(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    for name in ("auth-key.pem", "auth-cert.der"):
        (folder / name).unlink()
    assert ask(make_card(folder), JPKI, "00B08A0000", QUERY) == ["9000", "6A82", "63C3"]


def test_the_token_information_is_160_bytes_and_begins_with_the_label(tmp_path: Path) -> None:
    information = bytes.fromhex(last(build_card(tmp_path, label="JPKIAPSIMTOKEN"), JPKI, "00B0860000"))
    assert len(information) == 162
    assert information[:32] == b"JPKIAPSIMTOKEN".ljust(32)


def test_a_mute_card_has_no_atr(tmp_path: Path) -> None:
    assert build_card(tmp_path, switches={"mute": True}).atr == b""
    assert build_card(tmp_path).atr.hex().upper() == "3B888001000005E0B381A1007F"


def test_a_challenge_is_made_of_the_entropy_that_was_given(tmp_path: Path) -> None:
    assert last(build_card(tmp_path), "0084000008") == "00" * 8 + "9000"


def test_a_card_goes_after_so_many_exchanges(tmp_path: Path) -> None:
    card = build_card(tmp_path, switches={"remove_after": 2})
    exchanges = [ask_once(card, command) for command in (JPKI, QUERY)]
    assert [(exchange.removed, exchange.lost) for exchange in exchanges] == [(False, False), (True, False)]


def test_another_card_comes_after_so_many_exchanges(tmp_path: Path) -> None:
    card = build_card(tmp_path, switches={"swap_after": {"exchanges": 1, "profile": "cards/other"}})
    exchange = ask_once(card, JPKI)
    assert (exchange.removed, exchange.lost, exchange.swapped_for) == (True, False, "cards/other")


@pytest.mark.parametrize(
    ("moment", "before", "command"),
    [
        ("read", [JPKI, "00B08A0000"], "00B0010000"),
        ("verify", [JPKI, "00B08A0000", "00B0010000", QUERY], WRONG),
        ("sign", [JPKI, "00B08A0000", "00B0010000", VERIFY], SIGN),
    ],
)
@pytest.mark.parametrize("swap", [False, True])
def test_a_card_goes_at_a_moment_and_its_answer_with_it(
    tmp_path: Path, moment: str, before: list[str], command: str, swap: bool
) -> None:
    other = {"command": moment, "profile": "cards/other"}
    card = build_card(tmp_path, switches={"swap_on": other} if swap else {"remove_on": moment})
    assert not any(ask_once(card, earlier).removed for earlier in before)
    exchange = ask_once(card, command)
    assert (exchange.removed, exchange.lost) == (True, True)
    assert exchange.swapped_for == ("cards/other" if swap else None)
    assert card.counters["auth_pin"] == (2 if moment == "verify" else 3)


def test_only_the_signature_takes_the_time_of_a_signature(tmp_path: Path) -> None:
    card = build_card(tmp_path, exchange_ms=25, sign_ms=400)
    taken = [ask_once(card, command).milliseconds for command in (JPKI, VERIFY, SIGN)]
    assert taken == [25, 25, 425]


@pytest.fixture(scope="module")
def patient_card(tmp_path_factory: pytest.TempPathFactory) -> VirtualCard:
    return build_card(tmp_path_factory.mktemp("patient"))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_whatever_is_sent_the_card_answers_with_a_status_word(patient_card: VirtualCard, commands: list[bytes]) -> None:
    for command in commands:
        response = patient_card.transmit(command).response
        assert response[-2] in range(0x60, 0x70) or response[-2:] == b"\x90\x00"
