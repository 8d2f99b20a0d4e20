"""What linking asks of the database: links, what staff did, and the last confirmation of the basic 4 information."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from kiosk_web.identity.links import LinkState, LinkWay

FileKind = Literal["unlink", "renumber"]


@dataclass(frozen=True, repr=False)
class LinkRecord:
    """One link. `person` never leaves the server. `version` rises whenever the number of this link changes."""

    id: int
    system: str
    person: str
    user_number: str
    state: LinkState
    way: LinkWay
    linked_at: datetime
    ended_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, repr=False)
class RecentVisit:
    """An accepted visit, by its reference number (受付番号), for as long as the link desk may need it."""

    reference: str
    person: str
    system: str
    method: str
    expires_at: datetime


@dataclass(frozen=True, repr=False)
class StaffAction:
    """What somebody of the staff, a command or the register did to identities. No person and no number is in it.

    `outcome` is `done` or the name of a refusal. `count`: how many links a file changed, else 1 or 0.
    """

    at: datetime
    by: str
    action: str
    system: str
    outcome: str
    count: int
    reason: str
    link: int | None = None


class LinkRows(Protocol):
    async def find_by_number(self, system: str, user_number: str) -> LinkRecord | None:
        """The active link of this very number."""
        ...

    async def find_by_person(self, system: str, person: str) -> LinkRecord | None:
        """The active link of this person."""
        ...

    async def add(self, system: str, person: str, user_number: str, way: LinkWay, now: datetime) -> int:
        """The number of the new link."""
        ...

    async def end(self, link: int, now: datetime) -> bool:
        """False if it had ended before."""
        ...

    async def load_active(self, system: str) -> Mapping[str, int]:
        """Number → link, of all active ones. For files; no screen lists them."""
        ...

    async def renumber(self, numbers: Mapping[int, str]) -> None:
        """Give these links their new numbers, all at once: two may change places."""
        ...

    async def has_any(self, person: str) -> bool:
        """Is there a link of this person, ended ones too, in any system?"""
        ...

    async def is_number_listed(self, system: str, user_number: str) -> bool | None:
        """None where the system has no list of valid numbers."""
        ...

    async def load_listed(self, system: str) -> frozenset[str]: ...
    async def replace_listed(self, system: str, numbers: Collection[str]) -> None:
        """The whole list; an empty one means that there is none."""
        ...

    async def was_file_applied(self, system: str, kind: FileKind, sha256: bytes) -> datetime | None: ...
    async def record_file(self, system: str, kind: FileKind, sha256: bytes, now: datetime) -> None: ...
    async def add_visit(self, visit: RecentVisit) -> None: ...
    async def find_visit(self, reference: str, now: datetime) -> RecentVisit | None: ...
    async def forget_visits(self, now: datetime) -> None:
        """Delete those that have expired."""
        ...


class ConfirmationRows(Protocol):
    async def find(self, person: str, system: str) -> date | None:
        """The day (in Japan) on which the basic 4 information was last confirmed."""
        ...

    async def record(self, person: str, system: str, day: date) -> None: ...


class StaffAuditRows(Protocol):
    """Added and read, never changed."""

    async def add(self, action: StaffAction) -> None: ...
    async def list_look_ups(self, since: datetime, now: datetime) -> tuple[str, ...]:
        """Who looked a number or a visit up after `since`, until `now`, or learned as much in another way: by ending
        the link of a number or somebody's かざし利用, by a relink, a confirmation, a link that was refused; each as
        often as that. What came over the limit does not count, nor do residents and clients of the API, who have limits
        of their own.
        """
        ...

    async def list_latest(self, limit: int) -> tuple[StaffAction, ...]: ...
