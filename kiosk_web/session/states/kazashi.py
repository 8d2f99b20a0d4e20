"""The states of a visit that decides about かざし利用 after its result. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    ConsentSubject,
)
from kiosk_web.session.states.visit import Result, Visit


@dataclass(frozen=True)
class Consenting:
    """The resident reads what is asked of them; whoever does not agree goes back to `result`."""

    visit: Visit
    result: Result
    deadline_at: datetime
    subject: ConsentSubject = "kazashi"
    name: Literal["consenting"] = "consenting"


@dataclass(frozen=True)
class KazashiSet:
    """かざし利用 was registered (`on`), or is over."""

    visit: Visit
    deadline_at: datetime
    on: bool
    card_held: bool
    name: Literal["kazashi_set"] = "kazashi_set"
