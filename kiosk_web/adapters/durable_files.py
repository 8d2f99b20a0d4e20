"""Files that are whole or not there at all, after a crash or a power cut at any moment.

The only way a file comes into being: written under a draft's name, forced to the disk, renamed, and the folder forced
to the disk; or, where nothing tells of it yet, renamed and then forced together with the folder. Every call to the
operating system that changes something is in this module, so that tests can fail each.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

DRAFT_ENDING = ".new"
"""Whatever bears it was left behind by a process that ended half-way; the holder of the lock may delete it."""


_ATTEMPTS = 50
_PAUSE_SECONDS = 0.02


class DraftFile:
    """A new file under a draft's name. `publish` gives it the real one; `discard` removes it, also after a failure.

    `position` is where the next byte goes. Whatever the disk refuses is an `OSError`, and nothing was published.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}{DRAFT_ENDING}"
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor = os.open(self._path, flags, 0o600)
        self._open = True
        self.position = 0

    def write(self, content: bytes | memoryview) -> None:
        """Append. One call may take several of the operating system's."""
        rest = memoryview(content).cast("B") if isinstance(content, memoryview) else memoryview(content)
        while len(rest):
            written = os.write(self._descriptor, rest)
            rest = rest[written:]
            self.position += written

    def go_back(self, position: int) -> None:
        """Forget everything after `position`."""
        os.ftruncate(self._descriptor, position)
        os.lseek(self._descriptor, position, os.SEEK_SET)
        self.position = position

    def publish(self, path: Path) -> None:
        """Force the content to the disk and rename, over an older file of that name. The folder is not forced yet."""
        _force_to_disk(self._descriptor)
        self._close()
        _rename(self._path, path)

    def publish_ahead(self, path: Path) -> None:
        """As `publish`, but whoever calls sees to it that the content is forced before anything tells of the file."""
        if sys.platform == "win32":  # there, an open file cannot be renamed
            self.publish(path)
        else:
            _rename(self._path, path)

    def force(self) -> None:
        """Force the content to the disk."""
        if self._open:
            _force_to_disk(self._descriptor)

    def discard(self) -> None:
        """Close it, and remove the draft, if it was not published. Never raises."""
        with contextlib.suppress(OSError):
            self._close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file: after this it is the new one for good, before it the old one, never anything else."""
    draft = DraftFile(path.parent, path.name)
    try:
        draft.write(content)
        draft.publish(path)
    except BaseException:
        draft.discard()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk. Windows does that by itself and knows no such call."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _force_to_disk(descriptor)
    finally:
        os.close(descriptor)


def _rename(draft: Path, path: Path) -> None:
    if sys.platform == "win32":  # there, it fails while somebody reads the old file, which takes no time
        for _attempt in range(_ATTEMPTS):
            with contextlib.suppress(PermissionError):
                draft.replace(path)
                return
            time.sleep(_PAUSE_SECONDS)
    draft.replace(path)


def _force_to_disk(descriptor: int) -> None:
    if sys.platform == "darwin":  # there, fsync leaves the content in the cache of the drive
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        return
    os.fsync(descriptor)


def remove_files(paths: Iterable[Path]) -> None:
    """Remove what can be removed: Windows keeps a file that somebody has mapped, and the next round removes it."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
