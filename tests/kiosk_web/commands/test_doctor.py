"""`kiosk doctor`: an operator learns what is trusted and what to mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk_web.__main__ import app
from kiosk_web.adapters.anchor_files import load_packaged_anchors
from kiosk_web.commands.doctor import examine_anchors
from tests.support.jpki import NOW, build_root


def test_the_published_roots_are_described_and_the_missing_generation_named() -> None:
    diagnosis = examine_anchors(None, production=True, confirmed_fingerprints=(), now=NOW)
    text = "\n".join(diagnosis.lines)
    assert diagnosis.healthy
    assert "auth_ca_2023: user authentication CA, generation 2023, published by JPKI as authca03" in text
    assert "valid    2023-07-16 to 2033-07-15" in text
    assert "SHA-256  64:11:4F:29:62:0C:24:ED:26:31:D4:64:76:A0:40:E7" in text
    assert "warning: auth_ca_2015: expired on 2025-10-19" in text
    assert "warning: the 2019 generation of the user-authentication CA is missing" in text


def test_roots_of_a_demo_are_told_from_published_ones(tmp_path: Path) -> None:
    (tmp_path / "own.der").write_bytes(build_root().der)
    demo = examine_anchors(tmp_path, production=False, confirmed_fingerprints=(), now=NOW)
    assert demo.healthy
    assert "not a published JPKI root" in demo.lines[0]
    assert not any("missing" in line for line in demo.lines)
    production = examine_anchors(tmp_path, production=True, confirmed_fingerprints=(), now=NOW)
    assert not production.healthy
    assert "error: own: not on the list of published roots; production refuses it" in production.lines


def test_a_root_that_comes_with_the_program_and_lies_in_the_folder_is_told_of_once(tmp_path: Path) -> None:
    packaged = next(anchor for anchor in load_packaged_anchors() if anchor.label == "auth_ca_2015")
    (tmp_path / "mine.cer").write_bytes(packaged.der)
    lines = examine_anchors(tmp_path, production=True, confirmed_fingerprints=(), now=NOW).lines
    assert "warning: mine: expired on 2025-10-19" in lines
    assert "warning: auth_ca_2015: expired on 2025-10-19" not in lines
    assert "\n".join(lines).count(packaged.fingerprint) == 1


@pytest.mark.parametrize("fingerprint", ["", "nonsense"])
def test_a_setting_that_cannot_be_read_is_a_finding(fingerprint: str) -> None:
    diagnosis = examine_anchors(None, production=True, confirmed_fingerprints=[fingerprint], now=NOW)
    assert not diagnosis.healthy


def test_the_command_prints_it_and_its_exit_code_says_whether_all_is_well(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["doctor"])
    assert answer.exit_code == 0
    assert "authca03" in answer.output
    (tmp_path / "bad.pem").write_text("garbage")
    answer = CliRunner().invoke(app, ["doctor", "--anchors", str(tmp_path)])
    assert answer.exit_code == 1
    assert "error: bad.pem" in answer.output
    assert CliRunner().invoke(app, ["doctor", "--deployment", "elsewhere"]).exit_code == 2


def test_a_pinned_responder_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(f'[[ocsp_pins]]\nkey_sha256 = "{"ab" * 32}"\nissuer_key_ids = ["1ac1"]\n')
    answer = CliRunner().invoke(app, ["doctor"], env={"KIOSK_CONFIG": str(file)})
    assert "warning: the responder's key abababababababab… is pinned for issuer key 1A:C1" in answer.output
    assert "pinned" not in CliRunner().invoke(app, ["doctor"]).output
