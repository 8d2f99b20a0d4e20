"""The keys of card issuers from files: what production refuses by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk_web.adapters.anchor_files import AnchorFileRefused
from kiosk_web.adapters.card_issuer_files import derive_key_fingerprint, is_virtual, load_card_issuers
from kiosk_web.commands.doctor import examine_kazashi
from kiosk_web.settings.kazashi import KazashiSettings
from kiosk_web.simulator.card_issuer import AUTHORITY_KEY_ID
from tests.support.jpki import rsa_key

REAL = b"5000023\x08\x05001\0\0\0\0"
KEY = rsa_key("card authority").public_key()
FINGERPRINT = derive_key_fingerprint(KEY).hex()


def write(folder: Path, key_id: bytes) -> Path:
    pem = KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{key_id.hex()}.pem").write_bytes(pem)
    return folder


def test_a_demo_takes_the_key_of_its_simulator_and_production_never(tmp_path: Path) -> None:
    folder = write(tmp_path, AUTHORITY_KEY_ID)
    (key_id,) = load_card_issuers(folder, production=False)
    assert key_id == AUTHORITY_KEY_ID
    assert is_virtual(key_id)
    with pytest.raises(AnchorFileRefused, match="simulator"):
        load_card_issuers(folder, production=True, confirmed_fingerprints=[FINGERPRINT])


def test_production_takes_a_key_whose_fingerprint_was_confirmed_and_no_other(tmp_path: Path) -> None:
    folder = write(tmp_path, REAL)
    with pytest.raises(AnchorFileRefused, match="confirmed_fingerprints"):
        load_card_issuers(folder, production=True)
    assert list(load_card_issuers(folder, production=True, confirmed_fingerprints=[FINGERPRINT])) == [REAL]


@pytest.mark.parametrize(("name", "content"), [("x.pem", b"x"), (f"{'0' * 32}.pem", b"x")])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AnchorFileRefused, match=name):
        load_card_issuers(tmp_path, production=False)


def test_the_doctor_says_by_name_that_kazashi_is_off_or_on_and_why(tmp_path: Path) -> None:
    off = examine_kazashi(KazashiSettings(), production=True)
    assert off.healthy
    assert "kazashi: off" in off.lines[0]
    assert "legal_basis" in off.lines[0]
    blank = examine_kazashi(KazashiSettings(legal_basis="  "), production=True)
    assert blank.lines == off.lines
    on = examine_kazashi(
        KazashiSettings(
            legal_basis="条例第1条", card_issuers=write(tmp_path, REAL), confirmed_fingerprints=(FINGERPRINT,)
        ),
        production=True,
    )
    assert on.healthy
    assert "条例第1条" in on.lines[0]
    assert FINGERPRINT in on.lines[1]
    refused = examine_kazashi(KazashiSettings(legal_basis="条例", card_issuers=tmp_path), production=True)
    assert not refused.healthy
    assert "warning" in examine_kazashi(KazashiSettings(), production=False).lines[1]
