"""The demo desk: every program of the demo on one page, beside a storyboard that watches what they do.

`kiosk demo` writes the addresses into a file; the desk reads it when it is asked, and asks the server and the library's
system how far things are. In a demo only, like all of the simulator.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from kiosk_web.simulator.office import Office
from kiosk_web.simulator.requests import LocalOnly
from kiosk_web.simulator.settings import SimulatorRefused, SimulatorSettings
from kiosk_web.simulator.staff import load_staff
from kiosk_web.simulator.storyboard import STEPS, Progress, Scene, Terminal, choose_person, derive_progress, is_at_home
from kiosk_web.state_file import load_json

_PACKAGE = Path(__file__).resolve().parents[1]
_NO_STORE = {"cache-control": "no-store"}
_PATIENCE_SECONDS = 3.0
_NEEDED = ("kiosk", "staff", "tray", "library", "facility", "homepage", "feed")
COPIED_FROM, COPIED_ONTO = "midori", "takako"
MOVE, NEW_ADDRESS = 7, "千葉県みほん市海岸通り三丁目４番５号"


class DeskRoutes:
    """The page, what it watches, and what its buttons do. `addresses`: kiosk, staff, tray, and examples if they run.

    What is known only later (whether the library has its reader) is looked up in `file` again.
    """

    def __init__(
        self,
        folder: Path,
        office: Office,
        switch_ocsp: Callable[[], Awaitable[None]],
        port: int,
        addresses: dict[str, Any],
        file: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self.port = port
        self._office = office
        self._folder = folder
        self._switch_ocsp = switch_ocsp
        self._addresses = addresses
        self._file = file
        self._clock = clock
        self._progress = Progress()
        self._page = Environment(
            loader=FileSystemLoader(_PACKAGE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        ).get_template("desk/desk.html")

    def build(self) -> Starlette:
        """The application, with its guard."""
        shown = ("kiosk", "staff", "tray", "library", "facility", "homepage", "window")
        frames = tuple(str(self._addresses[name]) for name in shown if self._addresses.get(name))
        return Starlette(
            routes=[
                Route("/", self._show),
                Route("/progress", self._watch),
                Route("/steps/{number:int}", self._prepare, methods=["POST"]),
                Mount("/static", StaticFiles(directory=_PACKAGE.parent / "static")),
            ],
            middleware=[Middleware(LocalOnly, frames=frames)],
        )

    async def _show(self, request: Request) -> Response:
        english = request.query_params.get("lang") == "en"
        staff = load_staff(self._folder)
        found = load_json(self._file)
        html = self._page.render(
            english=english,
            steps=STEPS,
            to={
                **self._addresses,
                "library_reader": bool(found.get("library_reader")),
                "window": found.get("window", ""),
            },
            staff=staff,
        )
        return HTMLResponse(html, headers=_NO_STORE)

    async def _watch(self, request: Request) -> Response:
        """Look at everything now; answers the steps that were reached up to now, and the code of today's staff."""
        scene = await asyncio.to_thread(self._load_scene)
        if scene is not None:
            self._progress = derive_progress(self._progress, scene)
        staff = load_staff(self._folder)
        answer = {
            "watching": scene is not None,
            "reached": sorted(self._progress.reached),
            "trio": len(self._progress.trio),
            "attended": scene is not None and any(terminal.attended for terminal in scene.terminals),
            "code": "" if staff is None else staff.show_code(self._clock()),
        }
        return JSONResponse(answer, headers=_NO_STORE)

    async def _prepare(self, request: Request) -> Response:
        """No fault but the step's own, and its person on the reader. Nothing counts as reached by this."""
        step = next((step for step in STEPS if step.number == request.path_params["number"]), None)
        if step is None:
            return JSONResponse({"error": "there is no such step to prepare"}, 404)
        board = self._office.faults
        board.choose_card(None)
        board.choose_ocsp(step.ocsp)
        self._office.write_descriptions()
        await self._switch_ocsp()
        person = choose_person(step, self._progress)
        at_home = is_at_home(step, self._progress) and bool(self._addresses["homepage"])
        self._office.cards.lift("home")
        if person == "copied-card":
            self._office.cards.place_copy(person, COPIED_FROM, COPIED_ONTO)
        elif person:
            if at_home and step.number == MOVE:
                self._office.move(person, NEW_ADDRESS)
            self._office.cards.place(person, "home" if at_home else "terminal")
        else:
            self._office.cards.lift()
        return JSONResponse({"step": step.number, "person": person, "home": at_home})

    def _count(self, system: str, path: str, name: str) -> int:
        """What another system says that it has counted; 0 without it."""
        address = self._addresses.get(system)
        counted = _ask(f"{address}{path}") if address else None
        return int((counted or {}).get(name, 0))

    def _load_scene(self) -> Scene | None:
        """None while the server does not answer."""
        server = _ask(f"{self._addresses['feed']}")
        if server is None:
            return None
        fault = self._office.faults.ocsp
        return Scene(
            terminals=tuple(Terminal(**terminal) for terminal in server["terminals"]),
            links=int(server["links"]),
            known=self._count("homepage", "/logins", "known"),
            scanned=self._count("library", "/counter", "scanned"),
            placed=self._office.cards.load_placed(),
            ocsp=None if fault is None else fault.name,
        )


def open_desk(
    settings: SimulatorSettings,
    office: Office,
    switch_ocsp: Callable[[], Awaitable[None]],
    clock: Callable[[], datetime],
) -> DeskRoutes | None:
    """None without a port. Raises `SimulatorRefused` when the file of addresses is missing."""
    if settings.desk_port is None:
        return None
    addresses = load_json(settings.desk_file) if settings.desk_file is not None else {}
    if settings.desk_file is None or not set(_NEEDED) <= addresses.keys():
        raise SimulatorRefused(f"The desk needs --desk-file with {', '.join(_NEEDED)}.")
    return DeskRoutes(settings.folder, office, switch_ocsp, settings.desk_port, addresses, settings.desk_file, clock)


def _ask(address: str) -> dict[str, Any] | None:
    """The JSON object there. A proxy of the environment is never asked about our own computer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=_PATIENCE_SECONDS) as answer:
            content = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
