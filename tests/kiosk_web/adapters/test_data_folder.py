"""One server for one database: a second one is refused by name, before it answers or changes anything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kiosk_web.adapters.data_folder import hold_data_folder
from kiosk_web.errors import SettingsError
from kiosk_web.server import serve
from tests.support.jpki import build_root
from tests.support.kiosk_server import build_settings


def test_a_second_server_on_the_same_data_is_refused_by_name(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, build_root(2023), port=0, staff_port=0)
    before = {path: path.stat().st_mtime_ns for path in settings.data.iterdir()}
    answered: list[object] = []
    with hold_data_folder(settings.data):
        with pytest.raises(SettingsError, match="data_in_use"):
            asyncio.run(serve(settings, answered.append))
        after = {path: path.stat().st_mtime_ns for path in settings.data.iterdir() if path.suffix != ".lock"}
    assert (answered, after) == ([], before)


def test_the_folder_is_free_again_for_the_next_server_and_made_for_the_first(tmp_path: Path) -> None:
    data = tmp_path / "new" / "kiosk"
    for _ in range(2):
        with hold_data_folder(data):
            assert data.is_dir()
