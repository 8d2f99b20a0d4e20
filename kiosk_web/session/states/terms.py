"""The state in which a resident reads terms that are new to them. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    CardEvidence,
)
from kiosk_web.session.states.visit import Visit
from kiosk_web.session.terms_change import TermsChange


@dataclass(frozen=True)
class Agreeing:
    """Card and certificate are confirmed, and the terms are others than this person accepted: nothing goes to anybody
    before the resident agrees.
    """

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    changes: tuple[TermsChange, ...] = ()
    name: Literal["agreeing"] = "agreeing"
