"""A demo whose bridge the test itself starts, kills, replaces or impersonates."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.support.demo import RunningDemo


def derive_port(demo: RunningDemo) -> int:
    """Where the page expects the bridge."""
    port = urlsplit(demo.bridge).port
    assert port is not None
    return port


class OwnBridge:
    """The bridge process of one test. `start` returns when it listens."""

    def __init__(
        self,
        demo: RunningDemo,
        *,
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] = {},
        module: str = "bridge",
    ) -> None:
        self._demo = demo
        self._module = module
        self._options = options
        self._environment = {**os.environ, "PYTHONUTF8": "1", **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._port_file = demo.data / "run" / "own-bridge.port"

    @property
    def command(self) -> list[str]:
        kept = [part for part in self._demo.bridge_command if not part.startswith("--virtual") or not self._options]
        program = [self._module if part == "bridge" else part for part in kept]
        return [*program, *self._options, f"--port-file={self._port_file}"]

    def start(self) -> None:
        self._port_file.unlink(missing_ok=True)
        with (self._demo.data / "logs" / "own-bridge.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )
        while not self._port_file.exists():
            assert self._process.poll() is None, (self._demo.data / "logs" / "own-bridge.log").read_text()
            try:
                self._process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue

    def kill(self) -> None:
        """As a crash would: no goodbye."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None


@contextmanager
def run_bridge(
    demo: RunningDemo, *options: str, environment: Mapping[str, str] = {}, module: str = "bridge"
) -> Iterator[OwnBridge]:
    """`module`: a program that is run in place of `python -m bridge`."""
    bridge = OwnBridge(demo, options=options, environment=environment, module=module)
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.stop()


def find_free_port(host: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
