"""Who vouches for the key of a card body: exactly one chain is believed, and every changed byte breaks it."""

from __future__ import annotations

from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.card_issuer import CardRecordMalformed, judge_surface_key, parse_age_record, parse_issuer_certificate
from kiosk_web.simulator.card_issuer import AUTHORITY_KEY_ID, ISSUER_KEY_ID, CardIssuer
from tests.support.jpki import rsa_key

ISSUER = CardIssuer(rsa_key("card authority"), rsa_key("card issuer"))
CARD = rsa_key("card")
RECORD = ISSUER.build_age_record(date(1980, 2, 17), CARD.public_key())
CERTIFICATE = ISSUER.build_certificate()
ISSUERS = {AUTHORITY_KEY_ID: ISSUER.authority.public_key()}


def numbers(key: rsa.RSAPublicKey | None) -> rsa.RSAPublicNumbers | None:
    return None if key is None else key.public_numbers()


def test_the_files_have_the_lengths_and_names_of_a_card() -> None:
    assert (len(RECORD), len(CERTIFICATE)) == (547, 568)
    certificate = parse_issuer_certificate(CERTIFICATE)
    assert (certificate.issuer_key_id, certificate.subject_key_id) == (AUTHORITY_KEY_ID, ISSUER_KEY_ID)


def test_the_key_of_a_card_is_believed_down_the_whole_chain() -> None:
    assert numbers(judge_surface_key(RECORD, CERTIFICATE, ISSUERS)) == CARD.public_key().public_numbers()


def test_without_a_configured_key_or_with_another_one_no_card_is_believed() -> None:
    assert judge_surface_key(RECORD, CERTIFICATE, {}) is None
    assert judge_surface_key(RECORD, CERTIFICATE, {AUTHORITY_KEY_ID: CARD.public_key()}) is None
    assert judge_surface_key(RECORD, CERTIFICATE, {ISSUER_KEY_ID: ISSUER.authority.public_key()}) is None


def test_an_issuer_of_ones_own_is_not_believed() -> None:
    own = CardIssuer(rsa_key("card"), rsa_key("card issuer"))
    assert judge_surface_key(RECORD, own.build_certificate(), ISSUERS) is None
    other = CardIssuer(ISSUER.authority, rsa_key("another issuer"))
    assert judge_surface_key(other.build_age_record(date(1980, 2, 17), CARD.public_key()), CERTIFICATE, ISSUERS) is None


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(RECORD) + len(CERTIFICATE) - 1), st.integers(1, 255))
def test_any_changed_byte_breaks_the_chain(position: int, change: int) -> None:
    both = bytearray(RECORD + CERTIFICATE)
    both[position] ^= change
    assert judge_surface_key(bytes(both[: len(RECORD)]), bytes(both[len(RECORD) :]), ISSUERS) is None


@settings(deadline=None)
@given(st.binary(max_size=64), st.integers(0, 546))
def test_any_other_bytes_are_malformed(data: bytes, length: int) -> None:
    for parse, whole in ((parse_age_record, RECORD), (parse_issuer_certificate, CERTIFICATE)):
        with pytest.raises(CardRecordMalformed):
            parse(data)
        with pytest.raises(CardRecordMalformed):
            parse(whole[:length])
        with pytest.raises(CardRecordMalformed):
            parse(whole + b"\xff")


def test_the_text_of_a_record_shows_no_birth_date() -> None:
    assert "1980" not in repr(parse_age_record(RECORD))
