"""Members of staff who may attend a terminal: added with a secret for one-time codes, listed, revoked."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pyotp

from kiosk_web.errors import StaffError
from kiosk_web.services.kazashi_ports import StaffRecord
from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store

MAXIMUM_NAME = 32
SECRET_LENGTH = 20  # RFC 4226, R6: 160 bits


@dataclass(frozen=True, repr=False)
class StaffInvitation:
    """`secret` and `uri` are for the member's authenticator, shown once."""

    name: str
    facility: str
    secret: str
    uri: str


class StaffService:
    """From the command line."""

    def __init__(self, *, store: Store, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy

    async def add(self, name: str, facility: str) -> StaffInvitation:
        """A new member, or a new secret for one who is there. Raises `StaffError`."""
        for what, text in (("name", name), ("facility", facility)):
            if not text or len(text) > MAXIMUM_NAME or not text.isprintable() or text != text.strip():
                raise StaffError(f"A {what} has 1 to {MAXIMUM_NAME} printable characters.")
        secret = base64.b32encode(self._entropy(SECRET_LENGTH)).decode("ascii")
        async with self._store.write() as transaction:
            known = await transaction.staff.find_by_name(name)
            if known is None:
                staff = encode_base64url(self._entropy(12))
                await transaction.staff.add(StaffRecord(staff, name, facility, secret, 0, self._clock()))
            else:
                await transaction.staff.renew(known.id, facility, secret)
        uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="My Number Card kiosk")
        return StaffInvitation(name, facility, secret, uri)

    async def list_staff(self) -> tuple[StaffRecord, ...]:
        async with self._store.read() as transaction:
            return await transaction.staff.list_all()

    async def revoke(self, name: str) -> None:
        """Their codes and their lease end now. Raises `StaffError` for an unknown name."""
        async with self._store.write() as transaction:
            known = await transaction.staff.find_by_name(name)
            if known is None:
                raise StaffError(f"There is no member of staff {name!r}.")
            await transaction.staff.revoke(known.id, self._clock())
