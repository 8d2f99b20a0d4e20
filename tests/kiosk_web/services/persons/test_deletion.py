"""Deleting a person: everything that names them goes, in every table, and nobody else is touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk_web.adapters.store.held import TABLES
from kiosk_web.errors import IdentityError
from kiosk_web.services.persons.deletion import PersonDeletionService
from tests.support.kazashi import Body, Desk, build_kazashi, enrol, tap
from tests.support.kiosk_server import Stand, run_stand
from tests.support.numbers import number
from tests.support.terminal import Terminal

pytestmark = pytest.mark.anyio
LIBRARY = "city-library"


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, kazashi=build_kazashi(tmp_path)) as running:
        yield running


def count(stand: Stand) -> dict[str, int]:
    """Rows of each table that names persons, and of the persons."""
    names = [*(table.name for table in TABLES), "persons"]
    return {name: stand.query(f"SELECT count(*) FROM {name}")[0][0] for name in names}


async def live(stand: Stand, terminal: Terminal, body: Body, text: str) -> str:
    """Something in every table; returns the reference number of the last visit."""
    await stand.identify(terminal, body.issued, "facility")
    await terminal.take_card()
    await stand.identify(terminal, body.issued, "library")
    reference = (await stand.read_result(terminal)).visit.reference
    await stand.server.linking.link_visit(reference, LIBRARY, text, "鈴木", "desk", "desk")
    async with stand.server.store.write() as transaction:
        seen = await transaction.links.find_visit(reference, stand.clock.now)
        assert seen is not None
        await transaction.confirmations.record(seen.person, LIBRARY, stand.clock.now.date())
    await enrol(stand, terminal, body)
    await terminal.take_card()
    return reference


async def test_every_table_is_emptied_of_one_person_and_of_nobody_else(stand: Stand) -> None:
    service = PersonDeletionService(store=stand.server.store, clock=stand.clock)
    terminal, body, other = await stand.opened(), Body(stand.card(1)), Body(stand.card(2))
    await live(stand, terminal, other, number(2))
    before = count(stand)
    reference = await live(stand, terminal, body, number(1))
    both = count(stand)
    assert all(both[name] > before[name] for name in before)
    assert await service.delete(reference.lower(), "鈴木", "asked at the counter") == ("facility-booking",)
    assert count(stand) == before
    async with stand.server.store.read() as transaction:
        link = await transaction.links.find_by_number(LIBRARY, number(2))
        assert link is not None
        (action, *_) = await transaction.staff_audit.list_latest(1)
    assert (action.action, action.outcome, action.link) == ("delete_person", "done", None)
    await (await Desk.opened(stand)).attend(terminal)
    assert (await tap(stand, terminal, other)).state == "result"
    await terminal.take_card()
    assert (await tap(stand, terminal, body)).state == "reading_card"  # nobody here knows this card any more


@pytest.mark.parametrize(
    ("reference", "by", "reason", "refusal"),
    [
        ("AAAA-BBBB", "鈴木", "asked", "visit_unknown"),
        ("", " ", "asked", "name_missing"),
        ("", "鈴木", "", "reason_missing"),
    ],
)
async def test_what_is_refused_deletes_nobody_and_is_on_record(
    stand: Stand, reference: str, by: str, reason: str, refusal: str
) -> None:
    await live(stand, await stand.opened(), Body(stand.card()), number(1))
    before = count(stand)
    with pytest.raises(IdentityError, match=refusal):
        await PersonDeletionService(store=stand.server.store, clock=stand.clock).delete(reference, by, reason)
    assert count(stand) == before
    async with stand.server.store.read() as transaction:
        assert (await transaction.staff_audit.list_latest(1))[0].outcome == refusal


async def test_a_visit_of_long_ago_names_nobody_any_more(stand: Stand) -> None:
    reference = await live(stand, await stand.opened(), Body(stand.card()), number(1))
    stand.clock.advance(31 * 60)
    with pytest.raises(IdentityError, match="visit_unknown"):
        await PersonDeletionService(store=stand.server.store, clock=stand.clock).delete(reference, "鈴木", "asked")
