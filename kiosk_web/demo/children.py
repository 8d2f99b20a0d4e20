"""The child processes of `kiosk demo`: started together, watched together, stopped together.

No child outlives its parent, none is left a zombie, and a child that ends by itself is an error with the end of its
log. This module knows nothing about what the children do.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.05
_LOG_LINES = 12
_PAUSE_SECONDS = 3.0  # long enough to see what others do without it
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ChildTrouble(Exception):
    """A child ended, failed or did not get ready; the text says which, and where its log is."""


class StopAsked(Exception):
    """Somebody pressed Ctrl-C, or the system asked us to end, while we were waiting."""


class Children:
    """Every child process of one demo. `environment` is theirs; each writes its output to `logs`/<name>.log."""

    def __init__(self, logs: Path, environment: Mapping[str, str], stop_asked: threading.Event) -> None:
        self._logs = logs
        self._environment = dict(environment)
        self._stop_asked = stop_asked
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str]] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Process id by name."""
        return {name: process.pid for name, process in self._running.items()}

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a child that runs until `stop`."""
        with self._log(name).open("ab" if name in self._commands else "wb") as log:
            self._running[name] = self._spawn(command, stdout=log, stderr=subprocess.STDOUT)
        self._commands[name] = command

    def ask(self, name: str, command: Sequence[str], *, seconds: float = 60) -> str:
        """Run a child to its end and return what it printed; its messages go to its log."""
        with self._log(name).open("wb") as log:
            process = self._spawn(command, stdout=subprocess.PIPE, stderr=log)
        deadline = time.monotonic() + seconds
        with process:
            try:
                while True:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        output, _ = process.communicate(timeout=_LOOK_SECONDS)
                        break
                    self._look(name, deadline)
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise ChildTrouble(self._report(name, f"failed with status {process.returncode}"))
        return output.decode("utf-8", errors="replace")

    def wait_until(self, name: str, ready: Callable[[], T | None], *, seconds: float) -> T:
        """Wait until `ready` gives something; `name` is the child that is waited for."""
        deadline = time.monotonic() + seconds
        while True:
            answer = ready()
            if answer is not None:
                return answer
            self._look(name, deadline)
            self._stop_asked.wait(_LOOK_SECONDS)

    def watch(self, restarted: str = "", tell: Callable[[], None] = lambda: None) -> None:
        """Wait until a stop is asked for; raises ChildTrouble as soon as a child ends by itself.

        The child `restarted`, when it is killed, is started again after a pause, as a service manager does it, and
        `tell` is called.
        """
        with contextlib.suppress(StopAsked):
            while not self._stop_asked.wait(0.2):
                if self._was_killed(restarted) and not self._stop_asked.wait(_PAUSE_SECONDS):
                    self.start(restarted, self._commands[restarted])
                    tell()
                self._look("", float("inf"))

    def _was_killed(self, name: str) -> bool:
        """By a signal; never true on Windows, where a status says nothing of it."""
        process = self._running.get(name)
        return process is not None and (process.poll() or 0) < 0

    def stop(self, *, seconds: float = 2.5) -> None:
        """End all children, the last started first; kill what is still there after `seconds`; wait for every one."""
        for process in reversed(self._running.values()):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + seconds
        for process in self._running.values():
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        for process in self._running.values():
            process.wait()
        self._running.clear()

    def _spawn(
        self, command: Sequence[str], *, stdout: int | IO[bytes], stderr: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the commands are our own programs
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=self._environment,
            # The Linux kernel then ends the child when we are killed and cannot do it ourselves.
            preexec_fn=_end_with_parent if sys.platform.startswith("linux") else None,
        )

    def _look(self, name: str, deadline: float) -> None:
        if self._stop_asked.is_set():
            raise StopAsked
        for child, process in self._running.items():
            status = process.poll()
            if status is not None:
                raise ChildTrouble(self._report(child, f"ended by itself with status {status}"))
        if time.monotonic() > deadline:
            raise ChildTrouble(self._report(name, "did not get ready in time"))

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _report(self, name: str, what: str) -> str:
        log = self._log(name)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        return "\n".join([f"The process '{name}' {what}. Its log is {log}; it ends with:", *lines[-_LOG_LINES:]])


def _end_with_parent() -> None:
    """Runs in the child between fork and exec."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        os._exit(1)  # the parent went before the call above
