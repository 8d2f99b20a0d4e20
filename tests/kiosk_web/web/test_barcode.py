"""Barcodes are read back by a decoder that had no part in drawing them."""

from __future__ import annotations

import re

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.web.barcode import BarcodeKind, BarcodeUnfit, build_barcode
from tests.support.svg_picture import draw

FORMATS = {"nw7": "Codabar", "code39": "Code 39", "qr": "QR Code"}


def read(svg: str) -> tuple[str, str]:
    """(kind, text) of the one barcode in the picture."""
    (found,) = zxingcpp.read_barcodes(draw(svg))
    return str(found.format), found.text


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("nw7", "20260418"),
        ("nw7", "0000000000"),
        ("nw7", "123456789012"),
        ("code39", "20260418"),
        ("code39", "LIB0012345"),
        ("qr", "20260418"),
        ("qr", "LIB0012345"),
    ],
)
def test_an_independent_decoder_reads_the_number(kind: BarcodeKind, number: str) -> None:
    found, text = read(str(build_barcode(kind, number, "number")))
    assert found.replace(" ", "") == FORMATS[kind].replace(" ", "")
    assert text == (f"A{number}A" if kind == "nw7" else number)


@given(st.text("0123456789", min_size=4, max_size=14))
@settings(max_examples=40)
def test_every_number_is_read_back(number: str) -> None:
    assert read(str(build_barcode("nw7", number, "n")))[1] == f"A{number}A"
    assert read(str(build_barcode("code39", number, "n")))[1] == number


def test_the_letters_of_codabar_are_the_librarys() -> None:
    assert read(str(build_barcode("nw7", "0123", "n", start="B", stop="D")))[1] == "B0123D"


@pytest.mark.parametrize(("kind", "number"), [("nw7", "12A4"), ("code39", "ab"), ("code39", "図書")])
def test_a_number_that_does_not_fit_is_refused_without_being_quoted(kind: BarcodeKind, number: str) -> None:
    with pytest.raises(BarcodeUnfit) as refusal:
        build_barcode(kind, number, "n")
    assert number not in str(refusal.value)


@pytest.mark.parametrize("kind", ["nw7", "code39", "qr"])
def test_the_picture_holds_no_style_no_address_and_no_number(kind: BarcodeKind) -> None:
    svg = str(build_barcode(kind, "20260418", 'a "label" <b>'))
    assert not re.search(r"style|href|url\(|data:|<script|<b>", svg)
    assert "20260418" not in svg
    assert "a &#34;label&#34; &lt;b&gt;" in svg
