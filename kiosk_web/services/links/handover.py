"""Hand the linked user number of a result over: to the screen, to the terminal's own computer, to the library.

Everything begins with the page of a result whose card still lies on the reader. The number comes from the links, by
the visit's reference number; nothing about it is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kiosk_web.identity.offer import Offer
from kiosk_web.services.keys import KeyRing, encode_base64url
from kiosk_web.services.links.output_ticket import OUTPUT_TYPE, OutputKind, build_output_claims, can_hand_over
from kiosk_web.services.ports import Clock, Entropy, Store, Transaction
from kiosk_web.services.ports.handovers import HandoverRecord, Library, LibraryWord
from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.visit.sessions import SessionService
from kiosk_web.session import states as s

ANY_TERMINAL = "*"
MOST_TRIES = 3  # tickets for one visit; each after the first is asked for by touch
BarcodeKind = Literal["nw7", "code39", "qr"]
SendStatus = Literal["", "ready", "sending", "sent", "failed"]


@dataclass(frozen=True)
class SystemRules:
    """How the numbers of one system are shown. `barcode` None: not on the screen."""

    barcode: BarcodeKind | None = None
    start: str = "A"
    stop: str = "A"
    library: Library | None = None


@dataclass(frozen=True)
class HandoverRules:
    """`outputs`: terminal's name → what its bridge may be told to do. `*` is for all that are not named;
    without it they do nothing.
    """

    systems: Mapping[str, SystemRules] = field(default_factory=dict)
    outputs: Mapping[str, OutputKind | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """What the result says about the number. `masked` shows its last two signs; `code` is why sending failed."""

    language: str
    masked: str
    barcode: bool
    library: bool
    status: SendStatus
    code: str
    sent: int
    may_retry: bool


@dataclass(frozen=True, repr=False)
class ShownNumber:
    """The number itself, for the barcode on the screen."""

    language: str
    number: str
    kind: BarcodeKind
    start: str
    stop: str


@dataclass(frozen=True, repr=False)
class _Linked:
    """A number, and the result it belongs to."""

    number: str
    system: str
    rules: SystemRules
    visit: s.Visit
    output: OutputKind | None
    origin: str


class HandoverService:
    """Every method takes the page and gives None where there is nothing to hand over (any more)."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: SessionService,
        keys: KeyRing,
        rules: HandoverRules,
        offer: Offer,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._keys = keys
        self._rules = rules
        self._offer = offer
        self._clock = clock
        self._entropy = entropy

    async def load_panel(self, page: PageRecord) -> Panel | None:
        async with self._store.read() as transaction:
            linked = await self._find(transaction, page)
            if linked is None:
                return None
            earlier = await transaction.handovers.list_of_visit(linked.visit.reference)
        last = earlier[-1] if earlier else None
        status = _derive_status(linked, last)
        return Panel(
            language=linked.visit.language,
            masked=mask_number(linked.number),
            barcode=linked.rules.barcode is not None,
            library=linked.rules.library is not None,
            status=status,
            code="" if last is None or last.code is None else last.code,
            sent=0 if last is None or last.sent is None else last.sent,
            may_retry=status == "failed" and len(earlier) < MOST_TRIES,
        )

    async def load_number(self, page: PageRecord) -> ShownNumber | None:
        """For the barcode, after a touch."""
        async with self._store.read() as transaction:
            linked = await self._find(transaction, page)
        if linked is None or linked.rules.barcode is None:
            return None
        rules = linked.rules
        return ShownNumber(linked.visit.language, linked.number, linked.rules.barcode, rules.start, rules.stop)

    async def ask_library(self, page: PageRecord) -> tuple[str, LibraryWord] | None:
        """(language, word)."""
        async with self._store.read() as transaction:
            linked = await self._find(transaction, page)
        if linked is None or linked.rules.library is None:
            return None
        return linked.visit.language, await linked.rules.library.ask_about(linked.number)

    async def issue_output(self, page: PageRecord) -> str | None:
        """A ticket for the bridge, recorded first. At most a few for one visit, and none after one that went out."""
        now = self._clock()
        async with self._store.write() as transaction:
            linked = await self._find(transaction, page)
            if linked is None or linked.output is None or not can_hand_over(linked.number):
                return None
            earlier = await transaction.handovers.list_of_visit(linked.visit.reference)
            if len(earlier) >= MOST_TRIES or any(record.code == "" for record in earlier):
                return None
            jti = encode_base64url(self._entropy(16))
            claims = build_output_claims(
                jti=jti,
                terminal=page.terminal,
                origin=linked.origin,
                session=linked.visit.id,
                card=linked.visit.presence.instance,
                kind=linked.output,
                number=linked.number,
                now=now,
            )
            await transaction.handovers.add(
                HandoverRecord(jti, linked.visit.reference, page.terminal, linked.system, linked.output, now)
            )
        return self._keys.sign_ticket(OUTPUT_TYPE, claims)

    async def record_outcome(self, page: PageRecord, output: str, code: str, sent: int) -> bool:
        """What the bridge said of a ticket, as its page tells. Once for a ticket."""
        async with self._store.write() as transaction:
            return await transaction.handovers.finish(output, page.terminal, code, sent, self._clock())

    async def _find(self, transaction: Transaction, page: PageRecord) -> _Linked | None:
        state = (await self._sessions.load_within(transaction, page)).state
        if not isinstance(state, s.Result) or not state.same_card:
            return None
        visit = state.visit
        service = self._offer.find(visit.service)
        if service is None or not service.terms.system_unmodified:
            return None  # Type 1 and 2: their system takes part itself, and keeps its numbers
        shown = await transaction.links.find_visit(visit.reference, self._clock())
        terminal = await transaction.terminals.find(page.terminal)
        if shown is None or terminal is None or terminal.revoked_at is not None:
            return None
        link = await transaction.links.find_by_person(shown.system, shown.person)
        mykey_id = await transaction.persons.find_mykey_id(shown.person)
        if link is None or mykey_id != (state.identifier, "issued"):
            return None  # unlinked, or its MyKey ID was stopped or replaced, since the result was shown
        return _Linked(
            number=link.user_number,
            system=shown.system,
            rules=self._rules.systems.get(shown.system, SystemRules()),
            visit=visit,
            output=self._rules.outputs.get(terminal.name, self._rules.outputs.get(ANY_TERMINAL)),
            origin=terminal.origin,
        )


def mask_number(number: str) -> str:
    """The last two signs; of a very short number nothing."""
    shown = number[-2:] if len(number) > 4 else ""
    return "•" * (len(number) - len(shown)) + shown


def _derive_status(linked: _Linked, last: HandoverRecord | None) -> SendStatus:
    if linked.output is None or not can_hand_over(linked.number):
        return ""
    if last is None:
        return "ready"
    if last.code is None:
        return "sending"
    return "failed" if last.code else "sent"
