"""What a facility offers: cooperating systems (連携システム), each with its services, the tiles on the screen. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk_web.identity.profiles import PROFILES, Profile, ProfileName


@dataclass(frozen=True)
class Words:
    """One text in both languages of the screen."""

    ja: str
    en: str


StatusPolicyName = Literal["ocsp", "crl", "ocsp-then-crl"]


@dataclass(frozen=True)
class Service:
    """One tile. `system` is the cooperating system for which an identifier is issued.

    `status_policy`: how certificates are confirmed here. `kazashi_in_window`: kazashi goes on by list while a
    configured window holds.
    """

    id: str
    system: str
    profile: ProfileName
    name: Words
    description: Words
    icon: str
    status_policy: StatusPolicyName = "ocsp"
    kazashi_in_window: bool = False

    @property
    def terms(self) -> Profile:
        return PROFILES[self.profile]


class Offer:
    """The services in the order of the screen. Raises `ValueError` when two have one id."""

    def __init__(self, services: tuple[Service, ...]) -> None:
        self.services = services
        self._by_id = {service.id: service for service in services}
        if len(self._by_id) != len(services):
            raise ValueError("two services have the same id")

    def find(self, service: str) -> Service | None:
        return self._by_id.get(service)
