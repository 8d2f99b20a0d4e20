"""What staff may know of the terminals: that they live and how far a visit is, never who is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from kiosk_web.services.lists.alarms import ListAlarm
from kiosk_web.services.ports import Clock, Feed, Store
from kiosk_web.services.ports.audit import LatestVisit
from kiosk_web.services.ports.sessions import SessionRecord
from kiosk_web.services.ports.staff import LeaseRecord
from kiosk_web.services.ports.terminals import TerminalRecord
from kiosk_web.services.status.fallback import FallbackService, OpeningNotice
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.session.state_codec import StateCodec


@dataclass(frozen=True)
class TerminalRow:
    """One terminal on the staff page.

    `live`: its page is connected now. `state` is the name of a session state, or `offline`. `since` and `last_seen` are
    aware (UTC). `outcome` is how the latest visit ended: "" (none yet), `done`, `could_not_finish` or `abandoned`.
    `code` is the K-number of a refusal or of an outage, told only while `help_called` or when it is about the terminal
    itself; else "". `attended_by`: who proved to be there, "" for nobody, and `attended_until` when that ends at the
    latest.
    """

    name: str
    live: bool
    state: str
    since: datetime | None
    last_seen: datetime | None
    outcome: str
    code: str
    help_called: bool
    attended_by: str = ""
    attended_until: datetime | None = None


@dataclass(frozen=True)
class StaffBoard:
    """Everything on the staff page. `openings`: why lists may stand in for the responder now, if they may. `alarms`:
    what is wrong with the lists.
    """

    terminals: tuple[TerminalRow, ...]
    openings: tuple[OpeningNotice, ...] = ()
    alarms: tuple[ListAlarm, ...] = ()


class MonitoringService:
    """Which terminals live and what state each is in, and what is degraded for all of them."""

    def __init__(
        self,
        *,
        store: Store,
        feed: Feed,
        fallback: FallbackService,
        list_alarms: Callable[[], tuple[ListAlarm, ...]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._feed = feed
        self._fallback = fallback
        self._list_alarms = list_alarms
        self._clock = clock
        self._streams: Counter[str] = Counter()
        self._last_seen: dict[str, datetime] = {}

    @contextmanager
    def attend(self, terminal: str) -> Iterator[None]:
        """For as long as a verified page of the terminal is connected."""
        self._streams[terminal] += 1
        self.note(terminal)
        self._feed.publish(terminal)
        try:
            yield
        finally:
            self._streams[terminal] -= 1
            self.note(terminal)
            self._feed.publish(terminal)

    def note(self, terminal: str) -> None:
        """The terminal was heard of just now."""
        self._last_seen[terminal] = self._clock()

    def is_live(self, terminal: str) -> bool:
        """Is its page connected now?"""
        return self._streams[terminal] > 0

    def find_last_seen(self, terminal: str) -> datetime | None:
        """When the terminal was last heard of, None since the server started."""
        return self._last_seen.get(terminal)

    async def load_board(self) -> StaffBoard:
        """What staff see now."""
        return StaffBoard(await self.terminals(), self._fallback.notices, self._list_alarms())

    async def terminals(self) -> tuple[TerminalRow, ...]:
        """All terminals that are not revoked, by name."""
        async with self._store.read() as transaction:
            terminals = await transaction.terminals.list_all()
            sessions = {record.terminal: record for record in await transaction.sessions.list_all()}
            visits = {visit.terminal: visit for visit in await transaction.audit.list_latest()}
            leases = {lease.terminal: lease for lease in await transaction.leases.list_open()}
        return tuple(
            _add_lease(
                self._describe(terminal, sessions.get(terminal.id), visits.get(terminal.id)), leases.get(terminal.id)
            )
            for terminal in terminals
            if terminal.revoked_at is None
        )

    def _describe(
        self, terminal: TerminalRecord, record: SessionRecord | None, visit: LatestVisit | None
    ) -> TerminalRow:
        live = self._streams[terminal.id] > 0
        state = s.Connecting() if record is None else StateCodec.restore(record.state)
        current = s.derive_visit(state)
        help_called = current is not None and current.help_called
        seen = self._clock() if live else self._last_seen.get(terminal.id, None if record is None else record.since)
        return TerminalRow(
            name=terminal.name,
            live=live,
            state=state.name if live else "offline",
            since=(None if record is None else record.since) if live else seen,
            last_seen=seen,
            outcome="" if visit is None else TOLD_OUTCOMES.get(visit.outcome, ""),
            code=_describe_code(state, help_called=help_called),
            help_called=help_called,
        )


def _add_lease(row: TerminalRow, lease: LeaseRecord | None) -> TerminalRow:
    """Ended ones are closed by the sweep, within a second."""
    return row if lease is None else replace(row, attended_by=lease.staff_name, attended_until=lease.expires_at)


TOLD_OUTCOMES: Mapping[str, Literal["done", "could_not_finish", "abandoned"]] = {
    "done": "done",
    "refused": "could_not_finish",
    "abandoned": "abandoned",
    "enrolled": "done",
    "ended": "done",
    "provided": "done",
    "declined": "done",
}
"""What staff are told of each end of a visit; whether somebody agreed to something is not theirs to know."""


def _describe_code(state: s.State, *, help_called: bool) -> str:
    """What is about a person's card or certificate is told only to whoever was called for help."""
    if not isinstance(state, s.Refused | s.OutOfService):
        return ""
    code = CODES[state.code]
    return code.number if help_called or code.group == "terminal" else ""
