"""The keys of cards that are enrolled for かざし利用. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, repr=False)
class KazashiEnrolment:
    """One enrolled card: the SHA-256 of its certificate, and its surface key as DER (subjectPublicKeyInfo)."""

    certificate_sha256: bytes
    person: str
    public_key: bytes
    enrolled_at: datetime
    used_at: datetime


class KazashiRows(Protocol):
    async def find(self, certificate_sha256: bytes) -> KazashiEnrolment | None: ...
    async def replace(self, record: KazashiEnrolment) -> None:
        """Keep it, and no other of the same person."""
        ...

    async def touch(self, certificate_sha256: bytes, now: datetime) -> None: ...
    async def end(self, certificate_sha256: bytes) -> bool:
        """Delete every one of the person who holds this certificate; True if there was one."""
        ...

    async def end_of_person(self, person: str) -> bool:
        """Delete every one of this person; True if there was one."""
        ...
