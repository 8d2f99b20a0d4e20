"""The entries of a generated list: what it says of the certificate in question, and of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.crl_writer import encode_entry, encode_extension, encode_reason
from tests.support.der import GENERALIZED_TIME, INTEGER, SEQUENCE, tlv
from tests.support.generated_case import Case
from tests.support.jpki import NOW, build_name

LONG_SERIAL = 0x0A1B2C3D << 96 | 7
OTHERS = (3, 0x0A1B2C3C, 0x0A1B2C3E, 0x7FFFFFFFFFFFFFFFFFFF, LONG_SERIAL + 1)

_UNKNOWN = bytes.fromhex("2a030405")
_INVALIDITY, _ENTRY_ISSUER = bytes.fromhex("551d18"), bytes.fromhex("551d1d")
_REASONS = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "unused": 7,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
    "eleven": 11,
}

ENTRY_FIELDS: dict[str, dict[str, Any]] = {
    "says": {
        **{f"revoked, {name}": name for name in _REASONS},
        "revoked": None,
        "revoked from now": timedelta(0),
        "revoked from later": timedelta(hours=1),
        "revoked in 1950": datetime(1950, 1, 1, tzinfo=UTC),
        "revoked in 2060": datetime(2060, 1, 1, tzinfo=UTC),
        "revoked after a hold": None,
        "revoked, with a critical extension": None,
        "revoked, of another issuer": None,
        "revoked, with a date of invalidity": None,
    },
    "says of others": {
        "nothing": None,
        "a critical extension": None,
        "another issuer": None,
        "a serial of 0": None,
        "a serial below 0": None,
        "a padded serial": None,
        "a reason of 11": None,
        "a date of 31 February": None,
        "an empty list": None,
    },
}

_OTHER_ISSUER = encode_extension(
    _ENTRY_ISSUER,
    tlv(SEQUENCE, tlv(0xA4, build_name("digital_signature").public_bytes())),
    critical=True,
)


def build_entries(case: Case, serial: int) -> list[bytes]:
    others = case.get("says of others", "")
    before: list[bytes] = []
    match others:
        case "nothing" | "an empty list":
            pass
        case "a critical extension":
            before = [encode_entry(OTHERS[0], extensions=[encode_extension(_UNKNOWN, b"\x05\x00", critical=True)])]
        case "another issuer":
            before = [encode_entry(OTHERS[0], extensions=[_OTHER_ISSUER])]
        case "a serial of 0":
            before = [encode_entry(0)]
        case "a serial below 0":
            before = [encode_entry(-5)]
        case "a padded serial":
            before = [encode_entry(tlv(INTEGER, b"\x00\x05"))]
        case "a reason of 11":
            before = [encode_entry(OTHERS[0], extensions=[encode_reason(11)])]
        case "a date of 31 February":
            before = [encode_entry(OTHERS[0], tlv(0x17, b"260231000000Z"))]
        case _:
            before = [encode_entry(number, extensions=[encode_reason(4)] if number % 2 else []) for number in OTHERS]
    return before + (_build_own_entries(case["says"], serial) if "says" in case else [])


def _build_own_entries(says: str, serial: int) -> list[bytes]:
    value = ENTRY_FIELDS["says"][says]
    earlier = NOW - timedelta(days=3)
    match says:
        case "revoked from now" | "revoked from later":
            return [encode_entry(serial, NOW + value)]
        case "revoked in 1950":
            return [encode_entry(serial, value)]
        case "revoked in 2060":
            return [encode_entry(serial, value, generalized=True)]
        case "revoked after a hold":
            held = encode_entry(serial, earlier - timedelta(days=1), [encode_reason(6)])
            return [held, encode_entry(serial, earlier, [encode_reason(1)])]
        case "revoked, with a critical extension":
            return [encode_entry(serial, earlier, [encode_extension(_UNKNOWN, b"\x05\x00", critical=True)])]
        case "revoked, of another issuer":
            return [encode_entry(serial, earlier, [_OTHER_ISSUER])]
        case "revoked, with a date of invalidity":
            date = encode_extension(_INVALIDITY, tlv(GENERALIZED_TIME, b"20260101000000Z"))
            return [encode_entry(serial, earlier, [encode_reason(1), date])]
        case "revoked":
            return [encode_entry(serial, earlier)]
        case _:
            return [encode_entry(serial, earlier, [encode_reason(_REASONS[value])])]
