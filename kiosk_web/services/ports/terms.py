"""What accepted terms ask of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kiosk_web.identity.terms import TermsKind


@dataclass(frozen=True)
class AcceptedTerms:
    """One document in the version last accepted."""

    document: TermsKind
    version: str
    accepted_at: datetime


class TermsRows(Protocol):
    async def find(self, person: str, system: str) -> tuple[AcceptedTerms, ...]: ...
    async def record(self, person: str, system: str, versions: Mapping[TermsKind, str], now: datetime) -> None:
        """These versions, in place of those accepted before."""
        ...
