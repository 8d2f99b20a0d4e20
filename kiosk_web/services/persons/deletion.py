"""Delete everything that names a person, on their own request at the counter (`docs/privacy.md`)."""

from __future__ import annotations

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LinkRefusal, judge_words
from kiosk_web.identity.reference import read_reference
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.links import StaffAction


class PersonDeletionService:
    """The person is named by the reference number of a visit with 暗証番号, so it is they who ask."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def delete(self, reference: str, by: str, reason: str) -> tuple[str, ...]:
        """The systems whose PPID is gone, which are to be told. Raises `IdentityError`."""
        now = self._clock()
        systems: tuple[str, ...] = ()
        async with self._store.write() as transaction:
            refusal: LinkRefusal | None = judge_words(by, reason)
            seen = None if refusal else await transaction.links.find_visit(read_reference(reference), now)
            if refusal is None and (seen is None or seen.method != "pin"):
                refusal = "visit_unknown"
            if seen is not None and refusal is None:
                systems = await transaction.held.delete(seen.person)
            outcome, count = refusal or "done", int(refusal is None)
            action = StaffAction(now, by.strip()[:200], "delete_person", "", outcome, count, reason.strip()[:200])
            await transaction.staff_audit.add(action)
        if refusal is not None:
            raise IdentityError(refusal)
        return systems
