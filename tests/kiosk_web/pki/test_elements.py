"""Elements of DER: one form for each value, every other one refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.pki import elements
from kiosk_web.pki.der import MalformedDer
from tests.support.crl_writer import encode_extension, encode_integer, encode_time
from tests.support.der import SEQUENCE, tlv

OID, BOOLEAN, INTEGER, BITS = 0x06, 0x01, 0x02, 0x03


def whole(data: bytes) -> elements.Element:
    return elements.read_element(data, 0, len(data))


@given(st.integers(-(1 << 200), 1 << 200))
def test_integers_are_read_in_their_shortest_form(value: int) -> None:
    data = encode_integer(value)
    assert elements.read_integer(data, whole(data)) == value
    longer = tlv(INTEGER, (b"\xff" if value < 0 else b"\0") + data[2:])
    with pytest.raises(MalformedDer):
        elements.read_integer(longer, whole(longer))


@given(st.datetimes(datetime(1950, 1, 1), datetime(2049, 12, 31)), st.booleans())  # noqa: DTZ001
def test_times_are_read_to_the_second(moment: datetime, generalized: bool) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    data = encode_time(moment, generalized=generalized)
    assert elements.read_time(data, whole(data)) == moment


@pytest.mark.parametrize(
    "data",
    [
        tlv(0x17, b"260102030405"),
        tlv(0x17, b"2601020304Z"),
        tlv(0x17, b"2601020304050Z"),
        tlv(0x17, b"260102030460Z"),
        tlv(0x17, b"26010203040 Z"),
        tlv(0x17, b"26_102030405Z"),
        tlv(0x18, b"00000101000000Z"),
        tlv(0x18, b"20260102030405.1Z"),
        tlv(0x04, b"260102030405Z"),
    ],
)
def test_other_forms_of_time_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedDer):
        elements.read_time(data, whole(data))


@pytest.mark.parametrize(
    ("value", "dotted"),
    [
        ("551d15", "2.5.29.21"),
        ("2a030405", "1.2.3.4.5"),
        ("2a83088c9b55", "1.2.392.200149"),
        ("00", "0.0"),
        ("813403", "2.100.3"),
    ],
)
def test_identifiers_are_read_in_dotted_form(value: str, dotted: str) -> None:
    data = tlv(OID, bytes.fromhex(value))
    assert elements.read_object_identifier(data, whole(data)) == dotted


@pytest.mark.parametrize("value", ["", "8055", "551d95", "5580 1d"])
def test_other_forms_of_identifiers_are_refused(value: str) -> None:
    data = tlv(OID, bytes.fromhex(value))
    with pytest.raises(MalformedDer):
        elements.read_object_identifier(data, whole(data))


@pytest.mark.parametrize("value", [b"", b"\x01", b"\xff\xff"])
def test_a_boolean_has_two_forms(value: bytes) -> None:
    data = tlv(BOOLEAN, value)
    with pytest.raises(MalformedDer):
        elements.read_boolean(data, whole(data))


@pytest.mark.parametrize("value", [b"", b"\x01\x80"])
def test_bits_are_whole_octets(value: bytes) -> None:
    data = tlv(BITS, value)
    with pytest.raises(MalformedDer):
        elements.read_bits(data, whole(data))


def test_elements_fill_their_place() -> None:
    data = tlv(4, b"a") + tlv(4, b"b" * 200) + tlv(SEQUENCE, b"")
    assert [(found.tag, found.end - found.content) for found in elements.read_elements(data, 0, len(data))] == [
        (4, 1),
        (4, 200),
        (SEQUENCE, 0),
    ]
    with pytest.raises(MalformedDer):
        list(elements.read_elements(data, 0, len(data) - 1))


ONE, TWO = encode_extension(b"\x2a\x03", b"\x05\0", critical=True), encode_extension(b"\x2a\x04", b"")


def test_extensions_are_read_with_their_place() -> None:
    data = tlv(SEQUENCE, ONE + TWO)
    found = list(elements.read_extensions(data, 0, len(data)))
    assert [(extension.oid, extension.critical) for extension in found] == [("1.2.3", True), ("1.2.4", False)]
    assert [data[extension.start : extension.end] for extension in found] == [b"\x05\0", b""]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        ONE + ONE,
        ONE + b"\0",
        tlv(0x31, ONE[2:]),
        tlv(SEQUENCE, tlv(OID, b"\x2a\x03")),
        tlv(SEQUENCE, tlv(OID, b"\x2a\x03") + tlv(BOOLEAN, b"\0") + tlv(4, b"")),
        tlv(SEQUENCE, tlv(OID, b"\x2a\x03") + tlv(4, b"") + tlv(BOOLEAN, b"\xff")),
        tlv(SEQUENCE, tlv(4, b"\x2a\x03") + tlv(4, b"")),
    ],
)
def test_other_forms_of_extensions_are_refused(content: bytes) -> None:
    data = tlv(SEQUENCE, content)
    with pytest.raises(MalformedDer):
        list(elements.read_extensions(data, 0, len(data)))
