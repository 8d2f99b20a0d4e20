"""The running simulator: responder and tray on two ports of one loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.types import ASGIApp

from kiosk_web.simulator.card_issuer import load_card_issuer
from kiosk_web.simulator.cards import CardFolder
from kiosk_web.simulator.desk import open_desk
from kiosk_web.simulator.faults import FaultBoard
from kiosk_web.simulator.hierarchy import Hierarchy, KeySupply, is_new, load_hierarchy
from kiosk_web.simulator.listener import Listener
from kiosk_web.simulator.office import Office
from kiosk_web.simulator.people import derive_people
from kiosk_web.simulator.register import Register
from kiosk_web.simulator.responder import OcspResponder
from kiosk_web.simulator.revocation import RevocationRoutes
from kiosk_web.simulator.settings import SimulatorRefused, SimulatorSettings, judge_settings
from kiosk_web.simulator.tray import TrayRoutes
from kiosk_web.state_file import write_json

_KEYS_OF_AUTHORITIES = 12
_KEYS_OF_A_PERSON = 3


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a running simulator is."""

    tray: str
    ocsp: str
    anchors: Path
    folder: Path

    def to_json(self) -> dict[str, object]:
        """Content of the ready file."""
        return {
            "tray": self.tray,
            "ocsp": self.ocsp,
            "anchors": str(self.anchors),
            "folder": str(self.folder),
            "pid": os.getpid(),
        }


@dataclass(frozen=True, slots=True)
class Simulator:
    """Everything but the listeners."""

    folder: Path
    office: Office
    hierarchy: Hierarchy
    register: Register
    faults: FaultBoard


def read_clock() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def open_simulator(
    settings: SimulatorSettings, clock: Callable[[], datetime] = read_clock, keys: KeySupply | None = None
) -> Simulator:
    """Load the state of the folder, or make it. Raises `SimulatorRefused`, `StateDamaged` or `OSError`."""
    judge_settings(settings)
    settings.folder.mkdir(parents=True, exist_ok=True)
    now = clock()
    people = derive_people(now)
    keys = keys or KeySupply()
    if is_new(settings.folder):
        keys.stock(_KEYS_OF_AUTHORITIES + _KEYS_OF_A_PERSON * len(people))
    hierarchy = load_hierarchy(settings.folder, keys, now)
    card_issuer = load_card_issuer(settings.folder, keys)
    register = Register(settings.folder / "simulator-state" / "register.sqlite3")
    faults = FaultBoard()
    office = Office(
        people=people,
        hierarchy=hierarchy,
        card_issuer=card_issuer,
        register=register,
        cards=CardFolder(settings.folder),
        faults=faults,
        keys=keys,
        clock=clock,
        arc=settings.arc,
    )
    return Simulator(settings.folder, office, hierarchy, register, faults)


async def serve_simulator(
    settings: SimulatorSettings,
    ready: Callable[[Ready], None] | None = None,
    *,
    stop: asyncio.Event | None = None,
    clock: Callable[[], datetime] = read_clock,
) -> None:
    """Serve until `stop` is set. Once both ports answer, the ready file is written and `ready` called.

    Raises `SimulatorRefused` (also for a port that is taken), `StateDamaged` or `OSError`.
    """
    simulator = open_simulator(settings, clock)
    try:
        simulator.office.cards.lift()
        simulator.office.cards.lift("home")
        for person in simulator.office.people:
            simulator.office.prepare(person)
        await _serve(settings, simulator, ready, stop or asyncio.Event(), clock)
    finally:
        simulator.register.close()


async def _serve(
    settings: SimulatorSettings,
    simulator: Simulator,
    ready: Callable[[Ready], None] | None,
    stop: asyncio.Event,
    clock: Callable[[], datetime],
) -> None:
    grid = timedelta(seconds=settings.grid_seconds)
    routes = RevocationRoutes(
        responder=OcspResponder(simulator.hierarchy, simulator.register, clock, grid),
        hierarchy=simulator.hierarchy,
        register=simulator.register,
        faults=simulator.faults,
        clock=clock,
        grid=grid,
        slow_seconds=settings.slow_seconds,
    )
    ocsp = _listen(routes.build(), settings.host, settings.ocsp_port)
    switching = asyncio.Lock()

    async def switch_ocsp() -> None:
        async with switching:
            fault = simulator.faults.ocsp
            if fault is not None and fault.name == "refused":
                await ocsp.refuse()
            else:
                await ocsp.start()

    listeners = [ocsp]
    try:
        desk = open_desk(settings, simulator.office, switch_ocsp, clock)
        shown_by = ""
        if desk is not None:
            listeners.append(_listen(desk.build(), settings.host, desk.port))
            shown_by = listeners[-1].url
        tray_routes = TrayRoutes(simulator.office, switch_ocsp, settings.folder, clock)
        tray = _listen(tray_routes.build(shown_by), settings.host, settings.tray_port)
        listeners.append(tray)
        for listener in listeners:
            await listener.start()
        where = Ready(tray.url, f"{ocsp.url}/", settings.folder / "anchors", settings.folder)
        if settings.ready_file is not None:
            write_json(settings.ready_file, where.to_json())
        if ready is not None:
            ready(where)
        await stop.wait()
    finally:
        await asyncio.gather(*(listener.close() for listener in listeners))


def _listen(app: ASGIApp, host: str, port: int) -> Listener:
    try:
        return Listener(app, host, port)
    except OSError as error:
        raise SimulatorRefused(f"Port {port} cannot be used: {error.strerror}.") from error
