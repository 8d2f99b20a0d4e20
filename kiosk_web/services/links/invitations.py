"""What the page of a visit may see of linking (連携登録): that it can be done, and the number that staff compare.

Both are for the direct answer to that page; no state, feed or log has them.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk_web.identity.offer import Offer
from kiosk_web.services.links.at_terminal import TerminalLinking
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.visit.sessions import SessionService
from kiosk_web.session import states as s


@dataclass(frozen=True)
class LinkInvitation:
    """What a result says to somebody without a link. `used_up`: too many numbers did not do."""

    language: str
    service_ja: str
    service_en: str
    used_up: bool


class LinkInvitations:
    """What the page of a visit may see of it, in the direct answer alone."""

    def __init__(
        self, *, store: Store, sessions: SessionService, linking: TerminalLinking, offer: Offer, clock: Clock
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._linking = linking
        self._offer = offer
        self._clock = clock

    async def load(self, page: PageRecord) -> LinkInvitation | None:
        """None where a number is linked already, and where none can be."""
        state = (await self._sessions.load_for_page(page)).state
        if not isinstance(state, s.Result) or state.link not in ("open", "used_up") or not state.same_card:
            return None
        async with self._store.read() as transaction:
            seen = await transaction.links.find_visit(state.visit.reference, self._clock())
            link = None if seen is None else await transaction.links.find_by_person(seen.system, seen.person)
        service = self._offer.find(state.visit.service)
        if seen is None or link is not None or service is None:
            return None
        return LinkInvitation(state.visit.language, service.name.ja, service.name.en, state.link == "used_up")

    async def load_typed(self, page: PageRecord) -> str | None:
        """The number to be compared with the old card, for the screen on which staff confirm it."""
        state = (await self._sessions.load_for_page(page)).state
        return self._linking.find_typed(state.visit) if isinstance(state, s.ConfirmingLink) else None
