"""From the moment at which PC/SC gives a change back to the message on the socket."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.goals import Finding, Measure
from tests.bench.samples import Samples, show_milliseconds
from tests.bench.terminal import BenchTerminal
from tests.support.profiles import write_profile

LIMIT_SECONDS = 0.005


async def measure_events(terminal: BenchTerminal, repeats: int) -> list[Finding]:
    """Lay and lift a card in turn. A card that was laid is told when it was recognised, which is 2 exchanges."""
    write_profile(terminal.folder, "event")
    laid, lifted = [], []
    terminal_log = _EventLog(terminal)
    for _ in range(repeats):
        laid.append(terminal_log.match(await terminal.lay("event"), card=True))
        lifted.append(terminal_log.match(await terminal.lift(), card=False))
    return [
        _judge(Measure.LAID, laid, "with the connection and the 2 exchanges that recognise the card"),
        _judge(Measure.LIFTED, lifted, "the message alone"),
    ]


class _EventLog:
    """The events that the timed bridge wrote down."""

    def __init__(self, terminal: BenchTerminal) -> None:
        self._path = terminal.folder / "events.log"

    def match(self, told: float, *, card: bool) -> tuple[float, float]:
        """Seconds to `told` since the wait for the readers ended, and since the source returned."""
        entries: list[dict[str, Any]] = [json.loads(line) for line in self._path.read_text().splitlines()]
        event = next(entry for entry in reversed(entries) if entry["card"] is card and entry["returned"] <= told)
        return told - event["woken"], told - event["returned"]


def _judge(measure: Measure, found: list[tuple[float, float]], what: str) -> Finding:
    woken, returned = (Samples(values) for values in zip(*found, strict=True))
    return Finding(
        measure,
        show_milliseconds(woken.p95),
        woken.p95 <= LIMIT_SECONDS,
        f"{what}; since SCardGetStatusChange returned {woken.describe_times()}; since the source returned: "
        f"median {show_milliseconds(returned.median)}, p95 {show_milliseconds(returned.p95)}",
    )
