"""Taking revocation lists in: from files that claim to be lists to an index that answers from them.

The old list of a scope stays in force until the new one is proven good, down to its last entry; all lists of one call
come into force at once. What is refused is told by name and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Literal, Protocol

from kiosk_web.pki.crl import CrlFrame, MalformedCrl, UnverifiedCrl, keep_frame, read_crl
from kiosk_web.pki.crl_trust import (
    CrlPolicy,
    ListHeader,
    ListMark,
    ListScope,
    RefusedCrl,
    TrustedCrl,
    derive_point,
    judge_crl,
    merge_list_marks,
)
from kiosk_web.pki.trust import TrustStore

Result = Literal["taken", "unchanged", "superseded", "refused"]

_PEM = b"-----BEGIN"

_LARGE = 1 << 20
"""Octets of a list from which on a thread of its own is worth its while."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the lists of a source must be about: the key of their issuer, one name of their distribution point."""

    key_id: bytes | None = None
    point_name: bytes | None = None


ANYTHING = Expectation()


@dataclass(frozen=True, slots=True)
class OfferedList:
    """Something that claims to be a list. `label` tells staff which one.

    `open` shows its bytes where they lie, `load` gives them in memory that nobody else can change; both raise
    `OSError`. The first is for choosing among lists: others may be writing to it. Only what was loaded is judged.
    """

    source: str
    label: str
    open: Callable[[], AbstractContextManager[memoryview]] = field(repr=False)
    load: Callable[[], AbstractContextManager[memoryview]] = field(repr=False)
    max_bytes: int
    expected: Expectation = ANYTHING


@dataclass(frozen=True, slots=True)
class ListOutcome:
    """What became of an offer. `why` names a refusal (`docs/crl.md`), `detail` explains it.

    `sha256` is that of the list's bytes where it was taken or is in force already, else b"".
    """

    offer: OfferedList
    result: Result
    why: str = ""
    detail: str = ""
    sha256: bytes = b""
    entries: int = 0


class ListBatch(Protocol):
    """New lists that are being written, invisible until `commit`."""

    def add(self, crl: TrustedCrl, label: str, progress: Callable[[int], object]) -> ListHeader:
        """Write the index of a list. `MalformedCrl` if an entry is malformed: nothing of that list is kept then.

        `progress` hears, every now and then, how many octets of the list have been read.
        """
        ...

    def commit(self) -> None:
        """Bring all of them into force at once, for good."""
        ...


class ListIndex(Protocol):
    """The index, held by this process alone. Trouble with the disk is a `ListIndexError`."""

    @property
    def marks(self) -> Mapping[ListScope, ListMark]:
        """The lists in force."""
        ...

    def is_sound(self, scope: ListScope) -> bool:
        """Is the segment of the list in force what was written, to the last octet?"""
        ...

    def begin(self) -> AbstractContextManager[ListBatch]:
        """A batch; what was not committed at the end of the block is dropped."""
        ...


class ListMarkBook(Protocol):
    """The newest list of each scope that was ever accepted, by all hosts."""

    async def load_all(self) -> Mapping[ListScope, ListMark]:
        """Those of lists, and those of names (`derive_name_scope`)."""
        ...

    async def record(self, marks: Mapping[ListScope, ListMark]) -> None:
        """Raise what is lower."""
        ...


class IntakeWatcher(Protocol):
    """Hears how far it is."""

    def tell_lists(self, count: int, size: int) -> None:
        """So many lists were found and can be read, of so many octets altogether."""
        ...

    def tell_octets(self, octets: int) -> None:
        """So many more octets are done."""
        ...

    def tell_list(self, outcome: ListOutcome) -> None:
        """One list was decided."""
        ...


@dataclass(frozen=True, slots=True)
class _Head:
    """What a list says of itself, unproven. `frame` is all of it but its entries."""

    offer: OfferedList
    scope: ListScope
    number: int
    this_update: datetime
    size: int
    frame: CrlFrame | None

    def read(self, view: memoryview) -> UnverifiedCrl:
        """The list as it was loaded: the same one, or what somebody has written over it since. May be malformed."""
        same = None if self.frame is None else self.frame.read_again(view)
        return read_crl(view) if same is None else same


@dataclass(slots=True)
class _Round:
    """One call of `take_in`: what was known, what is in force, what was taken in, and what became of each offer."""

    known: dict[ListScope, ListMark]
    in_force: dict[ListScope, ListMark]
    watcher: IntakeWatcher
    taken: dict[ListScope, ListMark] = field(default_factory=dict)
    named: dict[ListScope, ListMark] = field(default_factory=dict)
    outcomes: list[ListOutcome] = field(default_factory=list)

    def note(self, outcome: ListOutcome) -> None:
        self.outcomes.append(outcome)
        self.watcher.tell_list(outcome)


class _OctetCount:
    """Turns "so far" into "so many more"."""

    def __init__(self, watcher: IntakeWatcher) -> None:
        self._watcher = watcher
        self._done = 0

    def tell(self, done: int) -> None:
        self._watcher.tell_octets(max(0, done - self._done))
        self._done = max(self._done, done)


class ListIntake:
    """Judges lists and writes them into the index. `dry` judges everything, entries included, and writes nothing."""

    def __init__(
        self,
        *,
        anchors: TrustStore,
        policy: CrlPolicy,
        index: ListIndex,
        book: ListMarkBook,
        clock: Callable[[], datetime],
    ) -> None:
        self._anchors = anchors
        self._policy = policy
        self._index = index
        self._book = book
        self._clock = clock

    async def take_in(
        self, offers: Iterable[OfferedList], watcher: IntakeWatcher, *, dry: bool = False
    ) -> tuple[ListOutcome, ...]:
        """Take in all offers. Raises `ListIndexError`, and nothing has changed.

        The marks of the lists in force are recorded once more before anything else: a crash may have come between an
        earlier commit and its marks.
        """
        round_ = _Round(dict(await self._book.load_all()), dict(self._index.marks), watcher)
        if round_.in_force:
            await self._book.record(round_.in_force)
        for scope, mark in round_.in_force.items():
            round_.known[scope] = merge_list_marks(round_.known[scope], mark) if scope in round_.known else mark
        heads = list(_read_heads(offers, round_))
        watcher.tell_lists(len(heads), sum(head.size for head in heads))
        with self._index.begin() as batch:
            for group in _group_by_scope(heads):
                self._choose(group, batch, round_)
            if round_.taken and not dry:
                if round_.named:  # before: what is in force does not tell them, should a crash come between
                    await self._book.record(round_.named)
                batch.commit()
                await self._book.record(round_.taken)
        return tuple(round_.outcomes)

    def _choose(self, group: Sequence[_Head], batch: ListBatch, round_: _Round) -> None:
        """Of several lists of one scope, the newest that proves good; what is older needs no judgement any more.

        They are sorted by what they claim, which costs a liar nothing and gains it nothing: the next one is tried then.
        """
        found = False
        for head in group:
            count = _OctetCount(round_.watcher)
            outcome = ListOutcome(head.offer, "superseded") if found else self._take(head, batch, round_, count.tell)
            count.tell(head.size)
            found = found or outcome.result != "refused"
            round_.note(outcome)

    def _take(self, head: _Head, batch: ListBatch, round_: _Round, progress: Callable[[int], object]) -> ListOutcome:
        offer = head.offer
        try:
            with ExitStack() as opened:
                view = opened.enter_context(offer.load())
                derive_sha256 = opened.enter_context(_hashing(view))
                current = round_.in_force.get(head.scope)
                if current is not None and self._is_current(head, current, derive_sha256):
                    return ListOutcome(offer, "unchanged", sha256=current.sha256)
                crl, now = head.read(view), self._clock()
                judged = judge_crl(crl, self._anchors, self._policy, now, round_.known, derive_sha256)
                if isinstance(judged, RefusedCrl):
                    return ListOutcome(offer, "refused", judged.why, judged.detail)
                if judged.scope != head.scope:
                    return ListOutcome(offer, "refused", "changed_meanwhile", "it was written over meanwhile")
                header = batch.add(judged, offer.label, progress)
        except MalformedCrl as error:
            return ListOutcome(offer, "refused", error.why, str(error))
        except OSError as error:
            return ListOutcome(offer, "refused", "file_unreadable", error.strerror or "")
        round_.taken[header.scope] = header.mark
        for scope in header.derive_name_scopes():
            known = round_.named.get(scope)
            round_.named[scope] = header.mark if known is None else merge_list_marks(known, header.mark)
        return ListOutcome(offer, "taken", sha256=header.sha256, entries=header.entries)

    def _is_current(self, head: _Head, current: ListMark, derive_sha256: Callable[[], bytes]) -> bool:
        """Is it, octet by octet, the list in force? One whose segment is damaged is taken in again."""
        alike = head.this_update == current.this_update and head.number == _number(current.crl_number)
        return alike and derive_sha256() == current.sha256 and self._index.is_sound(head.scope)


@contextmanager
def _hashing(view: memoryview) -> Iterator[Callable[[], bytes]]:
    """The SHA-256 of a list, on call. That of a large one is computed beside what this thread does meanwhile."""
    if len(view) < _LARGE:
        yield cache(partial(_hash, view))
        return
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(_hash, view).result


def _hash(view: memoryview) -> bytes:
    return hashlib.sha256(view).digest()


def _read_heads(offers: Iterable[OfferedList], round_: _Round) -> Iterator[_Head]:
    """Lists that can be read at all; for the others why not. Only one is open at a time."""
    for offer in offers:
        try:
            with offer.open() as view:
                head = _read_head(offer, view)
        except OSError as error:
            head = ListOutcome(offer, "refused", "file_unreadable", error.strerror or "")
        if isinstance(head, ListOutcome):
            round_.note(head)
        else:
            yield head


def _read_head(offer: OfferedList, view: memoryview) -> _Head | ListOutcome:
    if len(view) > offer.max_bytes:
        return ListOutcome(offer, "refused", "too_large", f"more than {offer.max_bytes} bytes")
    if bytes(view[: len(_PEM)]) == _PEM:
        return ListOutcome(offer, "refused", "pem", "it is PEM; openssl crl -in LIST -outform DER makes it DER")
    try:
        crl = read_crl(view)
    except MalformedCrl as error:
        return ListOutcome(offer, "refused", error.why, str(error))
    if not _is_expected(crl, offer.expected):
        return ListOutcome(offer, "refused", "unexpected", "it is not about what this source is for")
    scope = ListScope(crl.authority_key_id or b"", derive_point(crl.point.names, crl.point.covers))
    return _Head(offer, scope, _number(crl.crl_number), crl.this_update, crl.size, keep_frame(crl))


def _is_expected(crl: UnverifiedCrl, expected: Expectation) -> bool:
    if expected.key_id is not None and crl.authority_key_id != expected.key_id:
        return False
    return expected.point_name is None or expected.point_name in crl.point.names


def _number(crl_number: int | None) -> int:
    return -1 if crl_number is None else crl_number


def _group_by_scope(heads: Iterable[_Head]) -> Iterable[list[_Head]]:
    groups: dict[ListScope, list[_Head]] = {}
    for head in heads:
        groups.setdefault(head.scope, []).append(head)
    for group in groups.values():
        group.sort(key=lambda head: (head.number, head.this_update), reverse=True)
    return groups.values()
