"""The card tray: a page, and the same by HTTP, to put a card on the virtual reader, switch faults and restore all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from kiosk_web.simulator.faults import CARD_FAULTS, OCSP_FAULTS, UnknownFault, find_card_fault, find_ocsp_fault
from kiosk_web.simulator.office import Office, UnknownPerson
from kiosk_web.simulator.people import Person
from kiosk_web.simulator.register import Reason, RegisterError
from kiosk_web.simulator.requests import BadRequest, LocalOnly, read_json_object, read_text
from kiosk_web.simulator.staff import load_staff

_PACKAGE = Path(__file__).resolve().parents[1]
_TEMPLATES = _PACKAGE / "templates"
_STATIC = _PACKAGE.parent / "static"
_NO_STORE = {"cache-control": "no-store"}
_PLACE, _MOVE = '{"person": id}', '{"address": text}'
_MOST_ADDRESS = 200


class TrayRoutes:
    """Handlers over one office. `switch_ocsp` makes the responder's listener follow the fault that holds now; `folder`:
    where a demo leaves its member of staff.
    """

    def __init__(
        self,
        office: Office,
        switch_ocsp: Callable[[], Awaitable[None]],
        folder: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._office = office
        self._switch_ocsp = switch_ocsp
        self._folder = folder
        self._clock = clock
        self._page = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        ).get_template("tray/tray.html")

    def build(self, desk: str = "") -> Starlette:
        """The application, with its guard. `desk`: origin of the page that may show the tray in a frame."""
        return Starlette(
            routes=[
                Route("/", self._show),
                Route("/healthz", _health),
                Route("/people", self._people),
                Route("/people/{person}/{command}", self._command, methods=["POST"]),
                Route("/reader/card", self._placed, methods=["GET"]),
                Route("/reader/card", self._place, methods=["PUT"]),
                Route("/reader/card", self._lift, methods=["DELETE"]),
                Route("/readers/home/card", self._place_at_home, methods=["PUT"]),
                Route("/readers/home/card", self._lift_at_home, methods=["DELETE"]),
                Route("/faults", self._faults, methods=["GET"]),
                Route("/faults", self._choose_faults, methods=["PUT"]),
                Route("/restore", self._restore, methods=["POST"]),
                Route("/staff", self._staff),
                Route("/state", self._state),
                Mount("/static", StaticFiles(directory=_STATIC)),
            ],
            middleware=[Middleware(LocalOnly, desk=desk)],
            exception_handlers={
                BadRequest: _refuse(400),
                UnknownFault: _refuse(400),
                UnknownPerson: _refuse(404),
                RegisterError: _refuse(409),
                OSError: _refuse(500),
            },
        )

    async def _show(self, request: Request) -> Response:
        english = request.query_params.get("lang") == "en"
        html = self._page.render(
            people=self._shown(),
            english=english,
            in_desk="desk" in request.query_params,
            card_faults=CARD_FAULTS.values(),
            ocsp_faults=OCSP_FAULTS.values(),
            state=self._load_state(),
        )
        return HTMLResponse(html, headers=_NO_STORE)

    async def _people(self, request: Request) -> Response:
        people = [{"id": p.id, "name": p.name, "pin": p.pin, "note": p.note} for p in self._shown()]
        return JSONResponse({"people": people})

    async def _placed(self, request: Request) -> Response:
        return JSONResponse({"person": self._office.cards.load_placed()}, headers=_NO_STORE)

    async def _place(self, request: Request) -> Response:
        body = await read_json_object(request, {"person"})
        person = self._office.find_person(read_text(body, "person", _PLACE))
        self._office.cards.place(person.id)
        return JSONResponse({"person": person.id})

    async def _lift(self, request: Request) -> Response:
        self._office.cards.lift()
        return JSONResponse({"person": None})

    async def _place_at_home(self, request: Request) -> Response:
        """On the reader of the resident's own computer; the card leaves the terminal's."""
        body = await read_json_object(request, {"person"})
        person = self._office.find_person(read_text(body, "person", _PLACE))
        self._office.cards.place(person.id, "home")
        return JSONResponse({"person": person.id})

    async def _lift_at_home(self, request: Request) -> Response:
        self._office.cards.lift("home")
        return JSONResponse({"person": None})

    async def _faults(self, request: Request) -> Response:
        return JSONResponse(self._load_faults(), headers=_NO_STORE)

    async def _choose_faults(self, request: Request) -> Response:
        body = await read_json_object(request, {"card", "ocsp"})
        for key, find in (("card", find_card_fault), ("ocsp", find_ocsp_fault)):
            name = body.get(key)
            if name is not None:  # both are judged before either is changed
                if not isinstance(name, str):
                    raise BadRequest(f"{key} is the name of a fault, or null")
                find(name)
        board = self._office.faults
        if "card" in body:
            board.choose_card(_text(body["card"]))
            self._office.write_descriptions()
        if "ocsp" in body:
            board.choose_ocsp(_text(body["ocsp"]))
            await self._switch_ocsp()
        return JSONResponse(self._load_faults())

    async def _restore(self, request: Request) -> Response:
        self._office.restore()
        await self._switch_ocsp()
        return JSONResponse({"restored": len(self._office.people)})

    async def _command(self, request: Request) -> Response:
        """`issue`, `renew`, `revoke` `{"reason"}`, `hold`, `release`, `move` `{"address"}` for one person."""
        person, command = str(request.path_params["person"]), str(request.path_params["command"])
        body = await read_json_object(request, {"reason", "address"}) if await request.body() else {}
        office = self._office
        office.find_person(person)
        if command == "revoke":
            office.revoke(person, _reason(body.get("reason")))
        elif command == "move":
            address = read_text(body, "address", _MOVE)
            if not 1 <= len(address) <= _MOST_ADDRESS:
                raise BadRequest(f"address has {len(address)} characters, and may have 1 to {_MOST_ADDRESS}")
            office.move(person, address)
        elif command in ("issue", "renew", "hold", "release"):
            {"issue": office.issue, "renew": office.renew, "hold": office.hold, "release": office.release}[command](
                person
            )
        else:
            return JSONResponse({"error": "unknown command; known: issue, renew, revoke, hold, release, move"}, 404)
        return JSONResponse({"person": person, "command": command})

    async def _staff(self, request: Request) -> Response:
        staff = load_staff(self._folder)
        if staff is None:
            return JSONResponse({"error": "no member of staff: only a demo makes one"}, 404, headers=_NO_STORE)
        body = {"number": staff.number, "code": staff.show_code(self._clock())}
        return JSONResponse(body, headers=_NO_STORE)

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self._load_state(), headers=_NO_STORE)

    def _shown(self) -> list[Person]:
        return [person for person in self._office.people if not person.hidden]

    def _load_faults(self) -> dict[str, str | None]:
        board = self._office.faults
        return {
            "card": None if board.card is None else board.card.name,
            "ocsp": None if board.ocsp is None else board.ocsp.name,
        }

    def _load_state(self) -> dict[str, object]:
        """What changes on the page: the card on the reader, tries left, certificate states, faults, staff."""
        staff = load_staff(self._folder)
        shown = staff and {"name": staff.name, "number": staff.number, "code": staff.show_code(self._clock())}
        return {
            "person": self._office.cards.load_placed(),
            "home": self._office.cards.load_placed("home"),
            "tries": {p.id: self._office.cards.load_tries_left(p) for p in self._shown() if not p.foreign},
            "certificates": {p.id: self._office.judge_certificate(p) for p in self._shown() if not p.foreign},
            "faults": self._load_faults(),
            "staff": shown,
        }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _reason(value: object) -> Reason:
    if value is None:
        return Reason.CESSATION_OF_OPERATION
    try:
        return Reason(value)
    except ValueError:
        raise BadRequest(f"unknown reason; known: {', '.join(r.value for r in Reason)}") from None


def _refuse(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def refuse(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, status)

    return refuse


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok\n")
