"""The folder of the virtual JPKI and its cards after a first start: made once in a process, and copied."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

from kiosk_web.simulator.server import Simulator, open_simulator
from kiosk_web.simulator.settings import SimulatorSettings


def prepare_all(simulator: Simulator) -> None:
    """What the server does before it listens."""
    for person in simulator.office.people:
        simulator.office.prepare(person)


@functools.cache
def _template() -> tempfile.TemporaryDirectory[str]:
    folder: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory(prefix="kiosk-simulator-")
    simulator = open_simulator(SimulatorSettings(Path(folder.name)))
    prepare_all(simulator)
    simulator.register.close()
    return folder


def lay_simulator(folder: Path) -> Path:
    """`folder`, which there is not yet, with the keys of both authorities and everybody's cards in it."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(shutil.copytree(_template().name, folder))
