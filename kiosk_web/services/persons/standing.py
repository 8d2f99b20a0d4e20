"""What the register says of the holder, for the resident's screen and for systems of Type 1 and 2.

Row 12 of the profiles' table. Asked only after an accepted visit, used for that visit, and not stored. What is stored
is one date: the day of the last confirmation. It moves when the register says "unchanged", and at the first
confirmation; after "changed" it stays until somebody confirms (the system by API, or staff), so no change is lost by a
second look.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import CLIENT_PREFIX, LINK_REFUSALS, judge_words
from kiosk_web.identity.offer import Offer, Service
from kiosk_web.identity.standing import HolderStanding, derive_day
from kiosk_web.log import describe_place
from kiosk_web.services.persons.register import Register
from kiosk_web.services.ports import Clock, Feed, Store, Transaction
from kiosk_web.services.ports.links import StaffAction
from kiosk_web.services.ports.sealed_readings import SealedReading
from kiosk_web.services.staff.audit import find_look_up_limit, recording_refusals
from kiosk_web.session import states as s

HEAD_START_SECONDS = 0.1
"""What the result has before the register is asked: on a small computer, asking delays its way to the screen."""


class StandingService:
    """`ask` only for a person whose certificate was confirmed and whose signature was verified in this visit."""

    def __init__(self, *, store: Store, register: Register, clock: Clock) -> None:
        self._store = store
        self._register = register
        self._clock = clock

    async def ask(self, person: str, service: Service) -> HolderStanding:
        """Both answers, since the last confirmation for the service's system. Never raises for trouble."""
        if not service.terms.linked_signature_state:
            return HolderStanding(why="not_for_this_service")
        return await self.ask_for_system(person, service.system)

    async def ask_for_system(self, person: str, system: str) -> HolderStanding:
        """The same for a system that validates by API, which is one of Type 2."""
        asked_on = derive_day(self._clock())  # a change that comes after the question is not in the answer
        async with self._store.read() as transaction:
            since = await transaction.confirmations.find(person, system)
            certificate = await transaction.persons.find_newest_certificate(person)
        if certificate is None:
            return HolderStanding(since=since, why="unknown_certificate")
        answer = await self._register.fetch_standing(certificate.issuer_key_id, certificate.serial, since)
        if answer.as_of is not None and (since is None or answer.items == "unchanged"):
            async with self._store.write() as transaction:
                await transaction.confirmations.record(person, system, asked_on)
        return answer

    async def confirm_by_client(self, person: str, system: str, client: str) -> None:
        """A system that validates by API took the change over."""
        now = self._clock()
        async with self._store.write() as transaction:
            await transaction.confirmations.record(person, system, derive_day(now))
            await transaction.staff_audit.add(
                StaffAction(now, f"{CLIENT_PREFIX}{client}", "confirm", system, "done", 1, "")
            )

    async def confirm_by_staff(self, system: str, number: str, by: str, reason: str) -> None:
        """Staff took the change over into their system. `number`: the person's, in its one form, or why it is none."""
        async with recording_refusals(self._store, self._clock, "confirm", system, by, reason):
            await self._confirm(system, number, by, reason)

    async def _confirm(self, system: str, number: str, by: str, reason: str) -> None:
        refusal = judge_words(by, reason) or (number if number in LINK_REFUSALS else None)
        if refusal is not None:
            raise IdentityError(refusal)
        now = self._clock()
        async with self._store.write() as transaction:
            refusal = await find_look_up_limit(transaction, by, now)
            link = None if refusal else await transaction.links.find_by_number(system, number)
            if link is None:
                raise IdentityError(refusal or "not_linked")
            await transaction.confirmations.record(link.person, system, derive_day(now))
            await transaction.staff_audit.add(StaffAction(now, by, "confirm", system, "done", 1, reason, link.id))


async def record_first_hand_over(transaction: Transaction, reading: SealedReading, now: datetime) -> None:
    """What is compared from now on, unless something was compared before: the basic 4 information as it was read.

    A later hand-over is no confirmation. A card that is not rewritten yet has the old address while the register knows
    of the move, and that change would never be told. Whose reading it is is known by its visit, for half an hour.
    """
    visit = await transaction.links.find_visit(reading.reference, now)
    if visit is not None and await transaction.confirmations.find(visit.person, visit.system) is None:
        await transaction.confirmations.record(visit.person, visit.system, derive_day(reading.created_at))


@dataclass(frozen=True)
class ShownStanding:
    """For the result screen: `answer` is None while the register is being asked."""

    answer: HolderStanding | None


class StandingBoard:
    """Has the register asked once for each result that is shown, beside the visit, and tells the streams of the answer.

    Answers are in this process's memory, for as long as their result is on the screen.
    """

    def __init__(self, *, standing: StandingService, store: Store, offer: Offer, feed: Feed) -> None:
        self._standing = standing
        self._store = store
        self._offer = offer
        self._feed = feed
        self._shown: dict[str, tuple[str, ShownStanding]] = {}  # by terminal: reference number, answer
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    def find(self, terminal: str, state: s.State) -> ShownStanding | None:
        """What the result of this terminal shows beside the identifier; None: nothing of the kind."""
        service = self._offer.find(state.visit.service) if isinstance(state, s.Result) else None
        if not isinstance(state, s.Result) or service is None or not service.terms.linked_signature_state:
            self._shown.pop(terminal, None)
            return None
        reference, shown = self._shown.get(terminal, ("", ShownStanding(None)))
        if reference != state.visit.reference:
            shown = ShownStanding(None)
            self._shown[terminal] = state.visit.reference, shown
            task = asyncio.create_task(self._ask(terminal, state.visit.reference, service, state.identifier))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        silent = shown.answer is not None and shown.answer.why == "not_configured"
        return None if silent else shown

    async def settle(self) -> None:
        """Wait until nothing is being asked."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, terminal: str, reference: str, service: Service, identifier: str) -> None:
        answer = HolderStanding(why="unreachable")
        await asyncio.sleep(HEAD_START_SECONDS)
        try:
            async with self._store.read() as transaction:
                person = await transaction.persons.find_by_ppid(identifier, service.system)
            if person is not None:
                answer = await self._standing.ask(person, service)
        except Exception as error:
            self._log.error("standing", error=type(error).__name__, where=describe_place(error.__traceback__))
        if self._shown.get(terminal, ("", None))[0] == reference:
            self._shown[terminal] = reference, ShownStanding(answer)
            self._feed.publish(terminal)
