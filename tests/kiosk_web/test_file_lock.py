"""The lock between processes: one holder, and none after the holder's end, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk_web.file_lock import LockHeld, hold_lock

HOLDER = """
import sys
from pathlib import Path
from kiosk_web.file_lock import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_at_once_until_the_first_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockHeld), hold_lock(path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with hold_lock(path):
            pass


def test_the_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with hold_lock(tmp_path / "lock"):
            pass


def test_a_folder_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), hold_lock(tmp_path / "missing" / "lock"):
        pass
