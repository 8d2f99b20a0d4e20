"""What was handed over counts when its client says that it arrived.

An answer can be lost on its way. What is handed over once can therefore be asked for again, by the same client alone,
for two minutes; each of these answers has the same receipt, which the client sends back when it has what it asked for.
Then it is gone here, and was handed over. Without a receipt it is gone after the two minutes, and whether it arrived is
not known.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.persons.standing import record_first_hand_over
from kiosk_web.services.ports import Clock, Entropy, Store
from kiosk_web.services.ports.clients import ClientRecord

AGAIN = timedelta(minutes=2)
"""For so long after the first answer the same client gets the same once more."""

RECEIPT_OCTETS = 16


def draw_receipt(entropy: Entropy) -> str:
    """Known to whoever got the answer. It opens nothing: it counts with the client's own access token alone."""
    return encode_base64url(entropy(RECEIPT_OCTETS))


def is_given_again(taken_at: datetime, now: datetime) -> bool:
    return now < taken_at + AGAIN


class ReceiptService:
    """`acknowledge` ends a hand-over."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def acknowledge(self, client: ClientRecord, receipt: str) -> bool:
        """It arrived: the result and the ciphertext of this receipt are gone. True also for what was acknowledged
        before; False for a receipt that is unknown, another client's, or late.
        """
        now = self._clock()
        async with self._store.write() as transaction:
            asked = await transaction.asked_readings.find_by_receipt(receipt, client.name)
            sealed = await transaction.readings.find_by_receipt(receipt, client.name)
            known = False
            if asked is not None and asked.taken_at is not None:
                known = asked.delivered_at is not None
                if asked.result is not None and is_given_again(asked.taken_at, now):
                    await transaction.asked_readings.finish(asked.id, now)
                    known = True
            if sealed is not None and sealed.taken_at is not None:
                known = known or sealed.delivered_at is not None
                if sealed.jwe and sealed.expires_at > now and is_given_again(sealed.taken_at, now):
                    await transaction.readings.finish(sealed.id, now, sealed.attempts)
                    await record_first_hand_over(transaction, sealed, now)
                    known = True
            return known
