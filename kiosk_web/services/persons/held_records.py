"""What is held about the person whose 暗証番号 has just been right, for the page of that visit and for nobody else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from kiosk_web.identity.offer import Offer
from kiosk_web.identity.words import Words
from kiosk_web.services.links.handover import mask_number
from kiosk_web.services.ports import Clock, Store, held
from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.visit.sessions import SessionService
from kiosk_web.session import states as s


@dataclass(frozen=True)
class ShownLink:
    """The last two signs of the number. `ended_at` None: it holds."""

    masked: str
    linked_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class HeldForSystem:
    """What is held for one cooperating system of this operator; everything that is empty is not."""

    name: Words
    ppid_since: datetime | None
    links: tuple[ShownLink, ...]
    terms: tuple[held.HeldTerms, ...]
    confirmed_on: date | None
    readings: tuple[held.HeldReading, ...]


@dataclass(frozen=True)
class HeldRecords:
    """All of it. `reference` is what to tell the counter; `visits`: how many reference numbers lead to them now."""

    language: str
    reference: str
    since: datetime
    certificates: tuple[datetime, ...]
    mykey_ids: tuple[held.HeldMyKeyId, ...]
    keys: tuple[held.HeldKey, ...]
    systems: tuple[HeldForSystem, ...]
    visits: int


class HeldRecordsService:
    """Reads only; nothing about the question is recorded."""

    def __init__(self, *, store: Store, sessions: SessionService, offer: Offer, clock: Clock) -> None:
        self._store = store
        self._sessions = sessions
        self._offer = offer
        self._clock = clock

    async def load(self, page: PageRecord) -> HeldRecords | None:
        """None but on a result by 暗証番号 beside the very card: a tap does not prove who holds it."""
        state = (await self._sessions.load_for_page(page)).state
        if not isinstance(state, s.Result) or state.visit.method != "pin" or not state.same_card:
            return None
        now = self._clock()
        async with self._store.read() as transaction:
            seen = await transaction.links.find_visit(state.visit.reference, now)
            if seen is None or seen.method != "pin":
                return None
            rows = await transaction.held.load(seen.person, now)
        return HeldRecords(
            language=state.visit.language,
            reference=state.visit.reference,
            since=rows.since,
            certificates=rows.certificates,
            mykey_ids=rows.mykey_ids,
            keys=rows.keys,
            systems=tuple(self._gather(system, rows) for system in self._list_systems(rows)),
            visits=sum(until > now for until in rows.visits),
        )

    def _list_systems(self, rows: held.HeldRows) -> Iterable[str]:
        """In the order of the settings; what is held for one that is not there any more comes last."""
        named = {row.system for row in rows.ppids} | {row.system for row in rows.links}
        named |= {row.system for row in rows.terms} | {row.system for row in rows.confirmations}
        named |= {row.system for row in rows.readings}
        offered = [system.id for system in self._offer.systems if system.id in named]
        return [*offered, *sorted(named - set(offered))]

    def _gather(self, system: str, rows: held.HeldRows) -> HeldForSystem:
        known = self._offer.find_system(system)
        return HeldForSystem(
            name=Words(system, system) if known is None else known.name,
            ppid_since=next((row.issued_at for row in rows.ppids if row.system == system), None),
            links=tuple(
                ShownLink(mask_number(row.user_number), row.linked_at, row.ended_at)
                for row in rows.links
                if row.system == system
            ),
            terms=tuple(row for row in rows.terms if row.system == system),
            confirmed_on=next((row.day for row in rows.confirmations if row.system == system), None),
            readings=tuple(row for row in rows.readings if row.system == system),
        )
