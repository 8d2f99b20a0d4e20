"""Two persons become one only by a 暗証番号 visit, staff, and an old certificate that a list names."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LOOK_UP_WINDOW, LOOK_UPS_OF_ONE
from kiosk_web.identity.persons import CertificateName
from kiosk_web.services.persons.relink import JudgeCertificate, Relinked, RelinkService
from kiosk_web.services.ports.kazashi import KazashiEnrolment
from tests.support.kiosk_server import Stand
from tests.support.numbers import number

pytestmark = pytest.mark.anyio
LIBRARY = "city-library"
HALL, BOOKING = "facility", "facility-booking"
FIRST = number(1)


async def visit(stand: Stand, serial: int, service: str = "library") -> tuple[str, str]:
    """(reference number, identifier)"""
    async with stand.server.store.read() as transaction:
        count = len(await transaction.terminals.list_all())
    terminal = await stand.opened(f"t{count}")
    assert (await stand.identify(terminal, stand.card(serial), service)).state == "result"
    result = await stand.read_result(terminal)
    return result.visit.reference, result.identifier


def build_service(stand: Stand, judge: JudgeCertificate) -> RelinkService:
    return RelinkService(store=stand.server.store, linking=stand.server.linking, judge=judge, clock=stand.clock)


async def relink(
    stand: Stand,
    reference: str,
    outcome: str = "revoked",
    text: str = FIRST,
    *,
    system: str = LIBRARY,
    identifier: str = "",
) -> Relinked | str:
    asked: list[CertificateName] = []

    async def judge(name: CertificateName) -> str:
        asked.append(name)
        return outcome

    service = build_service(stand, judge)
    try:
        done = await service.relink(reference, system, text, "鈴木", "new card", identifier=identifier)
    except IdentityError as refusal:
        return refusal.name
    assert [name.serial for name in asked] == [1]
    return done


async def link_first(stand: Stand) -> tuple[str, str]:
    """The person of certificate 1 with PPID, MyKey ID and link."""
    _, ppid = await visit(stand, 1, "facility")
    reference, mykey_id = await visit(stand, 1)
    await stand.server.linking.link_visit(reference, LIBRARY, FIRST, "鈴木", "desk", "desk")
    return ppid, mykey_id


async def test_a_new_card_gets_the_old_identifiers_back(stand: Stand) -> None:
    ppid, mykey_id = await link_first(stand)
    await visit(stand, 2, "facility")
    reference, fresh = await visit(stand, 2)
    assert fresh != mykey_id
    assert await relink(stand, reference) == Relinked(("facility-booking", ""))
    assert (await visit(stand, 2))[1] == mykey_id
    assert (await visit(stand, 2, "facility"))[1] == ppid
    again, _ = await visit(stand, 2)
    found = await stand.server.linking.look_up_visit(again, LIBRARY, "鈴木", "asked")
    assert found.user_number == FIRST


async def test_where_the_municipality_keeps_the_links_staff_name_the_old_ppid(stand: Stand) -> None:
    _, ppid = await visit(stand, 1, HALL)
    reference, fresh = await visit(stand, 2, HALL)
    assert await relink(stand, reference, system=BOOKING, text="12345678") == "links_kept_elsewhere"
    assert await relink(stand, reference, system=BOOKING, identifier="A" * 24) == "identifier_unknown"
    assert await relink(stand, reference, system=BOOKING, identifier=fresh) == "same_person"
    assert await relink(stand, reference, "not_listed", system=BOOKING, identifier=ppid) == "old_certificate_good"
    copied = " ".join(ppid[place : place + 4] for place in range(0, 24, 4)).lower()  # as the screen has it
    assert await relink(stand, reference, system=BOOKING, identifier=copied) == Relinked((BOOKING,))
    assert (await visit(stand, 2, HALL))[1] == ppid


async def test_at_a_library_the_old_mykey_id_does_where_nothing_was_linked(stand: Stand) -> None:
    _, mykey_id = await visit(stand, 1)
    reference, _ = await visit(stand, 2)
    assert await relink(stand, reference, identifier=mykey_id) == Relinked(("",))
    assert (await visit(stand, 2))[1] == mykey_id


async def test_a_system_that_nobody_knows_is_not_repeated_in_the_audit(stand: Stand) -> None:
    assert await relink(stand, "AAAA-AAAA", system="青葉みどり", identifier="A" * 24) == "system_unknown"
    async with stand.server.store.read() as transaction:
        (action,) = await transaction.staff_audit.list_latest(10)
    assert (action.system, action.outcome) == ("", "system_unknown")


async def test_a_ppid_that_the_old_person_did_not_have_comes_along(stand: Stand) -> None:
    reference, _ = await visit(stand, 1)
    await stand.server.linking.link_visit(reference, LIBRARY, FIRST, "鈴木", "desk", "desk")
    _, ppid = await visit(stand, 2, "facility")
    reference, _ = await visit(stand, 2)
    assert await relink(stand, reference) == Relinked(("",))
    assert (await visit(stand, 2, "facility"))[1] == ppid


async def test_whoever_tries_numbers_out_with_it_is_stopped(stand: Stand) -> None:
    await link_first(stand)
    reference, _ = await visit(stand, 2)
    for one in range(LOOK_UPS_OF_ONE):
        assert await relink(stand, reference, text=number(one + 2)) == "not_linked"
    assert await relink(stand, reference) == "look_up_limit"
    stand.clock.advance(LOOK_UP_WINDOW.total_seconds())
    assert await relink(stand, reference) == Relinked(("",))


async def test_kazashi_begins_anew(stand: Stand) -> None:
    await link_first(stand)
    reference, _ = await visit(stand, 2)
    async with stand.server.store.write() as transaction:
        for serial in (1, 2):
            person = await transaction.persons.find(stand.root.anchor.key_id, serial)
            assert person is not None
            await transaction.kazashi.replace(
                KazashiEnrolment(bytes([serial]), person, b"key", stand.clock.now, stand.clock.now)
            )
    assert isinstance(await relink(stand, reference), Relinked)
    async with stand.server.store.read() as transaction:
        assert [await transaction.kazashi.find(bytes([serial])) for serial in (1, 2)] == [None, None]


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        ("not_listed", "old_certificate_good"),
        ("on_hold", "old_certificate_on_hold"),
        ("stale", "old_certificate_unconfirmed"),
        ("unavailable", "old_certificate_unconfirmed"),
    ],
)
async def test_an_old_certificate_that_may_be_good_stops_it(stand: Stand, outcome: str, name: str) -> None:
    await link_first(stand)
    reference, fresh = await visit(stand, 2)
    assert await relink(stand, reference, outcome) == name
    assert (await visit(stand, 2))[1] == fresh


async def test_without_a_visit_a_link_and_a_new_card_nothing_is_done(stand: Stand) -> None:
    await link_first(stand)
    own, _ = await visit(stand, 1)
    other, _ = await visit(stand, 2)
    assert await relink(stand, "AAAA-AAAA") == "visit_unknown"
    assert await relink(stand, other, text=number(9)) == "not_linked"
    assert await relink(stand, other, text="x") == "number_malformed"
    assert await relink(stand, own) == "same_person"
    await stand.server.linking.link_visit(other, LIBRARY, number(2), "鈴木", "desk", "desk")
    assert await relink(stand, other) == "person_has_another"
    async with stand.server.store.write() as transaction:
        person = await transaction.persons.find(stand.root.anchor.key_id, 2)
        assert person is not None
        await transaction.persons.add_certificate(person, stand.root.anchor.key_id, 3, stand.clock.now)
    assert await relink(stand, other) == "not_a_new_card"


async def test_the_newest_certificate_of_the_old_person_is_the_one_that_must_not_be_good(stand: Stand) -> None:
    await link_first(stand)
    stand.clock.advance(60)
    async with stand.server.store.write() as transaction:
        person = await transaction.persons.find(stand.root.anchor.key_id, 1)
        assert person is not None
        await transaction.persons.add_certificate(person, stand.root.anchor.key_id, 5, stand.clock.now)
    reference, fresh = await visit(stand, 2)
    judged: list[int] = []

    async def judge(name: CertificateName) -> str:
        judged.append(name.serial)
        return "revoked" if name.serial == 1 else "not_listed"  # what a renewal leaves behind

    service = build_service(stand, judge)
    with pytest.raises(IdentityError, match="old_certificate_good"):
        await service.relink(reference, LIBRARY, FIRST, "鈴木", "new card")
    assert judged == [5]
    assert (await visit(stand, 2))[1] == fresh


async def test_what_changes_while_the_lists_are_read_stops_it(stand: Stand) -> None:
    await link_first(stand)
    reference, fresh = await visit(stand, 2)
    third, _ = await visit(stand, 3)

    async def judge(_name: CertificateName) -> str:
        await stand.server.linking.unlink(LIBRARY, FIRST, "佐藤", "meanwhile")
        await stand.server.linking.link_visit(third, LIBRARY, FIRST, "佐藤", "meanwhile", "desk")
        return "revoked"

    service = build_service(stand, judge)
    with pytest.raises(IdentityError, match="visit_unknown"):
        await service.relink(reference, LIBRARY, FIRST, "鈴木", "new card")
    assert (await visit(stand, 2))[1] == fresh


async def test_two_at_once_cannot_give_one_new_card_to_two_persons(stand: Stand) -> None:
    """Also where both write in one commit, and neither could yet read what the other one wrote."""
    await link_first(stand)
    third, _ = await visit(stand, 3)
    await stand.server.linking.link_visit(third, LIBRARY, number(2), "鈴木", "desk", "desk")
    reference, _ = await visit(stand, 2)
    both, asked = asyncio.Event(), []

    async def judge(name: CertificateName) -> str:
        asked.append(name)
        if len(asked) == 2:
            both.set()
        await both.wait()
        return "revoked"

    service = build_service(stand, judge)
    said = await asyncio.gather(
        service.relink(reference, LIBRARY, FIRST, "鈴木", "new card"),
        service.relink(reference, LIBRARY, number(2), "佐藤", "new card"),
        return_exceptions=True,
    )
    assert {type(one) for one in said} == {Relinked, IdentityError}


async def test_a_tap_of_the_new_card_is_not_enough(stand: Stand) -> None:
    await link_first(stand)
    reference, fresh = await visit(stand, 2)
    async with stand.server.store.write() as transaction:
        seen = await transaction.links.find_visit(reference, stand.clock())
        assert seen is not None
        await transaction.links.add_visit(replace(seen, reference="TAPP-ED22", method="kazashi"))
    assert await relink(stand, "TAPP-ED22") == "visit_unknown"
    assert (await visit(stand, 2))[1] == fresh


async def test_every_attempt_is_audited_without_a_person_or_a_number(stand: Stand) -> None:
    await link_first(stand)
    reference, _ = await visit(stand, 2)
    await relink(stand, reference, "not_listed")
    await relink(stand, reference, text="x")
    await relink(stand, reference)
    async with stand.server.store.read() as transaction:
        actions = [one for one in await transaction.staff_audit.list_latest(10) if one.action == "relink"]
    assert [(one.outcome, one.count, one.by, one.reason) for one in actions] == [
        ("done", 1, "鈴木", "new card"),
        ("number_malformed", 0, "鈴木", "new card"),
        ("old_certificate_good", 0, "鈴木", "new card"),
    ]
    assert not any(secret in repr(actions) for secret in (FIRST, reference))
