"""The bridge's own window as a process of its own: views go in, what the resident does comes out (`docs/personal.md`).

A process, because the windows of a desktop want the main thread, and because the text that was typed into a field
cannot be overwritten: it goes with the process, which ends with the request.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Protocol

import structlog

from bridge.errors import SettingsError
from bridge.personal.view import MAXIMUM_LINE, View, WindowAction, WindowGone, build_view_line, parse_action_line
from bridge.personal.words import Language
from bridge.strict_json import NotStrict

READY = b'{"act":"ready"}\n'
COMMAND = "personal-window"
END_SECONDS = 2.0

_log = structlog.get_logger("bridge.personal")


class Window(Protocol):
    """One window for one request."""

    def show(self, view: View) -> None: ...

    def close(self) -> None: ...


OpenWindow = Callable[[Callable[[WindowAction], None]], Window]
"""Opens a window that hands what the resident does to the function; called and calling on the event loop."""


class ProcessWindow:
    """See `Window`. Made on a running event loop."""

    def __init__(self, language: Language, act: Callable[[WindowAction], None]) -> None:
        self._act = act
        self._process: Process | None = None
        self._closed = False
        self._waiting: list[View] = []
        self.task = asyncio.create_task(self._run(language))

    def show(self, view: View) -> None:
        if self._process is None:
            self._waiting.append(view)
        else:
            self._write(self._process, view)

    def close(self) -> None:
        self._closed = True
        if self._process is not None:
            _end(self._process)

    async def _run(self, language: Language) -> None:
        opened = False
        try:
            process = await _start(language)
            self._process = process
            if self._closed:
                _end(process)
            for view in self._waiting:
                self._write(process, view)
            assert process.stdout is not None
            async for line in process.stdout:
                if line == READY:
                    opened = True
                elif not self._closed:
                    self._act(parse_action_line(line))
        except (OSError, ValueError, NotStrict):
            _log.warning("window_broken")
        finally:
            if self._process is not None:
                await _let_end(self._process)
        if not self._closed:
            self._closed = True
            self._act(WindowGone(opened))

    def _write(self, process: Process, view: View) -> None:
        assert process.stdin is not None
        if not process.stdin.is_closing():
            process.stdin.write(build_view_line(view).encode() + b"\n")


async def require_window() -> None:
    """Raises `SettingsError`, which says what to install, when this computer can open no window."""
    process = await _start("ja", "--check")
    try:
        _, errors = await process.communicate()
    finally:
        _end(process)
    if process.returncode != 0:
        said = errors.decode(errors="replace").strip().removeprefix("kiosk-bridge: ")
        raise SettingsError(said or "no window can be opened here")


def build_program() -> list[str]:
    """How this very program is called."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "bridge"]


async def _start(language: Language, *options: str) -> Process:
    errors = PIPE if options else None
    return await asyncio.create_subprocess_exec(
        *build_program(),
        COMMAND,
        f"--language={language}",
        *options,
        stdin=PIPE,
        stdout=PIPE,
        stderr=errors,
        limit=MAXIMUM_LINE,
    )


def _end(process: Process) -> None:
    """The window closes when nobody speaks to it any more."""
    if process.stdin is not None:
        process.stdin.close()


async def _let_end(process: Process) -> None:
    _end(process)
    with contextlib.suppress(ProcessLookupError):
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
