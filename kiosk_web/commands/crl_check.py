"""`kiosk crl check`: millions of certificates or serial numbers against the lists in force, from a file into a file.

Nothing is held but a few thousand rows at a time. After each of these steps the output is on the disk and a small file
beside it says how far it is whole: a check that was ended anywhere goes on there with `--resume`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_trust_store
from kiosk_web.adapters.durable_files import write_durably
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.marks import SqlHighWaterMarks
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.errors import KioskError, SettingsError
from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.pki.trust import TrustPolicy
from kiosk_web.services.lists.answers import build_answers
from kiosk_web.services.lists.check import ListCheck, build_list_check, is_clock_reliable
from kiosk_web.services.lists.rows import (
    MAX_LINE,
    Format,
    MalformedRow,
    Question,
    build_head,
    build_lines,
    read_columns,
    read_question,
)
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.crl_index import build_policy, open_shelf
from kiosk_web.wiring.validation import choose_clock_check

ROWS_AT_A_TIME = 65_536
STANDARD = Path("-")
PROGRESS_ENDING = ".progress"
_PIECE = 1 << 20
"""Octets of the input that are hashed at once."""


class CheckRefused(KioskError):
    """The check cannot begin, or go on, as asked; nothing was lost."""


class CheckWatcher(Protocol):
    """Who looks on."""

    def tell_size(self, octets: int | None) -> None:
        """What there is to read; None where that is not known."""
        ...

    def tell_read(self, octets: int) -> None:
        """How far it was read."""
        ...


class Hash(Protocol):
    """A SHA-256 on its way, as `hashlib` makes it."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What a check came to. `outcomes` counts by word; `resumed_at` is the row it went on from, 0 for none."""

    rows: int
    outcomes: Mapping[str, int]
    lists: int
    resumed_at: int = 0
    newer_lists: bool = False


@dataclass(slots=True)
class _Progress:
    """How far a check has come: input read, rows answered, output written. `consumed` is the SHA-256 of what was read:
    the input must still begin with it.
    """

    form: str
    consumed: str = ""
    read: int = 0
    rows: int = 0
    written: int = 0
    generation: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def dump(self) -> bytes:
        return json.dumps({"version": 2, **{one.name: getattr(self, one.name) for one in fields(self)}}).encode()


def open_check(settings: Settings, now: datetime) -> ListCheck:
    """Open the index and read it as a whole. Raises `SettingsError`."""
    try:
        anchors = load_trust_store(
            settings.anchors, production=not settings.demo, confirmed_fingerprints=settings.confirmed_fingerprints
        )
    except AnchorFileRefused as error:
        raise SettingsError(str(error)) from None
    marks, newest = asyncio.run(_load_marks(settings))
    trust_policy, policy = TrustPolicy(allow_test_arc=settings.allow_test_arc), build_policy(settings.crl)
    times = (newest, *(mark.this_update for mark in marks.values()))
    reliable = is_clock_reliable(times, policy, now, trusted=choose_clock_check(settings)())
    shelf = open_shelf(settings)
    return build_list_check(shelf, anchors, trust_policy, policy, marks, now, clock_reliable=reliable)


async def _load_marks(settings: Settings) -> tuple[Mapping[ListScope, ListMark], datetime | None]:
    """The newest list of each scope, and the newest time of any answer."""
    migrate(settings.data)
    store = SqlStore(settings.data)
    try:
        return await SqlListMarks(store).load_all(), await SqlHighWaterMarks(store).load_newest_time()
    finally:
        await store.close()


def check_rows(
    settings: Settings,
    source: Path,
    target: Path,
    form: Format,
    watcher: CheckWatcher,
    *,
    clock: Callable[[], datetime],
    resume: bool = False,
    overwrite: bool = False,
    rows_at_a_time: int = ROWS_AT_A_TIME,
) -> CheckSummary:
    """Answer every row of `source` in `target` (`STANDARD`: standard input or output, which cannot be resumed).

    Raises `CheckRefused`, `RowsRefused` and `SettingsError`.
    """
    check = open_check(settings, clock())
    generation = check.shelf.generation
    with _open_input(source) as (rows, size):
        progress = _begin(source, target, form, resume=resume, overwrite=overwrite)
        consumed = _hash_consumed(source, rows, progress)
        resumed, newer = progress.rows, bool(progress.rows) and progress.generation != generation
        progress.generation = generation
        watcher.tell_size(size)
        with _open_output(target, progress) as answers:
            columns = _read_columns(rows, form, progress, consumed)
            if progress.written == 0:
                progress.written += answers.write(build_head(form))
            for lines, octets in _read_lines(rows, rows_at_a_time, consumed):
                found = build_answers(check, progress.rows + 1, [_read(line, columns) for line in lines])
                progress.written += answers.write(build_lines(found, form))
                progress.rows += len(found)
                progress.read += octets
                progress.consumed = consumed.hexdigest()
                progress.outcomes.update(answer.outcome for answer in found)
                _keep(target, answers, progress)
                watcher.tell_read(progress.read)
    if target != STANDARD:
        _name_progress(target).unlink(missing_ok=True)
    return CheckSummary(progress.rows, dict(progress.outcomes), check.lists, resumed, newer)


def _read(line: bytes, columns: Sequence[str] | None) -> Question | str:
    try:
        return read_question(line.rstrip(b"\r\n"), columns)
    except MalformedRow as error:
        return str(error)


def _read_lines(rows: BinaryIO, at_a_time: int, consumed: Hash) -> Iterator[tuple[list[bytes], int]]:
    """Some lines and how many octets they took, all of them hashed. Of a line over the limit enough is kept
    to see that it is.
    """
    lines: list[bytes] = []
    octets = 0
    while line := rows.readline(MAX_LINE + 2):
        octets += len(line)
        consumed.update(line)
        rest = line
        while not rest.endswith(b"\n") and (rest := rows.readline(MAX_LINE)):
            octets += len(rest)
            consumed.update(rest)
        lines.append(line)
        if len(lines) >= at_a_time:
            yield lines, octets
            lines, octets = [], 0
    if lines:
        yield lines, octets


def _read_columns(rows: BinaryIO, form: Format, progress: _Progress, consumed: Hash) -> Sequence[str] | None:
    """The columns of a CSV input, read from its first line also when the check goes on from further down."""
    columns = None
    if form == "csv":
        line = rows.readline(MAX_LINE)
        columns = read_columns(line.rstrip(b"\r\n"))
        if not progress.read:
            progress.read = len(line)
            consumed.update(line)
    if progress.rows:
        rows.seek(progress.read)
    return columns


@contextlib.contextmanager
def _open_input(source: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    """The rows, and their size."""
    if source == STANDARD:
        yield sys.stdin.buffer, None
        return
    try:
        rows = source.open("rb")
    except OSError as error:
        raise CheckRefused(f"{source}: {error.strerror}") from None
    with rows:
        yield rows, os.fstat(rows.fileno()).st_size


def _hash_consumed(source: Path, rows: BinaryIO, progress: _Progress) -> Hash:
    """The hash of what a check has read of its input so far, to be continued; `rows` are at their beginning again.

    A change anywhere in that part is refused: the answers that are kept were to other rows.
    """
    consumed = hashlib.sha256()
    if not progress.rows:
        return consumed
    left = progress.read
    while left and (piece := rows.read(min(left, _PIECE))):
        consumed.update(piece)
        left -= len(piece)
    if left or consumed.hexdigest() != progress.consumed:
        raise CheckRefused(f"{source}: not the input that was read of before; begin anew with --overwrite")
    rows.seek(0)
    return consumed


def _name_progress(target: Path) -> Path:
    return target.with_name(target.name + PROGRESS_ENDING)


def _begin(source: Path, target: Path, form: Format, *, resume: bool, overwrite: bool) -> _Progress:
    """Where to begin. A finished or foreign output is never written over unasked."""
    fresh = _Progress(form)
    if STANDARD in (source, target):
        if resume:
            raise CheckRefused("only a check from a file into a file can be resumed")
        if target == STANDARD:
            return fresh
    if resume and _name_progress(target).exists():
        known = _load_progress(target)
        if known.form != form or source.stat().st_size < known.read:
            raise CheckRefused(f"{source}: not the input that {_name_progress(target).name} was made with")
        if not target.exists() or target.stat().st_size < known.written:
            raise CheckRefused(
                f"{target}: shorter than {_name_progress(target).name} says; begin anew with --overwrite"
            )
        return known
    if target.exists() and not overwrite:
        raise CheckRefused(f"{target}: is there already; --overwrite begins anew, --resume goes on where one ended")
    _name_progress(target).unlink(missing_ok=True)
    return fresh


def _load_progress(target: Path) -> _Progress:
    try:
        known = json.loads(_name_progress(target).read_bytes())
        if known.pop("version") != 2:
            raise ValueError("version")
        return _Progress(**known | {"outcomes": Counter(known["outcomes"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise CheckRefused(f"{_name_progress(target)}: cannot be read; begin anew with --overwrite") from None


@contextlib.contextmanager
def _open_output(target: Path, progress: _Progress) -> Iterator[BinaryIO]:
    if target == STANDARD:
        yield sys.stdout.buffer
        return
    try:
        if not progress.written:  # before there is an output: a check that is killed in its first step can be resumed
            write_durably(_name_progress(target), progress.dump())
        answers = target.open("r+b" if progress.written else "wb")
    except OSError as error:
        raise CheckRefused(f"{target}: {error.strerror}") from None
    with answers:
        answers.truncate(progress.written)
        answers.seek(progress.written)
        yield answers


def _keep(target: Path, answers: BinaryIO, progress: _Progress) -> None:
    """The output first, then how far it is whole: after a power cut the file never says too much."""
    try:
        answers.flush()
        if target != STANDARD:
            os.fsync(answers.fileno())
            write_durably(_name_progress(target), progress.dump())
    except OSError as error:
        raise CheckRefused(f"{target}: {error.strerror}; what was answered is kept, --resume goes on") from None
