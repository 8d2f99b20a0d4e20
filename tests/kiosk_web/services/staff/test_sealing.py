"""Sealed secrets open with their key, in their row, unchanged, and in no other way."""

from __future__ import annotations

import base64
import secrets

import pytest

from kiosk_web.services.staff.sealing import SealBroken, SecretSeal

SECRET, KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", bytes(range(32))


def test_what_was_sealed_opens_and_two_seals_of_one_secret_differ() -> None:
    seal = SecretSeal(KEY, secrets.token_bytes)
    first, second = seal.seal(SECRET, "0042"), seal.seal(SECRET, "0042")
    assert first != second
    assert SECRET not in first
    assert seal.open(first, "0042") == seal.open(second, "0042") == SECRET


def test_another_key_and_another_number_do_not_open_it() -> None:
    sealed = SecretSeal(KEY, secrets.token_bytes).seal(SECRET, "0042")
    for seal, number in ((SecretSeal(KEY[::-1], secrets.token_bytes), "0042"), (SecretSeal(KEY, bytes), "0043")):
        with pytest.raises(SealBroken):
            seal.open(sealed, number)


def test_a_changed_bit_anywhere_is_noticed() -> None:
    seal = SecretSeal(KEY, secrets.token_bytes)
    content = base64.urlsafe_b64decode(seal.seal(SECRET, "0042").removeprefix("1."))
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            seal.open("1." + base64.urlsafe_b64encode(changed).decode(), "0042")


@pytest.mark.parametrize("text", ["", "1.", SECRET, "2.AAAA", "1.AAAA", "1.鍵", "1.AAA\n", "1." + "A" * 20])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(SealBroken):
        SecretSeal(KEY, secrets.token_bytes).open(text, "0042")
