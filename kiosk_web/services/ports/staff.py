"""Staff, their one-time codes and their leases of a terminal. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

DEFAULT_FACILITY = "main"

LeaseEnd = Literal["", "signed_out", "replaced", "idle", "expired", "revoked", "page_lost", "clock_set_back"]


@dataclass(frozen=True, repr=False)
class StaffRecord:
    """One member of staff. `number` (職員番号, 4 to 8 digits) is what they type at a terminal; `sealed_secret` is
    base32 (RFC 6238), sealed (`services/staff/sealing.py`); `last_step` the newest time step whose code was used.
    """

    id: str
    name: str
    number: str
    facility: str
    sealed_secret: str
    last_step: int
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class LeaseRecord:
    """Who attends a terminal, from when until when. Never deleted: it is the record of who attended which taps.

    `active_at`: when the last card was asked under it; `ended_by` is "" while `ended_at` is None.
    """

    id: str
    terminal: str
    staff: str
    staff_name: str
    page: str
    opened_at: datetime
    expires_at: datetime
    active_at: datetime
    ended_at: datetime | None = None
    ended_by: LeaseEnd = ""
    staff_revoked: bool = False

    def find_end(self, now: datetime, idle: timedelta) -> LeaseEnd:
        """Why it does not hold any more at `now`; "" while it does."""
        if self.ended_at is not None:
            return self.ended_by or "expired"
        if self.staff_revoked:
            return "revoked"
        if now >= self.expires_at:
            return "expired"
        return "idle" if now - self.active_at >= idle else ""


class StaffRows(Protocol):
    async def add(self, record: StaffRecord) -> None: ...
    async def find_by_name(self, name: str) -> StaffRecord | None: ...
    async def find_by_number(self, number: str) -> StaffRecord | None: ...
    async def list_all(self) -> tuple[StaffRecord, ...]: ...
    async def renew(self, staff: str, number: str, facility: str, sealed_secret: str) -> None:
        """Another secret: codes of the old one do not count any more. A revoked member is back."""
        ...

    async def revoke(self, staff: str, now: datetime) -> None: ...
    async def use_step(self, staff: str, step: int) -> bool:
        """True if `step` is newer than every one used before; it is used then."""
        ...

    async def add_failure(self, terminal: str, subject: str, now: datetime) -> None:
        """`subject`: whom the number that was typed stands for; see `services.leases`."""
        ...

    async def forget_failures(self, subject: str, before: datetime) -> None:
        """Those of one subject, and all that are older than `before`."""
        ...

    async def count_failures(self, since: datetime, *, terminal: str = "", subject: str = "") -> int:
        """Wrong codes since a moment, at one terminal or for one subject."""
        ...


class LeaseRows(Protocol):
    async def add(self, record: LeaseRecord) -> None: ...
    async def find_open(self, terminal: str) -> LeaseRecord | None:
        """The one of this terminal that nothing has ended yet."""
        ...

    async def list_open(self) -> tuple[LeaseRecord, ...]: ...
    async def touch(self, lease: str, now: datetime) -> None:
        """A card is asked under it."""
        ...

    async def end(self, lease: str, cause: LeaseEnd, now: datetime) -> None: ...
