"""Cooperating systems (連携システム): what an identifier is issued for. PURE.

A system owns one or more services. Type 1 at the counter and Type 2 at home may belong to one system, and the same
person then has the same PPID in both. A municipal library system is apart: it gets MyKey IDs, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from kiosk_web.identity.profiles import PROFILES, ProfileName
from kiosk_web.identity.user_numbers import ANY_NUMBER, NumberFormat
from kiosk_web.identity.words import Words

LinkHolder = Literal["platform", "municipality"]
LinkConfirmation = Literal["staff", "none"]
LIBRARY_PROFILES: set[ProfileName] = {name for name, one in PROFILES.items() if one.scene == "municipal_library"}
"""Row 1 of the profiles' table."""


@dataclass(frozen=True)
class CooperatingSystem:
    """`link_holder`: who keeps identifier ↔ user number (row 13 of the profiles' table).

    `link_confirmation`: who confirms a number that a resident links at a terminal. With `none` it must be on the
    system's list of valid numbers. `municipal_library`: the system of a municipal library, the only kind that the
    library profile is for (row 1). `user_number`: the form of its user numbers. `receives_basic_four`: there is a key
    to which the basic 4 information is sealed for it.
    """

    id: str
    name: Words
    link_holder: LinkHolder
    municipal_library: bool = False
    user_number: NumberFormat = ANY_NUMBER
    receives_basic_four: bool = False
    link_confirmation: LinkConfirmation = "staff"


class SystemRefused(ValueError):
    """What is configured contradicts the profiles' table. `name` is stable; the text says which system and what."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name


def build_systems(
    configured: Iterable[CooperatingSystem], used: Iterable[tuple[str, ProfileName]]
) -> Mapping[str, CooperatingSystem]:
    """All systems by id: the configured ones, and a default for each that a service of `used` (system, profile) names.

    Raises `SystemRefused`: `system_twice`, `not_a_municipal_library`, `library_with_other_profile`,
    `library_links_elsewhere`, `basic_four_without_type1`.
    """
    systems: dict[str, CooperatingSystem] = {}
    for system in configured:
        if system.id in systems:
            raise SystemRefused("system_twice", f"two systems have the id {system.id}")
        systems[system.id] = system
    profiles: dict[str, set[ProfileName]] = {}
    for name, profile in used:
        profiles.setdefault(name, set()).add(profile)
    for name, owned in profiles.items():
        _judge(systems.setdefault(name, CooperatingSystem(name, Words(name, name), "municipality")), owned)
    for system in systems.values():
        _judge_holder(system, profiles.get(system.id) or (LIBRARY_PROFILES if system.municipal_library else set()))
    return systems


def _judge_holder(system: CooperatingSystem, owned: Collection[ProfileName]) -> None:
    """Rows 13 and 7: who keeps the links, and who receives the basic 4 information."""
    if _is_kept_here(owned) and system.link_holder != "platform":
        raise SystemRefused("library_links_elsewhere", f"{system.id}: the platform keeps the links of a library system")
    if system.receives_basic_four and not any(PROFILES[profile].basic_four for profile in owned):
        raise SystemRefused(
            "basic_four_without_type1",
            f"{system.id}: the basic 4 information is for systems with a Type 1 service; take receiver_key away",
        )


def _is_kept_here(profiles: Iterable[ProfileName]) -> bool:
    """Row 13: the platform alone keeps the links of such a system."""
    return any(PROFILES[profile].link_kept_by == "platform" for profile in profiles)


def _judge(system: CooperatingSystem, profiles: set[ProfileName]) -> None:
    if profiles & LIBRARY_PROFILES and not system.municipal_library:
        raise SystemRefused(
            "not_a_municipal_library",
            f"{system.id}: the library profile is for the system of a municipal library only; where it is one, write"
            " municipal_library = true into its [[systems]]",
        )
    if system.municipal_library and (others := profiles - LIBRARY_PROFILES):
        named = ", ".join(sorted(others))
        raise SystemRefused(
            "library_with_other_profile", f"{system.id}: a library system has no service of {named}; use another system"
        )
