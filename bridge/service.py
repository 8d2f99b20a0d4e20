"""The running bridge: readers, monitor, worker, desk and server put together, and taken down again in under two
seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TypeVar

import structlog

from bridge import __version__
from bridge.card.transport import ReaderSource, ReadersSnapshot
from bridge.counter import EvidenceCounter
from bridge.desk import CardDesk
from bridge.errors import SettingsError
from bridge.monitor import ReaderMonitor
from bridge.output.desk import OutputDesk, open_no_keyboard
from bridge.output.desktop import judge_desktop, open_keyboard, require_packages
from bridge.output.order import OutputEnd
from bridge.output.settings import OutputSettings, load_output_settings
from bridge.peer import PeerGate
from bridge.server import BridgeServer
from bridge.settings import BridgeSettings
from bridge.state_file import replace_file
from bridge.terminal import load_terminal
from bridge.ticket import Terminal
from bridge.worker import CardWorker, Recognised, WorkerReport

THREAD_STOP_SECONDS = 0.7
Item = TypeVar("Item", ReadersSnapshot, WorkerReport, OutputEnd)

_log = structlog.get_logger("bridge.service")


class BridgeService:
    """Made inside a running event loop; `start` and `stop` are called once each."""

    def __init__(
        self,
        terminal: Terminal,
        source: ReaderSource,
        counter: EvidenceCounter,
        *,
        production: bool,
        allow_birth_key_without_limit: bool = False,
        reader_keypad: bool = False,
        outputs: OutputDesk | None = None,
        peer: PeerGate | None = None,
    ) -> None:
        """Raises `SettingsError` for a source that a production terminal must not have."""
        if production and source.virtual:
            raise SettingsError("a virtual reader has no place in production")
        self._loop = asyncio.get_running_loop()
        self._worker = CardWorker(
            source,
            report=lambda report: self._from_thread(self._dispatch, report),
            take_counter=counter.take,
            allow_simulated=not production,
            allow_birth_key_without_limit=allow_birth_key_without_limit,
            reader_keypad=reader_keypad,
        )
        self._desk = CardDesk(
            self._worker,
            show=lambda reader: self.server.show_reader(reader),
            later=self._loop.call_later,
            entropy=os.urandom,
            production=production,
        )
        self._monitor = ReaderMonitor(source, lambda snapshot: self._from_thread(self._desk.observe, snapshot))
        self._outputs = outputs or OutputDesk(OutputSettings(), open_keyboard=open_no_keyboard)
        self._outputs.report = lambda report: self._from_thread(self._hand_back, report)
        self.server = BridgeServer(
            terminal,
            self._worker,
            self._outputs,
            version=__version__,
            reader=self._desk.reader,
            overdue=self._desk.worker_hangs,
            peer=peer,
            keypad=reader_keypad,
        )

    async def start(self, port: int) -> int:
        """Returns the port. Raises `SettingsError` when it is taken."""
        chosen = await self.server.start(port)
        self._worker.start()
        self._monitor.start()
        return chosen

    async def stop(self) -> None:
        """Let go of the card, close every socket, end both threads."""
        await self.server.stop()
        for name, stop in (
            ("output", self._outputs.stop),
            ("worker", self._worker.stop),
            ("monitor", self._monitor.stop),
        ):
            if not await asyncio.to_thread(stop, THREAD_STOP_SECONDS):
                # a call into the driver cannot be broken off; the thread ends with the process
                _log.warning("thread_left_behind", thread=name)

    def _dispatch(self, report: WorkerReport) -> None:
        if isinstance(report, Recognised):
            self._desk.recognised(report)
        else:
            self.server.report(report)

    def _hand_back(self, report: OutputEnd) -> None:
        self.server.report(report)

    def _from_thread(self, call: Callable[[Item], None], item: Item) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the bridge has stopped
            self._loop.call_soon_threadsafe(call, item)


def open_source(virtual: Path | None, reader: str = "reader.json") -> ReaderSource:
    """The virtual reader in a folder, or the readers of PC/SC. `reader`: file of the virtual one. Raises
    `SettingsError`.
    """
    if virtual is not None:
        from bridge.virtual.reader import VirtualSource

        return VirtualSource(virtual, reader)
    try:
        from bridge.card.pcsc import PcscSource
    except ImportError:
        raise SettingsError(
            "real readers need the smart card package: pip install 'mynumber-kiosk[pcsc]', "
            "and on Linux first libpcsclite-dev and swig"
        ) from None
    return PcscSource()


def build_output_desk(settings: BridgeSettings) -> OutputDesk:
    """The hand-over as this computer's own file allows it. Raises `SettingsError`, also for a desktop that cannot be
    typed into.
    """
    output = load_output_settings(settings.state)
    if output.kind == "wedge":
        judge_desktop(sys.platform, settings.desktop)
        require_packages()
    elif output.kind == "serial" and find_spec("serial") is None:
        raise SettingsError(
            "output = serial needs the package of the extra `serial`: pip install 'mynumber-kiosk[serial]'"
        )
    return OutputDesk(output, open_keyboard=lambda: open_keyboard(settings.desktop))


async def run_bridge(settings: BridgeSettings) -> None:
    """Run until SIGINT or SIGTERM. Raises `SettingsError` when the bridge cannot start."""
    terminal = load_terminal(settings.state)
    counter = EvidenceCounter(settings.state)
    stopped = asyncio.Event()
    with stop_signals(asyncio.get_running_loop(), stopped):
        service = BridgeService(
            terminal,
            open_source(settings.virtual),
            counter,
            production=settings.deployment == "production",
            allow_birth_key_without_limit=settings.allow_birth_key_without_limit,
            reader_keypad=settings.reader_keypad == "on",
            outputs=build_output_desk(settings),
            peer=None if settings.page_user is None else PeerGate(settings.page_user),
        )
        try:
            port = await service.start(settings.port)
            if settings.port_file is not None:
                _issue_port_file(settings, port)
            # what is here now stays: no later collection need look through it while a card waits
            gc.collect()
            gc.freeze()
            await stopped.wait()
        finally:
            await service.stop()
            _log.info("stopped")


def _issue_port_file(settings: BridgeSettings, port: int) -> None:
    assert settings.port_file is not None
    try:
        replace_file(settings.port_file, f"{port}\n".encode())
    except OSError as trouble:
        raise SettingsError(f"cannot write {str(settings.port_file)!a} ({trouble.strerror})") from None


@contextlib.contextmanager
def stop_signals(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> Iterator[None]:
    """Set `stopped` on a signal to end. Plain handlers, because event loops on Windows offer no others."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stopped.set)

    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [(number, signal.signal(number, stop)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
