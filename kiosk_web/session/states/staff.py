"""The state in which a member of staff proves to be at this terminal. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    StaffRefusal,
)
from kiosk_web.session.states.visit import Visit


@dataclass(frozen=True)
class StaffSigningIn:
    """A member of staff proves to be at this terminal. `refused` is why the last code did not do."""

    visit: Visit
    deadline_at: datetime
    refused: StaffRefusal = ""
    name: Literal["staff_sign_in"] = "staff_sign_in"
