"""Small JSON files: whole or not there, in a folder that is made, and read as nothing when they are none of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk_web.state_file import load_json, write_json


def test_what_is_written_is_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "run" / "ready.json"
    for port in (1, 2):
        write_json(path, {"kiosk": f"http://127.0.0.1:{port}"})
        assert load_json(path) == {"kiosk": f"http://127.0.0.1:{port}"}
    assert [found.name for found in path.parent.iterdir()] == ["ready.json"]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "1"])
def test_what_is_none_of_ours_is_empty(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "ports.json").write_text(text)
    assert load_json(tmp_path / "ports.json") == {}
