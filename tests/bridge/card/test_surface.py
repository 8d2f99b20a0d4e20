from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.channel import CardChannel
from bridge.card.pin import Pin
from bridge.card.status_word import FileNotFound, SecurityStatusNotSatisfied
from bridge.card.surface import SurfaceApplet, parse_age_record
from bridge.errors import CardDataMalformed, PinRefused
from tests.support.profiles import BIRTH_KEY, make_key, write_profile
from tests.support.transports import VirtualTransport, make_card


@pytest.fixture
def surface(tmp_path: Path) -> SurfaceApplet:
    return SurfaceApplet(CardChannel(VirtualTransport(make_card(write_profile(tmp_path)))))


def test_the_age_record_names_birth_date_and_key(surface: SurfaceApplet) -> None:
    surface.verify_birth_key(Pin.from_ascii(BIRTH_KEY.encode()))
    record = surface.read_age_record()
    numbers = make_key("surface").public_key().public_numbers()
    assert (record.birth, record.modulus, record.exponent) == ("19800217", numbers.n, numbers.e)
    assert len(record.raw) == 547
    assert len(record.signature) == 256


def test_the_age_record_needs_the_birth_key(surface: SurfaceApplet) -> None:
    with pytest.raises(SecurityStatusNotSatisfied):
        surface.read_age_record()


def test_a_wrong_birth_key_costs_a_try(surface: SurfaceApplet) -> None:
    with pytest.raises(PinRefused) as refused:
        surface.verify_birth_key(Pin.from_ascii(b"800217"))
    assert refused.value.tries_left == surface.read_birth_key_tries_left() == 9


def test_a_virtual_card_has_no_issuer_certificate(surface: SurfaceApplet) -> None:
    with pytest.raises(FileNotFound):
        surface.read_issuer_certificate()


@given(st.binary(max_size=100))
def test_any_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(CardDataMalformed):
        parse_age_record(data)


@given(length=st.integers(0, 546))
def test_a_record_cut_anywhere_is_malformed(length: int) -> None:
    key = bytes.fromhex("9003010001 91820100") + bytes(256)
    fields = bytes.fromhex("DF1108") + b"19800217" + bytes.fromhex("DF12820109") + key
    record = bytes.fromhex("FF1082021E") + fields + bytes.fromhex("DF13820100") + bytes(256)
    assert len(record) == 547
    assert parse_age_record(record).birth == "19800217"
    with pytest.raises(CardDataMalformed):
        parse_age_record(record[:length])


def test_the_text_of_a_record_shows_nothing_of_the_person(surface: SurfaceApplet) -> None:
    surface.verify_birth_key(Pin.from_ascii(BIRTH_KEY.encode()))
    assert repr(surface.read_age_record()) == "AgeRecord(****)"
