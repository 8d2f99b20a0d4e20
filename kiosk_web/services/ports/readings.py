"""What readings on request ask of the database. Rows are plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from kiosk_web.identity.readings import ReadingState

OpenRefusal = Literal["", "reading_withdrawn", "reading_expired", "reading_client_revoked"]
"""Names of `session/codes.py`."""


@dataclass(frozen=True, repr=False)
class ReadingRecord:
    """One request. `result` is the JSON of what will be told, from the verdict until its client says that it arrived.

    `taken_at`: when it was first told; `receipt` is what the client says it arrived with. `delivered_at`: it did.

    `nonce` is the client's own; it comes back in the signed result. `redirected`: the result is given for the code that
    the browser brings back, and in no other way.
    """

    id: str
    client: str
    system: str
    service: str
    terminal: str
    terminal_name: str
    nonce: str
    state: ReadingState
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    result: str | None = None
    delivered_at: datetime | None = None
    redirected: bool = False
    taken_at: datetime | None = None
    receipt: str | None = None


class ReadingRows(Protocol):
    async def add(self, record: ReadingRecord) -> bool:
        """False if another one waits at this terminal."""
        ...

    async def drop(self, reading: str) -> None:
        """It was never shown."""
        ...

    async def find(self, reading: str, client: str) -> ReadingRecord | None: ...
    async def load(self, reading: str) -> ReadingRecord | None:
        """Whoever's it is."""
        ...

    async def find_refusal(self, reading: str, now: datetime) -> OpenRefusal:
        """Why nobody waits for it any more, "" while its system does."""
        ...

    async def end(self, reading: str, state: ReadingState, result: str | None, now: datetime) -> bool:
        """One UPDATE: False if it had ended before, and nothing changed."""
        ...

    async def hold(self, reading: str, result: str, until: datetime) -> bool:
        """Keep the verdict of an open request, which goes on until then. False if it had ended."""
        ...

    async def find_held(self, reading: str) -> str | None:
        """The verdict that an open request holds."""
        ...

    async def note_taken(self, reading: str, receipt: str, now: datetime) -> None:
        """Its client is told the result for the first time."""
        ...

    async def find_by_receipt(self, receipt: str, client: str) -> ReadingRecord | None: ...
    async def finish(self, reading: str, now: datetime) -> None:
        """The client has the result: it is not in the database after that."""
        ...

    async def forget_result(self, reading: str) -> None:
        """Nobody is told it any more."""
        ...

    async def list_at_terminals(self) -> tuple[ReadingRecord, ...]:
        """Those that a terminal shows: all that wait, but where the browser is still awaited."""
        ...

    async def list_overdue(self, now: datetime) -> tuple[ReadingRecord, ...]:
        """Those that wait past their time."""
        ...

    async def list_revoked(self) -> tuple[ReadingRecord, ...]:
        """Those that wait for a client that was revoked."""
        ...

    async def has_old_results(self, before: datetime, taken_before: datetime) -> bool: ...
    async def drop_old_results(self, before: datetime, taken_before: datetime) -> None:
        """Forget results that ended before this and were not fetched, were first told before `taken_before`, or are for
        a client that was revoked.
        """
        ...

    async def forget_ended(self, before: datetime) -> None: ...
