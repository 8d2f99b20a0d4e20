"""Where a PIN may be and where it may not, with a PIN of twelve characters that nothing else can contain by chance."""

from __future__ import annotations

import contextlib
import re
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e

SENTINEL = "SENTINEL9Q7Z"


def test_a_pin_reaches_the_card_and_nothing_else(browser: Browser, demo: RunningDemo, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1080, "height": 1920}, reduced_motion="reduce")
    context.tracing.start(snapshots=True)
    page = context.new_page()
    frames: list[bytes] = []

    def keep(payload: str | bytes) -> None:
        frames.append(payload.encode() if isinstance(payload, str) else payload)

    page.on("websocket", lambda socket: (socket.on("framesent", keep), socket.on("framereceived", keep)))
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text))
    kiosk = KioskPage(page, demo.kiosk)
    kiosk.open().choose()
    demo.put_card("sentinel")
    kiosk.wait_for("awaiting_pin")
    page.locator("body[data-keypad=screen]").wait_for()  # from here on it takes letters
    wrong = SENTINEL[:-1] + "X"
    for pin in (wrong, SENTINEL):
        for character in pin:  # key by key: the trace of the browser test itself must not hold the word
            page.keyboard.press(character)
        content = page.content()
        page.keyboard.press("Enter")
        assert pin not in content
        if pin == wrong:
            kiosk.wait_for_tries(2)
    kiosk.wait_for("result")
    trace = tmp_path / "trace.zip"
    context.tracing.stop(path=trace)
    storage = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    context.close()

    if sys.platform == "linux":  # nor may a crash write its memory to a disk
        for process in ("kiosk", "bridge"):
            limits = Path(f"/proc/{demo.pids[process]}/limits").read_text(encoding="ascii")
            assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
    assert len(frames) > 6
    sinks = {
        "request": b"\n".join(url.encode() + body for _, url, body in kiosk.requests),
        "socket": b"\n".join(frames),
        "console": "\n".join(console).encode(),
        "storage": storage.encode(),
        "logs": demo.read_logs().encode(),
        **{f"trace {name}": content for name, content in read_zip(trace).items()},
        **read_files_of_the_product(demo),
    }
    assert any(name.endswith(".db") or ".sqlite" in name for name in sinks)
    for name, content in sinks.items():
        for pin in (SENTINEL, wrong):
            assert pin.encode() not in content, name


def read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read_files_of_the_product(demo: RunningDemo) -> dict[str, bytes]:
    """Every file of server and bridge; the simulator's own folder holds the card, which knows its PIN."""
    found = {}
    for folder in ("kiosk", "bridge", "run"):
        for path in (demo.data / folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a draft that has got its name meanwhile
                if path.is_file():
                    found[str(path)] = path.read_bytes()
    return found
