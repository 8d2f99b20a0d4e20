"""The lists of the running demo: fetched by itself, and asked by town once a manager lets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e


def call_kiosk(demo: RunningDemo, *words: str) -> str:
    """The command line beside the running demo, with the demo's own settings."""
    command = [sys.executable, "-m", "kiosk_web", *words]
    environment = {**os.environ, "KIOSK_CONFIG": str(demo.data / "kiosk.toml")}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


@pytest.fixture(scope="module")
def manager(running_demo: RunningDemo) -> Iterator[None]:
    """The lists of today are in force, and a manager has opened the fallback."""
    refreshed = json.loads(call_kiosk(running_demo, "crl", "refresh", "--wait=60", "--json"))
    assert {source["why"] for source in refreshed["sources"]} == {""}
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    call_kiosk(running_demo, "fallback", "open", f"--until={until}", "--reason=a test", "--by=Suzuki")
    yield
    call_kiosk(running_demo, "fallback", "close")


@pytest.fixture
def unreachable(demo: RunningDemo, manager: None) -> None:
    """The responder refuses connections."""
    demo.set_faults(ocsp="refused")


def test_the_demo_fetches_the_lists_of_all_towns_by_itself(demo: RunningDemo, manager: None) -> None:
    listed = json.loads(call_kiosk(demo, "crl", "show", "--json"))
    assert len(listed["lists"]) == len(listed["sources"]) == 8  # four towns, two generations in force
    assert listed["alarms"] == []
    assert all(entry["alarm"] is None for entry in listed["lists"])


@pytest.mark.parametrize(("person", "end"), [("sakura", "certificate_revoked"), ("ken", "certificate_on_hold")])
def test_who_is_on_the_list_of_the_town_is_refused(
    kiosk: KioskPage, demo: RunningDemo, unreachable: None, person: str, end: str
) -> None:
    kiosk.open().choose()
    demo.put_card(person)
    kiosk.wait_for("refused").wait_for_code(end)
