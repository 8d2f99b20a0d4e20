"""`kiosk demo` with real processes: what it starts, says, and how it ends (at once: `test_command_start.py`)."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk_web.program import kiosk_program
from tests.support.demo import RunningDemo, run_demo_to_its_end, start_demo

pytestmark = pytest.mark.long

NEIGHBOURS = ("library", "facility", "homepage")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send to another process")


def fetch(address: str) -> bytes:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=30) as answer:
        return bytes(answer.read())


def wait_for_end(pid: int) -> bool:
    """False when the process lives on after half a minute."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a demo has been before: the keys are made, the terminal is enrolled. It was ended by Ctrl-C."""
    folder = tmp_path_factory.mktemp("kiosk-demo")
    with start_demo(folder, own_keys=True) as first:
        found = [first.kiosk, first.tray, load_terminal(folder)]
        first.process.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        status = first.process.wait(timeout=60)
        assert first.process.stdout is not None
        last_line = first.process.stdout.read().splitlines()[-1:]
    end = {"status": status, "last_line": last_line, "pids": first.pids, "ready": (folder / "ready.json").exists()}
    (folder / "first.json").write_text(json.dumps({"found": found, "end": end}))
    return folder


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[RunningDemo]:
    """Its second start, with the settings of another kiosk in the environment."""
    environment = pytest.MonkeyPatch()
    environment.setenv("KIOSK_DEPLOYMENT", "production")
    environment.setenv("KIOSK_BRIDGE_DEPLOYMENT", "production")
    try:
        with start_demo(folder) as running:
            environment.undo()
            yield running
    finally:
        environment.undo()


def load_terminal(folder: Path) -> str:
    return (folder / "data/bridge/terminal.json").read_text(encoding="utf-8")


def test_every_address_answers(demo: RunningDemo) -> None:
    assert b'id="stage"' in fetch(demo.kiosk + "/")
    assert b"<html" in fetch(demo.tray + "/")
    assert fetch(demo.staff.replace("localhost", "127.0.0.1") + "/healthz")
    host, port = demo.bridge.removeprefix("ws://").removesuffix("/card").split(":")
    socket.create_connection((host, int(port)), timeout=30).close()


def test_the_ready_file_is_what_the_design_says(demo: RunningDemo, folder: Path) -> None:
    ready = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
    assert set(ready) == {"kiosk", "staff", "tray", "bridge", "desk", *NEIGHBOURS, "personal", "pids", "bridge_command"}
    assert ready["kiosk"].startswith("http://127.0.0.1:")
    assert not any(ready[name].endswith("/") for name in ("kiosk", "staff", "tray", "desk", *NEIGHBOURS))
    assert set(ready["pids"]) == {"demo", "simulator", "kiosk", "bridge", "personal", *NEIGHBOURS}
    assert ready["pids"]["demo"] == demo.process.pid


def test_the_second_start_keeps_ports_and_terminal(demo: RunningDemo, folder: Path) -> None:
    before = json.loads((folder / "first.json").read_text())["found"]
    assert before == [demo.kiosk, demo.tray, load_terminal(folder)]


def test_everybody_is_printed_with_the_number_to_type(demo: RunningDemo) -> None:
    people = demo.people
    assert len(people) >= 8
    assert people[0].pin
    assert all(person.name in demo.printed and person.pin in demo.printed for person in people)
    assert all(address in demo.printed for address in (demo.kiosk, demo.tray, demo.staff))


def test_a_member_of_staff_is_there_to_attend_and_the_tray_alone_knows_the_secret(
    demo: RunningDemo, folder: Path
) -> None:
    shown = json.loads(fetch(demo.tray + "/staff"))
    file = folder / "data/simulator/staff.json"
    member = json.loads(file.read_text(encoding="utf-8"))
    assert shown["number"] == member["number"]
    assert len(shown["code"]) == 6
    if os.name != "nt":
        assert file.stat().st_mode & 0o077 == 0
    assert member["secret"] not in demo.printed + demo.read_logs()


def test_settings_of_another_kiosk_in_the_environment_do_not_matter(demo: RunningDemo) -> None:
    assert "DEMO" in fetch(demo.kiosk + "/").decode()


def test_a_second_demo_with_the_same_data_is_refused_in_one_sentence(demo: RunningDemo, folder: Path) -> None:
    answer = run_demo_to_its_end(folder / "data", "--port=0")
    assert answer.returncode == 1
    assert "Another demo is running" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr


@pytest.fixture
def own_folder(folder: Path, tmp_path: Path) -> Path:
    """A copy of the first demo's data, for a test that needs its own processes; the ports are chosen anew."""
    ignored = shutil.ignore_patterns("ports.json", "*.sock")
    shutil.copytree(folder / "data", tmp_path / "data", ignore=ignored)
    return tmp_path


@posix
def test_ctrl_c_ends_every_process_with_status_0_and_removes_the_ready_file(folder: Path) -> None:
    end = json.loads((folder / "first.json").read_text())["end"]
    assert end["status"] == 0
    assert end["last_line"] == ["Stopped."]
    assert set(end["pids"]) == {"demo", "simulator", "kiosk", "bridge", "personal", *NEIGHBOURS}
    assert all(wait_for_end(pid) for pid in end["pids"].values())
    assert not end["ready"]


@posix
def test_a_process_that_dies_ends_the_others_and_is_named(own_folder: Path) -> None:
    with start_demo(own_folder) as running:
        os.kill(running.pids["kiosk"], signal.SIGKILL)
        assert running.process.wait(timeout=60) == 1
        assert running.process.stdout is not None
        told = running.process.stdout.read()
        assert all(wait_for_end(pid) for pid in running.pids.values())
    assert "'kiosk' ended by itself" in told
    assert "kiosk.log" in told
    assert "Traceback" not in told


@posix
def test_a_bridge_that_is_killed_is_started_again_and_the_ready_file_names_it(own_folder: Path) -> None:
    with start_demo(own_folder) as running:
        first = running.pids["bridge"]
        os.kill(first, signal.SIGKILL)
        pause = threading.Event()
        while (second := json.loads((own_folder / "ready.json").read_text())["pids"]["bridge"]) == first:
            assert running.process.poll() is None
            pause.wait(0.05)
        os.kill(second, 0)
        assert fetch(f"{running.tray}/people")
    assert wait_for_end(second)


def test_without_a_bridge_it_says_how_to_start_one(own_folder: Path) -> None:
    with start_demo(own_folder, "--no-bridge") as running:
        assert "bridge" not in running.pids
        with subprocess.Popen(running.bridge_command, stderr=subprocess.PIPE, encoding="utf-8") as bridge:
            assert bridge.stderr is not None
            assert any('"listening"' in line for line in bridge.stderr)
            bridge.terminate()
            bridge.communicate()


def test_other_ports_leave_no_dead_terminal_on_the_staff_page(own_folder: Path) -> None:
    with start_demo(own_folder, "--no-bridge"):
        listing = [*kiosk_program(), "terminal", "list", "--json", f"--data={own_folder / 'data/kiosk'}"]
        said = subprocess.run(listing, capture_output=True, check=True, encoding="utf-8").stdout
    conditions = {row["name"]: row["condition"] for row in json.loads(said)}
    assert conditions.pop("demo") == "revoked"
    assert list(conditions.values()) == ["enrolled"]
