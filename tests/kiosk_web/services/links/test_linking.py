"""Links: unique both ways, never moved silently, looked up by an exact match, every attempt in the staff audit."""

from __future__ import annotations

import sqlite3

import pytest

from kiosk_web.errors import REFUSALS, IdentityError
from kiosk_web.identity.links import (
    LINK_REFUSALS,
    LOOK_UP_WINDOW,
    LOOK_UPS_OF_ALL,
    LOOK_UPS_OF_ONE,
    RESIDENT,
    judge_look_ups,
    mask_number,
)
from kiosk_web.services.links.linking import FoundLink, LinkingService
from kiosk_web.services.ports.links import StaffAction
from tests.support.kiosk_server import Stand
from tests.support.numbers import number

pytestmark = pytest.mark.anyio
LIBRARY = "city-library"
FIRST, SECOND = number(1), number(2)


async def visit(stand: Stand, serial: int, service: str = "library") -> str:
    """A visit with 暗証番号; returns its reference number."""
    async with stand.server.store.read() as transaction:
        count = len(await transaction.terminals.list_all())
    terminal = await stand.opened(f"t{count}")
    assert (await stand.identify(terminal, stand.card(serial), service)).state == "result"
    return (await stand.read_result(terminal)).visit.reference


def service(stand: Stand) -> LinkingService:
    return stand.server.linking


async def link(stand: Stand, reference: str, text: str, system: str = LIBRARY) -> str:
    """`done` or the name of the refusal."""
    try:
        await service(stand).link_visit(reference, system, text, "鈴木", "desk", "desk")
    except IdentityError as refusal:
        return refusal.name
    return "done"


async def test_a_visitor_is_linked_found_both_ways_and_unlinked(stand: Stand) -> None:
    reference = await visit(stand, 1)
    desk = service(stand)
    assert await desk.look_up_visit(reference, LIBRARY, "鈴木", "asked") == FoundLink(LIBRARY, None, None, reference)
    now = stand.clock.now
    assert await link(stand, reference, f"A{FIRST}A") == "done"
    typed = reference.lower().replace("-", "")  # as staff copy it
    assert await desk.look_up_visit(typed, LIBRARY, "鈴木", "asked") == FoundLink(LIBRARY, FIRST, now, typed)
    assert await desk.look_up_number(LIBRARY, FIRST, "鈴木", "asked") == FoundLink(LIBRARY, FIRST, now)
    assert await desk.unlink(LIBRARY, FIRST, "鈴木", "asked") == FoundLink(LIBRARY, FIRST, now)
    with pytest.raises(IdentityError, match="not_linked"):
        await desk.look_up_number(LIBRARY, FIRST, "鈴木", "asked")
    assert await link(stand, reference, SECOND) == "done"  # and may be linked anew


async def test_a_link_is_unique_both_ways_and_never_moved_silently(stand: Stand) -> None:
    first, second = await visit(stand, 1), await visit(stand, 2)
    assert await link(stand, first, FIRST) == "done"
    assert await link(stand, first, FIRST) == "already_linked"
    assert await link(stand, first, SECOND) == "person_has_another"
    assert await link(stand, second, FIRST) == "number_taken"
    assert await link(stand, second, SECOND) == "done"


async def test_what_is_refused_has_its_name(stand: Stand) -> None:
    reference, hall = await visit(stand, 1), await visit(stand, 1, "facility")
    wrong = FIRST[:-1] + str((int(FIRST[-1]) + 1) % 10)
    assert await link(stand, reference, "123") == "number_malformed"
    assert await link(stand, reference, wrong) == "number_check_digit"
    assert await link(stand, reference, FIRST, "nowhere") == "system_unknown"
    assert await link(stand, hall, "12345678", "facility-booking") == "links_kept_elsewhere"
    assert await link(stand, hall, FIRST) == "visit_of_another_system"
    assert await link(stand, "AAAA-AAAA", FIRST) == "visit_unknown"
    for by, reason, name in (
        ("", "why", "name_missing"),
        (" client home", "why", "name_missing"),
        ("鈴木", "", "reason_missing"),
        ("鈴木", "a\nb", "reason_missing"),
    ):
        with pytest.raises(IdentityError, match=name):
            await service(stand).link_visit(reference, LIBRARY, FIRST, by, reason, "desk")
    assert set(LINK_REFUSALS) <= REFUSALS.keys()
    assert await link(stand, reference, FIRST) == "done"


async def test_only_numbers_on_the_list_are_linked_where_there_is_one(stand: Stand) -> None:
    reference = await visit(stand, 1)
    async with stand.server.store.write() as transaction:
        await transaction.links.replace_listed(LIBRARY, {SECOND})
    assert await link(stand, reference, FIRST) == "number_not_listed"
    assert await link(stand, reference, SECOND) == "done"


async def test_a_visit_is_found_for_half_an_hour_and_then_forgotten(stand: Stand) -> None:
    reference = await visit(stand, 1)
    stand.clock.advance(30 * 60 - 1)
    assert (await service(stand).look_up_visit(reference, LIBRARY, "鈴木", "asked")).user_number is None
    stand.clock.advance(1)
    assert await link(stand, reference, FIRST) == "visit_unknown"
    await stand.server.upkeep.tidy(stand.clock.now)
    assert stand.query("SELECT count(*) FROM recent_visits") == [(0,)]


async def test_a_visit_by_tap_links_nobody(stand: Stand) -> None:
    reference = await visit(stand, 1)
    stand.query("UPDATE recent_visits SET method = 'kazashi'")
    assert await link(stand, reference, FIRST) == "visit_unknown"


async def test_every_attempt_is_audited_without_a_number_or_a_person(stand: Stand) -> None:
    reference = await visit(stand, 1)
    await link(stand, reference, FIRST)
    await link(stand, reference, SECOND)
    await service(stand).look_up_number(LIBRARY, FIRST, "佐藤", "lost card")
    await service(stand).unlink(LIBRARY, FIRST, "佐藤", "moved away")
    async with stand.server.store.read() as transaction:
        actions = await transaction.staff_audit.list_latest(10)
        person = await transaction.persons.find(stand.root.anchor.key_id, 1)
    assert [(one.action, one.outcome, one.by, one.reason, one.link) for one in reversed(actions)] == [
        ("link", "done", "鈴木", "desk", 1),
        ("link", "person_has_another", "鈴木", "desk", None),
        ("look_up", "done", "佐藤", "lost card", 1),
        ("unlink", "done", "佐藤", "moved away", 1),
    ]
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    kept = str(connection.execute("SELECT * FROM staff_audit").fetchall())
    connection.close()
    for secret in (FIRST, SECOND, str(person), reference):
        assert secret not in kept


async def test_a_renewed_persons_link_stays(stand: Stand) -> None:
    reference = await visit(stand, 1)
    assert await link(stand, reference, FIRST) == "done"
    async with stand.server.store.write() as transaction:
        person = await transaction.persons.find(stand.root.anchor.key_id, 1)
        assert person is not None
        await transaction.persons.add_certificate(person, stand.root.anchor.key_id, 2, stand.clock.now)
    again = await visit(stand, 2)
    assert (await service(stand).look_up_visit(again, LIBRARY, "鈴木", "asked")).user_number == FIRST


def test_a_masked_number_shows_its_end_only() -> None:
    assert mask_number("1234567890") == "•••••••890"
    assert mask_number("12") == "12"


async def look_up(stand: Stand, by: str, text: str = FIRST) -> str:
    try:
        await service(stand).look_up_number(LIBRARY, text, by, "asked")
    except IdentityError as refusal:
        return refusal.name
    return "done"


async def test_one_member_of_staff_tries_out_numbers_for_a_while_and_no_longer(stand: Stand) -> None:
    reference = await visit(stand, 1)
    assert await link(stand, reference, FIRST) == "done"
    for count in range(LOOK_UPS_OF_ONE - 1):
        assert await look_up(stand, "鈴木", number(count + 10)) == "not_linked"
    assert await look_up(stand, "鈴木") == "done"
    for spelt in ("鈴木", " 鈴 木", "鈴木\u3000"):
        assert await look_up(stand, spelt) == "look_up_limit"
    with pytest.raises(IdentityError, match="look_up_limit"):
        await service(stand).look_up_visit(reference, LIBRARY, "鈴木", "asked")
    with pytest.raises(IdentityError, match="look_up_limit"):
        await service(stand).unlink(LIBRARY, FIRST, "鈴木", "asked")
    assert await look_up(stand, "佐藤") == "done"  # and the link is there still
    refused = "SELECT count(*) FROM staff_audit WHERE outcome = 'look_up_limit'"
    assert stand.query(refused) == [(5,)]
    async with stand.server.store.write() as transaction:  # what clients of the API ask counts for nobody here
        for _ in range(LOOK_UPS_OF_ALL):
            await transaction.staff_audit.add(
                StaffAction(stand.clock.now, "client home", "look_up", LIBRARY, "done", 1, "asked")
            )
    assert await look_up(stand, "佐藤") == "done"
    stand.clock.advance(LOOK_UP_WINDOW.total_seconds())
    assert await look_up(stand, "鈴木") == "done"


async def note(stand: Stand, by: str, action: str, outcome: str, times: int) -> None:
    async with stand.server.store.write() as transaction:
        for _ in range(times):
            await transaction.staff_audit.add(StaffAction(stand.clock.now, by, action, LIBRARY, outcome, 0, "asked"))


async def test_a_link_that_is_refused_is_a_look_up_too(stand: Stand) -> None:
    """With the reference number of a visitor who has a number, `number_taken` and `person_has_another` would tell of
    one number after the other whether somebody has it.
    """
    first, second = await visit(stand, 1), await visit(stand, 2)
    assert await link(stand, first, FIRST) == "done"
    await note(stand, "鈴木", "look_up", "done", LOOK_UPS_OF_ONE - 2)
    assert await link(stand, first, number(3)) == "person_has_another"
    assert await link(stand, second, FIRST) == "number_taken"
    assert await link(stand, second, SECOND) == "look_up_limit"
    assert stand.query("SELECT user_number FROM links") == [(FIRST,)]
    stand.clock.advance(LOOK_UP_WINDOW.total_seconds())
    assert await link(stand, second, SECOND) == "done"


async def test_links_that_are_made_use_no_look_up(stand: Stand) -> None:
    await note(stand, "鈴木", "link", "done", LOOK_UPS_OF_ALL)
    assert await look_up(stand, "鈴木") == "not_linked"


async def test_what_residents_type_at_terminals_uses_no_look_up_of_staff(stand: Stand) -> None:
    await note(stand, RESIDENT, "link", "number_taken", LOOK_UPS_OF_ALL)
    assert await look_up(stand, "鈴木") == "not_linked"
    for spelt in (RESIDENT, "Ｒｅｓｉｄｅｎｔ", " resi dent"):  # or whoever is called so would have no limit
        assert await look_up(stand, spelt) == "name_missing"


@pytest.mark.parametrize("action", ["look_up", "unlink", "end_kazashi", "relink", "confirm", "link"])
async def test_whatever_tells_of_a_number_counts(stand: Stand, action: str) -> None:
    await note(stand, "鈴木", action, "not_linked", LOOK_UPS_OF_ONE)
    assert await look_up(stand, "鈴木") == "look_up_limit"


async def test_no_name_is_taken_for_that_of_a_client_by_its_spelling(stand: Stand) -> None:
    for name in ("Client", "CLIENT HOME"):
        for _ in range(LOOK_UPS_OF_ONE):
            assert await look_up(stand, f"{name} 1") == "not_linked"
        assert await look_up(stand, f"{name} 1") == "look_up_limit"


def test_many_names_have_a_limit_together() -> None:
    names = [f"member {count % 20}" for count in range(LOOK_UPS_OF_ALL)]
    assert judge_look_ups(names[:-1], "somebody") is None
    assert judge_look_ups(names, "somebody") == "look_up_limit"
