"""The life of a MyKey ID after it was issued: stop, resume, supersede. Staff's work, each step with name and reason."""

from __future__ import annotations

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import judge_words
from kiosk_web.identity.mykey import MyKeyStep, derive_state
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.links import StaffAction
from kiosk_web.services.staff.audit import recording_refusals


class MyKeyService:
    """Every method raises `IdentityError` with a name of `docs/linking.md`."""

    def __init__(self, *, store: Store, issuance: IssuanceService, clock: Clock) -> None:
        self._store = store
        self._issuance = issuance
        self._clock = clock

    async def stop(self, mykey_id: str, by: str, reason: str) -> None:
        """From now on its holder is refused at library services, and lists do not speak of them."""
        await self._step(mykey_id, "stop", by, reason)

    async def resume(self, mykey_id: str, by: str, reason: str) -> None:
        """A stopped one is in use again."""
        await self._step(mykey_id, "resume", by, reason)

    async def supersede(self, mykey_id: str, by: str, reason: str) -> str:
        """The holder gets another one, which is returned; this one never comes back. A link stays the person's."""
        return await self._step(mykey_id, "supersede", by, reason)

    async def _step(self, mykey_id: str, step: MyKeyStep, by: str, reason: str) -> str:
        async with recording_refusals(self._store, self._clock, f"mykey_{step}", "", by, reason):
            return await self._take_step(mykey_id, step, by, reason)

    async def _take_step(self, mykey_id: str, step: MyKeyStep, by: str, reason: str) -> str:
        refusal = judge_words(by, reason)
        if refusal is not None:
            raise IdentityError(refusal)
        now = self._clock()
        async with self._store.write() as transaction:
            record = await transaction.persons.load_mykey_id(mykey_id)
            if record is None:
                raise IdentityError("mykey_id_unknown")
            after = derive_state(record.state, step)
            if after is None or not await transaction.persons.change_mykey_id(mykey_id, record.state, after, now):
                raise IdentityError("mykey_id_state")
            fresh = ""
            if after == "superseded":
                fresh = await self._issuance.replace_mykey_id(transaction, record.person, now)
            await transaction.staff_audit.add(StaffAction(now, by, f"mykey_{step}", "", "done", 1, reason))
        return fresh
