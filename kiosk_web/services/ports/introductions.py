"""What introductions ask of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kiosk_web.identity.introduction import Introduction, LinkageReport


@dataclass(frozen=True)
class IntroductionStep:
    """One change: to which stage, or `pledged`; when, by whom (staff), and a note."""

    system: str
    stage: str
    at: datetime
    by: str
    note: str


class IntroductionRows(Protocol):
    async def load_all(self) -> Mapping[str, Introduction]:
        """By system; those that nobody has recorded are missing."""
        ...

    async def find(self, system: str) -> Introduction | None: ...
    async def save(self, introduction: Introduction, step: IntroductionStep) -> None:
        """Where it stands now, and one more step of how it came there. Steps are never changed."""
        ...

    async def list_steps(self, system: str) -> tuple[IntroductionStep, ...]:
        """The oldest first."""
        ...

    async def add_report(self, report: LinkageReport) -> None: ...
    async def find_report(self, system: str) -> LinkageReport | None:
        """The newest."""
        ...
