"""What lies on the virtual reader: `reader.json`, looked at as often as you like, read when it has changed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bridge.virtual.profile import ProfileMalformed, load_object, parse_placed

_log = logging.getLogger(__name__)
READER: Final = "reader.json"
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """`profile` is the folder of the card that lies there, `None` for none; another `serial` is another insertion."""

    serial: int
    profile: Path | None


class Tray(Protocol):
    """Where a card is put down."""

    def look(self) -> Placed | None:
        """What holds now; `None` while there is no reader."""
        ...

    def find(self, profile: str) -> Path:
        """The folder of a profile that another one names."""
        ...


class FolderTray:
    """The tray of a folder with `reader.json`, or the file of another reader. A wrong file counts as no reader, and the
    log says why, once.
    """

    def __init__(self, folder: Path, reader: str = READER) -> None:
        self._folder = folder
        self._file = folder / reader
        self._stamp: _Stamp | None = None
        self._placed: Placed | None = None

    def look(self) -> Placed | None:
        stamp = self._load_stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._placed = self._load() if stamp else None
        return self._placed

    def find(self, profile: str) -> Path:
        return self._folder / profile

    def _load(self) -> Placed | None:
        try:
            serial, profile = parse_placed(load_object(self._file))
        except ProfileMalformed as trouble:
            _log.warning("virtual reader: %s", trouble)
            return None
        return Placed(serial, self.find(profile) if profile else None)

    def _load_stamp(self) -> _Stamp | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


class FixedTray:
    """A tray with one profile folder that always lies there."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    def look(self) -> Placed | None:
        return Placed(1, self._profile)

    def find(self, profile: str) -> Path:
        """Profiles name each other from the folder above `cards`."""
        return self._profile.parent.parent / profile


def open_tray(folder: Path) -> Tray:
    """The tray of a profile folder, or of a folder with `reader.json`. Raises `ProfileMalformed` when it is neither."""
    if (folder / "card.json").is_file():
        return FixedTray(folder)
    if (folder / READER).is_file():
        return FolderTray(folder)
    raise ProfileMalformed(f"{folder} holds neither card.json nor {READER}")
