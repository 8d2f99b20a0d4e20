"""`kiosk demo` as a terminal for tests: started as a process, with its card tray as the hand that moves cards.

Fixtures, to be imported by a `conftest.py`: `running_demo` starts one for the whole session, `demo` gives it to a test
with the tray restored and the reader empty.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.simulator_folder import lay_simulator

STOP_SECONDS = 60
"""More than it ever takes; a process that is still there then is killed, and the test fails."""


class DemoDidNotStart(Exception):
    """With what it printed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody fictional, as the tray names them."""

    id: str
    name: str
    pin: str
    note: str


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """Addresses without a closing slash; `pids` by name: demo, simulator, kiosk, bridge."""

    kiosk: str
    staff: str
    tray: str
    bridge: str
    pids: dict[str, int]
    bridge_command: list[str]
    data: Path
    process: subprocess.Popen[str]
    printed: str
    desk: str = ""
    library: str = ""
    facility: str = ""
    homepage: str = ""
    personal: str = ""

    @property
    def people(self) -> list[Person]:
        """The first one succeeds by PIN."""
        return [Person(**person) for person in self._ask("GET", "/people")["people"]]

    def person(self, id: str) -> Person:  # noqa: A002 - the tray's own word
        return next(person for person in self.people if person.id == id)

    def put_card(self, person: str) -> None:
        self._ask("PUT", "/reader/card", {"person": person})

    def put_card_at_home(self, person: str) -> None:
        """On the reader of the resident's own computer."""
        self._ask("PUT", "/readers/home/card", {"person": person})

    def lift_card(self) -> None:
        self._ask("DELETE", "/reader/card")

    def set_faults(self, *, card: str | None = None, ocsp: str | None = None) -> None:
        self._ask("PUT", "/faults", {"card": card, "ocsp": ocsp})

    def restore(self) -> None:
        """No card on the reader, no fault, every counter and certificate as in the beginning."""
        self.lift_card()
        self._ask("POST", "/restore")

    def tries_left(self, person: str) -> int:
        """Tries left for the authentication PIN, as the card wrote it down; one never asked has what it began with."""
        folder = self.data / "simulator" / "cards" / person
        counters = folder / "counters.json"
        if counters.exists():
            return int(json.loads(counters.read_text(encoding="utf-8"))["auth_pin"])
        return int(json.loads((folder / "card.json").read_text(encoding="utf-8"))["auth_pin"]["left"])

    def read_logs(self) -> str:
        """Everything that any of the processes has written."""
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted((self.data / "logs").glob("*.log")))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """JSON in, JSON out; `{}` for an answer without a body. Raises urllib's HTTPError for a refusal."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        request = urllib.request.Request(self.tray + path, data=data, method=method, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else {}


@contextmanager
def start_demo(
    folder: Path, *options: str, program: list[str] | None = None, display: str = "", own_keys: bool = False
) -> Iterator[RunningDemo]:
    """Run `kiosk demo` with its data in `folder` on free ports until the block ends. `display`: of an X server on which
    the window at home opens; without one a page stands for it. `own_keys`: it makes those of its authorities and cards
    itself, as a program elsewhere always does; else they are made once for all demos. Raises DemoDidNotStart.
    """
    simulator = folder / "data" / "simulator"
    if not own_keys and program is None and not simulator.exists():
        lay_simulator(simulator)
    ready_file = folder / "ready.json"
    command = program or [sys.executable, "-m", "kiosk_web"]
    process = subprocess.Popen(
        [
            *command,
            "demo",
            "--port=0",
            f"--data={folder / 'data'}",
            f"--ready-file={ready_file}",
            "--no-open",
            *options,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**_without_desktop(), "PYTHONUTF8": "1", **({"DISPLAY": display} if display else {})},
    )
    assert process.stdout is not None
    printed = []
    try:
        for line in process.stdout:  # ends with the process: no clock is needed to notice a failed start
            printed.append(line)
            if "Ctrl-C stops everything" in line:
                break
        if not ready_file.exists():
            raise DemoDidNotStart("".join(printed))
        ready = json.loads(ready_file.read_text(encoding="utf-8"))
        yield RunningDemo(**ready, data=folder / "data", process=process, printed="".join(printed))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def run_demo_to_its_end(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Of a demo that ends at once, by itself. `data`: its folder."""
    return subprocess.run(
        [sys.executable, "-m", "kiosk_web", "demo", f"--data={data}", *options],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )


def _without_desktop() -> dict[str, str]:
    """Our environment, without a screen on which a window could open."""
    return {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


@pytest.fixture(scope="session")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """One demo for all tests of the session."""
    with start_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def demo(running_demo: RunningDemo) -> RunningDemo:
    """The demo of the session, with an empty reader, no fault and fresh cards."""
    running_demo.restore()
    return running_demo
