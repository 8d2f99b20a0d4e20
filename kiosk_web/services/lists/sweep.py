"""The nightly sweep: linked persons whose certificate a revocation list names are marked "check again", without why.

Revocation data may decide the visit at hand and nothing else (law no. 153 of 2002, art. 52). So the sweep keeps no
reason, no date and no list, only that somebody is to be confirmed anew at the next visit; a visit that is accepted
takes the mark away. Persons are looked at where row 11 of the profiles' table has the CRL method at any time: with a
link of a system that has a Type 2 service, or with an issued MyKey ID.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone

import structlog

from kiosk_web.services.lists.check import ListCheck
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.persons import SweptPerson
from kiosk_web.services.ports.sweeps import SweepRecord
from kiosk_web.services.rounds import go_round

JAPAN = timezone(timedelta(hours=9))
LOOK_SECONDS = 60.0
PERSONS_AT_A_TIME = 5_000

_LISTED = frozenset({"revoked", "on_hold"})


class LinkSweep:
    """`run` until cancelled: once a day from `at` (Japan) on, None for never. `sweep` does one now.

    A sweep that was ended goes on behind the person it had reached. `build_check` opens the lists, away from the loop.
    """

    def __init__(
        self,
        *,
        store: Store,
        build_check: Callable[[], Awaitable[ListCheck]],
        systems: Collection[str],
        at: time | None,
        clock: Clock,
        persons_at_a_time: int = PERSONS_AT_A_TIME,
    ) -> None:
        self._store = store
        self._build_check = build_check
        self._systems = frozenset(systems)
        self._at = at
        self._clock = clock
        self._persons_at_a_time = persons_at_a_time
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Until cancelled."""
        await go_round(self.look, "sweep", LOOK_SECONDS)

    async def look(self) -> SweepRecord | None:
        """Sweep if it is time; None if not, or if there is no list to ask."""
        if self._at is None:
            return None
        due = derive_due(self._at, self._clock())
        async with self._store.read() as transaction:
            latest = await transaction.sweeps.find_latest()
        if latest is not None and latest.began_at >= due:
            return None if latest.ended_at is not None else await self.sweep(latest)
        return await self.sweep()

    async def sweep(self, begun: SweepRecord | None = None) -> SweepRecord | None:
        """Look every linked person up once. `begun` is a sweep that was ended. None without any list."""
        check = await self._build_check()
        if check.lists == 0:
            return None
        record = begun or await self._begin()
        while True:
            async with self._store.read() as transaction:
                persons = await transaction.persons.list_linked(self._systems, record.reached, self._persons_at_a_time)
            if not persons:
                break
            listed, unconfirmed = await asyncio.to_thread(_judge, check, persons)
            record = replace(
                record,
                reached=persons[-1].person,
                persons=record.persons + len(persons),
                marked=record.marked + len(listed),
                unconfirmed=record.unconfirmed + unconfirmed,
            )
            async with self._store.write() as transaction:
                await transaction.persons.mark_check_again(listed)
                await transaction.sweeps.save(record)
        record = replace(record, ended_at=self._clock(), reached="")
        async with self._store.write() as transaction:
            await transaction.sweeps.save(record)
        self._log.info("swept", count=record.persons)
        return record

    async def _begin(self) -> SweepRecord:
        record = SweepRecord(self._clock())
        async with self._store.write() as transaction:
            return replace(record, id=await transaction.sweeps.add(record))


def derive_due(at: time, now: datetime) -> datetime:
    """The last moment, up to `now`, at which it was `at` in Japan."""
    today = datetime.combine(now.astimezone(JAPAN).date(), at, JAPAN)
    return today if today <= now else today - timedelta(days=1)


def _judge(check: ListCheck, persons: Sequence[SweptPerson]) -> tuple[list[str], int]:
    """Who is named in a list, and of how many that is not known."""
    by_key: dict[bytes, list[SweptPerson]] = {}
    for person in persons:
        by_key.setdefault(person.issuer_key_id, []).append(person)
    listed, unconfirmed = [], 0
    for key_id, asked in by_key.items():
        answers = check.judge_serials(key_id, [person.serial for person in asked])
        listed += [person.person for person, answer in zip(asked, answers, strict=True) if answer.outcome in _LISTED]
        unconfirmed += sum(answer.outcome in ("stale", "unavailable") for answer in answers)
    return listed, unconfirmed
