"""How this very program is called again, as another process, and the bridge beside it."""

from __future__ import annotations

import sys
from pathlib import Path


def kiosk_program() -> list[str]:
    """Frozen it is one file, otherwise a module of this Python."""
    return [sys.executable] if is_frozen() else [sys.executable, "-m", "kiosk_web"]


def bridge_program() -> list[str]:
    """How the bridge is called: frozen it lies beside us, and it is never imported."""
    if is_frozen():
        return [str(Path(sys.executable).with_name("kiosk-bridge" + Path(sys.executable).suffix))]
    return [sys.executable, "-m", "bridge"]


def is_frozen() -> bool:
    """Is this the packaged program?"""
    return bool(getattr(sys, "frozen", False))
