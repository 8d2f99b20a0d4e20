"""Cooperating systems: who keeps the links, and what the library profile is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk_web.errors import SettingsError
from kiosk_web.identity.offer import Offer, Service, Words
from kiosk_web.identity.profiles import ProfileName
from kiosk_web.identity.systems import CooperatingSystem, SystemRefused
from kiosk_web.settings.server import Settings, load_settings

NAME = Words("あ", "a")
LIBRARY = CooperatingSystem("books", NAME, "platform", municipal_library=True)


def service(system: str, profile: ProfileName, name: str = "a") -> Service:
    return Service(name, system, profile, NAME, NAME, "service")


def test_a_system_without_an_entry_leaves_the_links_to_the_municipality() -> None:
    system = Offer((service("hall", "type1"),)).find_system("hall")
    assert system == CooperatingSystem("hall", Words("hall", "hall"), "municipality")
    assert Offer((service("hall", "type1"),)).find_system("books") is None


def test_a_system_may_use_type_1_and_type_2_together() -> None:
    offer = Offer(
        (service("hall", "type1"), service("hall", "type2", "b")), [CooperatingSystem("hall", NAME, "platform")]
    )
    assert [system.id for system in offer.systems] == ["hall"]
    assert offer.find_system("hall") == CooperatingSystem("hall", NAME, "platform")


@pytest.mark.parametrize(
    ("services", "systems", "why"),
    [
        ([service("books", "library")], [], "not_a_municipal_library"),
        ([service("books", "library")], [CooperatingSystem("books", NAME, "platform")], "not_a_municipal_library"),
        ([service("books", "library"), service("books", "type1", "b")], [LIBRARY], "library_with_other_profile"),
        ([service("books", "type2")], [LIBRARY], "library_with_other_profile"),
        ([service("hall", "type1")], [LIBRARY, LIBRARY], "system_twice"),
        (
            [service("hall", "type1")],
            [CooperatingSystem("books", NAME, "municipality", municipal_library=True)],
            "library_links_elsewhere",
        ),
    ],
)
def test_what_contradicts_the_table_is_refused_by_name(
    services: list[Service], systems: list[CooperatingSystem], why: str
) -> None:
    with pytest.raises(SystemRefused) as refusal:
        Offer(tuple(services), systems)
    assert refusal.value.name == why
    assert systems == [] or any(system.id in str(refusal.value) for system in systems)


def test_the_settings_refuse_a_library_service_of_another_system(tmp_path: Path) -> None:
    words = 'name = { ja = "a", en = "a" }\n'
    described = words + words.replace("name", "description")
    file = tmp_path / "kiosk.toml"
    library = f'[[services]]\nid = "a"\nsystem = "books"\nprofile = "library"\n{described}'
    file.write_text(library)
    with pytest.raises(SettingsError, match="not_a_municipal_library: books"):
        load_settings({}, {"KIOSK_CONFIG": str(file)})
    file.write_text(f'{library}[[systems]]\nid = "books"\nmunicipal_library = true\n{words}')
    system = load_settings({}, {"KIOSK_CONFIG": str(file)}).build_offer().find_system("books")
    assert system is not None
    assert (system.link_holder, system.municipal_library) == ("platform", True)


def test_the_demo_has_a_system_at_the_counter_and_at_home_and_a_library() -> None:
    offer = Settings().build_offer()
    profiles = {
        system.id: sorted(service.profile for service in offer.services if service.system == system.id)
        for system in offer.systems
    }
    assert profiles == {"facility-booking": ["type1", "type2"], "city-library": ["library"]}
    assert [system.id for system in offer.systems if system.municipal_library] == ["city-library"]
