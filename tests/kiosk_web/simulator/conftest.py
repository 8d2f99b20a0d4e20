"""One simulator folder is made per run; every test works on a copy of it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import httpx2
import pytest

from kiosk_web.simulator.server import Ready, Simulator, open_simulator, serve_simulator
from kiosk_web.simulator.settings import SimulatorSettings
from tests.support.simulator_folder import lay_simulator

START_SECONDS = 60


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after a first start. Nobody changes it."""
    return lay_simulator(tmp_path_factory.mktemp("simulator") / "made")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy to work on."""
    return Path(shutil.copytree(made, tmp_path / "simulator"))


@pytest.fixture
def simulator(folder: Path) -> Iterator[Simulator]:
    """Everything but the listeners."""
    opened = open_simulator(SimulatorSettings(folder))
    yield opened
    opened.register.close()


class Running:
    """A simulator that serves in another thread."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready
        self.folder = ready.folder
        self.tray = httpx2.Client(base_url=ready.tray, timeout=30)
        self.ocsp = httpx2.Client(base_url=ready.ocsp, timeout=30)


@contextmanager
def serving(settings: SimulatorSettings) -> Iterator[Running]:
    """Serve until the block ends; an error of the server is an error of the test."""
    answers: Queue[Ready | BaseException] = Queue()
    stopping: list[Callable[[], object]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stopping.append(lambda: loop.call_soon_threadsafe(stop.set))
        await serve_simulator(settings, answers.put, stop=stop)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            answers.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    ready = answers.get(timeout=START_SECONDS)
    if isinstance(ready, BaseException):
        thread.join()
        raise ready
    running = Running(ready)
    try:
        yield running
    finally:
        running.tray.close()
        running.ocsp.close()
        stopping[0]()
        thread.join()
    assert answers.empty(), answers.get()


@pytest.fixture(scope="session")
def standing(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Both ports, for tests that change nothing."""
    copy = Path(shutil.copytree(made, tmp_path_factory.mktemp("standing") / "simulator"))
    with serving(SimulatorSettings(copy)) as started:
        yield started


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    """Both ports, on a copy of the folder."""
    with serving(SimulatorSettings(folder, slow_seconds=0.05)) as started:
        yield started
