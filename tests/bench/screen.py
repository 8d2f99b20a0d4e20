"""From the last key of the PIN to the result in the DOM, measured inside the page, in a whole running demo."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.bench.card_log import VARIABLE, CardLog
from tests.bench.goals import Finding, Measure
from tests.bench.samples import Samples, show_milliseconds
from tests.e2e.conftest import build_arguments, find_chromium
from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import Person, RunningDemo, start_demo
from tests.support.own_bridge import run_bridge
from tests.support.profiles import write_json

LIMIT_SECONDS = 0.030
EXCHANGE_MS = 25
WARM_UP = 2

# Runs before the page's own scripts. Enter is caught on its way down, before the page hears of it.
STOPWATCH = """
(() => {
  let watch = null;
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    watch = { entered: performance.now(), shown: 0 };
    watch.finished = new Promise((resolve, reject) => {
      watch.finish = resolve;
      setTimeout(() => reject(new Error(document.getElementById("stage").dataset.code || "no result")), 20000);
    });
    window.benchWatch = watch;
  }, true);
  new MutationObserver(() => {
    const state = document.getElementById("stage")?.dataset.state;
    if (watch === null || watch.shown || state !== "result") return;
    const { entered, finish } = watch;
    const shown = watch.shown = performance.now();
    requestAnimationFrame(() => finish({ entered, shown, painted: performance.now() }));
  }).observe(document, { attributes: true, childList: true, subtree: true });
})();
"""


def measure_screen(folder: Path, repeats: int) -> tuple[Finding, str]:
    """The finding, and the version of the browser."""
    log = CardLog(folder / "card.log")
    with (
        sync_playwright() as playwright,
        start_demo(folder, "--no-bridge") as demo,
        run_bridge(demo, environment={VARIABLE: str(log.path)}, module="tests.bench.recorded_bridge"),
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=build_arguments())
        context = browser.new_context(viewport={"width": 1080, "height": 1920})
        context.add_init_script(STOPWATCH)
        kiosk = KioskPage(context.new_page(), demo.kiosk, watched=False).open()
        for _ in range(WARM_UP):
            _visit(kiosk, demo, log, 0)
        cards = (EXCHANGE_MS, 0)
        seen: dict[int, list[_Visit]] = {milliseconds: [] for milliseconds in cards}
        for _ in range(repeats):
            for milliseconds in cards:
                seen[milliseconds].append(_visit(kiosk, demo, log, milliseconds))
        version = browser.version
        browser.close()
    shown = Samples([visit.shown for visit in seen[EXCHANGE_MS]])
    painted = Samples([visit.painted for visit in seen[EXCHANGE_MS]])
    card = Samples([visit.card for visit in seen[EXCHANGE_MS]])
    instant = Samples([visit.shown for visit in seen[0]])
    finding = Finding(
        Measure.SCREEN,
        show_milliseconds(shown.p95),
        shown.p95 <= LIMIT_SECONDS,
        f"beyond the {show_milliseconds(card.median)} that the card measured for VERIFY and SIGN ({EXCHANGE_MS} ms "
        f"each, and its RSA): {shown.describe_times()}; next frame: median {show_milliseconds(painted.median)}, "
        f"p95 {show_milliseconds(painted.p95)}; with a card that takes no time, behind which nothing can hide: "
        f"{instant.describe_times()}",
    )
    return finding, version


@dataclass(frozen=True, slots=True)
class _Visit:
    """Seconds from Enter to the result in the DOM, and to the frame after it, beyond `card`; what the card took."""

    shown: float
    painted: float
    card: float


def _visit(kiosk: KioskPage, demo: RunningDemo, log: CardLog, milliseconds: int) -> _Visit:
    person = demo.people[0]
    write_exchange_time(demo, person, milliseconds)
    kiosk.wait_for("choosing_service").choose()
    demo.put_card(person.id)
    kiosk.wait_for("awaiting_pin")
    kiosk.page.keyboard.type(person.pin)
    expect(kiosk.stage).to_have_attribute("data-commands", re.compile("authenticate"))  # the status is known
    expect(kiosk.page.locator("#pin-dots .dot.is-filled")).to_have_count(len(person.pin))
    kiosk.page.wait_for_timeout(200)  # a person does not press the last key in the instant in which an answer comes
    kiosk.page.keyboard.press("Enter")
    watch = kiosk.page.evaluate("window.benchWatch.finished")  # asks once: looking again and again would take time, too
    card = sum(exchange.seconds for exchange in log.read_new() if exchange.name in ("VERIFY", "SIGN"))
    demo.lift_card()
    kiosk.wait_for("choosing_service")
    return _Visit(
        (watch["shown"] - watch["entered"]) / 1000 - card, (watch["painted"] - watch["entered"]) / 1000 - card, card
    )


def write_exchange_time(demo: RunningDemo, person: Person, milliseconds: int) -> None:
    """Into the profile of the card, before it is laid."""
    path = demo.data / "simulator" / "cards" / person.id / "card.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, description | {"exchange_ms": milliseconds})
