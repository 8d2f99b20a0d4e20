"""One message that costs 8 exchanges, against the same 8 by raw pyscard, turn by turn."""

from __future__ import annotations

import time

from tests.bench.goals import Finding, Measure
from tests.bench.raw_reader import RawStep
from tests.bench.samples import Samples, show_milliseconds
from tests.bench.terminal import BenchTerminal
from tests.support.profiles import write_profile

EXCHANGES = 8
LENGTH = 1280  # SELECT, label, five blocks, tries left
WARM_UP = 5


async def measure_step(terminal: BenchTerminal, repeats: int) -> Finding:
    """Both sides start without context and with a card without power, open it exclusively and begin a transaction.

    The bridge's time runs from the message that asks to the message with the answer; on its side are the ticket, the
    countersignature, JSON and the socket both ways.
    """
    write_profile(terminal.folder, "step", certificate_length=LENGTH)
    await terminal.lay("step")
    await terminal.settle()
    commands = terminal.reader.record_reading()
    if len(commands) != EXCHANGES:
        raise RuntimeError(f"the step has {len(commands)} exchanges")
    by_bridge: list[float] = []
    by_hand: list[RawStep] = []
    echoes: list[float] = []
    for number in range(WARM_UP + repeats):
        if number % 2:
            by_hand.append(terminal.reader.run_step(commands))
        by_bridge.append(await _ask_bridge(terminal))
        echoes.append(await _ask_echo(terminal))
        if not number % 2:
            by_hand.append(terminal.reader.run_step(commands))
    bridge, raw = by_bridge[WARM_UP:], by_hand[WARM_UP:]
    whole, bare = Samples([step.whole for step in raw]), Samples([step.exchanges for step in raw])
    times = Samples(bridge)
    ratio = times.median / whole.median
    pairs = Samples([mine / step.whole for mine, step in zip(bridge, raw, strict=True)])
    return Finding(
        Measure.STEP,
        f"{ratio:.2f}",
        ratio <= 2,
        f"medians {show_milliseconds(times.median)} / {show_milliseconds(whole.median)}, both with context, "
        f"exclusive connection, power-up and transaction; turn by turn {pairs.describe_ratios()}; against the 8 bare "
        f"transmissions ({show_milliseconds(bare.median)}) {times.median / bare.median:.2f}; "
        f"a ping over the same socket takes {show_milliseconds(Samples(echoes).median)}",
    )


async def _ask_bridge(terminal: BenchTerminal) -> float:
    page = terminal.page
    ticket = terminal.issue_challenge()
    began = time.perf_counter()
    await page.say("read_certificate", ticket=ticket)
    await page.expect("certificate")
    await page.expect("need_pin")
    ended = time.perf_counter()
    await terminal.cancel()
    return ended - began


async def _ask_echo(terminal: BenchTerminal) -> float:
    began = time.perf_counter()
    await terminal.page.say("ping")
    while (await terminal.page.receive())["type"] != "pong":
        pass
    return time.perf_counter() - began
