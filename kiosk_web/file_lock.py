"""One process at a time: a lock on a file. The operating system releases it when its holder ends, however it ends."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}


class LockHeld(Exception):
    """Another process holds the lock."""


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the file until the block ends. Raises `LockHeld` at once if somebody else does, `OSError` without a file.

    The file stays when the block ends: removing it would let two processes lock two files of one name.
    """
    with path.open("a+b") as file:
        _lock(file)
        yield


def _lock(file: IO[bytes]) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _BUSY:
            raise
        raise LockHeld(str(file.name)) from None
