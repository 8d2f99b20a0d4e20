from pathlib import Path

import pytest

from bridge.virtual.profile import ProfileMalformed
from bridge.virtual.tray import FolderTray, Placed, open_tray
from tests.support.profiles import write_profile, write_reader


def test_the_tray_tells_what_lies_on_it_each_time_it_changes(tmp_path: Path) -> None:
    tray = FolderTray(tmp_path)
    assert tray.look() is None
    write_reader(tmp_path, 1, None)
    assert tray.look() == Placed(1, None)
    write_reader(tmp_path, 2, "cards/taro")
    assert tray.look() == tray.look() == Placed(2, tmp_path / "cards/taro")
    (tmp_path / "reader.json").unlink()
    assert tray.look() is None


def test_a_wrong_reader_file_counts_as_no_reader_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "reader.json").write_text('{"version": 1, "serial": 1, "profile": "../outside"}')
    tray = FolderTray(tmp_path)
    assert tray.look() is None
    assert tray.look() is None
    assert len(caplog.records) == 1
    write_reader(tmp_path, 2, None)
    assert tray.look() == Placed(2, None)


def test_a_profile_folder_is_a_tray_with_that_card_for_ever(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    tray = open_tray(folder)
    assert tray.look() == tray.look() == Placed(1, folder)
    assert tray.find("cards/other") == tmp_path / "cards/other"


def test_a_folder_with_a_reader_file_is_followed(tmp_path: Path) -> None:
    write_reader(tmp_path, 7, None)
    assert open_tray(tmp_path).look() == Placed(7, None)


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileMalformed, match="neither"):
        open_tray(tmp_path)
