"""Files and moments as people give them to `kiosk verify`."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk_web.verify import inputs
from kiosk_web.verify.inputs import UsageMistake, read_file, read_moment, read_objects, read_single


def pem(label: str, data: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), base64.encodebytes(data), label.encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_der_is_taken_as_it_is(path: Path) -> None:
    path.write_bytes(b"\x30\x03\x02\x01\x05")
    assert read_objects(path, "certificate") == (b"\x30\x03\x02\x01\x05",)


def test_pem_is_found_among_other_text_by_its_label(path: Path) -> None:
    path.write_bytes(
        b"Subject: nobody\n" + pem("PRIVATE KEY", b"no") + pem("X509 CRL", b"one") + pem("X509 CRL", b"two")
    )
    assert read_objects(path, "crl") == (b"one", b"two")
    assert read_objects(path, "ocsp_response") == (path.read_bytes(),)


def test_line_ends_of_other_systems_do_not_matter(path: Path) -> None:
    path.write_bytes(pem("OCSP RESPONSE", bytes(100)).replace(b"\n", b"\r\n"))
    assert read_single(path, "ocsp_response") == bytes(100)


def test_broken_pem_is_handed_on_to_be_judged_as_malformed(path: Path) -> None:
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")
    assert read_single(path, "certificate") == path.read_bytes()


def test_several_certificates_where_one_is_judged_are_a_mistake(path: Path) -> None:
    path.write_bytes(pem("CERTIFICATE", b"one") * 2)
    with pytest.raises(UsageMistake, match="holds 2 objects"):
        read_single(path, "certificate")


def test_what_cannot_be_read_or_is_far_too_long_is_a_mistake(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageMistake, match="No such file"):
        read_file(path, "message")
    monkeypatch.setitem(inputs._LIMITS, "message", 3)
    path.write_bytes(b"1234")
    with pytest.raises(UsageMistake, match="longer than 3 bytes"):
        read_file(path, "message")


@pytest.mark.parametrize(
    "text", ["2026-11-23T12:00:00+09:00", "2026-11-23T03:00:00Z", "2026-11-23T03:00", "2026-11-23 03:00:00"]
)
def test_a_moment_has_an_offset_or_is_utc(text: str) -> None:
    assert read_moment(text) == datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "now", "23.11.2026", "0001-01-01", "9999-12-31", "1949-12-31T23:59:59Z"])
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(UsageMistake, match="--at"):
        read_moment(text)
