"""What hand-over asks of the world: rows of what was handed over, and the library system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

LibraryWord = Literal["usable", "blocked", "unknown", "unreachable"]


@dataclass(frozen=True)
class HandoverRecord:
    """One hand-over: that it was allowed, and how it ended. No number and no person is in it; `reference` is that of
    the visit. `code` is "" when everything went out, None as long as nothing was heard.
    """

    id: str
    reference: str
    terminal: str
    system: str
    kind: Literal["wedge", "serial"]
    issued_at: datetime
    ended_at: datetime | None = None
    code: str | None = None
    sent: int | None = None


class HandoverRows(Protocol):
    async def add(self, record: HandoverRecord) -> None: ...
    async def list_of_visit(self, reference: str) -> tuple[HandoverRecord, ...]:
        """Oldest first."""
        ...

    async def finish(self, output: str, terminal: str, code: str, sent: int, now: datetime) -> bool:
        """False if there is none of this terminal that is still open."""
        ...


class Library(Protocol):
    """A library system that can be asked about a number."""

    async def ask_about(self, number: str) -> LibraryWord: ...
