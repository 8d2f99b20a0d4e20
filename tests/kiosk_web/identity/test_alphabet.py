"""Identifiers are spelled without signs that people confuse, and drawn without bias."""

from __future__ import annotations

from collections import Counter

import pytest

from kiosk_web.identity import mykey, persons, ppid, reference
from kiosk_web.identity.alphabet import ALPHABET, spell


def test_no_sign_looks_like_another() -> None:
    assert not set(ALPHABET) & set("01IO")
    assert len(set(ALPHABET)) == 32


def test_every_sign_is_equally_likely() -> None:
    assert set(Counter(spell(bytes(range(256)))).values()) == {8}


def test_each_identifier_has_its_form() -> None:
    assert len(ppid.build_ppid(bytes(24))) == 24
    assert len(mykey.build_mykey_id(bytes(8))) == 8
    assert reference.build_reference(bytes(range(8))) == "2345-6789"
    assert persons.build_person_id(bytes(16)) == "00" * 16


@pytest.mark.parametrize(
    "build", [ppid.build_ppid, mykey.build_mykey_id, reference.build_reference, persons.build_person_id]
)
def test_too_little_entropy_is_refused(build: object) -> None:
    with pytest.raises(ValueError, match="entropy"):
        build(bytes(7))  # type: ignore[operator]  # one of the four
