"""Files made by others are the ones we say, with licence and notice; the font knows every character we show."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from kiosk_web.web.catalogue import LANGUAGES, load_catalogue
from kiosk_web.web.render import STATIC

ROOT = Path(__file__).resolve().parents[3]
FILES = tomllib.loads((STATIC / "VENDORED.toml").read_text(encoding="utf-8"))["file"]


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: str(entry["file"]))
def test_a_vendored_file_has_the_recorded_hash_and_its_licence_beside_it(entry: dict[str, str]) -> None:
    assert hashlib.sha256((STATIC / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (STATIC / entry["licence_file"]).stat().st_size > 500
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    assert f"static/{entry['licence_file']}" in notices
    assert entry["version"] in notices


def test_every_file_of_others_is_recorded() -> None:
    recorded = {entry["file"] for entry in FILES}
    present = {path for folder in ("vendor", "fonts") for path in (STATIC / folder).rglob("*") if path.is_file()}
    ours = {"characters.txt", "fonts.css", "README.md"}
    foreign = {
        path.relative_to(STATIC).as_posix() for path in present if path.suffix != ".LICENSE" and path.name not in ours
    }
    assert foreign == recorded


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_font_holds_every_character_of_a_catalogue(language: str) -> None:
    known = set((STATIC / "fonts/characters.txt").read_text(encoding="utf-8")) | {" "}
    for key, message in load_catalogue(language).messages.items():
        assert not set(message) - known, key
