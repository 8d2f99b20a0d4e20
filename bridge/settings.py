"""What the bridge is told at its start, checked before anything runs. Every trouble is a `SettingsError` that says
what to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bridge.errors import SettingsError

HOST = "127.0.0.1"
Deployment = Literal["demo", "production"]
ReaderKeypad = Literal["off", "on"]
# browsers refuse to open some ports at all (Fetch standard, "bad port"); these are the ones above 1023
BAD_PORTS = frozenset({1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080})
BAD_PORTS |= frozenset(range(6665, 6670))


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """How to run. `virtual` is the folder of a virtual reader; without it the readers are those of PC/SC."""

    state: Path
    port: int = 8481
    host: str = HOST
    port_file: Path | None = None
    virtual: Path | None = None
    deployment: Deployment = "demo"
    allow_birth_key_without_limit: bool = False
    reader_keypad: ReaderKeypad = "off"  # whether PINs are typed on the reader, where it has a keypad
    page_user: int | None = None  # whose programs alone may open the socket
    desktop: Mapping[str, str] = field(default_factory=dict)  # the variables of the session: DISPLAY and its like

    def __post_init__(self) -> None:
        if self.host != HOST:
            raise SettingsError(f"the bridge listens on {HOST} alone, not on {self.host!a}")
        if not 0 <= self.port <= 65535:
            raise SettingsError("--port must be between 0 and 65535")
        if self.port in BAD_PORTS or 0 < self.port < 1024:
            raise SettingsError(f"browsers or the system keep port {self.port} closed; choose another with --port")
        if self.deployment not in ("demo", "production"):
            raise SettingsError("--deployment is demo or production")
        if self.reader_keypad not in ("off", "on"):
            raise SettingsError("--reader-keypad is off or on")
        if self.deployment == "production" and self.virtual is not None:
            raise SettingsError("a virtual reader has no place in production; use --pcsc, or --deployment demo")
        if self.virtual is not None and not self.virtual.is_dir():
            raise SettingsError(f"there is no folder {str(self.virtual)!a} for the virtual reader")
