"""The part of the report about the terminal: card, bridge and page, through real pcscd and Chromium."""

from __future__ import annotations

import asyncio
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.bench.goals import Finding, Part
from tests.bench.report import Section, name_packages
from tests.support.pcscd import Pcscd, own_socket_path

_PACKAGES = ("cryptography", "playwright", "pyscard", "starlette", "uvicorn", "uvloop", "websockets")

_HOW = """\
- Everything runs on one computer, each part in a process of its own: a real pcscd with the vpcd driver, the virtual
  card, the bridge as it is shipped, and the page. No network is involved.
- Exchanges are counted by the card, not by the bridge. The card also measures how long it takes for each; this is
  "the card's own time".
- Times of a flow run from the message that the page sends to the message that it waits for; the time in which a
  person types is left out.
- The step of 8 exchanges (SELECT, label, five blocks of a 1,280-byte certificate, tries left) is run in turn with the
  same commands by the lowest calls of pyscard. Both sides start with no context and with a card without power,
  connect exclusively and begin a transaction; closing is left out on both. What only the bridge does counts against
  it: ticket, countersignature, JSON, the socket both ways.
- The result on the screen is timed inside Chromium: from the `keydown` of Enter to the change of `data-state`, by a
  `MutationObserver`, in a running `kiosk demo`, after the OCSP answer has come. What the card itself measured for
  VERIFY and SIGN is taken away: its waiting, its files, its RSA. The first visits warm up and are left out. The browser
  draws without a graphics card, on the same processors as server and bridge.
- A change of the reader is timed from the return of the blocking SCardGetStatusChange in the bridge to the message at
  the page. What pcscd needs to notice the card, up to 0.4 s with this driver, is its own.
- p95 is by nearest rank.
"""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often each thing is measured."""

    step: int = 300
    flow: int = 30
    software: int = 60
    screen: int = 40
    events: int = 40
    restarts: int = 5


QUICK = Repeats(step=60, flow=6, software=12, screen=20, events=10, restarts=1)


def measure_terminal(folder: Path, console: Console, *, quick: bool) -> Section:
    """Raises `PcscdMissing`."""
    repeats = QUICK if quick else Repeats()
    findings = asyncio.run(_measure_bridge(folder, repeats, console))
    console.print("Visits in Chromium ...")
    from tests.bench.screen import measure_screen

    (folder / "demo").mkdir()
    screen, browser = measure_screen(folder / "demo", repeats.screen)
    return Section(
        part=Part.TERMINAL,
        findings=[*findings, screen],
        how=_HOW,
        tools={"pcscd": _name_pcscd(), "Chromium": browser, "packages": name_packages(_PACKAGES)},
    )


async def _measure_bridge(folder: Path, repeats: Repeats, console: Console) -> list[Finding]:
    """All that needs no browser. pyscard reads the name of its socket once, so it is imported after that is chosen."""
    with Pcscd(own_socket_path()) as daemon:
        from tests.bench.events import measure_events
        from tests.bench.restart import measure_restart
        from tests.bench.step import measure_step
        from tests.bench.terminal import running_terminal
        from tests.bench.visits import measure_counts, measure_flow, measure_software

        async with running_terminal(folder / "visits", daemon) as terminal:
            console.print("Counting exchanges ...")
            findings = await measure_counts(terminal)
            console.print("A step of 8 exchanges, bridge and raw in turn ...")
            findings.append(await measure_step(terminal, repeats.step))
            console.print("Whole flows on a card with 25 ms per exchange ...")
            findings.append(await measure_flow(terminal, repeats.flow))
            console.print("Whole flows on a card that takes no time ...")
            findings.append(await measure_software(terminal, repeats.software))
        console.print("Cards laid and lifted ...")
        async with running_terminal(folder / "events", daemon, timed=True) as terminal:
            findings += await measure_events(terminal, repeats.events)
        console.print("pcscd killed and started again ...")
        async with running_terminal(folder / "restart", daemon) as terminal:
            findings += await measure_restart(terminal, repeats.restarts)
    return findings


def _name_pcscd() -> str:
    said = subprocess.run(["/usr/sbin/pcscd", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version ([0-9.]+[0-9])", said)
    return found.group(1) if found else "unknown"
