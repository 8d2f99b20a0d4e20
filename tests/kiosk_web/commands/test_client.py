"""`kiosk client`: what is printed, and what the exit status says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from kiosk_web.__main__ import app
from tests.support.api_client import dump_public

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KIOSK_")]:
        monkeypatch.delenv(name)


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(app, ["client", *arguments, f"--data={folder / 'data'}"])
    return result.exit_code, result.output.strip()


def write_key(folder: Path, name: str) -> str:
    path = folder / name
    path.write_bytes(dump_public(Ed25519PrivateKey.generate()))
    return f"--key={path}"


def test_a_client_is_added_listed_given_another_key_and_revoked(tmp_path: Path) -> None:
    asked = ["add", "portal", "--system=facility-booking", "--method=ocsp", "--method=crl"]
    status, said = run(tmp_path, *asked, write_key(tmp_path, "one.pub"), "--origin=https://www.example.lg.jp", "--json")
    added = json.loads(said)
    assert (status, added["client"], len(added["key"])) == (0, "portal", 43)
    (row,) = json.loads(run(tmp_path, "list", "--json")[1])
    assert row == {
        "client": "portal",
        "condition": "in force",
        "systems": ["facility-booking"],
        "methods": ["ocsp", "crl"],
        "origins": ["https://www.example.lg.jp"],
        "rate": 600,
        "terminals": [],
        "links": [],
        "redirect_uris": [],
    }
    status, said = run(tmp_path, "rotate", "portal", write_key(tmp_path, "two.pub"), "--overlap-hours=2")
    assert (status, said.startswith("portal may call the API with the key")) == (0, True)
    assert run(tmp_path, "revoke", "portal") == (0, "portal is revoked.")
    assert run(tmp_path, "list")[1].startswith("revoked    portal")


def test_what_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    private = tmp_path / "private.pem"
    private.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    usual = ["add", "portal", "--method=ocsp"]
    for arguments, words in (
        ([*usual, "--system=library", write_key(tmp_path, "key.pub")], "no system 'library'"),
        ([*usual, "--system=facility-booking", f"--key={private}"], "private key"),
        ([*usual, "--system=facility-booking", f"--key={tmp_path / 'nothing'}"], "No such file"),
        (["revoke", "portal"], "no client 'portal'"),
    ):
        status, said = run(tmp_path, *arguments)
        assert (status, len(said.splitlines()), words in said) == (2, 1, True), said
