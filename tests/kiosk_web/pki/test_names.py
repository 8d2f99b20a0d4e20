"""Names for matching: the same however they are written, different where they mean something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.names import MAX_NAME, canonicalise_name, canonicalise_relative_name
from tests.support.der import SEQUENCE, tlv

SET, OID = 0x31, 0x06
UTF8, PRINTABLE, TELETEX, BMP, UNIVERSAL, IA5, BITS = 0x0C, 0x13, 0x14, 0x1E, 0x1C, 0x16, 0x03
ORGANISATION, UNIT, COMMON_NAME = b"\x55\x04\x0a", b"\x55\x04\x0b", b"\x55\x04\x03"


def attribute(kind: bytes, text: str | bytes, tag: int = UTF8) -> bytes:
    encoding = {BMP: "utf-16-be", UNIVERSAL: "utf-32-be", TELETEX: "latin-1"}.get(tag, "utf-8")
    return tlv(SEQUENCE, tlv(OID, kind) + tlv(tag, text.encode(encoding) if isinstance(text, str) else text))


def name(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, b"".join(tlv(SET, part) for part in parts))


PLAIN = name(attribute(ORGANISATION, "JPKI"), attribute(COMMON_NAME, "Kasumi-ku CRLDP"))


@pytest.mark.parametrize("tag", [PRINTABLE, TELETEX, BMP, UNIVERSAL, IA5])
def test_the_type_of_a_string_does_not_matter(tag: int) -> None:
    other = name(attribute(ORGANISATION, "JPKI", tag), attribute(COMMON_NAME, "Kasumi-ku CRLDP", tag))
    assert canonicalise_name(other) == canonicalise_name(PLAIN)


@pytest.mark.parametrize(
    "text",
    ["kasumi-ku crldp", "KASUMI-KU CRLDP", "  Kasumi-ku \t  CRLDP ", "Ｋasumi-ku　CRLDP", "Kasumi-ku\u00a0CRLDP"],
)
def test_case_white_space_and_width_do_not_matter(text: str) -> None:
    other = name(attribute(ORGANISATION, "jpki"), attribute(COMMON_NAME, text))
    assert canonicalise_name(other) == canonicalise_name(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        name(attribute(ORGANISATION, "JPKI")),
        name(attribute(COMMON_NAME, "Kasumi-ku CRLDP"), attribute(ORGANISATION, "JPKI")),
        name(attribute(ORGANISATION, "JPKI"), attribute(COMMON_NAME, "Kasumi ku CRLDP")),
        name(attribute(ORGANISATION, "JPKI"), attribute(COMMON_NAME, "Kasumi-kuCRLDP")),
        name(attribute(UNIT, "JPKI"), attribute(COMMON_NAME, "Kasumi-ku CRLDP")),
        name(attribute(ORGANISATION, "JPKI") + attribute(COMMON_NAME, "Kasumi-ku CRLDP")),
        name(attribute(ORGANISATION, "JPKI"), attribute(COMMON_NAME, b"\0Kasumi-ku CRLDP", BITS)),
        name(attribute(ORGANISATION, "JPKI"), attribute(COMMON_NAME, "Kasumi-ku CRLDP"), attribute(UNIT, "")),
        name(),
    ],
)
def test_another_name_is_another_name(other: bytes) -> None:
    assert canonicalise_name(other) != canonicalise_name(PLAIN)


def test_within_a_part_the_order_does_not_matter() -> None:
    one, two = attribute(ORGANISATION, "A"), attribute(UNIT, "B")
    assert canonicalise_name(name(one + two)) == canonicalise_name(name(two + one))


def test_a_name_below_the_issuer_is_the_whole_name() -> None:
    issuer = name(attribute(ORGANISATION, "JPKI"))
    assert canonicalise_relative_name(issuer, attribute(COMMON_NAME, "kasumi-ku crldp")) == canonicalise_name(PLAIN)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x30",
        PLAIN + b"\0",
        PLAIN[:-1],
        tlv(0x31, b""),
        tlv(SEQUENCE, tlv(SEQUENCE, attribute(UNIT, "A"))),
        name(b""),
        name(tlv(SEQUENCE, tlv(OID, UNIT))),
        name(tlv(SEQUENCE, tlv(OID, UNIT) + tlv(UTF8, b"A") + tlv(UTF8, b"B"))),
        name(tlv(SET, tlv(OID, UNIT) + tlv(UTF8, b"A"))),
        name(attribute(UNIT, b"\xff", UTF8)),
        name(attribute(UNIT, b"\x30", BMP)),
        name(attribute(UNIT, "é", PRINTABLE)),
        name(attribute(UNIT, "A" * MAX_NAME)),
    ],
)
def test_what_is_no_name_is_refused(broken: bytes) -> None:
    with pytest.raises(MalformedDer):
        canonicalise_name(broken)


@given(st.lists(st.lists(st.text(max_size=5), min_size=1, max_size=2), max_size=4))
def test_different_texts_stay_apart(parts: list[list[str]]) -> None:
    """Texts of letters that no preparation changes: equal names only from equal texts."""
    plain = [["".join(f"{ord(letter):x}x" for letter in text) for text in part] for part in parts]
    made = name(*(b"".join(attribute(UNIT, text) for text in part) for part in plain))
    again = name(*(b"".join(attribute(UNIT, text.upper(), PRINTABLE) for text in sorted(part)) for part in plain))
    other = name(*(b"".join(attribute(UNIT, text + "y") for text in part) for part in plain))
    assert canonicalise_name(made) == canonicalise_name(again)
    assert (canonicalise_name(made) == canonicalise_name(other)) == (not parts)
