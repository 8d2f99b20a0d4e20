"""A resident's own bridge as a process, a page that asks it, and a hand at its window under a real X server."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol
from Xlib import XK, X
from Xlib.display import Display

from tests.support import x11

HOME_PAGE = "https://www.city.mihon.example"
PATIENCE_SECONDS = 60.0
LIVE_COLOUR = (0x00, 0x17, 0xC1)
"""Of the button to go on, once it is alive."""


def build_fields(origin: str = HOME_PAGE, **changes: str) -> dict[str, str]:
    """`fields` as a challenge of the API has them, each with a nonce and a name of its own."""
    return {
        "method": "pin",
        "purpose": "identify",
        "origin": origin,
        "terminal": "home-page",
        "session": base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode(),
        "service": "facility-booking",
        "nonce": base64.b64encode(secrets.token_bytes(32)).decode(),
        "consent": "",
        "lease": "",
    } | changes


def build_identify(origin: str = HOME_PAGE, expires_in: int = 170, **changes: str) -> dict[str, Any]:
    return {"v": 1, "type": "identify", "fields": build_fields(origin, **changes), "expires_in": expires_in}


@dataclass
class Asking:
    """One connection of a page."""

    connection: Any

    async def say(self, message: dict[str, Any] | str) -> None:
        await self.connection.send(message if isinstance(message, str) else json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return dict(json.loads(await self.connection.recv()))

    async def hear_end(self) -> str:
        """Code of the answer, "" for a signature; then the connection is closed by the bridge."""
        answer = await self.hear()
        assert answer["type"] in ("failed", "signed")
        with contextlib.suppress(ConnectionClosed):
            await self.hear()
        assert self.connection.close_code == 1000
        return str(answer.get("code", ""))


@contextlib.asynccontextmanager
async def asking(address: str, origin: str = HOME_PAGE) -> Any:
    """A page of `origin` with its socket open. `address`: `ws://…/personal`."""
    subprotocols = [Subprotocol("kiosk-personal.v1")]
    async with connect(address, origin=Origin(origin), subprotocols=subprotocols, proxy=None) as connection:
        yield Asking(connection)


@dataclass(frozen=True)
class RunningBridge:
    """`window`: address of the demo's page that stands for a window, or ""."""

    bridge: str
    window: str
    log: Path
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def running_bridge(folder: Path, *options: str, display: str = "") -> Iterator[RunningBridge]:
    """`kiosk-bridge personal` on the virtual reader in `folder`, for pages of this computer too."""
    ready, log = folder / "personal.json", folder / "personal.log"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bridge", "personal", f"--virtual={folder}", "--port=0", f"--ready-file={ready}"]
    command += ["--deployment=demo", "--language=ja", *options]
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if display:
        environment["DISPLAY"] = display
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment)
    try:
        while not ready.exists():
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        yield RunningBridge(**json.loads(ready.read_text()), log=log, process=process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0


class Hand:
    """Keys and eyes at the bridge's window on one display."""

    def __init__(self, display: str) -> None:
        self._display = Display(display)
        self._display.change_keyboard_control(auto_repeat_mode=X.AutoRepeatModeOff)  # a slow computer types once, too
        self._display.sync()

    def find_titles(self) -> list[str]:
        """Of all windows that can be seen."""
        shown = []
        pending = [self._display.screen().root]
        while pending:
            with contextlib.suppress(Exception):  # a window may close while it is looked at
                children = pending.pop().query_tree().children
                for child in children:
                    title = child.get_full_text_property(self._display.intern_atom("_NET_WM_NAME"))
                    if title and child.get_attributes().map_state == X.IsViewable:
                        shown.append(str(title))
                pending += children
        return shown

    def await_window(self, beginning: str) -> str:
        """Until a window's title begins like this and keys go to a window; returns the title."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [title for title in self.find_titles() if title.startswith(beginning)]
            return bool(found) and not isinstance(self._display.get_input_focus().focus, int)

        x11.wait_for(look)
        return found[0]

    def await_no_window(self) -> None:
        x11.wait_for(lambda: not self.find_titles())

    def press(self, *names: str) -> None:
        """Keys by their X11 names, such as Tab or Return."""
        for name in names:
            code = self._display.keysym_to_keycode(XK.string_to_keysym(name))
            for event in (X.KeyPress, X.KeyRelease):
                self._display.xtest_fake_input(event, code)
            self._display.sync()

    def await_button(self) -> tuple[int, int]:
        """Until the way on is there and alive, which is seen by its colour; returns a point on it."""
        found: list[tuple[int, int]] = []

        def look() -> bool:
            alive = (self._look() == LIVE_COLOUR).all(axis=2)
            rows = np.flatnonzero(alive.sum(axis=1) >= 60)  # pixels: more than any word in this colour has
            columns = np.flatnonzero(alive[rows].any(axis=0)) if rows.size else rows
            found[:] = [(int(columns[0]) + 8, int(rows[0]) + 8)] if rows.size else []
            return bool(found)

        x11.wait_for(look)
        return found[0]

    def click_button(self) -> None:
        """The way on, as soon as it is alive."""
        x, y = self.await_button()
        self._display.xtest_fake_input(X.MotionNotify, x=x, y=y)
        for event in (X.ButtonPress, X.ButtonRelease):
            self._display.xtest_fake_input(event, 1)
        self._display.sync()

    def _look(self) -> np.ndarray[Any, Any]:
        """The whole screen: rows, columns, red, green and blue."""
        root = self._display.screen().root
        size = root.get_geometry()
        picture = root.get_image(0, 0, size.width, size.height, X.ZPixmap, 0xFFFFFFFF)
        rows = np.frombuffer(picture.data, np.uint8).reshape(size.height, size.width, 4)
        return rows[:, :, 2::-1]

    def close(self) -> None:
        self._display.close()
