"""Browsers that are sent for a reading, and how they come back. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, repr=False)
class RedirectRecord:
    """How the browser of a redirected reading comes and goes. Handle, browser and code are known by their hash alone.

    `basic_four`: these items are asked for too.
    `browser_sha256` is None until the handle was used, `code_sha256` until the browser was sent back.
    """

    reading: str
    redirect_uri: str
    state: str
    code_challenge: str
    handle_sha256: bytes
    title_ja: str = ""
    title_en: str = ""
    basic_four: bool = False
    browser_sha256: bytes | None = None
    code_sha256: bytes | None = None


class RedirectRows(Protocol):
    async def add(self, record: RedirectRecord) -> None: ...
    async def open(
        self, handle_sha256: bytes, terminal: str, browser_sha256: bytes, now: datetime
    ) -> RedirectRecord | None:
        """One UPDATE: the record, for the one page of its terminal that was first and in time."""
        ...

    async def reopen(self, reading: str) -> None:
        """The terminal was not free: the handle may be used again."""
        ...

    async def leave(
        self, browser_sha256: bytes, code_sha256: bytes, code_until: datetime, now: datetime
    ) -> RedirectRecord | None:
        """One UPDATE: the record of a reading that has ended, for the first request of the browser that opened it."""
        ...

    async def redeem(self, code_sha256: bytes, client: str, now: datetime) -> RedirectRecord | None:
        """One UPDATE: the record for the first request of this client, in time; the code is used up."""
        ...

    async def is_used(self, code_sha256: bytes) -> bool:
        """Was there a code like this, and is it used up?"""
        ...
