"""What stands beside the kiosk in a demo: the example systems of other people, and the desk that shows all.

The examples are programs of their own in `examples/`; a packaged demo comes without them, and its desk has
fewer panels.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk_web.demo.children import Children
from kiosk_web.demo.ports import HOST
from kiosk_web.program import is_frozen
from kiosk_web.state_file import load_json, write_json

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_FONTS = Path(__file__).resolve().parents[2] / "static/fonts"
NAMES = ("library", "facility")
RIBBON = "デモ環境・架空のデータ / DEMO"
"""Over every page of somebody else's system that a demo starts."""
_OURS = "# Written by kiosk demo at each start; remove this line to keep rules of your own.\n"
_READY_SECONDS = 90.0  # as for the others: a slow computer starts them all at once


class Neighbours:
    """Their processes and addresses. `ports` names the port of each."""

    def __init__(self, data: Path, children: Children, ports: Mapping[str, int]) -> None:
        self._data = data
        self._children = children
        self._ports = ports
        self._names = () if is_frozen() else tuple(name for name in NAMES if (_EXAMPLES / name).is_dir())
        self._reader = False
        self.desk_file = data / "desk.json"

    @property
    def addresses(self) -> dict[str, str]:
        """Of the desk and of each system that runs, without a closing slash."""
        return {name: f"http://{HOST}:{self._ports[name]}" for name in ("desk", *self._names)}

    def start(self) -> None:
        """Start the systems; they are ready long before the kiosk."""
        for name in self._names:
            self._ready_file(name).unlink(missing_ok=True)
            command = [sys.executable, str(_EXAMPLES / name), f"--port={self._ports[name]}"]
            command += [f"--ready-file={self._ready_file(name)}", f"--fonts={_FONTS}", f"--ribbon={RIBBON}"]
            if name == "facility":  # whose keys sign what is sent to it
                command.append(f"--api=http://localhost:{self._ports['staff']}")
                command.append(f"--receiver-key={self._data / 'facility.key'}")
            self._children.start(name, command)

    def connect_reader(self, state: Path) -> None:
        """Let the bridge with this state folder be the barcode reader of the library system.

        Rules that somebody else wrote there stay. Without the package for serial ports, or without a pseudo-terminal
        (Windows), the bridge hands nothing over, and the terminal shows a barcode.
        """
        ready = self._wait_ready("library") if "library" in self._names else {}
        rules = state / "output.toml"
        if rules.exists() and not rules.read_text(encoding="utf-8").startswith(_OURS):
            return
        self._reader = bool(ready.get("reader")) and importlib.util.find_spec("serial") is not None
        if not self._reader:
            rules.unlink(missing_ok=True)
            return
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        device = json.dumps(str(ready["reader"]))  # a TOML string too
        rules.write_text(f'{_OURS}output = "serial"\ndevice = {device}\n', encoding="utf-8")

    def find_receiver(self) -> tuple[str, str] | None:
        """The booking system's public key, and where it takes what is sealed to it; None where it has neither."""
        ready = self._wait_ready("facility") if "facility" in self._names else {}
        key = ready.get("receiver_key")
        return None if not key else (str(key), f"{self.addresses['facility']}/readings")

    def write_desk_file(self, homepage: str, window: str) -> None:
        """The addresses that the desk shows, and whether the library system has its barcode reader. `window`: of the
        page that stands for the bridge's window on the resident's computer, or "".
        """
        page = {name: f"http://{HOST}:{self._ports[name]}" for name in ("kiosk", "staff", "tray")}
        content: dict[str, Any] = {**page, **{name: self.addresses.get(name, "") for name in NAMES}}
        content |= {"feed": f"{page['staff']}/demo/terminals", "library_reader": self._reader}
        content |= {"homepage": homepage, "window": window}
        write_json(self.desk_file, content)

    def _ready_file(self, name: str) -> Path:
        return self._data / "run" / f"{name}.json"

    def _wait_ready(self, name: str) -> dict[str, Any]:
        return self._children.wait_until(
            name, lambda: load_json(self._ready_file(name)) or None, seconds=_READY_SECONDS
        )


def open_in_browser(address: str, environment: Mapping[str, str]) -> None:
    """In the desktop's own browser. On Linux without a desktop, a browser in this very terminal is none."""
    if sys.platform.startswith("linux") and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return
    webbrowser.open(address)
