"""What a facility offers: which services are tiles, who is asked about by list, who gets which items and numbers."""

from __future__ import annotations

import pytest

from kiosk_web.identity.basic_four import BasicFourTerms
from kiosk_web.identity.offer import Offer, Service, Words
from kiosk_web.identity.profiles import ProfileName
from kiosk_web.identity.systems import CooperatingSystem, SystemRefused

NAME = Words("あ", "a")
TERMS = BasicFourTerms(NAME, NAME, NAME, 10)
LIBRARY = CooperatingSystem("books", NAME, "platform", municipal_library=True)
RECEIVER = CooperatingSystem("hall", NAME, "municipality", receives_basic_four=True)


def service(system: str, profile: ProfileName, name: str = "a", basic_four: BasicFourTerms | None = None) -> Service:
    return Service(name, system, profile, NAME, NAME, "service", basic_four=basic_four)


OFFER = Offer(
    (
        service("hall", "type1", "counter"),
        service("hall", "type2", "home"),
        service("books", "library", "books"),
        service("pool", "type1", "pool"),
        service("web", "type2", "web"),
    ),
    [
        LIBRARY,
        CooperatingSystem("batch", NAME, "municipality"),
        CooperatingSystem("reading-room", NAME, "platform", True),
    ],
)


def test_only_what_has_a_screen_is_a_tile_and_only_of_the_systems_asked_for() -> None:
    systems = {"hall", "books", "web"}
    assert [one.id for one in OFFER.list_of(systems)] == ["counter", "home", "books", "web"]
    assert [one.id for one in OFFER.list_tiles(systems)] == ["counter", "books"]
    assert OFFER.list_tiles(()) == ()


def test_lists_are_asked_at_any_time_about_people_of_type_2_and_of_systems_of_the_api_alone() -> None:
    assert OFFER.systems_by_list == {"hall", "web", "batch"}


def test_what_is_not_there_is_not_found() -> None:
    assert OFFER.find("nowhere") is None
    assert OFFER.find_system("nowhere") is None
    assert OFFER.find("pool") == service("pool", "type1", "pool")


@pytest.mark.parametrize(
    ("services", "systems", "why"),
    [
        ([service("hall", "type2", basic_four=TERMS)], [], "basic_four_not_in_profile"),
        ([service("books", "library", basic_four=TERMS)], [LIBRARY], "basic_four_not_in_profile"),
        ([service("hall", "type1", basic_four=TERMS)], [], "basic_four_without_receiver"),
        ([service("hall", "type2")], [RECEIVER], "basic_four_without_type1"),
        ([], [RECEIVER], "basic_four_without_type1"),
        (
            [service("books", "library")],
            [CooperatingSystem("books", NAME, "municipality", municipal_library=True)],
            "library_links_elsewhere",
        ),
    ],
)
def test_the_basic_4_information_goes_to_type_1_sealed_or_nowhere(
    services: list[Service], systems: list[CooperatingSystem], why: str
) -> None:
    with pytest.raises(SystemRefused) as refusal:
        Offer(tuple(services), systems)
    assert refusal.value.name == why


def test_a_type_1_service_with_a_receiver_gets_them() -> None:
    offer = Offer((service("hall", "type1", basic_four=TERMS), service("hall", "type2", "home")), [RECEIVER])
    assert offer.find("a") == service("hall", "type1", basic_four=TERMS)


def test_a_number_is_typed_into_a_library_system_alone() -> None:
    OFFER.require_handover(["books", "reading-room", "batch"])
    for system in ("hall", "pool", "web"):
        with pytest.raises(SystemRefused) as refusal:
            OFFER.require_handover(["books", system])
        assert refusal.value.name == "handover_to_type1_or_type2"
        assert system in str(refusal.value)


def test_a_system_that_only_a_library_service_names_keeps_its_links_here() -> None:
    with pytest.raises(SystemRefused, match="not_a_municipal_library"):
        Offer((service("unnamed", "library"),))
    default = Offer((service("hall", "type2"),)).find_system("hall")
    assert default == CooperatingSystem("hall", Words("hall", "hall"), "municipality")
