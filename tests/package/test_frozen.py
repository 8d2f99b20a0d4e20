"""The frozen programs are started, not only built: version, migration, and one whole visit with a virtual card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

import kiosk_web
from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import start_demo

ROOT = Path(__file__).parent.parent.parent
SUFFIX = ".exe" if os.name == "nt" else ""

pytestmark = [pytest.mark.package, pytest.mark.timeout(900)]  # PyInstaller looks at every module there is


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `kiosk.spec` makes. PyInstaller keeps its analysis in build/: the next time is quicker."""
    target = tmp_path_factory.mktemp("frozen")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", f"--distpath={target}", "kiosk.spec"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-4000:]
    return target / "kiosk"


def run(program: Path, *arguments: str, folder: Path, **settings: str) -> str:
    """What it prints, started far from the checkout and without the settings of this Python."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment |= settings
    answer = subprocess.run(
        [str(program) + SUFFIX, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("name", ["kiosk", "kiosk-bridge"])
def test_a_frozen_program_tells_its_version(programs: Path, tmp_path: Path, name: str) -> None:
    assert run(programs / name, "--version", folder=tmp_path).strip() == f"{name} {kiosk_web.__version__}"


def test_the_frozen_server_makes_its_database(programs: Path, tmp_path: Path) -> None:
    first = run(programs / "kiosk", "migrate", "--data", "data", folder=tmp_path)
    second = run(programs / "kiosk", "migrate", "--data", "data", folder=tmp_path)
    assert list((tmp_path / "data").glob("*.sqlite3"))
    assert first != second


def test_the_frozen_bridge_can_reach_real_readers(programs: Path) -> None:
    assert list((programs / "_internal/smartcard").rglob("_scard*"))


def test_one_visit_through_the_frozen_programs_ends_in_a_result(programs: Path, tmp_path: Path, page: Page) -> None:
    with start_demo(tmp_path, program=[str(programs / "kiosk") + SUFFIX]) as demo:
        first = demo.people[0]
        terminal = KioskPage(page, demo.kiosk).open().choose()
        demo.put_card(first.id)
        terminal.wait_for("awaiting_pin").type_pin(first.pin).wait_for("result")
        assert all("_internal" not in command for command in demo.bridge_command)
        assert demo.bridge_command[0] == str(programs / "kiosk-bridge") + SUFFIX
        # The server refreshes its lists with a process of the same program; this one waits for it.
        places = f"--data={demo.data / 'kiosk'}", f"--anchors={demo.data / 'simulator' / 'anchors'}"
        config = str(demo.data / "kiosk.toml")
        command = ("crl", "refresh", "--wait=60", "--json", *places)
        refreshed = json.loads(run(programs / "kiosk", *command, folder=tmp_path, KIOSK_CONFIG=config))
        assert {source["why"] for source in refreshed["sources"]} == {""}
        assert "lists_refreshed" in (demo.data / "logs" / "kiosk.log").read_text()
