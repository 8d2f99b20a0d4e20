"""A card profile folder, as `docs/card-profile.md` says, read strictly: what is missing, unknown or wrong is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bridge.errors import BridgeError
from bridge.strict_json import NotStrict, parse_object

VERSION: Final = 1
SECRETS: Final = ("auth_pin", "sign_pin", "text_pin", "code_b", "birth_key")
GARBAGE: Final = ("truncated_certificate", "not_der", "wrong_length", "truncated_label")
MOMENTS: Final = ("read", "verify", "sign")

_LIMIT: Final = 65536
_TRIES_MAXIMUM: Final = 15
_MILLISECONDS_MAXIMUM: Final = 600_000
_NOT_ISSUED: Final = (("auth-key.pem", "auth-cert.der"), ("sign-key.pem", "sign-cert.der"))
_ISSUED: Final = ("surface-record.bin", "surface-issuer.bin")
_CHARACTERS: Final = re.compile(r"[0-9A-Z]{4,16}")
_LABEL: Final = re.compile(r"[\x20-\x7e]{1,32}")
_KEYS: Final = re.compile(r"[0-9]{0,16}|cancel|timeout|refuse")
_PROFILE_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


class ProfileMalformed(BridgeError):
    """A profile, counters or reader file is not what its document says; the message names file and key, no value."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A PIN or code as the card keeps it. `left` is what a new card starts with."""

    value: str = field(repr=False)
    tries: int
    left: int


@dataclass(frozen=True, slots=True)
class Swap:
    """When another profile takes the place: at a moment of `MOMENTS`, or after a number of exchanges."""

    when: str | int
    profile: str


@dataclass(frozen=True, slots=True)
class Switches:
    """How this card settles what is not known of the real one, and what goes wrong with it."""

    blocked_status: int = 0x6984
    padding: int = 0
    first_command_6f00: bool = False
    short_ids: bool = True
    extended_length: bool = True
    pin_state_over_reset: bool = False
    long_form_tlv: bool = False
    no_sign_certificate_status: int = 0x6A82
    birth_key_without_limit: bool = False
    remove_after: int | None = None
    swap_after: Swap | None = None
    remove_on: str | None = None
    swap_on: Swap | None = None
    foreign: bool = False
    mute: bool = False
    garbage: str | None = None


@dataclass(frozen=True, slots=True)
class BasicFourText:
    """`text.json`."""

    name: str
    address: str
    birth: str
    sex: str


@dataclass(frozen=True, slots=True)
class CardProfile:
    """Everything on one card. `secrets` has each name of `SECRETS`, `None` where there is none; `files` by name."""

    label: str
    atr: bytes
    secrets: Mapping[str, Secret | None]
    exchange_ms: int
    sign_ms: int
    switches: Switches
    text: BasicFourText
    files: Mapping[str, bytes] = field(repr=False)


def load_profile(folder: Path) -> CardProfile:
    """Raises `ProfileMalformed`."""
    card = _Fields(load_object(folder / "card.json"), "card.json")
    card.take_version()
    profile = CardProfile(
        label=card.take_text("label", _LABEL, "JPKIAPICCTOKEN2"),
        atr=card.take_hexadecimal("atr"),
        secrets={name: card.take_secret(name, optional=name == "sign_pin") for name in SECRETS},
        exchange_ms=card.take_number("exchange_ms", _MILLISECONDS_MAXIMUM, 0),
        sign_ms=card.take_number("sign_ms", _MILLISECONDS_MAXIMUM, 0),
        switches=_parse_switches(card.take("switches", {})),
        text=_parse_text(load_object(folder / "text.json")),
        files=_load_files(folder),
    )
    card.require_empty()
    return profile


def load_object(path: Path) -> dict[str, Any]:
    """One JSON file. Raises `ProfileMalformed`."""
    try:
        return parse_object(path.read_bytes(), limit=_LIMIT)
    except FileNotFoundError:
        raise ProfileMalformed(f"{path.name} is missing") from None
    except OSError as trouble:
        raise ProfileMalformed(f"{path.name} cannot be read: {trouble.strerror}") from None
    except NotStrict as trouble:
        raise ProfileMalformed(f"{path.name}: {trouble}") from None


def parse_counters(content: dict[str, Any]) -> dict[str, int]:
    """`counters.json`: tries left by name of the secret. Raises `ProfileMalformed`."""
    fields = _Fields(content, "counters.json")
    fields.take_version()
    counters = {name: fields.take_number(name, _TRIES_MAXIMUM) for name in SECRETS}
    fields.require_empty()
    return counters


def parse_placed(content: dict[str, Any]) -> tuple[int, str | None]:
    """`reader.json`: serial and profile path. Raises `ProfileMalformed`."""
    fields = _Fields(content, "reader.json")
    fields.take_version()
    serial = fields.take_number("serial", 2**53)
    path = fields.take("profile")
    fields.require_empty()
    if path is not None and not (isinstance(path, str) and _PROFILE_PATH.fullmatch(path)):
        raise ProfileMalformed("reader.json: profile is not a path below this folder")
    return serial, path


def parse_keys(content: dict[str, Any]) -> tuple[int, str]:
    """`keypad.json`: serial and keys. Raises `ProfileMalformed`, which never quotes the keys."""
    fields = _Fields(content, "keypad.json")
    fields.take_version()
    serial = fields.take_number("serial", 2**53)
    keys = fields.take("keys")
    fields.require_empty()
    if not (isinstance(keys, str) and _KEYS.fullmatch(keys)):
        raise ProfileMalformed("keypad.json: keys are up to 16 digits, cancel, timeout or refuse")
    return serial, keys


def _parse_switches(content: object) -> Switches:
    fields = _Fields(content, "card.json: switches")
    default = Switches()
    switches = Switches(
        blocked_status=fields.take_status("blocked_status", (0x6984, 0x6983)),
        padding=fields.take_number("padding", 4096, 0),
        first_command_6f00=fields.take_flag("first_command_6f00", default.first_command_6f00),
        short_ids=fields.take_flag("short_ids", default.short_ids),
        extended_length=fields.take_flag("extended_length", default.extended_length),
        pin_state_over_reset=fields.take_flag("pin_state_over_reset", default.pin_state_over_reset),
        long_form_tlv=fields.take_flag("long_form_tlv", default.long_form_tlv),
        no_sign_certificate_status=fields.take_status("no_sign_certificate_status", (0x6A82, 0x6982)),
        birth_key_without_limit=fields.take_flag("birth_key_without_limit", default.birth_key_without_limit),
        remove_after=fields.take_optional_number("remove_after"),
        swap_after=fields.take_swap("swap_after", "exchanges"),
        remove_on=fields.take_choice("remove_on", MOMENTS),
        swap_on=fields.take_swap("swap_on", "command"),
        foreign=fields.take_flag("foreign", default.foreign),
        mute=fields.take_flag("mute", default.mute),
        garbage=fields.take_choice("garbage", GARBAGE),
    )
    fields.require_empty()
    return switches


def _parse_text(content: object) -> BasicFourText:
    fields = _Fields(content, "text.json")
    fields.take_version()
    anything = re.compile(r".{1,200}")
    text = BasicFourText(
        name=fields.take_text("name", anything),
        address=fields.take_text("address", anything),
        birth=fields.take_text("birth", re.compile(r"[0-9]{8}")),
        sex=fields.take_text("sex", re.compile(r"[129]")),
    )
    fields.require_empty()
    return text


def _load_files(folder: Path) -> dict[str, bytes]:
    files = {}
    required = ("auth-ca.der", "sign-ca.der", "surface-key.pem")
    for name in (*required, *_NOT_ISSUED[0], *_NOT_ISSUED[1], *_ISSUED):
        try:
            files[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            if name in required:
                raise ProfileMalformed(f"{name} is missing") from None
        except OSError as trouble:
            raise ProfileMalformed(f"{name} cannot be read: {trouble.strerror}") from None
    for key, certificate in _NOT_ISSUED:
        if (key in files) != (certificate in files):
            raise ProfileMalformed(f"{key} and {certificate} belong together")
    if (_ISSUED[0] in files) != (_ISSUED[1] in files):
        raise ProfileMalformed("surface-record.bin and surface-issuer.bin belong together")
    return files


_REQUIRED: Final = object()


class _Fields:
    """The keys of one JSON object, taken one by one; what nobody took is unknown and refused."""

    def __init__(self, content: object, where: str) -> None:
        self._where = where
        if not isinstance(content, dict):
            raise ProfileMalformed(f"{where} is not an object")
        self._left = dict(content)

    def take(self, key: str, default: object = _REQUIRED) -> Any:
        value = self._left.pop(key, default)
        if value is _REQUIRED:
            raise ProfileMalformed(f"{self._where}: {key} is missing")
        return value

    def take_version(self) -> None:
        self._require(type(version := self.take("version")) is int and version == VERSION, "version")

    def take_text(self, key: str, pattern: re.Pattern[str], default: object = _REQUIRED) -> str:
        value = self.take(key, default)
        self._require(isinstance(value, str) and pattern.fullmatch(value) is not None, key)
        return str(value)

    def take_hexadecimal(self, key: str) -> bytes:
        return bytes.fromhex(self.take_text(key, re.compile(r"([0-9A-Fa-f]{2}){2,33}")))

    def take_number(self, key: str, maximum: int, default: object = _REQUIRED) -> int:
        value = self.take(key, default)
        self._require(type(value) is int and 0 <= value <= maximum, key)
        return int(value)

    def take_optional_number(self, key: str) -> int | None:
        if (value := self.take(key, None)) is None:
            return None
        self._require(type(value) is int and 0 <= value <= _LIMIT, key)
        return int(value)

    def take_flag(self, key: str, default: bool) -> bool:
        value = self.take(key, default)
        self._require(isinstance(value, bool), key)
        return bool(value)

    def take_choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        value = self.take(key, None)
        self._require(value is None or value in choices, key)
        return value if value is None else str(value)

    def take_status(self, key: str, choices: tuple[int, ...]) -> int:
        """A status word in hexadecimal; the first choice is the default."""
        value = self.take(key, f"{choices[0]:04X}")
        self._require(value in [f"{choice:04X}" for choice in choices], key)
        return int(value, 16)

    def take_secret(self, key: str, *, optional: bool) -> Secret | None:
        value = self.take(key)
        if value is None and optional:
            return None
        inner = _Fields(value, f"{self._where}: {key}")
        tries = inner.take_number("tries", _TRIES_MAXIMUM)
        secret = Secret(inner.take_text("value", _CHARACTERS), tries, inner.take_number("left", tries))
        inner.require_empty()
        return secret

    def take_swap(self, key: str, when: str) -> Swap | None:
        if (value := self.take(key, None)) is None:
            return None
        inner = _Fields(value, f"{self._where}: {key}")
        moment: str | int = inner.take_number(when, _LIMIT) if when == "exchanges" else str(inner.take(when))
        self._require(isinstance(moment, int) or moment in MOMENTS, key)
        swap = Swap(moment, inner.take_text("profile", _PROFILE_PATH))
        inner.require_empty()
        return swap

    def require_empty(self) -> None:
        if self._left:
            raise ProfileMalformed(f"{self._where}: unknown key {sorted(self._left)[0]!r}")

    def _require(self, right: bool, key: str) -> None:
        if not right:
            raise ProfileMalformed(f"{self._where}: {key} is not what docs/card-profile.md says")
