"""What the database holds about one person, as plain rows: for that person's own eyes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from kiosk_web.identity.links import LinkState
from kiosk_web.identity.mykey import MyKeyState
from kiosk_web.identity.terms import TermsKind


@dataclass(frozen=True)
class HeldPpid:
    system: str
    issued_at: datetime


@dataclass(frozen=True)
class HeldMyKeyId:
    state: MyKeyState
    issued_at: datetime


@dataclass(frozen=True, repr=False)
class HeldLink:
    """An ended one stays, with its number, until the person is deleted."""

    system: str
    user_number: str
    state: LinkState
    linked_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class HeldTerms:
    system: str
    document: TermsKind
    version: str
    accepted_at: datetime


@dataclass(frozen=True)
class HeldKey:
    """The public key of an enrolled card."""

    enrolled_at: datetime
    used_at: datetime


@dataclass(frozen=True)
class HeldConfirmation:
    system: str
    day: date


@dataclass(frozen=True)
class HeldReading:
    """Basic 4 information, sealed to its receiver, that waits to be fetched. Found as long as a visit leads to it."""

    system: str
    expires_at: datetime


@dataclass(frozen=True, repr=False)
class HeldRows:
    """Every row that names the person. `certificates`: since when each serial number is known. `visits`: until when
    each reference number leads to them.
    """

    since: datetime
    certificates: tuple[datetime, ...] = ()
    ppids: tuple[HeldPpid, ...] = ()
    mykey_ids: tuple[HeldMyKeyId, ...] = ()
    links: tuple[HeldLink, ...] = ()
    terms: tuple[HeldTerms, ...] = ()
    keys: tuple[HeldKey, ...] = ()
    confirmations: tuple[HeldConfirmation, ...] = ()
    readings: tuple[HeldReading, ...] = ()
    visits: tuple[datetime, ...] = ()


class HeldRowsOfPerson(Protocol):
    async def load(self, person: str, now: datetime) -> HeldRows: ...
    async def delete(self, person: str) -> tuple[str, ...]:
        """All of it, and the person; the ciphertext of readings that wait too. The systems that had a PPID."""
        ...
