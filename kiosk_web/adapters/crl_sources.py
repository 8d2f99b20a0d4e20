"""Where revocation lists come from: a file, a folder that something else fills, or an HTTP server.

Nothing here believes a list; it only brings bytes: whole, not too large, not too slow. Nothing of the environment is
used, and no redirect is followed. Every trouble is a `SourceFailure` with a name of `docs/crl.md`, never an exception.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import mmap
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO

import httpx2

from kiosk_web.adapters.fetch import is_address
from kiosk_web.services.crl_intake import OfferedList
from kiosk_web.services.crl_refresh import ListSource, NotModified, Offered, SourceFailure, Validators

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
    return _build_offer(source, path.name, partial(map_path, path))


class ListFetcher:
    """Implements `services.crl_refresh.SourceReader`, as an asynchronous context manager.

    `folder` is where answers over HTTP are spooled; it must be there.
    """

    def __init__(self, folder: Path, *, phase: float = PHASE_SECONDS) -> None:
        self._folder = folder
        self._idle: list[Spool] = []
        self._spools: list[Spool] = []
        self._turn = asyncio.Semaphore(CONNECTIONS)
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(phase),
            limits=httpx2.Limits(max_connections=CONNECTIONS),
            follow_redirects=False,
            trust_env=False,
            headers={
                "Accept": ", ".join(sorted(LIST_TYPES)),
                "Accept-Encoding": "identity",
                "User-Agent": "mynumber-kiosk",
            },
        )

    async def __aenter__(self) -> ListFetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        for spool in self._spools:
            spool.close()

    async def offer(self, source: ListSource, known: Validators) -> Offered | NotModified | SourceFailure:
        if source.kind == "http":
            answer = await self.fetch_list(source, known)
            if not isinstance(answer, FetchedList):
                return answer
            return Offered((_build_offer(source, source.name, answer.open, private=True),), answer.validators)
        found = list_files(source)
        if isinstance(found, SourceFailure):
            return found
        return Offered(tuple(offer_file(source, path) for path in found))

    async def fetch_list(self, source: ListSource, known: Validators) -> FetchedList | NotModified | SourceFailure:
        """Ask for the list, or for a newer one than the `known`. At most `CONNECTIONS` at once; the others wait."""
        if not is_address(source.place):
            return SourceFailure("address")
        async with self._turn:
            try:
                spool = self._take_spool()
            except OSError as error:
                return _name_disk_trouble(error)
            try:
                return await self._ask(source, known, spool)
            finally:
                self._idle.append(spool)

    async def _ask(
        self, source: ListSource, known: Validators, spool: Spool
    ) -> FetchedList | NotModified | SourceFailure:
        try:
            async with asyncio.timeout(source.budget_seconds):
                answer = await self._receive(source, known, spool)
        except TimeoutError:
            answer = SourceFailure("timeout", "budget")
        except httpx2.TransportError as error:
            answer = _name_failure(error)
        except OSError as error:
            answer = _name_disk_trouble(error)
        if isinstance(answer, SourceFailure):
            spool.go_back()
        return answer

    async def _receive(
        self, source: ListSource, known: Validators, spool: Spool
    ) -> FetchedList | NotModified | SourceFailure:
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        asked = {name: value for name, value in conditions.items() if value is not None}
        async with self._client.stream("GET", source.place, headers=asked) as response:
            if response.status_code == 304 and asked:
                return NotModified()
            refusal = _refuse_head(response, source.max_bytes)
            if refusal is not None:
                return refusal
            received = 0
            async for chunk in response.aiter_raw():
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
    *,
    private: bool = False,
) -> OfferedList:
    return OfferedList(source.name, label, opened, source.max_bytes, source.expected, private)


def _refuse_head(response: httpx2.Response, limit: int) -> SourceFailure | None:
    if 300 <= response.status_code < 400 and response.status_code != 304:
        return SourceFailure("redirect", str(response.status_code))
    if response.status_code != 200:
        return SourceFailure("http_status", str(response.status_code))
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind not in LIST_TYPES or response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return SourceFailure("content_type")
    length = response.headers.get("Content-Length", "0")
    if length.isdecimal() and int(length[:20]) > limit:
        return SourceFailure("too_large", f"more than {limit} bytes")
    return None


def _read_validator(response: httpx2.Response, name: str) -> str | None:
    """None for one that could not be sent back as it came."""
    value = str(response.headers.get(name, ""))
    return value if 0 < len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable() else None


def _name_failure(error: httpx2.TransportError) -> SourceFailure:
    detail = type(error).__name__
    if isinstance(error, httpx2.TimeoutException):
        return SourceFailure("timeout", detail)
    if isinstance(error, httpx2.ConnectError):
        return SourceFailure("refused", detail)
    return SourceFailure("reset", detail)


def _name_disk_trouble(error: OSError) -> SourceFailure:
    return SourceFailure("disk_full" if error.errno in FULL_DISK else "disk_failed", error.strerror or "")
