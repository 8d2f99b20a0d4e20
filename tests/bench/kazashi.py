"""From a card laid on the reader to the screen that follows, without a 暗証番号, in a whole running demo."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import sync_playwright
from rich.console import Console

from tests.bench.card_log import VARIABLE, CardLog
from tests.bench.goals import Finding, Measure, Part
from tests.bench.report import Section, name_packages
from tests.bench.samples import Samples, show_milliseconds
from tests.bench.screen import EXCHANGE_MS, write_exchange_time
from tests.e2e.conftest import build_arguments, find_chromium
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_kazashi import add_staff, attend, enrol, identify
from tests.support.demo import RunningDemo, start_demo
from tests.support.own_bridge import run_bridge

_PACKAGES = ("cryptography", "playwright", "starlette", "uvicorn", "uvloop", "websockets")
_HOW = """\
- A running `kiosk demo` on one computer: server, responder, bridge with the virtual card, and the page in Chromium. No
  network is involved. One person is enrolled, a member of staff attends, and the service is chosen first.
- A tap is timed from the first exchange with the card, as the card notes it, to the change of `data-state`, by a
  `MutationObserver`: the recognition of the card is in it. The card's own time is what it measured for all exchanges
  until then: its waiting, its files, its RSA.
- The responder is asked while the card signs. Its answer takes less than that here, so nothing is taken away for it.
- For a refusal, the one row of the enrolment is taken out of the database or given another card's key before each tap,
  in turn: the same card, the same person, on the same screen, which then asks for the 暗証番号.
- p95 is by nearest rank.
"""
LONGEST_TAP = 1.10
ALIKE = (0.9, 1.1)
WARM_UP = 2

# The moment at which a state that ends the waiting is in the DOM, in milliseconds of the computer's clock.
STOPWATCH = """
(() => {
  new MutationObserver(() => {
    const state = document.getElementById("stage")?.dataset.state;
    if (!["result", "awaiting_pin", "refused"].includes(state) || window.benchShown) return;
    window.benchShown = { state, at: performance.timeOrigin + performance.now() };
  }).observe(document, { attributes: true, childList: true, subtree: true });
})();
"""


@dataclass(frozen=True, slots=True)
class _Tap:
    """Seconds from the first exchange with the card to the screen, and what the card took of them by its own clock."""

    whole: float
    card: float
    exchanges: int

    @property
    def beyond(self) -> float:
        return self.whole - self.card


class _Desk:
    """An attended terminal with one person who is enrolled; the database is told otherwise between the taps."""

    def __init__(self, kiosk: KioskPage, demo: RunningDemo, log: CardLog) -> None:
        self._kiosk = kiosk
        self._demo = demo
        self._log = log
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
        self._other = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with self._database() as database:
            self._row = database.execute("SELECT * FROM kazashi_enrolments").fetchone()
            columns = [column[1] for column in database.execute("PRAGMA table_info(kazashi_enrolments)")]
        self._key = columns.index("public_key")

    def tap(self) -> _Tap:
        self._keep(self._row)
        return self._lay("result")

    def tap_unknown(self) -> _Tap:
        """The person was never enrolled."""
        self._keep(None)
        return self._lay("awaiting_pin")

    def tap_another(self) -> _Tap:
        """The person is enrolled with another card."""
        self._keep((*self._row[: self._key], self._other, *self._row[self._key + 1 :]))
        return self._lay("awaiting_pin")

    def _lay(self, state: str) -> _Tap:
        self._kiosk.wait_for("choosing_service").choose()
        self._log.read_new()
        self._kiosk.page.evaluate("window.benchShown = null")
        self._demo.put_card(self._demo.people[0].id)
        self._kiosk.wait_for(state)
        shown = self._kiosk.page.evaluate("window.benchShown")
        clock = time.time() - time.monotonic()
        log = [exchange for exchange in self._log.read_new() if exchange.began + clock < shown["at"] / 1000]
        self._demo.lift_card()
        if state != "result":
            self._kiosk.wait_for("refused").start_again()
        self._kiosk.wait_for("choosing_service")
        return _Tap(shown["at"] / 1000 - clock - log[0].began, sum(exchange.seconds for exchange in log), len(log))

    def _keep(self, row: tuple[object, ...] | None) -> None:
        with self._database() as database:
            database.execute("DELETE FROM kazashi_enrolments")
            if row is not None:
                database.execute(f"INSERT INTO kazashi_enrolments VALUES ({','.join('?' * len(row))})", row)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._demo.data / "kiosk" / "kiosk.sqlite3", timeout=20)
        try:
            with database:
                yield database
        finally:
            database.close()


def measure_kazashi(folder: Path, console: Console, *, quick: bool) -> Section:
    """All of this part."""
    console.print("Taps in Chromium ...")
    findings, browser = _measure(folder, 12 if quick else 40)
    return Section(
        part=Part.KAZASHI,
        findings=findings,
        how=_HOW,
        tools={"Chromium": browser, "packages": name_packages(_PACKAGES)},
    )


def _measure(folder: Path, repeats: int) -> tuple[list[Finding], str]:
    """The findings, and the version of the browser."""
    log = CardLog(folder / "card.log")
    with (
        sync_playwright() as playwright,
        start_demo(folder, "--no-bridge") as demo,
        run_bridge(demo, environment={VARIABLE: str(log.path)}, module="tests.bench.recorded_bridge"),
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=build_arguments())
        context = browser.new_context(viewport={"width": 1080, "height": 1920})
        context.add_init_script(STOPWATCH)
        kiosk = KioskPage(context.new_page(), demo.kiosk, watched=False)
        secret = add_staff(demo)
        kiosk.open()
        identify(kiosk, demo)
        enrol(kiosk)
        demo.lift_card()
        kiosk.wait_for("choosing_service")
        attend(kiosk, secret)
        desk = _Desk(kiosk, demo, log)
        person = demo.people[0]
        for _ in range(WARM_UP):
            desk.tap()
        write_exchange_time(demo, person, EXCHANGE_MS)
        taps = [desk.tap() for _ in range(repeats)]
        write_exchange_time(demo, person, 0)
        pairs = [(desk.tap_unknown(), desk.tap_another()) for _ in range(repeats)]
        version = browser.version
        browser.close()
    return [_judge_taps(taps), _judge_refusals(pairs)], version


def _judge_taps(taps: list[_Tap]) -> Finding:
    ratios = Samples([tap.whole / tap.card for tap in taps])
    beyond = Samples([tap.beyond for tap in taps])
    return Finding(
        Measure.TAP,
        f"{ratios.median:.2f}",
        ratios.median <= LONGEST_TAP,
        f"median; p95 {ratios.p95:.2f}; from the first of {taps[0].exchanges} exchanges of {EXCHANGE_MS} ms to the "
        f"result in the DOM: {Samples([tap.whole for tap in taps]).describe_times()}; the card itself "
        f"{show_milliseconds(Samples([tap.card for tap in taps]).median)}; beyond it {beyond.describe_times()}; the "
        "OCSP answer, fetched while the card signs, is counted as ours",
    )


def _judge_refusals(pairs: list[tuple[_Tap, _Tap]]) -> Finding:
    unknown, another = (Samples([pair[side].beyond for pair in pairs]) for side in (0, 1))
    noise = Samples([later[0].beyond / first[0].beyond for first, later in pairwise(pairs)])
    ratio = unknown.median / another.median
    return Finding(
        Measure.ORACLE,
        f"{ratio:.2f}",
        ALIKE[0] <= ratio <= ALIKE[1],
        f"medians, beyond the card's own time, taken in turn; never enrolled {unknown.describe_times()}; another card "
        f"{another.describe_times()}; one never enrolled by the one before it: median {noise.median:.2f}, "
        f"p95 {noise.p95:.2f}",
    )
