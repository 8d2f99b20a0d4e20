"""The states of a visit that links the number of an old card after its result. The number is in none. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    StaffRefusal,
)
from kiosk_web.session.states.visit import Result, Visit


@dataclass(frozen=True)
class EnteringNumber:
    """The number of the old card is typed or scanned; no state ever has it. `refused`: why the last one did not do."""

    visit: Visit
    result: Result
    deadline_at: datetime
    refused: str = ""
    name: Literal["entering_number"] = "entering_number"


@dataclass(frozen=True)
class ConfirmingLink:
    """The number would do: staff compare it with the old card. `refused`: why their last code did not do."""

    visit: Visit
    result: Result
    deadline_at: datetime
    refused: StaffRefusal = ""
    name: Literal["confirming_link"] = "confirming_link"
