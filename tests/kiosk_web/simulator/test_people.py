"""Who is in the demo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.simulator.people import Condition, Person, derive_people

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MOMENTS = st.dates(date(2025, 1, 1), date(2060, 12, 31)).map(
    lambda day: datetime(day.year, day.month, day.day, 20, 15, tzinfo=UTC)
)


def find(person: str) -> Person:
    return next(p for p in derive_people(NOW) if p.id == person)


def test_the_first_person_succeeds_with_the_pin_1234() -> None:
    first = derive_people(NOW)[0]
    assert (first.condition, first.pin, first.tries_left, first.foreign, first.hidden) == (
        Condition.GOOD,
        "1234",
        3,
        False,
        False,
    )


def test_ids_and_names_are_unique() -> None:
    people = derive_people(NOW)
    assert len({p.id for p in people}) == len({p.name for p in people}) == len(people) >= 12


def test_an_id_is_the_given_name_and_everybody_lives_in_one_city() -> None:
    people = [p for p in derive_people(NOW) if not p.foreign]
    assert {p.municipality.name for p in people} == {"みほん市"}
    assert all(p.address.startswith("千葉県みほん市") for p in people)
    named = {p.id: p.name for p in people}
    assert named.items() >= {
        ("midori", "青葉　みどり"),
        ("ichiro", "桜井　一郎"),
        ("takako", "𠮷野　髙子"),
        ("sakura", "南　さくら"),
        ("haruto", "小川　はると"),
        ("ken", "森　けん"),
        ("taro", "西村　太郎"),
        ("minh", "グエン・ミン"),
    }


def test_every_condition_has_somebody() -> None:
    assert {p.condition for p in derive_people(NOW)} == set(Condition)
    assert {p.tries_left for p in derive_people(NOW)} == {0, 1, 3}


def test_every_my_number_card_on_the_page_has_a_pin_of_four_digits_of_its_own() -> None:
    pins = [p.pin for p in derive_people(NOW) if not p.foreign and not p.hidden]
    assert all(len(pin) == 4 and pin.isdigit() for pin in pins)
    assert len(set(pins)) == len(pins)


def test_only_the_leak_test_has_a_long_pin_and_is_hidden() -> None:
    assert [(p.id, p.pin, p.label) for p in derive_people(NOW) if p.hidden] == [
        ("sentinel", "SENTINEL9Q7Z", "JPKIAPSIMTOKEN")
    ]


@given(MOMENTS)
def test_on_any_day_a_child_and_a_soon_expiring_birthday_exist(now: datetime) -> None:
    people = {p.id: p for p in derive_people(now)}
    today = now.date()
    birthday = people["taro"].birth.replace(year=today.year)
    if birthday < today:
        birthday = birthday.replace(year=today.year + 1)
    assert timedelta(days=20) < birthday - today < timedelta(days=80)
    stay = people["minh"].stay_until
    assert stay is not None
    assert stay > today + timedelta(days=365)


def test_the_child_is_under_fifteen_and_has_no_signature_pin() -> None:
    child = find("haruto")
    assert child.sign_pin is None
    assert NOW.date() < date(child.birth.year + 15, child.birth.month, child.birth.day)


def test_rare_characters_are_replaced_and_flagged_one_by_one() -> None:
    assert find("takako").substitute("𠮷野　髙子") == ("吉野　高子", "10010")
    assert find("midori").substitute("青葉　みどり") == ("青葉　みどり", "000000")
