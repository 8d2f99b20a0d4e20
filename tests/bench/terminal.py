"""One terminal for measuring: a real pcscd, a virtual card in a process of its own, a bridge in another, and its page.

Everything that is compared runs as in production, each in its own process; the page is this one.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bridge.terminal import store_terminal
from tests.bench.card_log import VARIABLE, CardExchange, CardLog
from tests.bench.raw_reader import RawReader
from tests.bridge.authority import Authority
from tests.bridge.page import Message, Page
from tests.support.pcscd import Pcscd
from tests.support.profiles import write_reader

_ROOT = Path(__file__).parents[2]
_SECONDS = 20
_LOOK_SECONDS = 0.005
REAL_BRIDGE = ("bridge", "run", "--pcsc", "--port=0", "--log-level=error")


class Clocked(Authority):
    """A server whose clock is right."""

    def tell_time(self) -> Self:
        self.now = int(time.time())
        return self


@dataclass(frozen=True, slots=True)
class BridgeAddress:
    """What `Page` asks of a bridge."""

    address: str
    authority: Clocked


class BenchTerminal:
    """`page` is proven and watching; `reader` is the raw way to the same virtual reader."""

    def __init__(self, folder: Path, daemon: Pcscd, bridge: subprocess.Popen[bytes], page: Page) -> None:
        self.folder = folder
        self.daemon = daemon
        self.bridge = bridge
        self.page = page
        self.reader = RawReader()
        self._serial = 100
        self._log = CardLog(folder / "card.log")

    async def lay(self, person: str) -> float:
        """Put `cards/<person>` on the reader in place of what lies there; returns when the page was told."""
        before = self.page.reader.get("instance")
        self._write_reader(f"cards/{person}")
        while self.page.reader.get("card") != "ours" or self.page.reader["instance"] == before:
            await self._receive_reader()
        return time.monotonic()

    async def lift(self) -> float:
        """Take the card away; returns when the page was told."""
        self._write_reader(None)
        while self.page.reader.get("card") != "none":
            await self._receive_reader()
        return time.monotonic()

    def issue_challenge(self) -> str:
        """A ticket for the card that lies there."""
        authority: Clocked = self.page.bridge.authority  # type: ignore[assignment]  # see `BridgeAddress`
        return authority.tell_time().challenge(self.page.reader["instance"])

    async def cancel(self) -> None:
        """End the visit and wait until the card is let go."""
        await self.page.say("cancel")
        while (await self.page.receive())["type"] != "failed":
            pass
        await self.settle()

    async def settle(self) -> None:
        """Wait until the bridge has let go of the card, and leave it without power."""
        await asyncio.to_thread(self.reader.wait_until_free)

    def read_card_log(self) -> list[CardExchange]:
        """What the card was asked since the last look."""
        return self._log.read_new()

    async def _receive_reader(self) -> Message:
        async with asyncio.timeout(_SECONDS):
            return await self.page.expect("reader")

    def _write_reader(self, profile: str | None) -> None:
        self._serial += 1
        write_reader(self.folder, self._serial, profile)


@asynccontextmanager
async def running_terminal(folder: Path, daemon: Pcscd, *, timed: bool = False) -> AsyncIterator[BenchTerminal]:
    """With an empty reader. The profiles in `folder` are written by whoever lays them. `timed`: see `timed_bridge`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state"
    state.mkdir()
    authority = Clocked()
    store_terminal(state, authority.terminal)
    write_reader(folder, 100, None)
    port_file = folder / "port"
    if timed:
        program = ["tests.bench.timed_bridge", str(state), str(port_file), str(folder / "events.log")]
    else:
        program = [*REAL_BRIDGE, f"--state={state}", f"--port-file={port_file}"]
    card = ["tests.bench.recorded_card", str(folder), "--vpcd", daemon.vpcd]
    with (
        _process(card, os.environ | {VARIABLE: str(folder / "card.log")}),
        _process(program, daemon.environment) as bridge,
    ):
        port = await _await_port(port_file, bridge)
        authority.tell_time()
        where: Any = BridgeAddress(f"127.0.0.1:{port}", authority)
        async with Page.verified(where) as page:
            yield BenchTerminal(folder, daemon, bridge, page)


class _process:  # noqa: N801 - read as a verb after `with`
    """A child of this Python, ended with the block."""

    def __init__(self, module: list[str], environment: dict[str, str]) -> None:
        self._command = [sys.executable, "-m", *module]
        self._environment = environment

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._running = subprocess.Popen(self._command, cwd=_ROOT, env=self._environment, stderr=subprocess.DEVNULL)
        return self._running

    def __exit__(self, *_: object) -> None:
        self._running.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._running.wait(5)
        self._running.kill()
        self._running.wait()


async def _await_port(port_file: Path, bridge: subprocess.Popen[bytes]) -> int:
    async with asyncio.timeout(_SECONDS):
        while not port_file.exists():
            if bridge.poll() is not None:
                raise RuntimeError(f"the bridge ended with status {bridge.returncode}")
            await asyncio.sleep(_LOOK_SECONDS)
    return int(port_file.read_text())
