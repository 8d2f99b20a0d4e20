"""A resident's own computer in a demo: a city's home page that uses the API, and the bridge in personal mode beside a
reader of its own.

The home page is one of `examples/`; a packaged demo comes without them, and without this.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kiosk_web.demo.children import Children
from kiosk_web.demo.neighbours import RIBBON
from kiosk_web.demo.ports import HOST
from kiosk_web.program import is_frozen, kiosk_program
from kiosk_web.state_file import load_json, write_json

_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = _ROOT / "examples/homepage"
_FONTS = _ROOT / "static/fonts"
_SYSTEM = "facility-booking"
_READY_SECONDS = 90.0


class ResidentHome:
    """`server`: folder of the kiosk's data; `simulator`: of the virtual cards."""

    def __init__(self, data: Path, server: Path, simulator: Path, children: Children, ports: Mapping[str, int]) -> None:
        self._data = data
        self._server = server
        self._simulator = simulator
        self._children = children
        self._ports = ports
        self.there = not is_frozen() and _EXAMPLE.is_dir()
        self.window = self._address("window") if self.there else ""

    @property
    def homepage(self) -> str:
        """Address of the home page, "" without one."""
        return self._address("homepage") if self.there else ""

    @property
    def bridge(self) -> str:
        """Address of the bridge's socket."""
        return f"ws://{HOST}:{self._ports['personal']}/personal"

    def forget_client(self) -> None:
        """The kiosk's database is another one."""
        self._registration.unlink(missing_ok=True)

    def start(self, api: str, booking: str, bridge_program: Sequence[str]) -> None:
        """Register the home page with the kiosk, unless it is, and start both. `wait` says when they are there."""
        if not self.there:
            return
        for name in ("homepage", "personal"):
            self._ready_file(name).unlink(missing_ok=True)
        desk = self._address("desk")
        self._children.start(
            "personal",
            [
                *bridge_program,
                "personal",
                f"--virtual={self._simulator}",
                "--virtual-reader=reader-home.json",
                "--deployment=demo",
                "--development",
                f"--origin={self.homepage}",
                "--language=ja",
                f"--port={self._ports['personal']}",
                f"--ready-file={self._ready_file('personal')}",
                f"--demo-window-port={self._ports['window']}",
                f"--demo-frame={desk}",
                f"--demo-fonts={_FONTS}",
            ],
        )
        command = [
            f"--client={self._register()}",
            f"--system={_SYSTEM}",
            f"--api={api}",
            f"--booking={booking}",
            f"--bridge={self.bridge}",
            f"--port={self._ports['homepage']}",
            f"--frame={desk}",
            f"--fonts={_FONTS}",
            f"--ribbon={RIBBON}",
            f"--ready-file={self._ready_file('homepage')}",
        ]
        self._children.start("homepage", [*self._program(), *command])

    def wait(self) -> None:
        """Until both answer. From now on `window` is "" where the bridge opens a window of its own."""
        if self.there:
            self._wait_ready("homepage")
            self.window = str(self._wait_ready("personal")["window"])

    @property
    def _registration(self) -> Path:
        return self._data / "homepage.json"

    @property
    def _key(self) -> Path:
        return self._data / "homepage.key"

    def _register(self) -> str:
        """The name of the client. Another origin is another client, with a key of its own."""
        known = load_json(self._registration)
        if known.get("origin") == self.homepage and self._key.exists():
            return str(known["client"])
        name = f"home-page-{random.SystemRandom().randrange(10_000):04}" if self._key.exists() else "home-page"
        self._key.unlink(missing_ok=True)
        public = self._data / "homepage.pub"
        public.write_text(self._children.ask("homepage", [*self._program(), "--show-public-key"]), encoding="utf-8")
        self._children.ask(
            "client",
            [
                *kiosk_program(),
                "client",
                "add",
                name,
                f"--system={_SYSTEM}",
                "--method=ocsp",
                f"--key={public}",
                f"--origin={self.homepage}",
                f"--data={self._server}",
            ],
        )
        write_json(self._registration, {"client": name, "origin": self.homepage})
        return name

    def _program(self) -> list[str]:
        return [sys.executable, str(_EXAMPLE), f"--key={self._key}"]

    def _address(self, name: str) -> str:
        return f"http://{HOST}:{self._ports[name]}"

    def _ready_file(self, name: str) -> Path:
        return self._data / "run" / f"{name}.json"

    def _wait_ready(self, name: str) -> dict[str, Any]:
        return self._children.wait_until(
            name, lambda: load_json(self._ready_file(name)) or None, seconds=_READY_SECONDS
        )
