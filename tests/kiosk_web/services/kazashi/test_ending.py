"""Staff end かざし利用 for somebody without their card: named exactly, audited, and the next tap needs the PIN."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LOOK_UPS_OF_ONE
from kiosk_web.services.kazashi.ending import Holder, KazashiEndingService
from tests.support.kazashi import Body, Desk, build_kazashi, continue_by_pin, enrol, identify_by_pin, tap
from tests.support.kiosk_server import Stand, run_stand
from tests.support.numbers import number
from tests.support.terminal import Terminal

pytestmark = pytest.mark.anyio
LIBRARY, BOOKING = "city-library", "facility-booking"


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, kazashi=build_kazashi(tmp_path)) as running:
        yield running


async def enrolled(stand: Stand, terminal: Terminal, body: Body, service: str) -> str:
    """Reference number of the visit in which the card was enrolled."""
    assert (await identify_by_pin(stand, terminal, body, service)).state == "result"
    reference = (await stand.read_result(terminal)).visit.reference
    assert (await enrol(stand, terminal, body)).state == "kazashi_set"
    await terminal.take_card()
    return reference


def ending(stand: Stand) -> KazashiEndingService:
    server = stand.server
    return KazashiEndingService(
        store=server.store, linking=server.linking, offer=server.settings.build_offer(), clock=stand.clock
    )


async def end(stand: Stand, system: str, holder: Holder, by: str = "鈴木", reason: str = "card lost") -> str:
    """`done` or the name of the refusal."""
    try:
        await ending(stand).end(system, holder, by, reason)
    except IdentityError as refusal:
        return refusal.name
    return "done"


@pytest.mark.parametrize("way", ["reference", "number", "mykey_id"])
async def test_the_library_ends_it_for_whoever_lost_the_card(stand: Stand, way: str) -> None:
    terminal, body = await stand.opened(), Body(stand.card())
    reference = await enrolled(stand, terminal, body, "library")
    await stand.server.linking.link_visit(reference, LIBRARY, number(1), "鈴木", "desk", "desk")
    if way == "reference":
        holder = Holder(reference=reference.lower())
    elif way == "number":
        holder = Holder(number=number(1))
    else:
        holder = Holder(identifier=str(stand.query("SELECT mykey_id FROM mykey_ids")[0][0]))
    assert await end(stand, LIBRARY, holder) == "done"
    assert stand.query("SELECT * FROM kazashi_enrolments") == []
    assert await end(stand, LIBRARY, holder) == "kazashi_not_registered"
    await (await Desk.opened(stand)).attend(terminal)
    assert (await tap(stand, terminal, body, "library")).state == "reading_card"  # again, now for the 暗証番号


@pytest.mark.parametrize("meanwhile", ["the status is asked", "the terms are read"])
async def test_a_tap_that_is_not_confirmed_yet_counts_no_more(stand: Stand, meanwhile: str) -> None:
    """Whoever found the card has tapped it already when staff hear of the loss."""
    terminal, body = await stand.opened(), Body(stand.card())
    reference = await enrolled(stand, terminal, body, "facility")
    await (await Desk.opened(stand)).attend(terminal)
    if meanwhile == "the status is asked":
        stand.responder.gate.clear()
    service = "facility" if meanwhile == "the status is asked" else "library"
    await terminal.begin(service)
    await terminal.read_card(body.issued, tries_left=0)
    if stand.responder.gate.is_set():
        await stand.server.sessions.settle()
    stage = await terminal.sign(body.issued, signature=body.sign(terminal))
    assert stage.state == ("agreeing" if service == "library" else "checking")
    assert await end(stand, BOOKING, Holder(reference=reference)) == "done"
    stand.responder.gate.set()
    await stand.server.sessions.settle()
    stage = await terminal.send("terms_agreed" if service == "library" else "extended")
    assert (await continue_by_pin(stand, terminal, body, stage)).state == "result"


async def test_a_municipality_names_a_person_by_ppid_and_nobody_else_is_touched(stand: Stand) -> None:
    terminal, body, other = await stand.opened(), Body(stand.card()), Body(stand.card(0x77))
    await enrolled(stand, terminal, body, "facility")
    (ppid,) = stand.query("SELECT ppid FROM pairwise_ids")[0]
    await enrolled(stand, terminal, other, "facility")
    assert await end(stand, BOOKING, Holder(identifier=str(ppid))) == "done"
    (left,) = stand.query("SELECT certificate_sha256 FROM kazashi_enrolments")
    assert left == (hashlib.sha256(other.issued.der).digest(),)


async def test_what_is_refused_has_its_name(stand: Stand) -> None:
    terminal, body = await stand.opened(), Body(stand.card())
    reference = await enrolled(stand, terminal, body, "library")
    refused = {
        "system_unknown": await end(stand, "nowhere", Holder(reference=reference)),
        "visit_of_another_system": await end(stand, BOOKING, Holder(reference=reference)),
        "visit_unknown": await end(stand, LIBRARY, Holder(reference="AAAA-AAAA")),
        "identifier_unknown": await end(stand, LIBRARY, Holder(identifier="ABCDEFGH")),
        "links_kept_elsewhere": await end(stand, BOOKING, Holder(number=number(1))),
        "number_malformed": await end(stand, LIBRARY, Holder(number="12")),
        "not_linked": await end(stand, LIBRARY, Holder(number=number(1))),
        "name_missing": await end(stand, LIBRARY, Holder(reference=reference), by=" "),
        "reason_missing": await end(stand, LIBRARY, Holder(reference=reference), reason=""),
    }
    assert refused == {name: name for name in refused}
    assert len(stand.query("SELECT * FROM kazashi_enrolments")) == 1


async def test_whoever_tries_numbers_out_is_stopped_here_too(stand: Stand) -> None:
    """A number that is linked is refused otherwise than one that is not."""
    tried = [await end(stand, LIBRARY, Holder(number=number(one))) for one in range(LOOK_UPS_OF_ONE + 1)]
    assert tried == ["not_linked"] * LOOK_UPS_OF_ONE + ["look_up_limit"]


async def test_a_lost_card_is_ended_by_its_visit_or_identifier_however_many_numbers_were_tried(stand: Stand) -> None:
    """Nobody can try those out, and it may be urgent."""
    terminal, body = await stand.opened(), Body(stand.card())
    reference = await enrolled(stand, terminal, body, "library")
    for one in range(LOOK_UPS_OF_ONE):
        await end(stand, LIBRARY, Holder(number=number(one)))
    assert await end(stand, LIBRARY, Holder(number=number(1))) == "look_up_limit"
    assert await end(stand, LIBRARY, Holder(number=number(1), identifier="ABCDEFGH")) == "identifier_unknown"
    assert await end(stand, LIBRARY, Holder(reference=reference)) == "done"


async def test_every_attempt_is_audited_without_a_person_or_a_number(stand: Stand) -> None:
    terminal, body = await stand.opened(), Body(stand.card())
    reference = await enrolled(stand, terminal, body, "library")
    await end(stand, LIBRARY, Holder(number=number(1)))
    await end(stand, LIBRARY, Holder(reference=reference))
    rows = stand.query("SELECT * FROM staff_audit WHERE action = 'end_kazashi'")
    assert [row for row in rows if "not_linked" in row and "鈴木" in row]
    assert [row for row in rows if "done" in row and "card lost" in row]
    said = repr(rows)
    assert len(rows) == 2
    assert number(1) not in said
    assert reference not in said
