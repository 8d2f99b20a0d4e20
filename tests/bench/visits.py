"""Whole visits through the bridge: how often the card is asked, and what is not the card's own time."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass

from tests.bench.card_log import CardExchange
from tests.bench.goals import Finding, Measure
from tests.bench.samples import Samples, show_milliseconds
from tests.bench.terminal import BenchTerminal
from tests.support.profiles import PIN, write_profile

LENGTHS = (1280, 1281, 1583, 1792, 1793)
FLOW_LENGTH = 1583
EXCHANGE_MS = 25
LONGEST_FLOW = 1.10
PINS_PER_LAYING = 2  # the bridge gives no third PIN to a card that was not lifted
WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Visit:
    """Seconds from `read_certificate` to `need_pin`, and from `enter_pin` to `result`; what the card was asked."""

    reading: float
    signing: float
    exchanges: list[CardExchange]
    closing: list[CardExchange]
    pin_sent: float

    @property
    def whole(self) -> float:
        return self.reading + self.signing

    @property
    def card(self) -> float:
        """Seconds that the card took by its own clock."""
        return sum(exchange.seconds for exchange in self.exchanges)

    @property
    def after_pin(self) -> list[str]:
        return [exchange.name for exchange in self.exchanges if exchange.began > self.pin_sent]

    @property
    def repeated(self) -> int:
        counts = Counter((exchange.header, exchange.length) for exchange in self.exchanges)
        return sum(count - 1 for count in counts.values())


async def run_visit(terminal: BenchTerminal) -> Visit:
    """One visit with the card that lies there. The server's word is there before the PIN, as it mostly is."""
    page = terminal.page
    ticket = terminal.issue_challenge()
    terminal.read_card_log()
    began = time.perf_counter()
    await page.say("read_certificate", ticket=ticket)
    await page.expect("certificate")
    need_pin = await page.expect("need_pin")
    read = time.perf_counter()
    await page.say("authenticate")
    pin_sent = time.monotonic()
    typed = time.perf_counter()
    await page.enter_pin(PIN, need_pin["challenge"])
    await page.expect("result")
    signed = time.perf_counter()
    await terminal.settle()
    log = terminal.read_card_log()
    end = 1 + max(number for number, exchange in enumerate(log) if exchange.name == "SIGN")
    return Visit(read - began, signed - typed, log[:end], log[end:], pin_sent)


async def run_visits(terminal: BenchTerminal, person: str, repeats: int) -> list[Visit]:
    """`repeats` visits; the card is laid anew as often as the bridge wants it to be."""
    visits = []
    for number in range(repeats):
        if number % PINS_PER_LAYING == 0:
            await terminal.lay(person)
        visits.append(await run_visit(terminal))
    return visits


async def measure_counts(terminal: BenchTerminal) -> list[Finding]:
    """Goals 1 and 2 of the reference, with certificates on both sides of a block's end."""
    seen: dict[int, list[Visit]] = {}
    for length in LENGTHS:
        write_profile(terminal.folder, f"l{length}", certificate_length=length)
        seen[length] = await run_visits(terminal, f"l{length}", PINS_PER_LAYING)
    every = [visit for visits in seen.values() for visit in visits]
    counts = {length: sorted({len(visit.exchanges) for visit in visits}) for length, visits in seen.items()}
    expected = {length: [5 + math.ceil(length / 256)] for length in LENGTHS}
    shown = ", ".join(f"{'/'.join(map(str, counts[length]))} (L = {length})" for length in LENGTHS)
    closings = {tuple(exchange.name for exchange in visit.closing) for visit in every}
    after = sorted({", ".join(visit.after_pin) for visit in every})
    repeated = sum(visit.repeated for visit in every)
    return [
        Finding(
            Measure.EXCHANGES,
            shown,
            counts == expected,
            f"{len(every)} visits, from the card's own log; the re-SELECT that closes a visit is apart: "
            + " or ".join(", ".join(names) or "none" for names in sorted(closings)),
        ),
        Finding(Measure.REPEATED, str(repeated), repeated == 0, "by header and length of the command"),
        Finding(
            Measure.AFTER_PIN, " or ".join(after), after == ["VERIFY, SIGN"], "by the time at which the PIN was sent"
        ),
    ]


async def measure_flow(terminal: BenchTerminal, repeats: int) -> Finding:
    """Goal 3: whole flow by the sum of the card's own times. In the detail also as if its RSA were ours."""
    write_profile(terminal.folder, "slow", certificate_length=FLOW_LENGTH, exchange_ms=EXCHANGE_MS)
    visits = await run_visits(terminal, "slow", repeats)
    ratios = Samples([visit.whole / visit.card for visit in visits])
    stricter = Samples([visit.whole / (len(visit.exchanges) * EXCHANGE_MS / 1000) for visit in visits])
    whole = Samples([visit.whole for visit in visits])
    card = Samples([visit.card for visit in visits])
    return Finding(
        Measure.FLOW,
        f"{ratios.median:.3f}",
        ratios.median <= LONGEST_FLOW,
        f"median; p95 {ratios.p95:.3f}; whole flow {whole.describe_times()}; the card measured "
        f"{show_milliseconds(card.median)} for its {len(visits[0].exchanges)} exchanges, its RSA among them; with that "
        f"and what it overslept counted as ours, against {EXCHANGE_MS} ms × {len(visits[0].exchanges)}: "
        f"median {stricter.median:.3f}, p95 {stricter.p95:.3f}",
    )


async def measure_software(terminal: BenchTerminal, repeats: int) -> Finding:
    """Goal 4: what is left of a flow when the card's own time is taken away."""
    write_profile(terminal.folder, "quick", certificate_length=FLOW_LENGTH)
    visits = (await run_visits(terminal, "quick", WARM_UP + repeats))[WARM_UP:]
    shares = Samples([visit.whole - visit.card for visit in visits])
    card = Samples([visit.card for visit in visits])
    return Finding(
        Measure.SOFTWARE,
        show_milliseconds(shares.p95),
        shares.p95 <= 0.010,
        f"{shares.describe_times()}; with pcscd and vpcd in it; the card itself took {show_milliseconds(card.median)}",
    )
