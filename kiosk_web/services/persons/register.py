"""The port to the register of J-LIS: what a registered verifier may learn of a certificate it has confirmed.

What J-LIS offers has no public description (the sheet says NOT FOUND), so this is the least that the law names: which
certificate a renewed one replaces, the state of the linked signature certificate, and whether the basic 4 information
changed. An answer decides the visit at hand and is used for nothing else (law no. 153 of 2002, art. 52).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.standing import HolderStanding, Silence


@dataclass(frozen=True)
class RegisterSilent:
    """No answer that could be used, and why. It says nothing about the certificate."""

    why: Silence


@dataclass(frozen=True, repr=False)
class Predecessor:
    """The answer about a renewal. `certificate`: the one that was replaced, None if the register knows of none."""

    certificate: CertificateName | None


class Register(Protocol):
    """Never raises for trouble; both answer within their time budget."""

    async def find_predecessor(self, issuer_key_id: bytes, serial: int) -> Predecessor | RegisterSilent:
        """Which certificate did this one replace by renewal? A new card replaces none."""
        ...

    async def fetch_standing(self, issuer_key_id: bytes, serial: int, since: date | None) -> HolderStanding:
        """Signature certificate and basic 4 information, `unknown` with `why` where nothing was answered."""
        ...


class NoRegister:
    """Where none is configured, or not both verifier roles are: nothing is known."""

    async def find_predecessor(self, issuer_key_id: bytes, serial: int) -> Predecessor | RegisterSilent:
        return RegisterSilent("not_configured")

    async def fetch_standing(self, issuer_key_id: bytes, serial: int, since: date | None) -> HolderStanding:
        return HolderStanding(since=since, why="not_configured")
