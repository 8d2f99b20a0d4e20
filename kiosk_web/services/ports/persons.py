"""Persons with their certificates and identifiers. Plain rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kiosk_web.identity.mykey import MyKeyState
from kiosk_web.identity.persons import CertificateName


@dataclass(frozen=True, repr=False)
class SweptPerson:
    """One linked person, by the newest certificate known of them."""

    person: str
    issuer_key_id: bytes
    serial: int


@dataclass(frozen=True, repr=False)
class MyKeyRecord:
    """One MyKey ID. `issued_to` is the certificate it was issued to, None where none was recorded."""

    mykey_id: str
    person: str
    state: MyKeyState
    issued_to: CertificateName | None
    issued_at: datetime
    changed_at: datetime | None


class PersonRows(Protocol):
    async def find(self, issuer_key_id: bytes, serial: int) -> str | None: ...
    async def find_settled_ppid(self, issuer_key_id: bytes, serial: int, system: str) -> str | None:
        """The PPID of whose certificate it is, if there is one, and the person need not be checked again."""
        ...

    async def add(self, person: str, issuer_key_id: bytes, serial: int, now: datetime) -> None: ...
    async def add_certificate(self, person: str, issuer_key_id: bytes, serial: int, now: datetime) -> None:
        """One more certificate of a known person."""
        ...

    async def find_newest_certificate(self, person: str) -> CertificateName | None: ...
    async def count_certificates(self, person: str) -> int: ...
    async def absorb(self, stranger: str, person: str, now: datetime) -> tuple[str, ...]:
        """All of `stranger` becomes `person`'s, but links, and `stranger` is gone; kazashi of both ends.

        Where both had an identifier, the stranger's ends: the systems of those PPIDs, and "" for a MyKey ID.
        """
        ...

    async def find_by_ppid(self, ppid: str, system: str) -> str | None: ...
    async def find_ppid(self, person: str, system: str) -> str | None: ...
    async def add_ppid(self, person: str, system: str, ppid: str, now: datetime) -> bool:
        """False if this very PPID exists already."""
        ...

    async def find_mykey_id(self, person: str) -> tuple[str, str] | None:
        """(MyKey ID, state) that is not superseded."""
        ...

    async def load_mykey_id(self, mykey_id: str) -> MyKeyRecord | None: ...
    async def add_mykey_id(
        self, person: str, mykey_id: str, now: datetime, issued_to: CertificateName | None = None
    ) -> bool:
        """False if this very MyKey ID exists already."""
        ...

    async def change_mykey_id(self, mykey_id: str, before: MyKeyState, after: MyKeyState, now: datetime) -> bool:
        """False if it was not in the state `before`."""
        ...

    async def list_linked(self, systems: Collection[str], after: str, limit: int) -> tuple[SweptPerson, ...]:
        """Persons behind `after` who have a PPID in one of `systems` or an issued MyKey ID, in order."""
        ...

    async def mark_check_again(self, persons: Sequence[str]) -> None: ...
    async def clear_check_again(self, person: str) -> None: ...
    async def must_check_again(self, person: str) -> bool: ...
