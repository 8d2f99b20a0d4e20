"""What lies on a virtual card: its applications, and in each the files, references and keys, made from a profile. PURE.

The My Number (text application EF 0001) and its integrity record (EF 0003) are entries with no content that nothing
opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bridge.virtual.profile import BasicFourText, CardProfile, ProfileMalformed

JPKI: Final = bytes.fromhex("D392F000260100000001")
TEXT: Final = bytes.fromhex("D3921000310001010408")
SURFACE: Final = bytes.fromhex("D3921000310001010402")
AUTHENTICATION_CERTIFICATE: Final = 0x0A

_TOKEN_INFORMATION_LENGTH: Final = 160
_GARBLED: Final = b"\xa5" * 1200
_SIGNATURE_LENGTH: Final = 256


@dataclass(frozen=True, slots=True)
class DataFile:
    """A transparent file. `opened_by` names the secrets of which one must be verified; `None`: free, empty: never."""

    content: bytes
    opened_by: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ReferenceFile:
    """A PIN or code; `secret` is its name in the profile."""

    secret: str


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key; `opened_by` is the secret that must be verified, `None` for none."""

    key: RSAPrivateKey
    opened_by: str | None


CardFile = DataFile | ReferenceFile | KeyFile
NEVER: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class CardApplication:
    """Elementary files by identifier, and the key that `802A0000` uses."""

    files: Mapping[int, CardFile]
    default_key: KeyFile | None = None


def build_applications(profile: CardProfile) -> dict[bytes, CardApplication]:
    """All applications by identifier; none on a foreign card. Raises `ProfileMalformed` for a key that is none."""
    if profile.switches.foreign:
        return {}
    return {JPKI: _build_jpki(profile), TEXT: _build_text(profile), SURFACE: _build_surface(profile)}


def _build_jpki(profile: CardProfile) -> CardApplication:
    filler = b"\xff" * profile.switches.padding
    files: dict[int, CardFile] = {
        0x02: DataFile(profile.files["sign-ca.der"] + filler),
        0x06: DataFile(_build_token_information(profile)),
        0x08: DataFile(bytes((0x8F if "sign-cert.der" in profile.files else 0x00, 0x8F, 0x00))),
        0x0B: DataFile(profile.files["auth-ca.der"] + filler),
        0x18: ReferenceFile("auth_pin"),
        0x1B: ReferenceFile("sign_pin"),
    }
    if "auth-cert.der" in profile.files:
        certificate = _garble(profile.files["auth-cert.der"], profile.switches.garbage)
        files[AUTHENTICATION_CERTIFICATE] = DataFile(certificate + filler)
        files[0x17] = KeyFile(_load_key(profile, "auth-key.pem"), "auth_pin")
    if "sign-cert.der" in profile.files:
        files[0x01] = DataFile(profile.files["sign-cert.der"] + filler, frozenset({"sign_pin"}))
        files[0x1A] = KeyFile(_load_key(profile, "sign-key.pem"), "sign_pin")
    elif profile.switches.no_sign_certificate_status == 0x6982:
        files[0x01] = DataFile(b"", NEVER)
    return CardApplication(files)


def _build_text(profile: CardProfile) -> CardApplication:
    record = build_basic_four(profile.text, long_form=profile.switches.long_form_tlv)
    return CardApplication(
        {
            0x01: DataFile(b"", NEVER),
            0x02: DataFile(record, frozenset({"text_pin", "code_b"})),
            0x03: DataFile(b"", NEVER),
            0x11: ReferenceFile("text_pin"),
            0x15: ReferenceFile("code_b"),
        }
    )


def _build_surface(profile: CardProfile) -> CardApplication:
    """With the files of a card issuer where the profile has them; else its age record is signed by nobody."""
    key = _load_key(profile, "surface-key.pem")
    record = profile.files.get("surface-record.bin") or _build_age_record(profile.text.birth, key)
    files: dict[int, CardFile] = {
        0x01: DataFile(record, frozenset({"birth_key"})),
        0x11: ReferenceFile("birth_key"),
    }
    if "surface-issuer.bin" in profile.files:
        files[0x04] = DataFile(profile.files["surface-issuer.bin"])
    return CardApplication(files, default_key=KeyFile(key, None))


def build_basic_four(text: BasicFourText, *, long_form: bool) -> bytes:
    """EF 0002 of the text application; `long_form` gives the outer length in three bytes."""
    fields = [
        _build_object(0xDF22, text.name.encode()),
        _build_object(0xDF23, text.address.encode()),
        _build_object(0xDF24, text.birth.encode()),
        _build_object(0xDF25, text.sex.encode()),
    ]
    table_length = 2 + 1 + 8
    value_length = table_length + sum(map(len, fields))
    header = b"\xff\x20" + (b"\x82" + value_length.to_bytes(2, "big") if long_form else _build_length(value_length))
    position, offsets = len(header) + table_length, b""
    for item in fields:
        offsets += position.to_bytes(2, "big")
        position += len(item)
    return header + _build_object(0xDF21, offsets) + b"".join(fields)


def _build_age_record(birth: str, key: RSAPrivateKey) -> bytes:
    """Signed by nobody: 256 zero bytes, refused by any check."""
    numbers = key.public_key().public_numbers()
    public_key = _build_object(0x90, numbers.e.to_bytes(3, "big")) + _build_object(0x91, numbers.n.to_bytes(256, "big"))
    return _build_object(
        0xFF10,
        _build_object(0xDF11, birth.encode())
        + _build_object(0xDF12, public_key)
        + _build_object(0xDF13, bytes(_SIGNATURE_LENGTH)),
    )


def _build_token_information(profile: CardProfile) -> bytes:
    """EF 0006: a PKCS #11 token information structure with big-endian numbers."""
    label = profile.label.encode("ascii").ljust(32)
    if profile.switches.garbage == "truncated_label":
        return label[:9]
    numbers = (0x0000040D, 1, 0, 1, 0, 16, 6, *(0xFFFFFFFF,) * 4)
    information = label + b"VIRTUAL".ljust(32) + b"VIRTUAL".ljust(16) + b"0".rjust(16, b"0")
    information += b"".join(number.to_bytes(4, "big") for number in numbers) + b"0301" + b"9" * 16
    assert len(information) == _TOKEN_INFORMATION_LENGTH
    return information


def _garble(der: bytes, garbage: str | None) -> bytes:
    match garbage:
        case "truncated_certificate":
            return der[: len(der) // 2]
        case "not_der":
            return _GARBLED
        case "wrong_length":
            return der[:2] + (int.from_bytes(der[2:4], "big") - 64).to_bytes(2, "big") + der[4:]
    return der


def _load_key(profile: CardProfile, name: str) -> RSAPrivateKey:
    try:
        # The check of the primes takes 50 ms a key and guards against keys of strangers; these are the simulator's own.
        key = load_pem_private_key(profile.files[name], None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError):
        raise ProfileMalformed(f"{name} is no private key") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size != 2048:
        raise ProfileMalformed(f"{name} is no RSA key of 2048 bits")
    return key


def _build_object(tag: int, value: bytes) -> bytes:
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + _build_length(len(value)) + value


def _build_length(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    return b"\x81" + bytes((length,)) if length < 0x100 else b"\x82" + length.to_bytes(2, "big")
