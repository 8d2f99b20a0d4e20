import json
from pathlib import Path
from typing import Any

import pytest

from bridge.virtual.profile import ProfileMalformed, Swap, load_profile, parse_counters, parse_placed
from tests.support.profiles import describe_card, write_profile

COUNTERS = {"version": 1, "auth_pin": 3, "sign_pin": 0, "text_pin": 3, "code_b": 10, "birth_key": 10}


def test_an_ordinary_profile_is_loaded_with_its_defaults(tmp_path: Path) -> None:
    profile = load_profile(write_profile(tmp_path))
    assert profile.label == "JPKIAPICCTOKEN2"
    assert profile.switches.blocked_status == 0x6984
    assert profile.switches.short_ids
    assert profile.secrets["code_b"] is not None
    assert profile.text.birth == "19800217"


def test_every_switch_is_read(tmp_path: Path) -> None:
    switches = {
        "blocked_status": "6983",
        "padding": 7,
        "first_command_6f00": True,
        "short_ids": False,
        "extended_length": False,
        "pin_state_over_reset": True,
        "long_form_tlv": True,
        "no_sign_certificate_status": "6982",
        "remove_after": 3,
        "swap_after": {"exchanges": 4, "profile": "cards/other"},
        "remove_on": "read",
        "swap_on": {"command": "sign", "profile": "cards/other"},
        "foreign": True,
        "mute": True,
        "garbage": "not_der",
    }
    found = load_profile(write_profile(tmp_path, switches=switches)).switches
    assert found.swap_after == Swap(4, "cards/other")
    assert found.swap_on == Swap("sign", "cards/other")
    assert (found.blocked_status, found.no_sign_certificate_status) == (0x6983, 0x6982)
    plain = {name: value for name, value in switches.items() if "status" not in name and "swap" not in name}
    assert {name: getattr(found, name) for name in plain} == plain


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"colour": "blue"}, "'colour'"),
        ({"switches": {"mood": 1}}, "'mood'"),
        ({"switches": []}, "switches"),
        ({"switches": {"mute": 1}}, "mute"),
        ({"switches": {"padding": -1}}, "padding"),
        ({"switches": {"blocked_status": "9000"}}, "blocked_status"),
        ({"switches": {"remove_on": "never"}}, "remove_on"),
        ({"switches": {"garbage": "nonsense"}}, "garbage"),
        ({"switches": {"swap_on": {"command": "sign"}}}, "profile"),
        ({"switches": {"swap_on": {"command": "look", "profile": "cards/a"}}}, "swap_on"),
        ({"switches": {"swap_after": {"exchanges": 1, "profile": "../up"}}}, "profile"),
        ({"label": "x" * 33}, "label"),
        ({"label": 5}, "label"),
        ({"atr": "3B8"}, "atr"),
        ({"auth_pin": None}, "auth_pin"),
        ({"auth_pin": {"value": "1234", "tries": 16, "left": 3}}, "tries"),
        ({"auth_pin": {"value": "1234", "tries": 3, "left": 4}}, "left"),
        ({"auth_pin": {"value": "12", "tries": 3, "left": 3}}, "value"),
        ({"exchange_ms": 1.5}, "exchange_ms"),
        ({"sign_ms": "1"}, "sign_ms"),
    ],
)
def test_a_profile_that_is_wrong_somewhere_is_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ProfileMalformed, match=named):
        load_profile(write_profile(tmp_path, **changes))


@pytest.mark.parametrize("name", ["card.json", "text.json", "auth-key.pem", "sign-ca.der", "surface-key.pem"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_profile(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ProfileMalformed, match=name):
        load_profile(folder)


def test_a_signature_key_without_its_certificate_is_refused(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    (folder / "sign-cert.der").unlink()
    with pytest.raises(ProfileMalformed, match="belong together"):
        load_profile(folder)


def test_no_message_quotes_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ProfileMalformed) as caught:
        load_profile(write_profile(tmp_path, auth_pin={"value": "secret 4711", "tries": 3, "left": 3}))
    assert "4711" not in str(caught.value)


def test_the_text_of_a_profile_shows_neither_secrets_nor_keys(tmp_path: Path) -> None:
    text = repr(load_profile(write_profile(tmp_path, auth_pin={"value": "SENTINEL", "tries": 3, "left": 3})))
    assert "SENTINEL" not in text
    assert "PRIVATE KEY" not in text


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    text = json.dumps(describe_card())
    (folder / "card.json").write_text(text[:-1] + ', "version": 1}')
    with pytest.raises(ProfileMalformed, match="duplicate"):
        load_profile(folder)


def test_counters_are_each_the_tries_left() -> None:
    assert parse_counters(COUNTERS) == {key: value for key, value in COUNTERS.items() if key != "version"}


@pytest.mark.parametrize("changes", [{"version": 3}, {"auth_pin": 99}, {"auth_pin": "3"}, {"other": 1}])
def test_counters_that_are_wrong_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProfileMalformed):
        parse_counters(COUNTERS | changes)


@pytest.mark.parametrize("path", ["/etc", "../cards/a", "cards/../../a", "", 5, "cards//a", "C:\\cards"])
def test_a_reader_file_names_a_folder_below_its_own(path: object) -> None:
    with pytest.raises(ProfileMalformed):
        parse_placed({"version": 1, "serial": 1, "profile": path})


def test_a_reader_file_names_a_profile_or_none() -> None:
    assert parse_placed({"version": 1, "serial": 4, "profile": "cards/taro"}) == (4, "cards/taro")
    assert parse_placed({"version": 1, "serial": 5, "profile": None}) == (5, None)
