"""What a library does to many links at once, from a file: the list of valid numbers, unlinking, old → new numbers.

A file is applied whole, in one transaction, or not at all; `dry` judges it and changes nothing. Applying the very same
file again does nothing and says so, because old → new would otherwise be done twice to numbers that are reused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import judge_system, judge_words
from kiosk_web.identity.number_files import Encoding, NumberRows, WrongLine, read_numbers
from kiosk_web.identity.offer import Offer
from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.services.ports import Clock, Store, Transaction
from kiosk_web.services.ports.links import FileKind, StaffAction

RowOutcome = Literal["listed", "unlinked", "not_linked", "renumbered", "number_taken", "number_not_listed"]
Advance = Callable[[int, int], None]  # rows done, rows in all
STEP = 1000
IN_THE_WAY: frozenset[RowOutcome] = frozenset({"number_taken", "number_not_listed"})
"""A row with such an outcome stops the whole file."""


@dataclass(frozen=True, repr=False)
class FileReport:
    """`rows`: (line, outcome); `conflicts`: those that stand in the way of the whole file. `applied`: it was written.

    `applied_before`: when the very same file was applied. `left`: active links whose number is not on the new list.
    """

    rows: tuple[tuple[int, RowOutcome], ...] = ()
    errors: tuple[WrongLine, ...] = ()
    applied: bool = False
    applied_before: datetime | None = None
    left: int = 0

    @property
    def conflicts(self) -> tuple[tuple[int, RowOutcome], ...]:
        return tuple(row for row in self.rows if row[1] in IN_THE_WAY)

    @property
    def accepted(self) -> bool:
        return not self.errors and not self.conflicts


class LinkFileService:
    """Each method raises `IdentityError` for what is wrong with the order itself, and reports what is wrong by line."""

    def __init__(self, *, store: Store, offer: Offer, clock: Clock) -> None:
        self._store = store
        self._offer = offer
        self._clock = clock

    async def import_valid_numbers(
        self, system: str, data: bytes, encoding: Encoding, by: str, reason: str, *, dry: bool, advance: Advance
    ) -> FileReport:
        """From now on only these numbers may be linked. It replaces the list before; links that are there stay."""
        known, read = self._read(system, data, encoding, 1, by, reason)
        if read.errors:
            return FileReport(errors=read.errors)
        numbers = {numbers[0] for _line, numbers in read.rows}
        now = self._clock()
        async with self._store.write() as transaction:
            left = len(set(await transaction.links.load_active(system)) - numbers)
            if not dry:
                await transaction.links.replace_listed(system, numbers)
                await self._note(transaction, "numbers", known.id, len(numbers), by, reason, now)
        advance(len(read.rows), len(read.rows))
        return FileReport(tuple((line, "listed") for line, _ in read.rows), applied=not dry, left=left)

    async def unlink(
        self, system: str, data: bytes, encoding: Encoding, by: str, reason: str, *, dry: bool, advance: Advance
    ) -> FileReport:
        """End the links of all these numbers; one that is not linked is reported and no error."""
        known, read = self._read(system, data, encoding, 1, by, reason)
        if read.errors:
            return FileReport(errors=read.errors)
        rows: list[tuple[int, RowOutcome]] = []
        now = self._clock()
        async with self._store.write() as transaction:
            before = await self._find_applied(transaction, system, "unlink", data)
            if before is not None:
                return FileReport(applied_before=before)
            active = await transaction.links.load_active(system)
            for done, (line, numbers) in enumerate(read.rows, 1):
                link = active.get(numbers[0])
                if link is not None and not dry:
                    await transaction.links.end(link, now)
                rows.append((line, "not_linked" if link is None else "unlinked"))
                if done % STEP == 0 or done == len(read.rows):
                    advance(done, len(read.rows))
            if not dry:
                ended = sum(outcome == "unlinked" for _, outcome in rows)
                await self._finish(transaction, known.id, "unlink", data, ended, by, reason, now)
        return FileReport(tuple(rows), applied=not dry)

    async def renumber(
        self, system: str, data: bytes, encoding: Encoding, by: str, reason: str, *, dry: bool, advance: Advance
    ) -> FileReport:
        """Old → new, all at the same moment: numbers may change places. A person keeps identifier and link.

        A new number that another link keeps, or that the list of valid numbers lacks, stops the whole file.
        """
        known, read = self._read(system, data, encoding, 2, by, reason)
        if read.errors:
            return FileReport(errors=read.errors)
        now = self._clock()
        async with self._store.write() as transaction:
            before = await self._find_applied(transaction, system, "renumber", data)
            if before is not None:
                return FileReport(applied_before=before)
            active = await transaction.links.load_active(system)
            rows = _judge_renumbering(read, active, await transaction.links.load_listed(system))
            advance(len(rows), len(rows))
            stopped = any(outcome in IN_THE_WAY for _, outcome in rows)
            if not dry and not stopped:
                changes = {active[old]: new for _line, (old, new) in read.rows if old in active}
                await transaction.links.renumber(changes)
                await self._finish(transaction, known.id, "renumber", data, len(changes), by, reason, now)
        return FileReport(tuple(rows), applied=not dry and not stopped)

    def _read(
        self, system: str, data: bytes, encoding: Encoding, columns: Literal[1, 2], by: str, reason: str
    ) -> tuple[CooperatingSystem, NumberRows]:
        known = self._offer.find_system(system)
        refusal = judge_words(by, reason) or judge_system(known)
        if refusal is not None or known is None:
            raise IdentityError(refusal or "system_unknown")
        return known, read_numbers(data, encoding, columns, known.user_number)

    async def _find_applied(
        self, transaction: Transaction, system: str, kind: FileKind, data: bytes
    ) -> datetime | None:
        return await transaction.links.was_file_applied(system, kind, hashlib.sha256(data).digest())

    async def _finish(
        self,
        transaction: Transaction,
        system: str,
        kind: FileKind,
        data: bytes,
        count: int,
        by: str,
        reason: str,
        now: datetime,
    ) -> None:
        await transaction.links.record_file(system, kind, hashlib.sha256(data).digest(), now)
        await self._note(transaction, f"file_{kind}", system, count, by, reason, now)

    async def _note(
        self, transaction: Transaction, action: str, system: str, count: int, by: str, reason: str, now: datetime
    ) -> None:
        await transaction.staff_audit.add(StaffAction(now, by, action, system, "done", count, reason))


def _judge_renumbering(
    read: NumberRows, active: Mapping[str, int], listed: frozenset[str]
) -> list[tuple[int, RowOutcome]]:
    leaving = {numbers[0] for _line, numbers in read.rows}
    rows: list[tuple[int, RowOutcome]] = []
    for line, (old, new) in read.rows:
        if listed and new not in listed:
            rows.append((line, "number_not_listed"))
        elif new in active and new not in leaving:
            rows.append((line, "number_taken"))
        else:
            rows.append((line, "renumbered" if old in active else "not_linked"))
    return rows
