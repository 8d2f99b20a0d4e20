"""Transactions that share a commit: who writes at the same time waits for one fsync, not for one each.

SQLite has one writer. Whoever comes gets a savepoint in the transaction that is open; when all who waited have had
their turn, it is committed in a thread, and only then does any of them go on. A part that fails is undone alone. If
the commit fails, all of them fail, and nothing of any was stored.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Generic, TypeVar

BUSY_MILLISECONDS = 5000

Handed = TypeVar("Handed")


class TransactionLost(Exception):
    """SQLite has undone the whole transaction by itself: the disk is full, or cannot be written."""


class GroupCommit:
    """The one writing connection of a process. Turns are given in the order in which they were asked for."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        self._turn = asyncio.Lock()
        self._written: list[asyncio.Future[None]] = []  # of those whose part is in the open transaction
        self._committing: asyncio.Task[None] | None = None
        self._spoilt = False  # the open transaction holds what was to be undone: it must never be committed
        self._thread = ThreadPoolExecutor(1, "commit")

    async def begin(self) -> None:
        """Wait for a turn. `end` must follow."""
        await self._turn.acquire()
        try:
            await self._begin_transaction()
            self._driver.execute("SAVEPOINT turn")
        except BaseException:
            self._turn.release()
            raise

    def end(self, *, failed: bool) -> asyncio.Future[None] | None:
        """Done when what was done is on the disk. None for a part that failed, which is undone."""
        written = None
        try:
            if not self._driver.in_transaction:
                self._tell(TransactionLost())
                if failed:
                    return None  # the caller has the error that tells why
                raise TransactionLost
            self._end_turn(failed=failed)
            if not failed:
                written = asyncio.get_running_loop().create_future()
                self._written.append(written)
        finally:
            self._turn.release()
        return written

    def _end_turn(self, *, failed: bool) -> None:
        try:
            if failed:
                self._driver.execute("ROLLBACK TO turn")
            self._driver.execute("RELEASE turn")
        except sqlite3.Error:
            self._spoilt = True
            raise

    async def close(self) -> None:
        """After the last commit."""
        while self._committing is not None:
            await asyncio.wait([self._committing])
        self._thread.shutdown()

    async def _begin_transaction(self) -> None:
        """The first of a group begins it, and has it committed after all who are waiting for their turn by then."""
        try:
            if self._is_lost():
                self._undo(TransactionLost())
            if self._spoilt:
                raise TransactionLost
            if not self._driver.in_transaction and not self._begin_at_once():
                await self._run_apart(lambda: self._driver.execute("BEGIN IMMEDIATE"))
        finally:
            if self._driver.in_transaction and self._committing is None:
                self._committing = asyncio.create_task(self._commit())

    def _begin_at_once(self) -> bool:
        """False if somebody else is writing. The loop must not wait for them: they may need it for their commit."""
        self._driver.execute("PRAGMA busy_timeout=0")
        try:
            self._driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        finally:
            self._driver.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        return self._driver.in_transaction

    async def _commit(self) -> None:
        async with self._turn:
            self._committing = None
            if self._is_lost():
                self._undo(TransactionLost())
                return
            try:
                await self._run_apart(self._driver.commit)
            except Exception as error:
                self._undo(error)
            else:
                self._tell(None)

    def _is_lost(self) -> bool:
        """Must it not be committed, or did SQLite undo it when somebody's turn could not even begin?"""
        return self._spoilt or (bool(self._written) and not self._driver.in_transaction)

    def _undo(self, failure: Exception) -> None:
        """The whole transaction; those who wait are told that it failed, also where it cannot be undone now."""
        with suppress(sqlite3.Error):
            self._driver.rollback()
        self._spoilt = self._driver.in_transaction
        self._tell(failure)

    def _tell(self, failure: Exception | None) -> None:
        written, self._written = self._written, []
        for one in written:
            if one.done():  # cancelled meanwhile
                continue
            if failure is None:
                one.set_result(None)
            else:
                one.set_exception(failure)

    async def _run_apart(self, work: Callable[[], object]) -> None:
        """In the thread and to its end, also for one who is cancelled: the connection must not be used meanwhile."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, work)
        cancelled = None
        while not running.done():
            try:
                await asyncio.wait([running])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        running.result()


class Part(Generic[Handed]):
    """`async with` around one part of a transaction; gives `handed`. Its end waits for the disk, unless it is `ahead`:
    then `wait` does.
    """

    def __init__(self, group: GroupCommit, handed: Handed, *, ahead: bool = False) -> None:
        self._group = group
        self._handed = handed
        self._ahead = ahead
        self._written: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Handed:
        await self._group.begin()
        return self._handed

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._written = self._group.end(failed=kind is not None)
        if not self._ahead:
            await self.wait()

    async def wait(self) -> None:
        """Until it is on the disk. Raises what the commit failed with."""
        if self._written is not None:
            await self._written
