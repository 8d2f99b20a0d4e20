"""Who proves to be at a terminal: one code of now, once, at the own facility, and few wrong ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pyotp
import pytest

from kiosk_web.services.ports.staff import LeaseRecord, StaffRecord
from kiosk_web.services.ports.terminals import TerminalRecord
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.staff.sealing import SealBroken

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, 15, tzinfo=UTC)
SECRET = "GEZDGNBVGY3TQOJQ" * 2
MEMBER = StaffRecord("s1", "青葉", "1001", "library", "sealed", 0, NOW)
TERMINAL = TerminalRecord("t1", "library-1", "http://127.0.0.1:8480", bytes(32), NOW, NOW, None, "library")
LEASE = LeaseRecord("l1", "t1", "s1", "青葉", "p1", NOW, NOW + timedelta(minutes=15), NOW)


def code_of(seconds: int) -> str:
    return pyotp.TOTP(SECRET).at(NOW + timedelta(seconds=seconds))


class Played:
    """The rows of staff and terminals. `failures`: (when, terminal, whose)."""

    def __init__(self, member: StaffRecord | None = MEMBER, terminal: TerminalRecord | None = TERMINAL) -> None:
        self.member, self.terminal = member, terminal
        self.failures: list[tuple[datetime, str, str]] = []
        self.last_step = 0
        self.lease: LeaseRecord | None = None
        self.staff = self.terminals = self
        self.leases = SimpleNamespace(find_open=self._find_open)
        self.service = LeaseService(
            store=None,  # type: ignore[arg-type]
            feed=None,  # type: ignore[arg-type]
            seal=SimpleNamespace(open=self._open),  # type: ignore[arg-type]
            clock=lambda: NOW,
            entropy=bytes,
            lifetime=timedelta(minutes=15),
            idle=timedelta(minutes=5),
        )

    def _open(self, sealed: str, number: str) -> str:
        if (sealed, number) != ("sealed", "1001"):
            raise SealBroken
        return SECRET

    async def _find_open(self, terminal: str) -> LeaseRecord | None:
        return self.lease

    async def find_by_number(self, number: str) -> StaffRecord | None:
        return self.member if self.member is not None and number == self.member.number else None

    async def find(self, terminal: str) -> TerminalRecord | None:
        return self.terminal

    async def count_failures(self, since: datetime, *, terminal: str = "", subject: str = "") -> int:
        return sum(at > since and terminal in ("", of) and subject in ("", who) for at, of, who in self.failures)

    async def add_failure(self, terminal: str, subject: str, now: datetime) -> None:
        self.failures.append((now, terminal, subject))

    async def forget_failures(self, subject: str, since: datetime) -> None:
        self.failures = [one for one in self.failures if one[2] != subject or one[0] <= since]

    async def use_step(self, staff: str, step: int) -> bool:
        if step <= self.last_step:
            return False
        self.last_step = step
        return True

    async def ask(self, code: str, number: str = "1001", terminal: str = "t1") -> str:
        answer = await self.service.identify(self, terminal, number, code, NOW)  # type: ignore[arg-type]
        return answer if isinstance(answer, str) else "" if answer == self.member else "another"


@pytest.mark.parametrize(("seconds", "answer"), [(0, ""), (-30, ""), (30, ""), (-60, "no"), (60, "no"), (-3600, "no")])
async def test_a_code_is_of_now_or_of_the_half_minute_beside_it(seconds: int, answer: str) -> None:
    assert await Played().ask(code_of(seconds)) == (answer and "staff_code_refused")


async def test_a_code_counts_once_and_no_earlier_one_after_it() -> None:
    played = Played()
    assert await played.ask(code_of(0)) == ""
    assert await played.ask(code_of(0)) == "staff_code_refused"
    assert await played.ask(code_of(-30)) == "staff_code_refused"
    assert await played.ask(code_of(30)) == ""


@pytest.mark.parametrize(
    "played",
    [
        Played(replace(MEMBER, revoked_at=NOW)),
        Played(replace(MEMBER, facility="city hall")),
        Played(replace(MEMBER, sealed_secret="of another")),
        Played(terminal=None),
        Played(None),
    ],
    ids=["revoked", "another facility", "broken seal", "no terminal", "nobody"],
)
async def test_whatever_is_wrong_is_refused_alike_counted_and_uses_no_code(played: Played) -> None:
    assert await played.ask(code_of(0)) == "staff_code_refused"
    assert (len(played.failures), played.last_step) == (1, 0)
    for code in ("", "abcdef", "１２３４５６", code_of(0) + "0"):
        assert await Played().ask(code) == "staff_code_refused"


@pytest.mark.parametrize("number", ["1001", "9999"])
async def test_five_wrong_codes_shut_a_number_for_a_quarter_of_an_hour_whoever_has_it(number: str) -> None:
    played = Played()
    for count in range(5):
        assert await played.ask("000000", number, f"t{count}") == "staff_code_refused"
    assert await played.ask(code_of(0), number, "t9") == "staff_code_limit"
    played.failures = [(at - timedelta(minutes=15), of, who) for at, of, who in played.failures]
    assert await played.ask(code_of(0), number) == ("" if number == "1001" else "staff_code_refused")


async def test_ten_wrong_codes_shut_a_terminal_and_twenty_a_day_a_number() -> None:
    played = Played()
    played.failures = [(NOW, "t1", f"s{count}") for count in range(10, 19)]
    assert await played.ask("000000") == "staff_code_refused"
    assert await played.ask(code_of(0)) == "staff_code_limit"
    assert await played.ask(code_of(0), terminal="t2") == ""
    early = NOW - timedelta(hours=20)
    played = Played()
    played.failures = [(early, "t5", "s1")] * 19
    assert await played.ask(code_of(0)) == ""
    played.failures = [(early, "t5", "s1")] * 20
    assert await played.ask(code_of(30)) == "staff_code_limit"


async def test_the_right_code_forgets_the_wrong_ones_of_its_own_number_alone() -> None:
    played = Played()
    played.failures = [(NOW - timedelta(hours=1), "t1", "s1"), (NOW, "t1", "s2")]
    assert await played.ask(code_of(0)) == ""
    assert played.failures == [(NOW, "t1", "s2")]


@pytest.mark.parametrize(
    ("lease", "holds"),
    [
        (LEASE, True),
        (None, False),
        (replace(LEASE, id="l2"), False),
        (replace(LEASE, ended_at=NOW), False),
        (replace(LEASE, ended_at=NOW, ended_by="signed_out"), False),
        (replace(LEASE, staff_revoked=True), False),
        (replace(LEASE, expires_at=NOW), False),
        (replace(LEASE, expires_at=NOW + timedelta(seconds=1)), True),
        (replace(LEASE, active_at=NOW - timedelta(minutes=5)), False),
        (replace(LEASE, active_at=NOW - timedelta(minutes=5) + timedelta(seconds=1)), True),
    ],
)
async def test_a_tap_has_the_very_lease_that_holds_at_this_moment(lease: LeaseRecord | None, holds: bool) -> None:
    played = Played()
    played.lease = lease
    assert await played.service.holds(played, "t1", "l1", NOW) is holds  # type: ignore[arg-type]
