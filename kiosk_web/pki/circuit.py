"""A circuit breaker for one responder, as a state machine: is it worth being asked now? PURE.

After a number of failed transports in a row the circuit opens: for a pause nobody is made to wait for a responder that
is not there. Then exactly one question is let through as a probe. Any answer, whatever it says, closes the circuit; a
probe that fails opens it again.

An open circuit confirms nobody and opens no fallback by itself (`fallback.py`): a question that is not asked is
`Unavailable(circuit_open)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

Admission = Literal["ask", "probe", "refuse"]
Outcome = Literal["answered", "failed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """So many failed transports in a row open the circuit, for `pause`."""

    failures: int = 5
    pause: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Closed:
    """Everybody asks. `failures`: of the latest questions so many failed."""

    failures: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """Nobody asks until the pause after `since` is over."""

    since: datetime


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """One probe is under way; nobody else asks until it came back."""


Circuit = Closed | Open | HalfOpen


def admit(circuit: Circuit, policy: CircuitPolicy, now: datetime) -> tuple[Circuit, Admission]:
    """May a question be sent at the aware time `now`? The circuit from then on, and the answer.

    Whoever was let through must tell `note` how it ended. A clock that was set back ends a pause.
    """
    match circuit:
        case Closed():
            return circuit, "ask"
        case Open(since) if not since <= now < since + policy.pause:
            return HalfOpen(), "probe"
        case Open() | HalfOpen():
            return circuit, "refuse"
        case _:
            assert_never(circuit)


def note(circuit: Circuit, policy: CircuitPolicy, now: datetime, admission: Admission, outcome: Outcome) -> Circuit:
    """The circuit after a question that was let through as `admission`.

    While it is not closed, only the probe can keep it open: other questions began before it opened. `withdrawn` tells
    nothing of the responder; after such a probe the next question is one.
    """
    if outcome == "answered":
        return Closed()
    match circuit:
        case Closed(failures) if outcome == "failed":
            return Open(now) if failures + 1 >= policy.failures else Closed(failures + 1)
        case HalfOpen() if admission == "probe":
            return Open(now if outcome == "failed" else now - policy.pause)
        case _:
            return circuit
