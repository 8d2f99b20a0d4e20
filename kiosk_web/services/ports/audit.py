"""How visits ended, without personal data. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class AuditRecord:
    """One visit, without personal data: nothing here leads to a person, a card or a certificate.

    `fallback`: why a list stood in for the responder (`window`, `manager`, `automatic`), "" where none did. `lease`:
    under which a tap was attended, "" for every other visit.
    """

    reference: str
    terminal: str
    service: str
    outcome: str
    code: str
    method: str
    status_outcome: str
    status_method: str
    fallback: str
    this_update: datetime | None
    next_update: datetime | None
    started_at: datetime | None
    ended_at: datetime
    lease: str = ""


@dataclass(frozen=True)
class LatestVisit:
    """How the latest recorded visit of a terminal ended."""

    terminal: str
    outcome: str
    code: str


class AuditRows(Protocol):
    async def add(self, record: AuditRecord) -> None: ...
    async def list_latest(self) -> tuple[LatestVisit, ...]: ...
