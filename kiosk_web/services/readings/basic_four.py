"""The basic 4 information between the card and one receiver: sealed at once, kept as ciphertext only, then gone
(`docs/basic-four.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey
from joserfc.registry import HeaderParameter

from kiosk_web.identity.basic_four import BasicFour, BasicFourMalformed, build_statement
from kiosk_web.pki.fields import read_fields
from kiosk_web.pki.receiver_key import ReceiverKey
from kiosk_web.services.api.answers import NotPermitted
from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store, Transaction
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.sealed_readings import SealedReading
from kiosk_web.services.readings.receipts import AGAIN, draw_receipt, is_given_again

TYPE = "kiosk-basic-four+jwe"
CONTENT_TYPE = "application/json"
ENCRYPTION = "A256GCM"
KEEP = timedelta(hours=24)
"""How long it stays known, without its ciphertext, that there was a reading."""

ID_OCTETS = 16

_REGISTRY = jwe.JWERegistry(
    header_registry={
        "reading": HeaderParameter("Id of the reading", "str"),
        "reference": HeaderParameter("Reference number of the visit", "str"),
        "system": HeaderParameter("Cooperating system", "str"),
        "exp": HeaderParameter("End of its life", "int"),
    },
    algorithms=["RSA-OAEP-256", "ECDH-ES+A256KW", ENCRYPTION],
)


def seal(statement: bytes, receiver: ReceiverKey, header: Mapping[str, str | int]) -> str:
    """JWE (RFC 7516), compact. `header` is readable by everybody and is protected against change."""
    protected = {
        "alg": receiver.management,
        "enc": ENCRYPTION,
        "kid": receiver.id,
        "typ": TYPE,
        "cty": CONTENT_TYPE,
        **header,
    }
    kind = RSAKey if receiver.management == "RSA-OAEP-256" else ECKey
    key = kind(receiver.public_key, receiver.public_key)  # type: ignore[arg-type]  # each with its own kind
    return jwe.encrypt_compact(protected, statement, key, registry=_REGISTRY)


def read_items(items: bytes) -> BasicFour:
    """What a bridge read, as it writes it (`docs/wire.md` 7). Raises `BasicFourMalformed`."""
    try:
        name, address, birth, sex = (field.decode("utf-8") for field in read_fields(items))
    except ValueError:  # cut off, not four, or no text
        raise BasicFourMalformed("items") from None
    return BasicFour(name, address, birth, sex)


class BasicFourService:
    """`receivers` by system: one that is not among them gets no basic 4 information. `lifetime`: how long a ciphertext
    waits for its receiver. `sent_to`: systems with a webhook.
    """

    def __init__(
        self,
        *,
        store: Store,
        receivers: Mapping[str, ReceiverKey],
        sent_to: frozenset[str],
        lifetime: timedelta,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._receivers = receivers
        self._sent_to = sent_to
        self._lifetime = lifetime
        self._clock = clock
        self._entropy = entropy

    def has_receiver(self, system: str) -> bool:
        return system in self._receivers

    async def record_reading(
        self,
        transaction: Transaction,
        system: str,
        reference: str,
        ppid: str,
        four: BasicFour,
        now: datetime,
        *,
        on_request: bool = False,
    ) -> SealedReading:
        """Seal and keep it, in the caller's transaction. `reference` is that of the visit, which has one reading.
        `on_request`: a reading on request gives it back, and it is not sent. Raises `KeyError` for a system without a
        receiver.
        """
        reading, expires_at = encode_base64url(self._entropy(ID_OCTETS)), now + self._lifetime
        sealed = seal(
            build_statement(four, ppid=ppid, read_at=int(now.timestamp())),
            self._receivers[system],
            {"reading": reading, "reference": reference, "system": system, "exp": int(expires_at.timestamp())},
        )
        first = now if system in self._sent_to and not on_request else None
        record = SealedReading(reading, reference, system, sealed, now, expires_at, next_attempt_at=first)
        await transaction.readings.add(record)
        return record

    async def take_reading(
        self, client: ClientRecord, system: str, reference: str
    ) -> SealedReading | NotPermitted | None:
        """For the client that is first, with a receipt; None for everything that cannot be had (any more), whatever the
        reason.
        """
        if system not in client.systems:
            return NotPermitted("system")
        async with self._store.write() as transaction:
            receipt = draw_receipt(self._entropy)
            return await take_sealed(transaction, client.name, system, reference, receipt, self._clock())


async def take_sealed(
    transaction: Transaction, client: str, system: str, reference: str, receipt: str, now: datetime
) -> SealedReading | None:
    """The reading with its ciphertext, for the client that is first, and for it again until it says that it arrived
    (`services/readings/receipts.py`). The receipt is `receipt` the first time, and stays the same.
    """
    found = await transaction.readings.find_waiting(system, reference, now)
    if found is None:
        return None
    if found.taken_at is None:
        await transaction.readings.note_taken(found.id, client, receipt, now, now + AGAIN)
        return replace(found, taken_by=client, taken_at=now, receipt=receipt)
    return found if found.taken_by == client and is_given_again(found.taken_at, now) else None
