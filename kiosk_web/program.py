"""How this very program is called again, as another process."""

from __future__ import annotations

import sys


def kiosk_program() -> list[str]:
    """Frozen it is one file, otherwise a module of this Python."""
    return [sys.executable] if is_frozen() else [sys.executable, "-m", "kiosk_web"]


def is_frozen() -> bool:
    """Is this the packaged program?"""
    return bool(getattr(sys, "frozen", False))
