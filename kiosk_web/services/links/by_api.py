"""Links by the API: one identifier (PPID or MyKey ID) of one system at a time, read, set and ended under preconditions.

As at the link desk there is a reason, every attempt is in the staff audit, refused ones too, nothing is moved away from
another person, and nobody is listed. What a client was not given answers like what does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.identity.links import CLIENT_PREFIX, derive_link_tag, judge_system
from kiosk_web.identity.offer import Offer
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.links.linking import LinkingService
from kiosk_web.services.ports import Clock, Store, Transaction
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.links import LinkRecord, StaffAction

RefusedLink = Literal[
    "system_not_permitted",
    "system_not_in_use",
    "links_kept_elsewhere",
    "links_not_permitted",
    "identifier_unknown",
    "link_unknown",
    "precondition_failed",
    "number_malformed",
    "number_check_digit",
    "number_not_listed",
    "number_taken",
]
_NUMBER_REFUSALS: Mapping[str, RefusedLink] = {
    "number_malformed": "number_malformed",
    "number_check_digit": "number_check_digit",
    "number_not_listed": "number_not_listed",
    "number_taken": "number_taken",
}
"""Why linking itself may refuse, once system and person are judged."""


@dataclass(frozen=True)
class LinkRefused:
    """`why` is a problem of `docs/api.md`. Nothing was changed."""

    why: RefusedLink


@dataclass(frozen=True, repr=False)
class TaggedLink:
    """A link and its entity tag (without quotation marks). `new`: there was none under this identifier before."""

    record: LinkRecord
    tag: str
    new: bool = False


@dataclass(frozen=True)
class Precondition:
    """`tag`: only the link of this entity tag (`If-Match`). `absent`: only where there is none (`If-None-Match: *`)."""

    tag: str | None = None
    absent: bool = False


class ApiLinkService:
    """Every method answers `LinkRefused` for what may not be; `reason` is the client's own, for the audit."""

    def __init__(
        self, *, store: Store, linking: LinkingService, offer: Offer, in_use: SystemsInUse, clock: Clock
    ) -> None:
        self._store = store
        self._linking = linking
        self._offer = offer
        self._in_use = in_use
        self._clock = clock

    async def read_link(
        self, client: ClientRecord, system: str, identifier: str, reason: str
    ) -> TaggedLink | LinkRefused:
        """The link under this very identifier."""
        now = self._clock()
        async with self._store.write() as transaction:
            answer = await self._find(transaction, client, system, identifier)
            await _note(transaction, client, "look_up", system, answer, reason, now)
        return answer

    async def put_link(
        self, client: ClientRecord, system: str, identifier: str, number: str, only: Precondition, reason: str
    ) -> TaggedLink | LinkRefused:
        """The identifier has this number from now on; a number that it had before is free again."""
        now = self._clock()
        async with self._store.write() as transaction:
            answer = await self._put(transaction, client, system, identifier, number, only, now)
            await _note(transaction, client, "link", system, answer, reason, now)
        return answer

    async def end_link(
        self, client: ClientRecord, system: str, identifier: str, only: Precondition, reason: str
    ) -> TaggedLink | LinkRefused:
        """The identifier stays the person's and has no number any more."""
        now = self._clock()
        async with self._store.write() as transaction:
            answer = await self._find(transaction, client, system, identifier)
            if isinstance(answer, TaggedLink):
                if answer.tag == only.tag and not only.absent:
                    await transaction.links.end(answer.record.id, now)
                else:
                    answer = LinkRefused("precondition_failed")
            await _note(transaction, client, "unlink", system, answer, reason, now)
        return answer

    def _judge(self, client: ClientRecord, system: str) -> RefusedLink | None:
        known = self._offer.find_system(system)
        if known is None or system not in {*client.systems, *client.link_systems}:
            return "system_not_permitted"
        if judge_system(known) is not None:
            return "links_kept_elsewhere"
        if system not in client.link_systems:
            return "links_not_permitted"
        return None if self._in_use.serves(system) else "system_not_in_use"

    async def _find(
        self, transaction: Transaction, client: ClientRecord, system: str, identifier: str
    ) -> TaggedLink | LinkRefused:
        refusal = self._judge(client, system)
        if refusal is not None:
            return LinkRefused(refusal)
        person = await self._find_person(transaction, system, identifier)
        record = None if person is None else await transaction.links.find_by_person(system, person)
        return LinkRefused("link_unknown") if record is None else _tag(record)

    async def _find_person(
        self, transaction: Transaction, system: str, identifier: str, *, in_force: bool = False
    ) -> str | None:
        """A library has MyKey IDs, every other system PPIDs. `in_force`: not that of a stopped MyKey ID."""
        known = self._offer.find_system(system)
        if known is None or not known.municipal_library:
            return await transaction.persons.find_by_ppid(identifier, system)
        record = await transaction.persons.load_mykey_id(identifier)
        if record is None or record.state == "superseded" or (in_force and record.state != "issued"):
            return None
        return record.person

    async def _put(
        self,
        transaction: Transaction,
        client: ClientRecord,
        system: str,
        identifier: str,
        number: str,
        only: Precondition,
        now: datetime,
    ) -> TaggedLink | LinkRefused:
        refusal = self._judge(client, system)
        if refusal is not None:
            return LinkRefused(refusal)
        person = await self._find_person(transaction, system, identifier, in_force=True)
        if person is None:
            return LinkRefused("identifier_unknown")
        own = await transaction.links.find_by_person(system, person)
        before = None if own is None else _tag(own)
        if not _is_met(only, before):
            return LinkRefused("precondition_failed")
        if before is not None and self._linking.read_number(system, number) == before.record.user_number:
            return before
        try:
            async with transaction.savepoint():
                if before is not None:
                    await transaction.links.end(before.record.id, now)
                added = await self._linking.link_within(transaction, person, system, number, "api", now)
                if not isinstance(added, LinkRecord):
                    raise _NotLinkedError(added)
        except _NotLinkedError as refused:
            return LinkRefused(_NUMBER_REFUSALS[str(refused)])
        return _tag(added, new=before is None)


def _is_met(only: Precondition, before: TaggedLink | None) -> bool:
    held = "" if before is None else before.tag
    return not (only.absent and held) and only.tag in (None, held)


class _NotLinkedError(Exception):
    """The new number may not be linked: the old one stays."""


def _tag(record: LinkRecord, *, new: bool = False) -> TaggedLink:
    return TaggedLink(record, derive_link_tag(record.id, record.version, record.person), new)


async def _note(
    transaction: Transaction,
    client: ClientRecord,
    action: str,
    system: str,
    answer: TaggedLink | LinkRefused,
    reason: str,
    now: datetime,
) -> None:
    """A system that the client does not speak for is not named: it may be any text."""
    outcome = answer.why if isinstance(answer, LinkRefused) else "done"
    link = answer.record.id if isinstance(answer, TaggedLink) else None
    named = "" if outcome == "system_not_permitted" else system
    count = int(outcome == "done")
    await transaction.staff_audit.add(
        StaffAction(now, f"{CLIENT_PREFIX}{client.name}", action, named, outcome, count, reason, link)
    )
