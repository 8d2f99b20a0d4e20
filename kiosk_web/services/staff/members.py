"""Members of staff who may attend a terminal: added with a secret for one-time codes, listed, revoked."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

import pyotp

from kiosk_web.errors import StaffError
from kiosk_web.identity.words import is_line
from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store, Transaction
from kiosk_web.services.ports.staff import StaffRecord
from kiosk_web.services.staff.sealing import SealBroken, SecretSeal

MAXIMUM_NAME = 32
DRAWN_DIGITS = 6
NUMBER = re.compile("[0-9]{4,8}")  # 職員番号: typed on the digits of the screen
SECRET_LENGTH = 20  # RFC 4226, R6: 160 bits


@dataclass(frozen=True, repr=False)
class StaffInvitation:
    """`secret` and `uri` are for the member's authenticator, shown once."""

    name: str
    number: str
    facility: str
    secret: str
    uri: str


class StaffService:
    """From the command line."""

    def __init__(self, *, store: Store, seal: SecretSeal, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._entropy = entropy

    async def add(self, name: str, facility: str, number: str = "") -> StaffInvitation:
        """A new member, or a new secret for one who is there. `number` "": the one they have, or one that is drawn.
        Raises `StaffError`.
        """
        for what, text in (("name", name), ("facility", facility)):
            if not text or len(text) > MAXIMUM_NAME or not is_line(text) or text != text.strip():
                raise StaffError(f"A {what} has 1 to {MAXIMUM_NAME} printable characters.")
        if number and NUMBER.fullmatch(number) is None:
            raise StaffError("A staff number has 4 to 8 digits.")
        secret = base64.b32encode(self._entropy(SECRET_LENGTH)).decode("ascii")
        async with self._store.write() as transaction:
            known = await transaction.staff.find_by_name(name)
            number = number or (await self._draw(transaction) if known is None else known.number)
            holder = await transaction.staff.find_by_number(number)
            if holder is not None and holder.name != name:
                raise StaffError(f"The staff number {number} is another member's.")
            sealed = self._seal.seal(secret, number)
            if known is None:
                staff = encode_base64url(self._entropy(12))
                await transaction.staff.add(StaffRecord(staff, name, number, facility, sealed, 0, self._clock()))
            else:
                await transaction.staff.renew(known.id, number, facility, sealed)
        uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="My Number Card kiosk")
        return StaffInvitation(name, number, facility, secret, uri)

    async def _draw(self, transaction: Transaction) -> str:
        """A number that nobody has. Raises `StaffError` if twenty are taken, which only a broken entropy does."""
        lowest = 10 ** (DRAWN_DIGITS - 1)
        for _ in range(20):
            number = str(lowest + int.from_bytes(self._entropy(8), "big") % (9 * lowest))
            if await transaction.staff.find_by_number(number) is None:
                return number
        raise StaffError("No staff number could be drawn; choose one with --number.")

    async def list_staff(self) -> tuple[StaffRecord, ...]:
        async with self._store.read() as transaction:
            return await transaction.staff.list_all()

    def is_readable(self, record: StaffRecord) -> bool:
        """Can the key of this installation open the secret? Else the member must be added anew."""
        try:
            self._seal.open(record.sealed_secret, record.number)
        except SealBroken:
            return False
        return True

    async def revoke(self, name: str) -> None:
        """Their codes and their lease end now. Raises `StaffError` for an unknown name."""
        async with self._store.write() as transaction:
            known = await transaction.staff.find_by_name(name)
            if known is None:
                raise StaffError(f"There is no member of staff {name!r}.")
            await transaction.staff.revoke(known.id, self._clock())
