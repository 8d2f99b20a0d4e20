"""What somebody who starts a demo chooses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """`port` is the kiosk's, the others follow it; 0: free ports, the same again next time if they still are."""

    port: int
    data: Path
    ready_file: Path | None
    pcsc: bool
    start_bridge: bool = True
    open_desk: bool = False  # in a browser, where there is one
