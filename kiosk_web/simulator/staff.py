"""The fictional member of staff of a demo, as an authenticator app would hold them: for the card tray.

`kiosk demo` adds the member and leaves number and secret in `staff.json` of the simulator's folder. A kiosk never hands
a secret out again, and without that file there is nobody here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyotp

STAFF_FILE = "staff.json"


@dataclass(frozen=True, repr=False)
class DemoStaff:
    """`secret` is base32 (RFC 6238)."""

    name: str
    number: str
    secret: str

    def show_code(self, now: datetime) -> str:
        """The six digits of this half minute."""
        return pyotp.TOTP(self.secret).at(now)


def load_staff(folder: Path) -> DemoStaff | None:
    """None without a demo that made one."""
    try:
        content = json.loads((folder / STAFF_FILE).read_text(encoding="utf-8"))
        return DemoStaff(str(content["name"]), str(content["number"]), str(content["secret"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
