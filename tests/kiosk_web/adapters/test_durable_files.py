"""Files that are whole or not there: whichever call of the operating system fails, the old file is untouched."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk_web.adapters.durable_files import DraftFile, remove_files, write_durably


def fail(*_arguments: object, **_named: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_replaced_as_a_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "manifest.bin"
    for content in (b"old", b"newer"):
        write_durably(path, content)
        assert path.read_bytes() == content
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["open", "write", "fsync", "replace"])
def test_whatever_the_disk_refuses_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / "manifest.bin"
    write_durably(path, b"old")
    monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match="space"):
        write_durably(path, b"newer")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_takes_only_a_part_goes_on_with_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write: Callable[[int, memoryview], int] = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    write_durably(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_draft_can_go_back_and_is_gone_when_discarded(tmp_path: Path) -> None:
    draft = DraftFile(tmp_path, "segment")
    draft.write(b"kept")
    draft.write(memoryview(b"dropped"))
    draft.go_back(4)
    draft.write(b"!")
    assert draft.position == 5
    draft.publish(tmp_path / "segment")
    assert (tmp_path / "segment").read_bytes() == b"kept!"
    other = DraftFile(tmp_path, "other")
    other.write(b"x")
    other.discard()
    other.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["segment"]


def test_a_draft_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"untouched")
    (tmp_path / "segment.new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        DraftFile(tmp_path, "segment")
    assert (tmp_path / "elsewhere").read_bytes() == b"untouched"


def test_what_cannot_be_removed_stays_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "folder").mkdir()
    remove_files([tmp_path / "missing", tmp_path / "folder", tmp_path / "a"])
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_draft_that_has_its_name_already_is_forced_as_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = DraftFile(tmp_path, "segment")
    draft.write(b"content")
    draft.publish_ahead(tmp_path / "segment")
    forced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: forced.append(os.fstat(descriptor).st_ino))
    draft.force()
    assert forced == [(tmp_path / "segment").stat().st_ino]
    draft.discard()
    draft.force()
    assert (tmp_path / "segment").read_bytes() == b"content"
    assert len(forced) == 1
