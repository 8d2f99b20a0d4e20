"""Anchor files: PEM and DER load, everything else is named; production takes published roots only."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.adapters.anchor_files import (
    AnchorFileRefused,
    load_anchors,
    load_packaged_anchors,
    load_trust_store,
    read_fingerprints,
)
from tests.support.jpki import build_root, issue

ROOTS = [build_root(2015), build_root(2023)]


def write_roots(folder: Path) -> None:
    (folder / "first.cer").write_bytes(ROOTS[0].der)
    (folder / "second.PEM").write_bytes(ROOTS[1].certificate.public_bytes(Encoding.PEM))
    (folder / "notes.txt").write_text("not looked at")


def test_a_folder_of_pem_and_der_files_loads(tmp_path: Path) -> None:
    write_roots(tmp_path)
    assert [(anchor.label, anchor.sha256) for anchor in load_anchors(tmp_path)] == [
        ("first", ROOTS[0].anchor.sha256),
        ("second", ROOTS[1].anchor.sha256),
    ]


def test_one_file_may_hold_several(tmp_path: Path) -> None:
    bundle = b"".join(root.certificate.public_bytes(Encoding.PEM) for root in ROOTS)
    (tmp_path / "bundle.pem").write_bytes(bundle)
    assert len(load_anchors(tmp_path)) == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "bad.pem"),
        (b"garbage", "bad.pem"),
        (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "not a certificate"),
        (issue(build_root()).der, "not a CA certificate"),
        (build_root().der + b"\0", "bytes follow"),
        (bytes(300 * 1024), "longer"),
    ],
)
def test_a_file_that_is_no_anchor_stops_everything_by_its_name(tmp_path: Path, content: bytes, why: str) -> None:
    write_roots(tmp_path)
    (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(AnchorFileRefused, match=why) as caught:
        load_anchors(tmp_path)
    assert "bad.pem" in str(caught.value)


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnchorFileRefused, match="No such file"):
        load_trust_store(tmp_path / "missing", production=False)
    with pytest.raises(AnchorFileRefused, match="no anchor"):
        load_trust_store(tmp_path, production=False)


def test_a_demo_trusts_its_folder_and_not_the_real_roots(tmp_path: Path) -> None:
    write_roots(tmp_path)
    assert len(load_trust_store(tmp_path, production=False).anchors) == 2


def test_without_a_folder_the_published_roots_are_trusted() -> None:
    published = {anchor.sha256 for anchor in load_packaged_anchors()}
    for production in (True, False):
        assert {anchor.sha256 for anchor in load_trust_store(None, production=production).anchors} == published


def test_production_refuses_a_root_of_the_same_name_that_was_not_published(tmp_path: Path) -> None:
    write_roots(tmp_path)
    with pytest.raises(AnchorFileRefused, match="first: not on the list"):
        load_trust_store(tmp_path, production=True)


def test_a_confirmed_fingerprint_does_not_make_any_root_a_published_one(tmp_path: Path) -> None:
    write_roots(tmp_path)
    confirmed = [root.anchor.fingerprint for root in ROOTS]
    with pytest.raises(AnchorFileRefused, match="not on the list"):
        load_trust_store(tmp_path, production=True, confirmed_fingerprints=confirmed)


def test_production_takes_the_published_roots_from_a_folder_too(tmp_path: Path) -> None:
    anchor = load_packaged_anchors()[0]
    (tmp_path / "root.der").write_bytes(anchor.der)
    assert len(load_trust_store(tmp_path, production=True).anchors) == 4


@pytest.mark.parametrize("text", ["AA:" * 31 + "AA", "aa" * 32, " ".join(["Aa"] * 32)])
def test_fingerprints_are_read_as_people_write_them(text: str) -> None:
    assert read_fingerprints([text]) == {b"\xaa" * 32}


@pytest.mark.parametrize("text", ["", "zz" * 32, "aa" * 20])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(AnchorFileRefused, match="fingerprint"):
        read_fingerprints([text])
