"""Files made by others are the ones we say, with licence and notice; the font knows every character we show."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from kiosk_web.web.catalogue import LANGUAGES, load_catalogue
from kiosk_web.web.render import STATIC

ROOT = Path(__file__).resolve().parents[3]
VENDORED = tomllib.loads((STATIC / "VENDORED.toml").read_text(encoding="utf-8"))
FILES = VENDORED["file"]
FOLDERS = VENDORED["folder"]


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: str(entry["file"]))
def test_a_vendored_file_has_the_recorded_hash_and_its_licence_beside_it(entry: dict[str, str]) -> None:
    assert hashlib.sha256((STATIC / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (STATIC / entry["licence_file"]).stat().st_size > 500
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    assert f"static/{entry['licence_file']}" in notices
    assert entry["version"] in notices


def _read_sums(entry: dict[str, str]) -> dict[str, str]:
    lines = (STATIC / entry["sha256sums"]).read_text(encoding="utf-8").splitlines()
    return {f"{entry['folder']}/{name}": digest for digest, name in (line.split("  ") for line in lines)}


@pytest.mark.parametrize("entry", FOLDERS, ids=lambda entry: str(entry["folder"]))
def test_each_file_of_a_vendored_folder_has_the_recorded_hash(entry: dict[str, str]) -> None:
    sums = _read_sums(entry)
    assert sums
    assert {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest() for name in sums} == sums
    assert (STATIC / entry["licence_file"]).stat().st_size > 500


def test_every_file_of_others_is_recorded() -> None:
    recorded = {entry["file"] for entry in FILES} | {name for entry in FOLDERS for name in _read_sums(entry)}
    present = {path for folder in ("vendor", "fonts") for path in (STATIC / folder).rglob("*") if path.is_file()}
    ours = {"characters.txt", "fonts.css", "rare.css", "README.md", "SHA256SUMS"}
    foreign = {
        path.relative_to(STATIC).as_posix() for path in present if path.suffix != ".LICENSE" and path.name not in ours
    }
    assert foreign == recorded


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_font_holds_every_character_of_a_catalogue(language: str) -> None:
    known = set((STATIC / "fonts/characters.txt").read_text(encoding="utf-8")) | {" "}
    for key, message in load_catalogue(language).messages.items():
        assert not set(message) - known, key


def test_the_rare_characters_of_names_have_a_face_and_that_face_a_file() -> None:
    faces = (STATIC / "fonts/rare.css").read_text(encoding="utf-8").split("@font-face")[1:]
    held: set[str] = set()
    for face in faces:
        assert (STATIC / "fonts" / face.partition('url("')[2].partition('"')[0]).is_file()
        for part in face.partition("unicode-range: ")[2].partition(";")[0].split(", "):
            first, _, last = part.removeprefix("U+").partition("-")
            held |= {chr(number) for number in range(int(first, 16), int(last or first, 16) + 1)}
    known = set((STATIC / "fonts/characters.txt").read_text(encoding="utf-8"))
    assert not held & known
    assert set("𠮷髙﨑濵德●") <= held | known
