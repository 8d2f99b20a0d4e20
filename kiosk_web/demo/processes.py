"""The processes of a demo, in the order in which each needs the other's answer, and their addresses."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk_web.demo.children import Children
from kiosk_web.demo.kiosk_config import build_kiosk_config
from kiosk_web.demo.neighbours import Neighbours
from kiosk_web.demo.ports import HOST
from kiosk_web.demo.registration import Registration
from kiosk_web.demo.resident_home import ResidentHome
from kiosk_web.demo.settings import DemoSettings
from kiosk_web.program import bridge_program, kiosk_program
from kiosk_web.state_file import load_json, write_json

_READY_SECONDS = 90.0  # the first start makes RSA keys for two authorities and all people


class Demo:
    """Nothing runs before `start`. `children` end with the block that made them, however it ends."""

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
        self._registration = Registration(self._server, self._state, self._simulator, children)
        self._home = ResidentHome(settings.data, self._server, self._simulator, children, ports)

    def start(self) -> dict[str, Any]:
        """Start everything; returns the content of the ready file plus `people`, after every process has answered."""
        if self._settings.ready_file is not None:
            self._settings.ready_file.unlink(missing_ok=True)
        self._neighbours.start()
        self._neighbours.write_desk_file(self._home.homepage, self._home.window)
        simulator_ready = self._start_simulator()
        self._neighbours.connect_reader(self._state)
        self._write_config()
        kiosk_ready = self._ready_file("kiosk")
        self._children.start("kiosk", self._serve_command(kiosk_ready))
        bridge_started = self._has_terminal() and self._start_bridge()
        simulator = self._wait_for_file("simulator", simulator_ready)
        kiosk = self._wait_for_file("kiosk", kiosk_ready)
        if not self._has_terminal():
            self._registration.add_terminal(kiosk["kiosk"])
            self._home.forget_client()
        self._registration.add_staff()
        if not bridge_started:
            self._start_bridge()
        booking = self._neighbours.addresses.get("facility", "")
        self._home.start(f"{kiosk['staff'].rstrip('/')}/api/v1", booking, bridge_program())
        addresses = {"kiosk": kiosk["kiosk"], "staff": kiosk["staff"], "tray": simulator["tray"]}
        addresses |= self._neighbours.addresses | ({"homepage": self._home.homepage} if self._home.there else {})
        addresses = {name: address.rstrip("/") for name, address in addresses.items()}
        people = self._wait_until_all_answer(addresses)
        self._neighbours.write_desk_file(self._home.homepage, self._home.window)
        ready = {
            **addresses,
            "bridge": f"ws://{HOST}:{self._ports['bridge']}/card",
            **({"personal": self._home.bridge} if self._home.there else {}),
            "pids": {"demo": os.getpid(), **self._children.pids},
            "bridge_command": self._bridge_command(),
        }
        self.write_ready_file(ready)
        return {**ready, "people": people}

    def write_ready_file(self, ready: Mapping[str, Any]) -> None:
        """Again after a restart, with the process ids of now; without the people."""
        if self._settings.ready_file is not None:
            told = {name: value for name, value in ready.items() if name != "people"}
            write_json(self._settings.ready_file, {**told, "pids": {"demo": os.getpid(), **self._children.pids}})

    def _start_simulator(self) -> Path:
        """Returns its ready file. What the kiosk loads when it starts is there: anchors, and the names of the lists."""
        ready_file = self._ready_file("simulator")
        self._children.start("simulator", self._simulate_command(ready_file))
        folders = (self._simulator / "anchors", self._simulator / "card-issuers")
        if not all(folder.is_dir() for folder in folders) or not self._list_names().exists():
            self._wait_for_file("simulator", ready_file)
            self._ask_for_list_names()
        return ready_file

    def _wait_until_all_answer(self, addresses: Mapping[str, str]) -> list[dict[str, Any]]:
        """Returns the people of the tray."""
        self._wait_for_answer("kiosk", f"{addresses['kiosk']}/readyz")
        self._wait_for_answer("kiosk", f"http://{HOST}:{self._ports['staff']}/healthz")
        answer = self._wait_for_answer("simulator", f"{addresses['tray']}/people")
        if self._settings.start_bridge:
            self._children.wait_until("bridge", self._bridge_listens, seconds=_READY_SECONDS)
        self._home.wait()
        people: list[dict[str, Any]] = json.loads(answer)["people"]
        return people

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
            f"--port={self._ports['kiosk']}",
            f"--staff-port={self._ports['staff']}",
            f"--bridge-port={self._ports['bridge']}",
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
        text = build_kiosk_config(
            data=self._server,
            anchors=self._simulator / "anchors",
            desk=f"http://{HOST}:{self._ports['desk']}",
            jpki=f"http://{HOST}:{self._ports['ocsp']}",
            list_names=load_json(self._list_names()).get("names", []),
            card_issuers=self._simulator / "card-issuers",
            output_rules=self._state / "output.toml",
            receiver=self._neighbours.find_receiver(),
        )
        config_file(self._data).write_text(text, encoding="utf-8")

    def _has_terminal(self) -> bool:
        return self._registration.has_terminal(f"http://{HOST}:{self._ports['kiosk']}")

    def _bridge_command(self) -> list[str]:
        reader = ["--pcsc"] if self._settings.pcsc else [f"--virtual={self._simulator}"]
        return [*bridge_program(), "run", f"--state={self._state}", f"--port={self._ports['bridge']}", *reader]

    def _start_bridge(self) -> bool:
        if self._settings.start_bridge:
            self._children.start("bridge", self._bridge_command())
        return True

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


def config_file(data: Path) -> Path:
    return data / "kiosk.toml"


def fetch(address: str) -> bytes | None:
    """The body of a good answer, else None. A proxy of the environment is never asked about our own computer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None
