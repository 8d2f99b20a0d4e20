"""What the demo desk watches: how far each visit is, as JSON on the staff listener. Only with `desk_origin`, in a demo.

It tells more than staff may know (the code of a refusal before help is called) and still nothing of who is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kiosk_web.identity.offer import Offer
from kiosk_web.services.persons.standing import StandingBoard
from kiosk_web.services.ports import Store
from kiosk_web.services.terminals.monitoring import MonitoringService
from kiosk_web.session import states as s
from kiosk_web.session.state_codec import StateCodec

PATH = "/demo/terminals"


@dataclass(frozen=True)
class DeskFeed:
    store: Store
    monitoring: MonitoringService
    standings: StandingBoard
    offer: Offer

    def build(self) -> list[Route]:
        return [Route(PATH, self.tell)]

    async def tell(self, request: Request) -> Response:
        """`terminals`: those whose page is connected. `links`: how many numbers are linked here."""
        systems = [system.id for system in self.offer.systems if system.link_holder == "platform"]
        async with self.store.read() as transaction:
            terminals = await transaction.terminals.list_all()
            records = {record.terminal: record for record in await transaction.sessions.list_all()}
            attended = {lease.terminal for lease in await transaction.leases.list_open()}
            links = sum([len(await transaction.links.load_active(system)) for system in systems])
        told = [
            self._describe(terminal.id, StateCodec.restore(records[terminal.id].state), terminal.id in attended)
            for terminal in terminals
            if terminal.id in records and self.monitoring.is_live(terminal.id)
        ]
        return JSONResponse({"terminals": told, "links": links})

    def _describe(self, terminal: str, state: s.State, attended: bool) -> Mapping[str, object]:
        visit = s.derive_visit(state)
        standing = self.standings.find(terminal, state)
        known = None if standing is None else standing.answer
        return {
            "state": state.name,
            "code": state.code if isinstance(state, s.Refused | s.OutOfService) else "",
            "service": "" if visit is None else visit.service,
            "method": "" if visit is None else visit.method,
            "help_called": visit is not None and visit.help_called,
            "attended": attended,
            "expires_soon": isinstance(state, s.Result) and state.expires_soon,
            "signature": "" if known is None else known.signature,
        }
