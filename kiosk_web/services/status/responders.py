"""Asking responders that may be out of order: a circuit breaker for each address, around whatever does the asking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from kiosk_web.pki.circuit import Admission, Circuit, CircuitPolicy, Closed, Outcome, admit, note
from kiosk_web.pki.fallback import TRANSPORT_FAILURES
from kiosk_web.pki.plan import FetchFailure
from kiosk_web.services.status.validation import Fetcher


class GuardedFetcher:
    """A `Fetcher` that does not ask a responder which has just failed several times in a row (`pki/circuit.py`).

    Addresses come from the settings or from a listed host, so the circuits are few. Each process has its own.
    """

    def __init__(self, fetcher: Fetcher, policy: CircuitPolicy, clock: Callable[[], datetime]) -> None:
        self._fetcher = fetcher
        self._policy = policy
        self._clock = clock
        self._circuits: dict[str, Circuit] = {}
        self._log = structlog.get_logger()

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        """As the fetcher inside; `circuit_open` at once while its responder is not to be asked."""
        self._circuits[url], admission = admit(self._circuits.get(url, Closed()), self._policy, self._clock())
        if admission == "refuse":
            return FetchFailure("circuit_open")
        outcome: Outcome = "withdrawn"  # by whoever cancels the question
        try:
            answer = await self._fetcher.fetch_ocsp(url, request)
            outcome = _name_outcome(answer)
            return answer
        finally:
            self._note(url, admission, outcome)

    def _note(self, url: str, admission: Admission, outcome: Outcome) -> None:
        before = self._circuits[url]
        after = note(before, self._policy, self._clock(), admission, outcome)
        self._circuits[url] = after
        if isinstance(before, Closed) != isinstance(after, Closed):
            self._log.warning("circuit_closed" if isinstance(after, Closed) else "circuit_open", address=url)


def _name_outcome(answer: bytes | FetchFailure) -> Outcome:
    if isinstance(answer, bytes):
        return "answered"
    if answer.kind in TRANSPORT_FAILURES:
        return "failed"
    return "withdrawn" if answer.kind == "address" else "answered"
