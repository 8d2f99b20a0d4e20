"""Is the responder out of service now, so that a list may answer in its place? PURE.

A list instead of the responder is a downgrade that an attacker would like, since OCSP is plain HTTP. So nothing that
comes over the network says "out of service". Only these do:

- a configured maintenance window, weekly or dated;
- a manager, with an end time (`kiosk fallback open`);
- a number of failed transports in a row, where the operator has switched that rule on.

An unsigned error, garbage, a wrong nonce or signature and an old answer never do. Inside an opening the responder is
still asked first, unless the window says that nobody is there to ask; then a list answers only where the transport
failed (`is_out_of_reach`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal

from kiosk_web.pki.status import CertificateStatus, Opening, Unavailable
from kiosk_web.pki.status_policy import IDENTIFY, StatusContext

JAPAN = timezone(timedelta(hours=9))
LONGEST_WINDOW = timedelta(days=7)

TRANSPORT_FAILURES = frozenset({"refused", "timeout", "reset"})
"""The `why` of an answer that never came: no connection, no answer in time, a connection cut. Whatever *was* answered
is not among them, HTTP 503 and `tryLater` included.
"""

OUT_OF_REACH = TRANSPORT_FAILURES | {"circuit_open"}
"""The same, or not asked again so soon after such failures: only after these a list may answer."""

NOT_REACHED = OUT_OF_REACH | {"address"}
"""The same, or nothing was sent: what came of anything else shows that the responder answers."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNASKED = "no-ocsp"
_WEEKLY = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):([0-5]\d)[-–]([01]\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """Every week from `start` (Japan) on `weekday` (0 is Monday), for `length` of less than a day."""

    weekday: int
    start: time
    length: timedelta
    ask_responder: bool = True


@dataclass(frozen=True, slots=True)
class DatedWindow:
    """Once, from `start` until before `end`. Both are aware."""

    start: datetime
    end: datetime
    ask_responder: bool = True


Window = WeeklyWindow | DatedWindow
RecordedCause = Literal["manager", "automatic"]


@dataclass(frozen=True, slots=True)
class OpeningRecord:
    """One opening as the database keeps it. It holds from `opened_at` until before `until`, or before `closed_at`."""

    cause: RecordedCause
    opened_at: datetime
    until: datetime
    closed_at: datetime | None = None
    reason: str = ""
    opened_by: str = ""

    @property
    def ends_at(self) -> datetime:
        """When it ends, or has ended."""
        return self.until if self.closed_at is None else min(self.until, self.closed_at)


@dataclass(frozen=True, slots=True)
class FallbackState:
    """Everything that may open the fallback: the configured windows and the recorded openings. Empty: closed."""

    windows: tuple[Window, ...] = ()
    records: tuple[OpeningRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Which way to a status: the responder, the lists, or the lists where the responder is out of reach.

    `opening` is why lists may stand in for the responder; None where the policy names lists themselves.
    """

    ask_responder: bool = False
    consult_lists: bool = False
    opening: Opening | None = None


def read_window(text: str) -> Window:
    """`Sun 01:00-05:00` (Japan; an end before the start is the next day's) or `START/END` in ISO 8601 with offset, each
    with ` no-ocsp` at the end where the responder is not to be asked. Raises `ValueError` saying what is wrong.
    """
    body, _, option = text.strip().partition(f" {_UNASKED}")
    if option:
        raise ValueError(f"{text!r}: nothing follows {_UNASKED}")
    ask_responder = body == text.strip()
    weekly = _WEEKLY.fullmatch(body)
    if weekly is not None:
        return _read_weekly(text, weekly, ask_responder)
    start, slash, end = body.partition("/")
    if not slash:
        raise ValueError(f"{text!r}: write Sun 01:00-05:00, or two times with offset and a / between them")
    begins, ends = _read_moment(text, start), _read_moment(text, end)
    if not timedelta() < ends - begins <= LONGEST_WINDOW:
        raise ValueError(f"{text!r}: a window ends after it begins, and lasts at most {LONGEST_WINDOW.days} days")
    return DatedWindow(begins, ends, ask_responder)


def _read_weekly(text: str, found: re.Match[str], ask_responder: bool) -> WeeklyWindow:
    day, *numbers = found.groups()
    first, last = (int(numbers[at]) * 60 + int(numbers[at + 1]) for at in (0, 2))
    if last > 24 * 60:
        raise ValueError(f"{text!r}: a day ends at 24:00")
    if first == last % (24 * 60):
        raise ValueError(f"{text!r}: a weekly window lasts less than a day")
    length = timedelta(minutes=(last - first) % (24 * 60))
    return WeeklyWindow(_DAYS.index(day), time(first // 60, first % 60), length, ask_responder)


def _read_moment(text: str, moment: str) -> datetime:
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        raise ValueError(f"{text!r}: {moment!r} is no ISO 8601 time") from None
    if read.utcoffset() is None:
        raise ValueError(f"{text!r}: {moment!r} needs an offset, such as +09:00")
    return read.astimezone(UTC)


def describe_window(window: Window) -> str:
    """The window as `read_window` reads it; times in Japan."""
    option = "" if window.ask_responder else f" {_UNASKED}"
    if isinstance(window, WeeklyWindow):
        end = datetime.combine(date.min, window.start) + window.length
        return f"{_DAYS[window.weekday]} {window.start:%H:%M}-{end:%H:%M}{option}"
    start, end = window.start.astimezone(JAPAN), window.end.astimezone(JAPAN)
    return f"{start.isoformat(timespec='minutes')}/{end.isoformat(timespec='minutes')}{option}"


def read_until(text: str, now: datetime) -> datetime:
    """The end of an opening: a time with offset in ISO 8601, or `HH:MM`, the next time that clocks in Japan show it.

    Raises `ValueError` saying what is wrong.
    """
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text) is None:
        return _read_moment(text, text)
    local = now.astimezone(JAPAN)
    until = datetime.combine(local.date(), time.fromisoformat(text), JAPAN)
    return (until if until > local else until + timedelta(days=1)).astimezone(UTC)


def find_openings(state: FallbackState, moment: datetime) -> tuple[Opening, ...]:
    """Every opening that holds at `moment`: windows first, then a manager's, then the automatic ones.

    Of several windows one in which the responder is asked comes first, and of equals the one that has lasted longest.
    """
    ranks = {"window": 0, "manager": 1, "automatic": 2}
    found = [*_find_windows(state.windows, moment), *_find_records(state.records, moment)]
    return tuple(sorted(found, key=lambda one: (ranks[one.cause], not one.ask_responder, one.since, one.until)))


def _find_windows(windows: Iterable[Window], moment: datetime) -> Iterable[Opening]:
    for window in windows:
        for start, end in _derive_occurrences(window, moment):
            if start <= moment < end:
                yield Opening("window", start.astimezone(UTC), end.astimezone(UTC), window.ask_responder)


def _derive_occurrences(window: Window, moment: datetime) -> Iterable[tuple[datetime, datetime]]:
    """Those that can hold at `moment`: of a weekly window the one of today and the one that began yesterday."""
    if isinstance(window, DatedWindow):
        yield window.start, window.end
        return
    today = moment.astimezone(JAPAN).date()
    for day in (today, today - timedelta(days=1)):
        if day.weekday() == window.weekday:
            start = datetime.combine(day, window.start, JAPAN)
            yield start, start + window.length


def _find_records(records: Iterable[OpeningRecord], moment: datetime) -> Iterable[Opening]:
    for record in records:
        if record.opened_at <= moment < record.ends_at:
            yield Opening(record.cause, record.opened_at, record.until)


def find_next_opening(windows: Iterable[Window], moment: datetime) -> datetime | None:
    """When the next configured window begins after `moment`; None if none will."""
    starts = [
        start
        for window in windows
        for days in range(8)
        for start, _end in _derive_occurrences(window, moment + timedelta(days=days))
        if start > moment
    ]
    return min(starts).astimezone(UTC) if starts else None


def plan_route(context: StatusContext, state: FallbackState, moment: datetime) -> Route:
    """Whom to ask, at this moment. The verdict plans the same route again for the moment of the evidence."""
    lists = _may_consult_lists(context)
    match context.policy.name:
        case None:
            return Route()
        case "ocsp":
            return Route(ask_responder=True)
        case "crl":
            return Route(consult_lists=lists and context.method == "pin")
        case "ocsp-then-crl":
            openings = find_openings(state, moment) if lists else ()
            if context.method == "kazashi":
                openings = tuple(opening for opening in openings if opening.cause == "window")
            if not openings:
                return Route(ask_responder=True)
            return Route(openings[0].ask_responder, True, openings[0])


def depends_on_openings(context: StatusContext) -> bool:
    """Does `plan_route` look at the openings at all? Where it does not, nobody needs to load them."""
    return context.policy.name == "ocsp-then-crl" and _may_consult_lists(context)


def _may_consult_lists(context: StatusContext) -> bool:
    """Never for what is kept for later visits; for kazashi only where the service says so."""
    if not context.lists_permitted or context.purpose != IDENTIFY:
        return False
    return context.method == "pin" or context.kazashi_in_window


def is_out_of_reach(status: CertificateStatus) -> bool:
    """Did the question to the responder bring nothing at all? Only then a list may answer in an opening."""
    return isinstance(status, Unavailable) and status.evidence.method == "ocsp" and status.why in OUT_OF_REACH
