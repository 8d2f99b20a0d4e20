"""Where revocation lists come from: a file, a folder that something else fills, or an HTTP server.

Nothing here believes a list; it only brings bytes: whole, not too large, not too slow. Nothing of the environment is
used, and no redirect is followed. Every trouble is a `SourceFailure` with a name of `docs/crl.md`, never an exception.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO

import aiohttp
from yarl import URL

from kiosk_web.adapters.http_session import is_longer, is_plain, name_trouble, open_session, read_address
from kiosk_web.services.lists.intake import OfferedList
from kiosk_web.services.lists.refresh import ListSource, NotModified, Offered, SourceFailure, Validators

LIST_TYPES = frozenset({"application/pkix-crl", "application/octet-stream"})
"""RFC 2585 4.2, and what servers say that do not know the type."""

LIST_ENDINGS = (".crl", ".der")
"""What counts in a folder: other names are drafts, notes, or another form of the same list."""

PHASE_SECONDS = 30.0
"""Connecting, and each silence while reading."""

CONNECTIONS = 8
"""Lists fetched at once."""

_LONGEST_VALIDATOR = 200

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class FetchedList:
    """The bytes of an answer, in a spool."""

    spool: Spool
    offset: int
    length: int
    validators: Validators

    @contextlib.contextmanager
    def open(self) -> Iterator[memoryview]:
        """The bytes, mapped."""
        with map_file(self.spool.file) as view:
            yield view[self.offset : self.offset + self.length]


class Spool:
    """A file without a name, for answers one after the other: it vanishes with this process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by `close`
        self.end = 0

    def append(self, chunk: bytes | memoryview) -> None:
        rest = memoryview(chunk)
        while len(rest):
            rest = rest[self.file.write(rest) :]

    def go_back(self) -> None:
        """Forget what was appended since the last `keep`."""
        self.file.truncate(self.end)
        self.file.seek(self.end)

    def keep(self) -> tuple[int, int]:
        """Offset and length of what was appended since the last `keep`."""
        begin, self.end = self.end, self.file.tell()
        return begin, self.end - begin

    def close(self) -> None:
        self.file.close()


@contextlib.contextmanager
def map_file(file: IO[bytes]) -> Iterator[memoryview]:
    """The whole file as read-only memory. An empty one is empty memory, which the operating system would refuse."""
    size = file.seek(0, 2)
    if size == 0:
        yield memoryview(b"")
        return
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        yield memoryview(mapped)
    finally:
        with contextlib.suppress(BufferError):  # a slice is still held: the memory goes when the slice does
            mapped.close()


@contextlib.contextmanager
def map_path(path: Path) -> Iterator[memoryview]:
    """A file on the disk as read-only memory. Raises `OSError`."""
    with path.open("rb") as file, map_file(file) as view:
        yield view


@contextlib.contextmanager
def read_path(path: Path, limit: int) -> Iterator[memoryview]:
    """A file on the disk, or its first `limit` octets, in memory that is ours alone. Raises `OSError`.

    Read, not mapped: whoever writes to the file, or cuts it off, changes nothing of what was read.
    """
    with path.open("rb") as file:
        yield memoryview(file.read(min(os.fstat(file.fileno()).st_size, limit)))


def list_files(source: ListSource) -> tuple[Path, ...] | SourceFailure:
    """The lists of a `file` or `directory` source, by name."""
    place = Path(source.place)
    try:
        if source.kind == "file":
            return (place,) if place.is_file() else SourceFailure("file_missing")
        found = tuple(sorted(path for path in place.iterdir() if _is_list(path)))
    except OSError as error:
        return SourceFailure("file_unreadable", error.strerror or "")
    return found or SourceFailure("folder_empty")


def _is_list(path: Path) -> bool:
    return path.suffix.lower() in LIST_ENDINGS and not path.name.startswith(".") and path.is_file()


def offer_file(source: ListSource, path: Path) -> OfferedList:
    """A list on the disk."""
    return _build_offer(source, path.name, partial(map_path, path), partial(read_path, path, source.max_bytes))


class ListFetcher:
    """Implements `services.lists.refresh.SourceReader`, as an asynchronous context manager.

    `folder` is where answers over HTTP are spooled; it must be there.
    """

    def __init__(self, folder: Path, *, phase: float = PHASE_SECONDS) -> None:
        self._folder = folder
        self._idle: list[Spool] = []
        self._spools: list[Spool] = []
        self._turn = asyncio.Semaphore(CONNECTIONS)
        self._phase = phase
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> ListFetcher:
        accepted = {"Accept": ", ".join(sorted(LIST_TYPES))}
        self._session = open_session(phase=self._phase, connections=CONNECTIONS, headers=accepted, most=None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        for spool in self._spools:
            spool.close()

    async def offer(self, source: ListSource, known: Validators) -> Offered | NotModified | SourceFailure:
        if source.kind == "http":
            answer = await self.fetch_list(source, known)
            if not isinstance(answer, FetchedList):
                return answer
            return Offered((_build_offer(source, source.name, answer.open, answer.open),), answer.validators)
        found = list_files(source)
        if isinstance(found, SourceFailure):
            return found
        return Offered(tuple(offer_file(source, path) for path in found))

    async def fetch_list(self, source: ListSource, known: Validators) -> FetchedList | NotModified | SourceFailure:
        """Ask for the list, or for a newer one than the `known`. At most `CONNECTIONS` at once; the others wait.

        Where the connection ends before an answer begins, it is asked for once more within the same budget.
        """
        address = read_address(source.place)
        if address is None:
            return SourceFailure("address")
        async with self._turn:
            try:
                spool = self._take_spool()
            except OSError as error:
                return _name_disk_trouble(error)
            try:
                return await self._ask(source, address, known, spool)
            finally:
                self._idle.append(spool)

    async def _ask(
        self, source: ListSource, address: URL, known: Validators, spool: Spool
    ) -> FetchedList | NotModified | SourceFailure:
        try:
            async with asyncio.timeout(source.budget_seconds):
                answer = await self._receive(source, address, known, spool)
        except aiohttp.ClientError as error:  # before the two below: some of these are both
            answer = SourceFailure(*name_trouble(error))
        except TimeoutError:
            answer = SourceFailure("timeout", "budget")
        except OSError as error:
            answer = _name_disk_trouble(error)
        if isinstance(answer, SourceFailure):
            spool.go_back()
        return answer

    async def _receive(
        self, source: ListSource, address: URL, known: Validators, spool: Spool
    ) -> FetchedList | NotModified | SourceFailure:
        if self._session is None:
            raise RuntimeError("the fetcher is not open")
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        asked = {name: value for name, value in conditions.items() if value is not None}
        async with self._session.get(address, headers=asked, allow_redirects=False) as response:
            if response.status == 304 and asked:
                return NotModified()
            refusal = _refuse_head(response, source.max_bytes)
            if refusal is not None:
                return refusal
            received = 0
            async for chunk in response.content.iter_any():
                received += len(chunk)
                if received > source.max_bytes:
                    return SourceFailure("too_large", f"more than {source.max_bytes} bytes")
                spool.append(chunk)
            said = Validators(_read_validator(response, "ETag"), _read_validator(response, "Last-Modified"))
            return FetchedList(spool, *spool.keep(), said)

    def _take_spool(self) -> Spool:
        if not self._idle:
            self._idle.append(Spool(self._folder))
            self._spools.append(self._idle[-1])
        return self._idle.pop()


def _build_offer(
    source: ListSource,
    label: str,
    opened: Callable[[], contextlib.AbstractContextManager[memoryview]],
    loaded: Callable[[], contextlib.AbstractContextManager[memoryview]],
) -> OfferedList:
    return OfferedList(source.name, label, opened, loaded, source.max_bytes, source.expected)


def _refuse_head(response: aiohttp.ClientResponse, limit: int) -> SourceFailure | None:
    if 300 <= response.status < 400 and response.status != 304:
        return SourceFailure("redirect", str(response.status))
    if response.status != 200:
        return SourceFailure("http_status", str(response.status))
    if not is_plain(response, LIST_TYPES):
        return SourceFailure("content_type")
    return SourceFailure("too_large", f"more than {limit} bytes") if is_longer(response, limit) else None


def _read_validator(response: aiohttp.ClientResponse, name: str) -> str | None:
    """None for one that could not be sent back as it came."""
    value = str(response.headers.get(name, ""))
    return value if 0 < len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable() else None


def _name_disk_trouble(error: OSError) -> SourceFailure:
    return SourceFailure("disk_full" if error.errno in FULL_DISK else "disk_failed", error.strerror or "")
