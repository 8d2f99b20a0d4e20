"""Terminals, how they are enrolled, and the pages that proved their bridge. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from kiosk_web.services.ports.staff import DEFAULT_FACILITY


@dataclass(frozen=True)
class TerminalRecord:
    """One terminal. `public_key` is the raw Ed25519 key, None until it was enrolled."""

    id: str
    name: str
    origin: str
    public_key: bytes | None
    created_at: datetime
    enrolled_at: datetime | None
    revoked_at: datetime | None
    facility: str = DEFAULT_FACILITY

    @property
    def condition(self) -> Literal["enrolled", "waiting", "revoked"]:
        """In one word, for the command line."""
        if self.revoked_at is not None:
            return "revoked"
        return "waiting" if self.public_key is None else "enrolled"


@dataclass(frozen=True, repr=False)
class EnrolmentRecord:
    code_id: bytes
    key: bytes
    terminal: str
    expires_at: datetime


@dataclass(frozen=True, repr=False)
class HelloRecord:
    """A hello ticket that was handed out, found again by the hash of its compact form."""

    ticket_sha256: bytes
    terminal: str
    origin: str
    address: str
    bridge_nonce: bytes
    page_key: bytes
    expires_at: datetime


@dataclass(frozen=True)
class PageRecord:
    """A page that proved its bridge. `current` is False once a newer one did."""

    id: str
    terminal: str
    current: bool


class TerminalRows(Protocol):
    async def add(self, record: TerminalRecord, enrolment: EnrolmentRecord) -> None: ...
    async def find(self, terminal: str) -> TerminalRecord | None: ...
    async def find_by_name(self, name: str) -> TerminalRecord | None: ...
    async def list_all(self) -> tuple[TerminalRecord, ...]: ...
    async def revoke(self, terminal: str, now: datetime) -> None:
        """End the terminal, its pages and its open codes."""
        ...

    async def renew_code(self, enrolment: EnrolmentRecord, now: datetime) -> bool:
        """Replace every open code of the terminal. True if one of them was still good."""
        ...

    async def find_enrolment(self, code_id: bytes, now: datetime) -> EnrolmentRecord | None: ...
    async def enrol(self, code_id: bytes, public_key: bytes, origin: str, now: datetime) -> bool:
        """Use the code up and set key and origin; False if the code was used or ran out."""
        ...

    async def raise_counter(self, terminal: str, counter: int) -> bool:
        """True if `counter` is higher than all before it; it is then the highest."""
        ...

    async def add_hello(self, record: HelloRecord) -> None:
        """Only the newest few of a terminal are kept."""
        ...

    async def take_hello(self, ticket_sha256: bytes, now: datetime) -> HelloRecord | None:
        """Use the ticket up; None if it is unknown, used or expired."""
        ...

    async def open_page(self, page: PageRecord, cookie_sha256: bytes, now: datetime) -> None:
        """Record a verified page; the older ones of the terminal stop being current."""
        ...

    async def find_page(self, cookie_sha256: bytes) -> PageRecord | None:
        """None for an unknown cookie and for one of a revoked terminal."""
        ...

    async def is_current(self, page: str) -> bool:
        """Whether no newer page of its terminal was verified."""
        ...

    async def is_revoked(self, cookie_sha256: bytes) -> bool: ...
    async def has_told(self, page: str) -> bool:
        """Whether any event of this page was taken. The first thing that a page tells is what its bridge says of the
        reader.
        """
        ...

    async def raise_sequence(self, page: str, seq: int) -> bool:
        """True if `seq` is higher than all of this page before it."""
        ...

    async def list_revoked_in_service(self) -> tuple[str, ...]:
        """Revoked terminals whose session does not say so yet."""
        ...
