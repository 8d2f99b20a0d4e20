"""`kiosk demo`: the whole product on one computer, with a virtual JPKI and virtual cards.

Starts the simulator, the kiosk and the bridge as child processes, enrols the bridge as a terminal, and says where
everything is. It never imports `bridge`: that is another program, here as everywhere else. All is on 127.0.0.1.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import socket
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kiosk_web.demo.children import Children, ChildTrouble, StopAsked
from kiosk_web.demo.neighbours import Neighbours, open_in_browser
from kiosk_web.demo.ports import HOST, PortTrouble, choose_ports
from kiosk_web.demo.resident_home import ResidentHome
from kiosk_web.demo.services import build_tables
from kiosk_web.file_lock import LockHeld, hold_lock
from kiosk_web.program import is_frozen, kiosk_program
from kiosk_web.state_file import load_json, write_json

TERMINAL = "demo"
_OURS = re.compile(rf"{TERMINAL}(-\d{{4}})?")
STAFF = "みほん図書館 職員"
STAFF_NUMBER = "1001"
_SOURCE = """\
[[crl.sources]]
name = "{name}"
kind = "http"
url = "{url}"
interval_minutes = 5

"""
# The responder goes and comes back by hand, and whoever brings it back wants to see that: its circuit stays closed.
_PATIENCE = "ocsp_circuit_failures = 1000\n\n"
_REGISTER = """\
[verifier]
user_authentication = "demo"
signature = "demo"

[register_service]
url = "{url}"

"""
_READY_SECONDS = 90.0  # the first start makes RSA keys for two authorities and all people


class DemoTrouble(Exception):
    """The demo cannot start, and the text says what to do about it."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """`port` is the kiosk's, the others follow it; 0: free ports, the same again next time if they still are."""

    port: int
    data: Path
    ready_file: Path | None
    pcsc: bool
    start_bridge: bool = True
    open_desk: bool = False  # in a browser, where there is one


def run_demo(settings: DemoSettings, environment: Mapping[str, str], console: Console) -> int:
    """Run until Ctrl-C or SIGTERM (status 0), or until something goes wrong (status 1, with a message)."""
    stop_asked = threading.Event()
    _listen_for_stop(stop_asked)
    try:
        with _own_folder(settings.data):
            children = Children(settings.data / "logs", _child_environment(environment, settings.data), stop_asked)
            ports = choose_ports(settings.port, settings.data / "ports.json")
            demo = Demo(settings, children, ports, Neighbours(settings.data, children, ports))
            try:
                with console.status("Starting the simulator, the kiosk and the bridge ..."):
                    ready = demo.start()
                print_welcome(console, settings, ready)
                if settings.open_desk:
                    open_in_browser(ready["desk"], environment)
                children.watch("bridge", lambda: demo.write_ready_file(ready))
            except StopAsked:
                pass
            finally:
                if settings.ready_file is not None:
                    settings.ready_file.unlink(missing_ok=True)
                children.stop()
    except (DemoTrouble, PortTrouble, ChildTrouble) as trouble:
        console.print(Text(f"\n{trouble}"), soft_wrap=True)
        return 1
    console.print("Stopped.")
    return 0


class Demo:
    """Starts the processes in the order in which each needs the other's answer, and collects their addresses."""

    def __init__(
        self, settings: DemoSettings, children: Children, ports: Mapping[str, int], neighbours: Neighbours
    ) -> None:
        self._neighbours = neighbours
        self._settings = settings
        self._children = children
        self._ports = ports
        self._data = settings.data
        self._simulator = settings.data / "simulator"
        self._state = settings.data / "bridge"
        self._server = settings.data / "kiosk"
        self._home = ResidentHome(settings.data, self._server, self._simulator, children, ports)

    def start(self) -> dict[str, Any]:
        """Start everything; returns the content of the ready file plus `people`, after every process has answered."""
        if self._settings.ready_file is not None:
            self._settings.ready_file.unlink(missing_ok=True)
        self._neighbours.start()
        simulator_ready = self._ready_file("simulator")
        self._neighbours.write_desk_file(self._home.homepage, self._home.window)
        self._children.start("simulator", self._simulate_command(simulator_ready))
        folders = (self._simulator / "anchors", self._simulator / "card-issuers")
        if not all(folder.is_dir() for folder in folders) or not self._list_names().exists():
            self._wait_for_file("simulator", simulator_ready)  # the kiosk loads the anchors when it starts
            self._ask_for_list_names()
        self._neighbours.connect_reader(self._state)
        self._write_config()
        kiosk_ready = self._ready_file("kiosk")
        self._children.start("kiosk", self._serve_command(kiosk_ready))
        bridge_started = self._is_enrolled() and self._start_bridge()
        simulator = self._wait_for_file("simulator", simulator_ready)
        kiosk = self._wait_for_file("kiosk", kiosk_ready)
        if not self._is_enrolled():
            self._enrol(kiosk["kiosk"])
            self._staff_file().unlink(missing_ok=True)  # of another database
            self._home.forget_client()
        if not self._staff_file().exists():
            self._add_staff()
        if not bridge_started:
            self._start_bridge()
        booking = self._neighbours.addresses.get("facility", "")
        self._home.start(f"{kiosk['staff'].rstrip('/')}/api/v1", booking, bridge_program())
        addresses = {
            "kiosk": kiosk["kiosk"],
            "staff": kiosk["staff"],
            "tray": simulator["tray"],
            **self._neighbours.addresses,
            **({"homepage": self._home.homepage} if self._home.there else {}),
        }
        addresses = {name: address.rstrip("/") for name, address in addresses.items()}
        self._wait_for_answer("kiosk", f"{addresses['kiosk']}/readyz")
        self._wait_for_answer("kiosk", f"http://{HOST}:{self._ports['staff']}/healthz")
        people = self._wait_for_answer("simulator", f"{addresses['tray']}/people")
        if self._settings.start_bridge:
            self._children.wait_until("bridge", self._bridge_listens, seconds=_READY_SECONDS)
        self._home.wait()
        self._neighbours.write_desk_file(self._home.homepage, self._home.window)
        ready = {
            **addresses,
            "bridge": f"ws://{HOST}:{self._ports['bridge']}/card",
            **({"personal": self._home.bridge} if self._home.there else {}),
            "pids": {"demo": os.getpid(), **self._children.pids},
            "bridge_command": self._bridge_command(),
        }
        self.write_ready_file(ready)
        return {**ready, "people": json.loads(people)["people"]}

    def write_ready_file(self, ready: Mapping[str, Any]) -> None:
        """Again after a restart, with the process ids of now; without the people."""
        if self._settings.ready_file is not None:
            told = {name: value for name, value in ready.items() if name != "people"}
            write_json(self._settings.ready_file, {**told, "pids": {"demo": os.getpid(), **self._children.pids}})

    def _simulate_command(self, ready_file: Path) -> list[str]:
        return [
            *kiosk_program(),
            "simulate",
            f"--folder={self._simulator}",
            f"--ocsp-port={self._ports['ocsp']}",
            f"--tray-port={self._ports['tray']}",
            f"--desk-port={self._ports['desk']}",
            f"--desk-file={self._neighbours.desk_file}",
            f"--ready-file={ready_file}",
        ]

    def _serve_command(self, ready_file: Path) -> list[str]:
        return [
            *kiosk_program(),
            "serve",
            f"--data={self._server}",
            f"--port={self._ports['kiosk']}",
            f"--staff-port={self._ports['staff']}",
            f"--bridge-port={self._ports['bridge']}",
            f"--anchors={self._simulator / 'anchors'}",
            f"--ocsp-url=http://{HOST}:{self._ports['ocsp']}/",
            "--deployment=demo",
            f"--ready-file={ready_file}",
        ]

    def _list_names(self) -> Path:
        return self._data / "lists.json"

    def _ask_for_list_names(self) -> None:
        """Which lists the virtual JPKI has for the certificates of residents; they stay the same."""
        answer = self._wait_for_answer("simulator", f"http://{HOST}:{self._ports['ocsp']}/crl")
        names = [entry["name"] for entry in json.loads(answer)["lists"]]
        write_json(self._list_names(), {"names": [name for name in names if name.startswith("auth") and "-" in name]})

    def _write_config(self) -> None:
        """The register of the virtual JPKI, and the lists of all towns alike, so that a person can be confirmed by
        list while the responder is down.
        """
        names = load_json(self._list_names()).get("names", [])
        jpki = f"http://{HOST}:{self._ports['ocsp']}"
        desk = f'desk_origin = "http://{HOST}:{self._ports["desk"]}"\n'
        tables = [desk, _PATIENCE, _REGISTER.format(url=f"{jpki}/services")]
        tables += [_SOURCE.format(name=name, url=f"{jpki}/crl/{name}.crl") for name in names]
        issuers = json.dumps(str(self._simulator / "card-issuers"))  # a TOML string too
        kazashi = f"[kazashi]\ncard_issuers = {issuers}\n"
        text = "".join(tables) + kazashi + _build_handover(self._state / "output.toml")
        receiver = self._neighbours.find_receiver()
        if receiver is not None:
            text += build_tables(*receiver)
        _config_file(self._data).write_text(text, encoding="utf-8")

    def _bridge_command(self) -> list[str]:
        reader = ["--pcsc"] if self._settings.pcsc else [f"--virtual={self._simulator}"]
        return [*bridge_program(), "run", f"--state={self._state}", f"--port={self._ports['bridge']}", *reader]

    def _start_bridge(self) -> bool:
        if self._settings.start_bridge:
            self._children.start("bridge", self._bridge_command())
        return True

    def _is_enrolled(self) -> bool:
        """True when the bridge's state belongs to this database and to the page's origin of today."""
        enrolment = load_json(self._state / "terminal.json")
        return self._server.is_dir() and enrolment.get("origin") == f"http://{HOST}:{self._ports['kiosk']}"

    def _enrol(self, server: str) -> None:
        """As a new terminal. One of an earlier start at other ports is revoked, or staff would see it dead for good."""
        name = TERMINAL
        if (self._state / "terminal.json").exists():
            name = f"{TERMINAL}-{random.SystemRandom().randrange(10_000):04}"
            listed = self._children.ask("terminal", [*self._terminal_command("list"), "--json"])
            for known in json.loads(listed):
                if known["condition"] != "revoked" and _OURS.fullmatch(known["name"]):
                    self._children.ask("terminal", self._terminal_command("revoke", known["name"]))
        command = [*self._terminal_command("add", name), "--json"]
        code = json.loads(self._children.ask("terminal", command))["code"]
        command = [*bridge_program(), "enrol", f"--server={server}", f"--code={code}", f"--state={self._state}"]
        self._children.ask("enrol", [*command, "--replace"])

    def _terminal_command(self, *arguments: str) -> list[str]:
        return [*kiosk_program(), "terminal", *arguments, f"--data={self._server}"]

    def _staff_file(self) -> Path:
        """Where the tray finds number and secret of the member of staff, to show the codes of an authenticator."""
        return self._simulator / "staff.json"

    def _add_staff(self) -> None:
        """One fictional member of staff of the terminal's facility. The secret is new, and the demo's alone."""
        command = [
            *kiosk_program(),
            "staff",
            "add",
            STAFF,
            f"--number={STAFF_NUMBER}",
            f"--data={self._server}",
            "--json",
        ]
        member = json.loads(self._children.ask("staff", command))
        content = {name: member[name] for name in ("name", "number", "secret")}
        self._staff_file().touch(mode=0o600)
        self._staff_file().write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    def _ready_file(self, name: str) -> Path:
        path = self._data / "run" / f"{name}.json"
        path.unlink(missing_ok=True)
        return path

    def _wait_for_file(self, name: str, path: Path) -> dict[str, Any]:
        return self._children.wait_until(name, lambda: load_json(path) or None, seconds=_READY_SECONDS)

    def _wait_for_answer(self, name: str, address: str) -> bytes:
        return self._children.wait_until(name, lambda: fetch(address), seconds=_READY_SECONDS)

    def _bridge_listens(self) -> bool | None:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self._ports["bridge"])) == 0 or None


def _build_handover(output_file: Path) -> str:
    """The library's number as a barcode; and where the bridge has rules of hand-over, what they allow."""
    text = '[handover.systems.city-library]\nbarcode = "nw7"\n'
    try:
        kind = tomllib.loads(output_file.read_text(encoding="utf-8")).get("output", "none")
    except (OSError, ValueError):
        return text
    if kind in ("wedge", "serial"):
        text += f'[handover.terminals."*"]\nlayout = "counter"\noutput = "{kind}"\n'
    return text


def bridge_program() -> list[str]:
    """How the bridge is called: frozen it lies beside us."""
    if is_frozen():
        return [str(Path(sys.executable).with_name("kiosk-bridge" + Path(sys.executable).suffix))]
    return [sys.executable, "-m", "bridge"]


@contextmanager
def _own_folder(data: Path) -> Iterator[None]:
    """Make the folder, private, and hold it against a second demo until the block ends, however it ends."""
    try:
        for folder in (data, data / "logs", data / "run"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DemoTrouble(f"The folder {data} cannot be used for the demo: {error.strerror}.") from None
    try:
        with hold_lock(data / "lock"):
            yield
    except LockHeld:
        raise DemoTrouble(f"Another demo is running with the data in {data}; use another --data folder.") from None


def _listen_for_stop(stop_asked: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stop_asked.set()

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, stop)


def _child_environment(environment: Mapping[str, str], data: Path) -> dict[str, str]:
    """Ours without the settings of another kiosk on this computer: the demo is the same everywhere."""
    kept = {name: value for name, value in environment.items() if not name.upper().startswith("KIOSK_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "KIOSK_CONFIG": str(_config_file(data))}


def _config_file(data: Path) -> Path:
    return data / "kiosk.toml"


def fetch(address: str) -> bytes | None:
    """The body of a good answer, else None. A proxy of the environment is never asked about our own computer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None


def print_welcome(console: Console, settings: DemoSettings, ready: Mapping[str, Any]) -> None:
    """Say where everything is, and who the people are."""
    addresses = Table(
        title="The demo is running", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
    )
    for name, what in (
        ("desk", "everything on one page: open it in a browser"),
        ("kiosk", "the terminal"),
        (
            "tray",
            "the card tray: " + ("its own reader is off" if settings.pcsc else "put a card on the virtual reader"),
        ),
        ("staff", "the staff page"),
        ("library", "a library system that was there before"),
        ("facility", "a booking system"),
        ("homepage", "a city's home page, to sign in from home"),
        ("bridge", "the card reader's socket, for the page only"),
        ("personal", "the socket of the reader at home, for the home page only"),
    ):
        if name not in ready:
            continue
        addresses.add_row(name, Text(str(ready[name]), style="bold"), what)
    people = Table(title="Fictional people, their 暗証番号 and what to expect", title_justify="left")
    for column in ("person", "暗証番号", "expect"):
        people.add_column(column, no_wrap=column != "expect", overflow="fold")
    for person in ready["people"]:
        people.add_row(Text(str(person["name"])), Text(str(person["pin"]), style="bold"), Text(str(person["note"])))
    console.print(addresses)
    console.print()
    console.print(people)
    if settings.pcsc:
        console.print(
            "Real readers are used. A real card ends with 'certificate not trusted': the demo trusts its own JPKI only."
        )
        console.print("While no PC/SC service runs, the terminal says that its reader is being prepared.")
        console.print("The tray's cards come into a reader of vpcd by:")
        by_vpcd = ["python", "-m", "bridge.virtual", str(settings.data / "simulator"), "--vpcd", "127.0.0.1:35963"]
        console.print(Text(shlex.join(by_vpcd)), soft_wrap=True)
    if not settings.start_bridge:
        console.print("The bridge is yours to start:")
        console.print(Text(shlex.join(ready["bridge_command"])), soft_wrap=True)
    console.print(Text(f"Logs are in {settings.data / 'logs'}. Ctrl-C stops everything."), soft_wrap=True)
