"""Ask a library system by SIP2 whether a user number may be used (`docs/handover.md`).

One connection for one question: login, status, patron status, end of the session. Everything that goes wrong on the
way is "unreachable", never "usable" and never "blocked". Nothing of the person is kept or logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

from kiosk_web.adapters import sip2_message as m
from kiosk_web.services.ports.handovers import LibraryWord

Trouble = Literal["", "connection", "timeout", "login", "offline", "malformed", "unclear"]

_log = structlog.get_logger("kiosk_web.sip2")


@dataclass(frozen=True)
class Sip2Settings:
    """Where the library's SIP2 server is. Without `user` there is no login. `certificates` is a file of anchors for
    TLS. `error_detection`: every answer must carry a checksum.
    """

    host: str
    port: int = 6001
    user: str = ""
    password: str = ""
    location: str = ""
    institution: str = ""
    terminal_password: str = ""
    charset: m.Charset = "utf-8"
    tls: bool = False
    certificates: str | None = None
    error_detection: bool = True
    timeout_seconds: float = 5.0
    retries: int = 2


@dataclass(frozen=True, slots=True)
class LibraryAnswer:
    """One of four words, and why it is "unreachable"."""

    word: LibraryWord
    trouble: Trouble = ""


class _Failed(Exception):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


class Sip2Client:
    """Safe to ask from several tasks at once: each question has a connection of its own."""

    def __init__(self, settings: Sip2Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock

    async def check_number(self, number: str) -> LibraryAnswer:
        """May this number be used now?"""
        try:
            async with _connect(self._settings) as line:
                await self._open_session(line)
                status = await self._ask_patron(line, number)
        except _Failed as failure:
            _log.warning("sip2_failed", trouble=failure.trouble)
            return LibraryAnswer("unreachable", failure.trouble)
        return _judge(status, number)

    async def ask_about(self, number: str) -> LibraryWord:
        """Implements `services.ports.handovers.Library`."""
        return (await self.check_number(number)).word

    async def _open_session(self, line: _Line) -> None:
        own = self._settings
        if own.user:
            login = await line.ask(
                lambda sequence: m.build_login(sequence, own.user, own.password, own.location, own.charset), "94"
            )
            if not m.judge_login(login):
                raise _Failed("login")
        answer = await line.ask(lambda sequence: m.build_terminal_status(sequence, own.charset), "98")
        if not m.judge_terminal_status(answer):
            raise _Failed("offline")

    async def _ask_patron(self, line: _Line, number: str) -> m.PatronStatus:
        own, now = self._settings, self._clock()
        answer = await line.ask(
            lambda sequence: m.build_patron_status_request(
                sequence, number, own.institution, own.terminal_password, now, own.charset
            ),
            "24",
        )
        try:
            status = m.judge_patron_status(answer)
        except m.Sip2Malformed:
            raise _Failed("malformed") from None
        with contextlib.suppress(_Failed):  # the answer is there; a library that does not say goodbye changes nothing
            await line.ask(
                lambda sequence: m.build_end_session(
                    sequence, number, own.institution, own.terminal_password, now, own.charset
                ),
                "36",
            )
        return status


def _judge(status: m.PatronStatus, number: str) -> LibraryAnswer:
    if status.number != number or status.valid is None:
        return LibraryAnswer("unreachable", "unclear")  # about somebody else, or about nobody
    if not status.valid:
        return LibraryAnswer("unknown")
    return LibraryAnswer("blocked" if status.denied else "usable")


class _Line:
    """One connection: numbers its messages, asks again, is asked again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, settings: Sip2Settings) -> None:
        self._reader = reader
        self._writer = writer
        self._settings = settings
        self._sequence = -1

    async def ask(self, build: Callable[[int], bytes], code: str) -> m.Sip2Answer:
        """Send, and wait for the answer of this code and number. Raises `_Failed`."""
        self._sequence = (self._sequence + 1) % 10
        message = build(self._sequence)
        trouble: Trouble = "timeout"
        send = message
        for _ in range(self._settings.retries + 1):
            try:
                async with asyncio.timeout(self._settings.timeout_seconds):
                    self._writer.write(send)
                    await self._writer.drain()
                    answer = await self._receive(code)
            except TimeoutError:
                trouble, send = "timeout", message
                continue
            except m.Sip2Garbled:
                trouble, send = "malformed", m.build_resend_request()
                continue
            except m.Sip2Malformed:
                raise _Failed("malformed") from None
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                raise _Failed("connection") from None
            if answer is not None:
                return answer
            trouble, send = "malformed", message  # 96: it came garbled there
        raise _Failed(trouble)

    async def _receive(self, code: str) -> m.Sip2Answer | None:
        """The answer; None when the library asks for our message again. A late answer to an earlier one is passed
        over.
        """
        while True:
            line = await self._reader.readuntil(m.END)
            answer = m.parse_answer(line, self._settings.charset, checksum=self._settings.error_detection)
            if answer.code == "96":
                return None
            if answer.code == code and answer.sequence in ("", str(self._sequence)):
                return answer


@contextlib.asynccontextmanager
async def _connect(settings: Sip2Settings) -> AsyncIterator[_Line]:
    """Raises `_Failed`."""
    try:
        context = ssl.create_default_context(cafile=settings.certificates) if settings.tls else None
        async with asyncio.timeout(settings.timeout_seconds):
            reader, writer = await asyncio.open_connection(
                settings.host, settings.port, ssl=context, limit=m.MAXIMUM_BYTES
            )
    except TimeoutError:
        raise _Failed("timeout") from None
    except OSError:  # also everything of TLS
        raise _Failed("connection") from None
    try:
        yield _Line(reader, writer, settings)
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(settings.timeout_seconds):
                await writer.wait_closed()
