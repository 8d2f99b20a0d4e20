"""Many serial numbers of one issuer's key against all its lists at once: `SerialJudge`. PURE.

A serial number alone names no distribution point, so every list of its key is asked, and the answer to silence is
`not_listed`: less than `Good`, which needs the certificate and a list that covers it (`crl_status.py`). What a list
does say counts by the same rules as there: a permanent revocation however old the list, a hold only from a fresh one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from kiosk_web.pki.crl_entries import EPOCH_SECONDS, HOLD, REASONS, U8, U32, U64
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListEntry, judge_freshness
from kiosk_web.pki.crl_trust import CrlPolicy, ListHeader, ListMark, ListScope, is_of_name

SerialOutcome = Literal["revoked", "on_hold", "not_listed", "stale", "unavailable"]

LONG = 1 << 64
"""Serial numbers from here on are kept apart in a segment and are asked one by one."""


@dataclass(frozen=True, slots=True)
class SerialAnswer:
    """What the lists say of one serial number. `reason` is a CRLReason, or the word of what could not be confirmed."""

    outcome: SerialOutcome
    reason: str = ""
    revoked_at: datetime | None = None
    this_update: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """All entries of all lists with serial numbers below 2^64, ascending. `lists` tells whose each is."""

    keys: U64
    seconds: U32
    reasons: U8
    lists: U32


class SerialJudge:
    """All lists of one key that speak about persons, ready for any number of questions at the moment `now`.

    `segments` must have been read as a whole (`Segment.check_digest`): here nothing is checked by the page. `damaged`:
    a list of the key is out of use, so that silence proves nothing.
    """

    def __init__(
        self,
        segments: Iterable[Segment],
        policy: CrlPolicy,
        now: datetime,
        marks: Mapping[ListScope, ListMark],
        *,
        damaged: bool = False,
    ) -> None:
        given = list(segments)
        self._segments = [segment for segment in given if segment.header.covers != "ca"]
        headers = [segment.header for segment in self._segments]
        self._why = [judge_freshness(header, policy, now, marks.get(header.scope)) for header in headers]
        self._column = _merge(self._segments)
        missing = _find_missing([segment.header.scope for segment in given], marks, now - policy.max_age)
        self._silence = _judge_silence(headers, self._why, damaged=damaged, missing=missing)

    @property
    def lists(self) -> int:
        return len(self._segments)

    def judge(self, serials: Sequence[int]) -> list[SerialAnswer]:
        """An answer for each, in the same order. Serial numbers are positive and have at most 20 octets."""
        answers = [self._silence] * len(serials)
        if self._silence.reason == "clock_unreliable":
            return answers
        wanted = np.array([serial if serial < LONG else 0 for serial in serials], np.uint64)
        keys = self._column.keys
        places = np.searchsorted(keys, wanted)
        inside = np.minimum(places, max(len(keys) - 1, 0))
        hits: list[int] = np.flatnonzero((keys[inside] == wanted) & (wanted != 0)).tolist() if len(keys) else []
        for row in hits:
            answers[row] = self._answer(self._find_entries(int(places[row]), int(wanted[row])))
        for row, serial in enumerate(serials):
            if serial >= LONG:
                found = [(at, segment.find(serial)) for at, segment in enumerate(self._segments)]
                answers[row] = self._answer([(at, entry) for at, entry in found if entry is not None])
        return answers

    def _find_entries(self, place: int, serial: int) -> list[tuple[int, ListEntry]]:
        """Every entry of a serial number: several lists may name it."""
        column, found = self._column, []
        while place < len(column.keys) and int(column.keys[place]) == serial:
            seconds = EPOCH_SECONDS + int(column.seconds[place])
            entry = ListEntry(seconds, REASONS.get(int(column.reasons[place])))
            found.append((int(column.lists[place]), entry))
            place += 1
        return found

    def _answer(self, entries: Sequence[tuple[int, ListEntry]]) -> SerialAnswer:
        if not entries:
            return self._silence
        permanent = [(at, entry) for at, entry in entries if not entry.is_hold]
        if permanent:
            at, entry = min(permanent, key=lambda found: (found[1].revoked_at, found[1].reason or ""))
            return self._build("revoked", entry.reason or "", entry, at)
        fresh = [(at, entry) for at, entry in entries if not self._why[at]]
        if fresh:
            at, entry = fresh[0]
            return self._build("on_hold", REASONS[HOLD], entry, at)
        at, entry = entries[0]
        return SerialAnswer("stale", self._why[at], None, self._segments[at].header.this_update)

    def _build(self, outcome: SerialOutcome, reason: str, entry: ListEntry, at: int) -> SerialAnswer:
        return SerialAnswer(outcome, reason, entry.revoked_at, self._segments[at].header.this_update)


def _merge(segments: Sequence[Segment]) -> _Column:
    parts = [segment.read_all() for segment in segments]
    keys = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, np.uint64)
    seconds = np.concatenate([part[1].seconds for part in parts]) if parts else np.empty(0, np.uint32)
    reasons = np.concatenate([part[1].reasons for part in parts]) if parts else np.empty(0, np.uint8)
    counts = [len(part[0]) for part in parts]
    lists = np.repeat(np.arange(len(parts), dtype=np.uint32), counts)
    if len(parts) > 1:
        order = np.argsort(keys, kind="stable")
        keys, seconds, reasons, lists = keys[order], seconds[order], reasons[order], lists[order]
    return _Column(keys, seconds, reasons, lists)


def _find_missing(here: Sequence[ListScope], marks: Mapping[ListScope, ListMark], since: datetime) -> bool:
    """Was a list of the same key accepted that is not here, and so lately that its silence would still count?"""
    keys = {scope.key_id for scope in here}
    others = (scope for scope, mark in marks.items() if mark.this_update >= since and scope not in here)
    return any(scope.key_id in keys and not is_of_name(scope) for scope in others)


def _judge_silence(headers: Sequence[ListHeader], why: Sequence[str], *, damaged: bool, missing: bool) -> SerialAnswer:
    """What follows when no list names a serial number: every list of the key must be there and fresh."""
    if "list_from_the_future" in why:
        return SerialAnswer("unavailable", "clock_unreliable")
    if damaged:
        return SerialAnswer("unavailable", "list_damaged")
    if not headers:
        return SerialAnswer("unavailable", "no_list")
    oldest = min(header.this_update for header in headers)
    outdated = [word for word in why if word] or ["behind_high_water"] * missing
    return (
        SerialAnswer("stale", outdated[0], None, oldest) if outdated else SerialAnswer("not_listed", "", None, oldest)
    )
