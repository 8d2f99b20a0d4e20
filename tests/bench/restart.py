"""The smart card service is killed and comes back; the bridge stays."""

from __future__ import annotations

import asyncio
import time

from tests.bench.goals import Finding, Measure
from tests.bench.samples import Samples, show_milliseconds
from tests.bench.terminal import BenchTerminal
from tests.support.profiles import write_profile

AWAY_SECONDS = (0.0, 3.0)  # back at once, and after the bridge's pauses between two tries have grown to their longest
NOTICED_SECONDS = 1.5
USABLE_SECONDS = 1.0


async def measure_restart(terminal: BenchTerminal, repeats: int) -> list[Finding]:
    """`repeats` restarts after each time away, with a card on the reader all the time."""
    write_profile(terminal.folder, "restart")
    await terminal.lay("restart")
    noticed: list[float] = []
    usable: dict[float, list[float]] = {away: [] for away in AWAY_SECONDS}
    for _ in range(repeats):
        for away in AWAY_SECONDS:
            noticed.append(await _kill(terminal))
            await asyncio.sleep(away)
            usable[away].append(await _bring_back(terminal))
    ended = 0 if terminal.bridge.poll() is None else 1
    noticing, using = Samples(noticed), Samples([value for values in usable.values() for value in values])
    each = "; ".join(f"away for {away:.0f} s: {Samples(values).describe_times()}" for away, values in usable.items())
    return [
        Finding(
            Measure.NOTICED,
            show_milliseconds(noticing.longest),
            noticing.longest <= NOTICED_SECONDS,
            f"{noticing.describe_times()}, SIGKILL",
        ),
        Finding(
            Measure.USABLE,
            show_milliseconds(using.longest),
            using.longest <= USABLE_SECONDS,
            f"from the first answer of the service to the recognised card, which is read once more each time; {each}",
        ),
        Finding(Measure.PROCESS, str(ended), ended == 0, f"the same process after {len(noticed)} restarts of pcscd"),
    ]


async def _kill(terminal: BenchTerminal) -> float:
    began = time.monotonic()
    stopping = asyncio.create_task(asyncio.to_thread(terminal.daemon.stop))
    while terminal.page.reader["reader"] != "service_down":
        await terminal.page.expect("reader")
    told = time.monotonic()
    await stopping
    return told - began


async def _bring_back(terminal: BenchTerminal) -> float:
    back = asyncio.create_task(asyncio.to_thread(_start, terminal))
    while (terminal.page.reader["reader"], terminal.page.reader["card"]) != ("ready", "ours"):
        await terminal.page.expect("reader")
    told = time.monotonic()
    seconds = told - await back
    await terminal.page.say("read_certificate", ticket=terminal.issue_challenge())
    await terminal.page.expect("need_pin")
    await terminal.cancel()
    return max(0.0, seconds)


def _start(terminal: BenchTerminal) -> float:
    """Returns when the service answers."""
    terminal.daemon.start()
    terminal.reader.wait_for_service()
    return time.monotonic()
