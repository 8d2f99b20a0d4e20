"""Batches by API: certificates that a client presents, or its own linked persons, against the revocation lists.

Lines come in and answers go out as they come; no more is held than arrived at once. A batch proves nobody's presence:
it says whether certificates are in force, and of a person only that. Nothing is looked up by a presented certificate,
and of a person neither reason nor date is told (law no. 153 of 2002, art. 52).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from kiosk_web.pki.crl_batch import SerialAnswer
from kiosk_web.services.api.answers import NotPermitted
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.lists.answers import build_answers
from kiosk_web.services.lists.check import ListCheck
from kiosk_web.services.lists.rows import (
    MAX_ID,
    MAX_LINE,
    Answer,
    MalformedRow,
    Question,
    build_lines,
    decode_json,
    read_question,
)
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.clients import ClientRecord

ROWS_AT_A_TIME = 512
KEPT_SECONDS = 60.0
LOOK_EVERY = timedelta(seconds=10)
LONGEST = timedelta(hours=1)
OPEN_ANEW_AFTER = timedelta(minutes=5)
"""A batch that comes slowly is not answered from lists, and for a moment, of long ago."""

_PPID = re.compile(r"[2-9A-HJ-NP-Z]{24}")

Ending = Literal["done", "client_revoked", "too_long"]
OpenCheck = Callable[[], Awaitable[ListCheck]]


@dataclass(frozen=True)
class BatchRunning:
    """The client has one under way: one at a time."""


@dataclass(frozen=True)
class PersonQuestion:
    """One line about a linked person."""

    id: str
    ppid: str


class ListBatches:
    """`open_certificates` and `open_persons` open the lists away from the loop: the first for certificates alone, the
    second reads all of them as a whole, and is kept for a minute.
    """

    def __init__(
        self,
        *,
        store: Store,
        in_use: SystemsInUse,
        systems_by_list: Collection[str],
        open_certificates: OpenCheck,
        open_persons: OpenCheck,
        clock: Clock,
    ) -> None:
        self._store = store
        self._in_use = in_use
        self._systems_by_list = frozenset(systems_by_list)
        self._open_certificates = open_certificates
        self._open_persons = open_persons
        self._clock = clock
        self._running: set[str] = set()
        self._opening = asyncio.Lock()
        self._kept: ListCheck | None = None
        self._log = structlog.get_logger()

    def check_certificates(
        self, client: ClientRecord, chunks: AsyncIterable[bytes]
    ) -> AsyncGenerator[bytes] | NotPermitted | BatchRunning:
        """Answers of `kiosk crl check`, line by line."""

        async def answer(check: ListCheck, first: int, lines: Sequence[bytes]) -> bytes:
            return await asyncio.to_thread(_answer_certificates, check, first, lines)

        return self._admit(client, client.systems) or self._run(client, chunks, self._open_certificates, answer)

    def check_persons(
        self, client: ClientRecord, system: str, chunks: AsyncIterable[bytes]
    ) -> AsyncGenerator[bytes] | NotPermitted | BatchRunning:
        """One answer for each PPID. One of another system is answered as one that does not exist."""

        async def answer(check: ListCheck, first: int, lines: Sequence[bytes]) -> bytes:
            return await self._answer_persons(check, system, first, lines)

        if system not in client.systems:
            return NotPermitted("system")
        return self._admit(client, (system,)) or self._run(client, chunks, self._keep_check, answer)

    def _admit(self, client: ClientRecord, systems: Collection[str]) -> NotPermitted | BatchRunning | None:
        """One of `systems` has to be in use, and one has to be a system about whose people lists may be asked."""
        if "crl" not in client.methods or self._systems_by_list.isdisjoint(systems):
            return NotPermitted("method")
        if not any(self._in_use.serves(system) for system in systems):
            return NotPermitted("stage")
        return BatchRunning() if client.name in self._running else None

    async def _keep_check(self) -> ListCheck:
        """Opening reads millions of entries, so small batches one after the other share it."""
        async with self._opening:
            if self._kept is None:
                self._kept = await self._open_persons()
                asyncio.get_running_loop().call_later(KEPT_SECONDS, self._let_go)
            return self._kept

    def _let_go(self) -> None:
        self._kept = None

    async def _run(
        self,
        client: ClientRecord,
        chunks: AsyncIterable[bytes],
        open_check: OpenCheck,
        answer: Callable[[ListCheck, int, Sequence[bytes]], Awaitable[bytes]],
    ) -> AsyncGenerator[bytes]:
        self._running.add(client.name)
        rows = 0
        try:
            check = await open_check()
            began = looked = opened = self._clock()
            async for lines in split_lines(chunks):
                now = self._clock()
                if now - looked >= LOOK_EVERY:
                    looked = now
                    ending = await self._find_ending(client, began, now)
                    if ending != "done":
                        yield build_last_line(rows, ending)
                        return
                if now - opened >= OPEN_ANEW_AFTER:
                    check, opened = await open_check(), now
                yield await answer(check, rows + 1, lines)
                rows += len(lines)
            yield build_last_line(rows, "done")
        finally:
            self._running.discard(client.name)
            self._log.info("batch", count=rows)

    async def _find_ending(self, client: ClientRecord, began: datetime, now: datetime) -> Ending:
        if now - began > LONGEST:
            return "too_long"
        async with self._store.read() as transaction:
            record = await transaction.clients.find(client.name)
        return "done" if record is not None and record.revoked_at is None else "client_revoked"

    async def _answer_persons(self, check: ListCheck, system: str, first: int, lines: Sequence[bytes]) -> bytes:
        questions = [read_person_question(line) for line in lines]
        asked = {question.ppid for question in questions if isinstance(question, PersonQuestion)}
        async with self._store.read() as transaction:
            linked = await transaction.remote.find_linked(system, asked)
        by_key: dict[bytes, list[str]] = {}
        for ppid, certificate in linked.items():
            by_key.setdefault(certificate.issuer_key_id, []).append(ppid)
        said: dict[str, SerialAnswer] = {}
        for key_id, ppids in by_key.items():
            found = await asyncio.to_thread(check.judge_serials, key_id, [linked[ppid].serial for ppid in ppids])
            said.update(zip(ppids, found, strict=True))
        answers = []
        for row, question in enumerate(questions, first):
            if isinstance(question, str):
                answers.append(Answer(row, "", "malformed", question))
            else:
                answers.append(_describe_person(row, question, said.get(question.ppid)))
        return build_lines(answers, "ndjson")


def _answer_certificates(check: ListCheck, first: int, lines: Sequence[bytes]) -> bytes:
    return build_lines(build_answers(check, first, [_read_certificate(line) for line in lines]), "ndjson")


def _read_certificate(line: bytes) -> Question | str:
    """A serial number alone is not asked about: whoever presents nothing learns nothing."""
    try:
        question = read_question(line, None)
    except MalformedRow as error:
        return str(error)
    return question if question.certificate is not None else "certificate"


def read_person_question(line: bytes) -> PersonQuestion | str:
    """`{"id": …, "ppid": …}`, or the word for what is wrong with it (docs/crl-batch.md)."""
    if len(line) > MAX_LINE:
        return "line_too_long"
    try:
        fields = decode_json(line.decode())
    except UnicodeDecodeError:
        return "not_utf8"
    except (ValueError, RecursionError):
        return "not_json"
    if not isinstance(fields, dict):
        return "not_an_object"
    if not {"id", "ppid"}.issuperset(fields):
        return "unknown_field"
    own, ppid = fields.get("id", ""), fields.get("ppid")
    if not isinstance(own, str) or len(own) > MAX_ID or any("\ud800" <= sign <= "\udfff" for sign in own):
        return "id"
    if not isinstance(ppid, str) or _PPID.fullmatch(ppid) is None:
        return "ppid"
    return PersonQuestion(own, ppid)


def _describe_person(row: int, question: PersonQuestion, said: SerialAnswer | None) -> Answer:
    if said is None:
        return Answer(row, question.id, "not_linked")
    reason = said.reason if said.outcome in ("stale", "unavailable") else ""
    return Answer(row, question.id, said.outcome, reason, None, said.this_update)


def build_last_line(rows: int, ending: Ending) -> bytes:
    """By this line a client knows that nothing is missing."""
    return json.dumps({"end": ending, "rows": rows}).encode() + b"\n"


async def split_lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[list[bytes]]:
    """Whole lines as they arrive, at most `ROWS_AT_A_TIME` together. Of a line over the limit only so much is kept that
    it shows. A line feed at the end of all makes no further line.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[: MAX_LINE + 1]
        for start in range(0, len(lines), ROWS_AT_A_TIME):
            yield [line.rstrip(b"\r") for line in lines[start : start + ROWS_AT_A_TIME]]
    if rest:
        yield [rest.rstrip(b"\r")]
