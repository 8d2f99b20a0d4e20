"""One real Chromium for all browser tests: the one TEST_CHROMIUM names, Debian's package, or Playwright's own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.kiosk_page import STEP_MILLISECONDS, KioskPage
from tests.support.demo import RunningDemo, demo, running_demo, start_demo
from tests.support.own_bridge import run_bridge
from tests.support.page_stand import PageStand
from tests.support.pcscd import Pcscd, virtual_card

__all__ = ["demo", "running_demo"]

ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]

expect.set_options(timeout=STEP_MILLISECONDS)  # Playwright's own patience ends after five seconds


def find_chromium() -> str | None:
    """The program to start, or None for the one that Playwright brought."""
    named = os.environ.get("TEST_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def build_arguments() -> list[str]:
    """Root cannot use Chromium's sandbox; everybody else keeps it."""
    as_root = sys.platform != "win32" and os.geteuid() == 0
    return [*ARGUMENTS, *(["--no-sandbox"] if as_root else [])]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """For this package only: Playwright keeps an event loop running, beside which no other test could run one."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=find_chromium(), args=build_arguments())
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own context: no cookie of another test. Upright full HD, as a terminal stands."""
    context = browser.new_context(viewport={"width": 1080, "height": 1920}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.fixture
def kiosk(page: Page, demo: RunningDemo) -> KioskPage:
    """The resident's page of the running demo, not yet opened."""
    return KioskPage(page, demo.kiosk)


@pytest.fixture(scope="package")
def bare_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """Everything but the bridge, which each test starts as it needs it."""
    with start_demo(tmp_path_factory.mktemp("bare"), "--no-bridge") as running:
        yield running


@pytest.fixture
def bare_kiosk(page: Page, bare_demo: RunningDemo) -> KioskPage:
    """The resident's page of the demo without a bridge, not yet opened."""
    bare_demo.restore()
    return KioskPage(page, bare_demo.kiosk)


@pytest.fixture
def pcsc_demo(bare_demo: RunningDemo) -> Iterator[RunningDemo]:
    """The demo without a bridge of its own, a real pcscd with a virtual card in it, and a bridge that uses it."""
    with Pcscd() as service, virtual_card(bare_demo.data / "simulator", service.vpcd):  # noqa: SIM117 - one after another
        with run_bridge(bare_demo, "--pcsc", environment=service.environment):
            yield bare_demo


@pytest.fixture
def stand() -> Iterator[PageStand]:
    """What stands around the page where it is tested alone."""
    with PageStand().running() as running:
        yield running
