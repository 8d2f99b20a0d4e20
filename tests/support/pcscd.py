"""A real pcscd with the vpcd driver for one test run: own socket, own port, no root, beside any other pcscd.

The client library asks `PCSCLITE_CSOCK_NAME` for the socket, once in the life of a process. The daemon's own path is
compiled in, but it takes an open socket by the LISTEN_FDS protocol. vpcd gives two readers, "Virtual PCD 00 00" on the
port and "Virtual PCD 00 01" on the next one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

READER = "Virtual PCD 00 00"

_ROOT = Path(__file__).parents[2]
_DAEMONS = ("/usr/sbin/pcscd", "/usr/local/sbin/pcscd")
_DRIVERS = ("/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so")
_SECONDS = 60
_LAUNCHER = """
import os, socket, sys
path, folder, *options = sys.argv[1:]
listening = socket.socket(socket.AF_UNIX)
listening.bind(path)
listening.listen(16)
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(options[0], ["pcscd", "--foreground", "--error", "--config", folder, *options[1:]])
"""


class PcscdMissing(Exception):
    """The message says what to install."""


class Pcscd:
    """One isolated daemon; a context manager. `stop` and `start` may be called within, for tests of a restart."""

    def __init__(self, socket_path: Path | None = None) -> None:
        """Raises `PcscdMissing`. `socket_path` for several daemons one after the other under one path."""
        self._daemon = _find(_DAEMONS, "pcscd")
        self._driver = _find(_DRIVERS, "vsmartcard-vpcd")
        self._folder = Path(tempfile.mkdtemp(prefix="pcscd-"))
        self.socket_path = socket_path or self._folder / "pcscd.comm"
        self.port = _find_port_pair()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def vpcd(self) -> str:
        """HOST:PORT of the first reader, for `python -m bridge.virtual PROFILE --vpcd`."""
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """For child processes that shall see this daemon."""
        return os.environ | {"PCSCLITE_CSOCK_NAME": str(self.socket_path)}

    def start(self) -> None:
        configuration = self._folder / "reader.conf.d"
        configuration.mkdir(exist_ok=True)
        (configuration / "vpcd").write_text(
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:0x{self.port:X}\n'
            f"LIBPATH {self._driver}\nCHANNELID 0x{self.port:X}\n"
        )
        self.socket_path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCHER, self.socket_path, configuration, self._daemon, *_options(self._daemon)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait_until_listening(self.port, self._process)

    def stop(self) -> None:
        """Kill the daemon, as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(_SECONDS)
        self.socket_path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@cache
def own_socket_path() -> Path:
    """The socket that pyscard in *this* process looks at, whichever daemon a test puts there.

    The client library reads the name once, so it is the same for a whole run; call this before pyscard is used.
    """
    path = Path(tempfile.mkdtemp(prefix="pcsc-")) / "pcscd.comm"
    os.environ["PCSCLITE_CSOCK_NAME"] = str(path)
    return path


@contextmanager
def virtual_card(folder: Path, vpcd: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m bridge.virtual FOLDER --vpcd HOST:PORT` as a child process."""
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen([sys.executable, "-m", "bridge.virtual", folder, "--vpcd", vpcd], cwd=_ROOT)
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS)
            process.kill()


def _find(places: tuple[str, ...], package: str) -> str:
    found = next((place for place in places if Path(place).exists()), None)
    if found is None:
        raise PcscdMissing(f"these tests need the package {package} (./run test installs it; -m 'not pcsc' skips them)")
    return found


@cache
def _options(daemon: str) -> tuple[str, ...]:
    """With polkit in it, a pcscd without a seat session refuses everybody."""
    features = subprocess.run([daemon, "--version"], capture_output=True, text=True, check=False).stdout
    return ("--disable-polkit",) if "polkit" in features else ()


def _find_port_pair() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("", 0))
            port = int(first.getsockname()[1])
            with suppress(OSError, OverflowError):
                second.bind(("", port + 1))
                return port


def _wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Without connecting: to connect is to insert a card."""
    pause = threading.Event()
    for _ in range(_SECONDS * 100):
        if process.poll() is not None:
            raise AssertionError(f"pcscd ended with status {process.returncode}")
        if any(_listens(path, port) for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))):
            return
        pause.wait(0.01)
    raise AssertionError("pcscd does not listen for virtual cards")


def _listens(table: Path, port: int) -> bool:
    if not table.exists():
        return False
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)
