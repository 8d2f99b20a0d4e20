import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.tlv import DataObject, parse_fields, parse_header, parse_object, parse_objects
from bridge.errors import CardDataMalformed

TAGS = st.sampled_from([0x30, 0x03, 0x91, 0xFF20, 0xDF22, 0xDF2A, 0x7F21, 0x5F37])


def encode(tag: int, value: bytes, length_bytes: int) -> bytes:
    """With so many length bytes; 0 for the short form."""
    tag_bytes = tag.to_bytes(2 if tag > 0xFF else 1, "big")
    length = bytes((len(value),))
    if length_bytes:
        length = bytes((0x80 | length_bytes,)) + len(value).to_bytes(length_bytes, "big")
    return tag_bytes + length + value


@given(tag=TAGS, value=st.binary(max_size=300), length_bytes=st.integers(0, 4), filler=st.binary(max_size=5))
def test_every_length_form_is_read_and_filler_ignored(tag: int, value: bytes, length_bytes: int, filler: bytes) -> None:
    shortest = 0 if len(value) < 0x80 else 1 if len(value) < 0x100 else 2
    data = encode(tag, value, max(length_bytes, shortest))
    assert parse_object(data + filler) == DataObject(tag, value)
    assert parse_header(data).total_length == len(data)


@given(tag=TAGS, value=st.binary(min_size=1, max_size=300), cut=st.integers(1, 300))
def test_a_truncated_object_is_malformed(tag: int, value: bytes, cut: int) -> None:
    data = encode(tag, value, 2)
    with pytest.raises(CardDataMalformed):
        parse_object(data[: max(0, len(data) - cut)])


@given(st.binary(max_size=64))
def test_any_bytes_are_objects_or_malformed(data: bytes) -> None:
    try:
        objects = parse_objects(data)
    except CardDataMalformed:
        return
    assert sum(len(item.value) for item in objects) <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        "30",
        "FF",
        "FF20",
        "FF8080 01 00",
        "3080 0000",
        "3085 0000000001 00",
        "3082 01",
        "3001",
        "30 01 00 FF",
    ],
)
def test_named_cases_are_malformed(data: str) -> None:
    with pytest.raises(CardDataMalformed):
        parse_objects(bytes.fromhex(data))


def test_objects_side_by_side_fill_their_value() -> None:
    data = encode(0xDF22, b"one", 0) + encode(0xDF23, b"two", 1)
    assert parse_fields(data) == {0xDF22: b"one", 0xDF23: b"two"}


def test_a_tag_twice_is_malformed() -> None:
    with pytest.raises(CardDataMalformed, match="twice"):
        parse_fields(encode(0xDF22, b"one", 0) * 2)


def test_the_text_of_an_object_never_shows_its_value() -> None:
    assert "secret" not in repr(DataObject(0xDF22, b"secret"))
