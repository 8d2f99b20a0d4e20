"""What a facility offers: cooperating systems (連携システム), each with its services. PURE."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from kiosk_web.identity.basic_four import BasicFourTerms
from kiosk_web.identity.profiles import PROFILES, Profile, ProfileName
from kiosk_web.identity.systems import CooperatingSystem, SystemRefused, build_systems
from kiosk_web.identity.words import Words

__all__ = ["CooperatingSystem", "Offer", "Service", "StatusPolicyName", "Words"]

StatusPolicyName = Literal["ocsp", "crl", "ocsp-then-crl"]


@dataclass(frozen=True)
class Service:
    """A tile on the screen, or of Type 2 and used by API only. `system` is the cooperating system for which an
    identifier is issued.

    `status_policy`: how certificates are confirmed at a terminal; by API the client has its own methods.
    `kazashi_in_window`: kazashi goes on by list while a configured window holds. `basic_four`: the service asks for the
    basic 4 information, on these terms.
    """

    id: str
    system: str
    profile: ProfileName
    name: Words
    description: Words
    icon: str
    status_policy: StatusPolicyName = "ocsp"
    kazashi_in_window: bool = False
    basic_four: BasicFourTerms | None = None

    @property
    def terms(self) -> Profile:
        return PROFILES[self.profile]


class Offer:
    """The services in the order of the screen, and the systems that own them.

    A system without an entry in `systems` has the default of `build_systems`. Raises `ValueError` when two services
    have one id, and `SystemRefused` (one too) where systems and profiles contradict each other; beside those of
    `build_systems`: `basic_four_not_in_profile`, `basic_four_without_receiver`.
    """

    def __init__(self, services: tuple[Service, ...], systems: Iterable[CooperatingSystem] = ()) -> None:
        self.services = services
        self._by_id = {service.id: service for service in services}
        if len(self._by_id) != len(services):
            raise ValueError("two services have the same id")
        self._systems = build_systems(systems, ((service.system, service.profile) for service in services))
        for service in services:
            self._judge_basic_four(service)

    def _judge_basic_four(self, service: Service) -> None:
        if service.basic_four is None:
            return
        if not service.terms.basic_four:
            raise SystemRefused(
                "basic_four_not_in_profile",
                f"{service.id}: a service of {service.profile} gets no basic 4 information; take basic_four away",
            )
        if not self._systems[service.system].receives_basic_four:
            raise SystemRefused(
                "basic_four_without_receiver",
                f"{service.id}: the basic 4 information is sealed; {service.system} has no receiver_key to seal it to",
            )

    @property
    def systems(self) -> tuple[CooperatingSystem, ...]:
        """All cooperating systems, the configured ones first."""
        return tuple(self._systems.values())

    @property
    def systems_by_list(self) -> frozenset[str]:
        """Those about whose people lists may be asked at any time, by row 11 of the profiles' table: with a service of
        Type 2, or without any service, which are there for the API alone.
        """
        named = {service.system for service in self.services}
        by_api = {system.id for system in self.systems if system.id not in named and not system.municipal_library}
        return frozenset({service.system for service in self.services if service.terms.crl == "yes"} | by_api)

    def list_of(self, systems: Collection[str]) -> tuple[Service, ...]:
        """The services of these systems, in the order of the screen."""
        return tuple(service for service in self.services if service.system in systems)

    def list_tiles(self, systems: Collection[str]) -> tuple[Service, ...]:
        """Those of them that residents can choose at a terminal."""
        return tuple(service for service in self.list_of(systems) if service.terms.reading_screen)

    def require_handover(self, systems: Collection[str]) -> None:
        """A number is handed over to a system that stays as it is (the library profile): one of Type 1 or 2 takes part
        itself. Raises `SystemRefused`: `handover_to_type1_or_type2`.
        """
        for system in systems:
            profiles = {service.profile for service in self.services if service.system == system}
            if profiles and not any(PROFILES[profile].system_unmodified for profile in profiles):
                raise SystemRefused(
                    "handover_to_type1_or_type2",
                    f"{system} has services of Type 1 or 2 alone; a number is handed over to a library's system",
                )

    def find(self, service: str) -> Service | None:
        return self._by_id.get(service)

    def find_system(self, system: str) -> CooperatingSystem | None:
        """The cooperating system of that id."""
        return self._systems.get(system)
