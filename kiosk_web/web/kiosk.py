"""The routes of the resident page (`docs/wire.md` 3, 4 and 8). A handler is parse → one service call → render."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from kiosk_web.identity.basic_four import BasicFour, BasicFourMalformed
from kiosk_web.identity.offer import Offer
from kiosk_web.pki.status import Opening
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.persons.standing import ShownStanding, StandingBoard
from kiosk_web.services.ports import Feed
from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.readings.basic_four import read_items
from kiosk_web.services.readings.redirects import REQUEST_URI_PREFIX, OpenRefused, RedirectService
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.terminals.enrolment import EnrolmentService
from kiosk_web.services.terminals.monitoring import MonitoringService
from kiosk_web.services.terminals.pages import TerminalService
from kiosk_web.services.visit.sessions import SessionService, Snapshot
from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.web import wire
from kiosk_web.web.security import (
    build_problem,
    read_browser_cookie,
    read_cookie,
    set_browser_cookie,
    set_cookie,
)
from kiosk_web.web.stage import build_connecting_view, build_outage_view, build_stage_view
from kiosk_web.web.view import StageView

HEARTBEAT_SECONDS = 15
TROUBLES = frozenset(
    {
        "bridge_missing",
        "bridge_refused",
        "bridge_untrusted",
        "bridge_outdated",
        "browser_blocked",
        "policy_blocked",
        "server_lost",
        "superseded",
        "terminal_revoked",
    }
)
_TERMINAL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = re.compile(r"127\.0\.0\.1:[1-9][0-9]{0,4}")
_REQUEST_URI = re.compile(re.escape(REQUEST_URI_PREFIX) + r"[A-Za-z0-9_-]{43}")
_TICKET = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class StageRenderer(Protocol):
    """`web/render.py`, as far as residents see it."""

    def render_page(self, view: StageView) -> str: ...
    def render_stage(self, view: StageView, items: BasicFour | None = None) -> str: ...


@dataclass(frozen=True)
class KioskRoutes:
    """Everything the resident page needs. `origin` is told to a terminal that enrols."""

    terminals: TerminalService
    enrolment: EnrolmentService
    sessions: SessionService
    monitoring: MonitoringService
    fallback: FallbackService
    standings: StandingBoard
    feed: Feed
    offer: Offer
    in_use: SystemsInUse
    redirects: RedirectService
    renderer: StageRenderer
    origin: str
    _rendered: dict[str, tuple[tuple[object, ...], str]] = field(default_factory=dict)  # by terminal, the newest

    def build(self) -> list[Route]:
        return [
            Route("/", self.show_page),
            Route("/k/stream", self.stream),
            Route("/k/bridge/hello", self.issue_hello, methods=["POST"]),
            Route("/k/bridge/welcome", self.admit_page, methods=["POST"]),
            Route("/k/events", self.handle_event, methods=["POST"]),
            Route("/k/trouble/{cause}", self.show_trouble),
            Route("/k/readings", self.open_reading, methods=["POST"]),
            Route("/k/readings/return", self.leave),
            Route("/k/enrol", self.enrol, methods=["POST"]),
        ]

    async def show_page(self, request: Request) -> Response:
        """The whole page. It always begins by proving its bridge, also after a reload."""
        return HTMLResponse(self.renderer.render_page(build_connecting_view()))

    async def issue_hello(self, request: Request) -> Response:
        try:
            body = wire.read_object(await request.body(), "terminal", "bridge_nonce", "page_key", "address")
            terminal = wire.read_text(body["terminal"], _TERMINAL)
            bridge_nonce = wire.read_binary(body["bridge_nonce"], minimum=32, maximum=32)
            page_key = wire.read_binary(body["page_key"], minimum=32, maximum=32)
            address = wire.read_text(body["address"], _ADDRESS)
        except wire.NotStrict as error:
            return build_problem(400, str(error))
        hello = await self.terminals.issue_hello(terminal, bridge_nonce, page_key, address)
        if hello is None:
            return build_problem(404)
        return JSONResponse(
            {
                "v": wire.VERSION,
                "ticket": hello.ticket,
                "keys": list(hello.statements),
                "terminal_key": encode_base64url(hello.terminal_key),
            }
        )

    async def admit_page(self, request: Request) -> Response:
        try:
            body = wire.read_object(await request.body(), "ticket", "bridge_key", "signature", "again")
            ticket = wire.read_text(body["ticket"], _TICKET)
            bridge_key = wire.read_binary(body["bridge_key"], minimum=32, maximum=32)
            signature = wire.read_binary(body["signature"], minimum=64, maximum=64)
            claims_again = wire.read_flag(body["again"])
        except wire.NotStrict as error:
            return build_problem(400, str(error))
        admission = await self.terminals.admit_page(ticket, bridge_key, signature, read_cookie(request))
        if admission is None:
            return self._show_outage(403, "bridge_untrusted")
        snapshot = await self.sessions.open_session(admission.page, again=claims_again and admission.follows)
        response = self._show(snapshot)
        set_cookie(response, admission.cookie)
        return response

    async def handle_event(self, request: Request) -> Response:
        page = await self._find_page(request)
        if page is None:
            return self._show_outage(401, await self._name_outage(request))
        try:
            seq, event = wire.read_event(await request.body())
        except wire.NotStrict as error:
            return build_problem(400, str(error))
        self.monitoring.note(page.terminal)
        answer = await self.sessions.handle(page, seq, event)
        sent = isinstance(answer.snapshot.state, s.BasicFourSent) and not answer.refusal
        if sent and isinstance(event, e.BasicFourRead):
            return self._show_items(answer.snapshot, event.items)
        response = self._show(answer.snapshot, 409 if answer.refusal else 200)
        if answer.refusal:
            response.headers["Kiosk-Refusal"] = answer.refusal
        return response

    async def stream(self, request: Request) -> Response:
        """The current state at once, then after each change. Ends when a newer page takes over or the server stops."""
        page = await self._find_page(request)
        if page is None:
            return self._show_outage(401, await self._name_outage(request))
        return EventSourceResponse(self._watch(page), ping=HEARTBEAT_SECONDS, headers={"Cache-Control": "no-store"})

    async def _watch(self, page: PageRecord) -> AsyncIterator[ServerSentEvent]:
        shown: tuple[object, ...] = ()
        with self.feed.subscribe(page.terminal) as changes, self.monitoring.attend(page.terminal):
            while True:
                snapshot = await self.sessions.load_for_page(page)
                outage = self._find_outage()
                standing = self._find_standing(snapshot)
                attended = snapshot.lease and snapshot.lease.id
                now_shown = snapshot.state.name, snapshot.version, outage, standing, attended, self.in_use.now
                if now_shown != shown:
                    shown = now_shown
                    yield ServerSentEvent(self._render(snapshot), id=str(snapshot.version))
                if isinstance(snapshot.state, s.Superseded) or not await changes.wait():
                    return

    async def show_trouble(self, request: Request) -> Response:
        cause = request.path_params["cause"]
        if cause not in TROUBLES:
            return build_problem(404)
        return self._show_outage(200, cause)

    async def open_reading(self, request: Request) -> Response:
        """A municipal system sent its own browser page here (docs/readings.md). The handle counts once, on this
        terminal alone. 409: the terminal is not free, and the page asks again when it may be.
        """
        page = await self._find_page(request)
        if page is None:
            return self._show_outage(401, await self._name_outage(request))
        try:
            body = wire.read_object(await request.body(), "request_uri")
            handle = wire.read_text(body["request_uri"], _REQUEST_URI).removeprefix(REQUEST_URI_PREFIX)
        except wire.NotStrict:
            return self._show_outage(404, "reading_unusable")
        opened = await self.redirects.open(page, handle)
        if isinstance(opened, OpenRefused):
            return self._show_outage(409 if opened.why == "reading_blocked" else 404, opened.why)
        response = self._show(opened.snapshot)
        set_browser_cookie(response, opened.browser)
        return response

    async def leave(self, request: Request) -> Response:
        """The one way from this page to another program's: to the address that its client registered, when the reading
        that this browser was sent for is over; to the first screen in every other case.
        """
        address = await self.redirects.leave(read_browser_cookie(request))
        return RedirectResponse(address or "/", status_code=303)

    async def enrol(self, request: Request) -> Response:
        """Every failure looks the same."""
        try:
            body = wire.read_object(await request.body(), "code_id", "public_key", "proof")
            code_id = wire.read_binary(body["code_id"], minimum=8, maximum=8)
            public_key = wire.read_binary(body["public_key"], minimum=32, maximum=32)
            proof = wire.read_binary(body["proof"], minimum=32, maximum=32)
        except wire.NotStrict:
            return build_problem(403)
        enrolled = await self.enrolment.enrol(code_id, public_key, proof, self.origin)
        if enrolled is None:
            return build_problem(403)
        return JSONResponse(
            {
                "v": wire.VERSION,
                "terminal": enrolled.terminal,
                "origin": enrolled.origin,
                "identity_key": encode_base64url(enrolled.identity_key),
                "confirmation": encode_base64url(enrolled.confirmation),
            },
            status_code=201,
        )

    async def _find_page(self, request: Request) -> PageRecord | None:
        return await self.terminals.find_page(read_cookie(request))

    async def _name_outage(self, request: Request) -> str:
        revoked = await self.terminals.is_revoked(read_cookie(request))
        return "terminal_revoked" if revoked else "bridge_untrusted"

    def _show(self, snapshot: Snapshot, status: int = 200) -> Response:
        return HTMLResponse(self._render(snapshot), status_code=status)

    def _show_items(self, snapshot: Snapshot, items: bytes) -> Response:
        """What was just sealed, shown once, in the answer to whoever brought it. It is kept nowhere, and no stream
        has it.
        """
        try:
            four = read_items(items)
        except BasicFourMalformed:
            return self._show(snapshot)
        view = build_stage_view(snapshot, self.offer, self.in_use.now, self._find_outage(), None)
        return HTMLResponse(self.renderer.render_stage(view, four), headers={"Cache-Control": "no-store"})

    def _render(self, snapshot: Snapshot) -> str:
        """The fragment. It is asked for twice, for the answer and for the stream, and made once."""
        outage = self._find_outage()
        standing = self._find_standing(snapshot)
        lease = snapshot.lease and snapshot.lease.id
        key = snapshot.state.name, snapshot.version, outage, standing, lease, self.in_use.now
        known, fragment = self._rendered.get(snapshot.terminal, ((), ""))
        if known != key:
            fragment = self.renderer.render_stage(
                build_stage_view(snapshot, self.offer, self.in_use.now, outage, standing)
            )
            self._rendered[snapshot.terminal] = key, fragment
        return fragment

    def _find_standing(self, snapshot: Snapshot) -> ShownStanding | None:
        """What the register says of the holder, for a result of Type 1 or 2."""
        return self.standings.find(snapshot.terminal, snapshot.state)

    def _find_outage(self) -> Opening | None:
        """Why the responder counts as out of service now, or None."""
        notices = self.fallback.notices
        return notices[0].opening if notices else None

    def _show_outage(self, status: int, code: str) -> Response:
        if code not in CODES:
            raise ValueError(code)
        return HTMLResponse(self.renderer.render_stage(build_outage_view(code)), status_code=status)
