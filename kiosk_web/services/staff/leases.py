"""Attended mode (窓口モード): a named member of staff proves to be at a terminal, which is attended from then on for a
quarter of an hour at most. Checked whenever a card is asked, and again when its signature is used.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

import pyotp
import structlog

from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Feed, Store, Transaction
from kiosk_web.services.ports.staff import LeaseEnd, LeaseRecord, StaffRecord
from kiosk_web.services.staff.sealing import SealBroken, SecretSeal
from kiosk_web.session.facts import StaffRefusal

STEP_SECONDS = 30  # RFC 6238, 5.2: its recommended time step
STEPS_AROUND = 1  # a clock half a minute off, or a code typed slowly
FAILURES_OF_NUMBER = 5
FAILURES_AT_TERMINAL = 10
FAILURES_A_DAY = 20
LIMIT_FOR = timedelta(minutes=15)
LOST_AFTER = timedelta(seconds=30)  # a page reconnects within seconds; longer, and nobody is known to be there


class LeaseService:
    """Opens, finds and ends leases. `lifetime` and `idle` are those of the settings."""

    def __init__(
        self,
        *,
        store: Store,
        feed: Feed,
        seal: SecretSeal,
        clock: Clock,
        entropy: Entropy,
        lifetime: timedelta,
        idle: timedelta,
    ) -> None:
        self._store = store
        self._seal = seal
        self._feed = feed
        self._clock = clock
        self._entropy = entropy
        self._lifetime = lifetime
        self._idle = idle
        self._started_at = clock()
        self._log = structlog.get_logger()

    async def open(
        self, transaction: Transaction, terminal: str, page: str, number: str, code: str, now: datetime
    ) -> StaffRefusal:
        """ "" when the terminal is attended now."""
        staff = await self.identify(transaction, terminal, number, code, now)
        if isinstance(staff, str):
            return staff
        await self.end(transaction, terminal, "replaced", now)
        await transaction.leases.add(
            LeaseRecord(
                id=encode_base64url(self._entropy(12)),
                terminal=terminal,
                staff=staff.id,
                staff_name=staff.name,
                page=page,
                opened_at=now,
                expires_at=now + self._lifetime,
                active_at=now,
            )
        )
        return ""

    async def identify(
        self, transaction: Transaction, terminal: str, number: str, code: str, now: datetime
    ) -> StaffRecord | StaffRefusal:
        """Who proves to be at this terminal. Every wrong number, code and facility is refused alike and counted."""
        staff = await transaction.staff.find_by_number(number)
        subject = _derive_subject(number, staff)
        if await self._is_limited(transaction, terminal, subject, now):
            self._log.warning("staff_code_limit", terminal=terminal)
            return "staff_code_limit"
        if staff is None or not await self._is_right(transaction, terminal, staff, code, now):
            await transaction.staff.add_failure(terminal, subject, now)
            self._log.warning("staff_code_refused", terminal=terminal)
            return "staff_code_refused"
        await transaction.staff.forget_failures(subject, now - timedelta(days=1))
        return staff

    async def _is_limited(self, transaction: Transaction, terminal: str, subject: str, now: datetime) -> bool:
        rows = transaction.staff
        if await rows.count_failures(now - LIMIT_FOR, terminal=terminal) >= FAILURES_AT_TERMINAL:
            return True
        lately = await rows.count_failures(now - LIMIT_FOR, subject=subject)
        return (
            lately >= FAILURES_OF_NUMBER
            or await rows.count_failures(now - timedelta(days=1), subject=subject) >= FAILURES_A_DAY
        )

    async def _is_right(
        self, transaction: Transaction, terminal: str, staff: StaffRecord, code: str, now: datetime
    ) -> bool:
        """A code of now, of the half minute before or after; each works once. Only for the member's own facility."""
        place = await transaction.terminals.find(terminal)
        try:
            secret = self._seal.open(staff.sealed_secret, staff.number)
        except SealBroken:
            self._log.error("staff_secret_unreadable", terminal=terminal)
            return False
        totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
        step = totp.timecode(now)
        steps = [one for one in range(step - STEPS_AROUND, step + STEPS_AROUND + 1) if _is_code(totp, one, code)]
        if not steps or staff.revoked_at is not None or place is None or place.facility != staff.facility:
            return False
        return await transaction.staff.use_step(staff.id, steps[-1])

    async def find(self, transaction: Transaction, terminal: str, now: datetime) -> LeaseRecord | None:
        """The lease that holds at this terminal at `now`."""
        lease = await transaction.leases.find_open(terminal)
        return lease if lease is not None and not lease.find_end(now, self._idle) else None

    async def holds(self, transaction: Transaction, terminal: str, lease: str, now: datetime) -> bool:
        """Does this very lease hold here at `now`?"""
        found = await self.find(transaction, terminal, now)
        return found is not None and found.id == lease

    async def end(self, transaction: Transaction, terminal: str, cause: LeaseEnd, now: datetime) -> None:
        lease = await transaction.leases.find_open(terminal)
        if lease is not None:
            await transaction.leases.end(lease.id, lease.find_end(now, self._idle) or cause, now)

    async def end_all(self, cause: LeaseEnd) -> None:
        """At every terminal."""
        async with self._store.write() as transaction:
            leases = await transaction.leases.list_open()
            for lease in leases:
                await transaction.leases.end(lease.id, cause, self._clock())
        for lease in leases:
            self._feed.publish(lease.terminal)

    async def sweep(self, is_live: Callable[[str], bool], last_seen: Callable[[str], datetime | None]) -> None:
        """End what does not hold any more, and the leases of terminals whose page is not heard of."""
        now = self._clock()
        async with self._store.read() as transaction:
            leases = await transaction.leases.list_open()
        for lease in leases:
            heard = last_seen(lease.terminal) or max(self._started_at, lease.opened_at)
            lost = not is_live(lease.terminal) and now - heard > LOST_AFTER
            cause: LeaseEnd = lease.find_end(now, self._idle) or ("page_lost" if lost else "")
            if cause:
                async with self._store.write() as writing:
                    await writing.leases.end(lease.id, cause, now)
                self._feed.publish(lease.terminal)


def _derive_subject(number: str, staff: StaffRecord | None) -> str:
    """Whose wrong codes these are. A number that nobody has is limited like one that somebody has, so that the limit
    does not tell them apart; but it is not kept, since it may be a 暗証番号 typed in the wrong place: only which of 256
    shares of all numbers it belongs to.
    """
    return f"?{hashlib.sha256(number.encode()).digest()[0]:02x}" if staff is None else staff.id


def _is_code(totp: pyotp.TOTP, step: int, code: str) -> bool:
    return step > 0 and hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
