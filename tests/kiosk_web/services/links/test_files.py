"""What libraries do with files: whole or not at all, dry first, once only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.errors import IdentityError
from kiosk_web.services.links.files import FileReport, LinkFileService
from kiosk_web.settings.server import Settings
from tests.support.database import lay_database
from tests.support.numbers import number

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
LIBRARY = "city-library"
ONE, TWO, THREE, FOUR = (number(body) for body in (1, 2, 3, 4))


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    """Persons p1 and p2, linked to ONE and TWO."""
    lay_database(tmp_path)
    opened = SqlStore(tmp_path)
    async with opened.write() as transaction:
        for serial, text in ((1, ONE), (2, TWO)):
            await transaction.persons.add(f"p{serial}", b"key", serial, NOW)
            await transaction.links.add(LIBRARY, f"p{serial}", text, "desk", NOW)
    yield opened
    await opened.close()


async def apply(store: SqlStore, what: str, *lines: str, dry: bool = False, system: str = LIBRARY) -> FileReport:
    service = LinkFileService(store=store, offer=Settings().build_offer(), clock=lambda: NOW)
    method = getattr(service, what)
    report: FileReport = await method(
        system, "\n".join(lines).encode(), "utf-8", "鈴木", "yearly", dry=dry, advance=lambda done, total: None
    )
    return report


async def linked(store: SqlStore) -> dict[str, str | None]:
    async with store.read() as transaction:
        records = {person: await transaction.links.find_by_person(LIBRARY, person) for person in ("p1", "p2")}
    return {person: None if record is None else record.user_number for person, record in records.items()}


def outcomes(report: FileReport) -> list[str]:
    return [outcome for _line, outcome in report.rows]


async def test_numbers_change_places_and_a_chain_moves_up_at_once(store: SqlStore) -> None:
    report = await apply(store, "renumber", "old,new", f"{ONE},{TWO}", f"{TWO},{ONE}")
    assert (outcomes(report), report.applied) == (["renumbered", "renumbered"], True)
    assert await linked(store) == {"p1": TWO, "p2": ONE}
    await apply(store, "renumber", f"{TWO},{ONE}", f"{ONE},{THREE}")
    assert await linked(store) == {"p1": ONE, "p2": THREE}


async def test_the_same_file_is_not_applied_twice(store: SqlStore) -> None:
    lines = (f"{ONE},{TWO}", f"{TWO},{ONE}")
    await apply(store, "renumber", *lines)
    again = await apply(store, "renumber", *lines)
    assert (again.applied, again.applied_before, again.rows) == (False, NOW, ())
    assert await linked(store) == {"p1": TWO, "p2": ONE}


async def test_one_row_in_the_way_stops_the_whole_file(store: SqlStore) -> None:
    report = await apply(store, "renumber", f"{ONE},{THREE}", f"{FOUR},{TWO}")
    assert (outcomes(report), report.conflicts, report.applied) == (
        ["renumbered", "number_taken"],
        ((2, "number_taken"),),
        False,
    )
    await apply(store, "import_valid_numbers", ONE, TWO)
    report = await apply(store, "renumber", f"{ONE},{THREE}")
    assert (outcomes(report), report.accepted) == (["number_not_listed"], False)
    wrong = await apply(store, "renumber", f"{ONE},{THREE}", "x")
    assert [(error.line, error.error) for error in wrong.errors] == [(2, "columns")]
    assert await linked(store) == {"p1": ONE, "p2": TWO}


async def test_unlinking_many_and_one_that_is_not_linked(store: SqlStore) -> None:
    report = await apply(store, "unlink", ONE, THREE)
    assert report.rows == ((1, "unlinked"), (2, "not_linked"))
    assert await linked(store) == {"p1": None, "p2": TWO}
    assert (await apply(store, "unlink", ONE, THREE)).applied_before == NOW


async def test_a_list_of_valid_numbers_replaces_the_one_before_and_ends_no_link(store: SqlStore) -> None:
    report = await apply(store, "import_valid_numbers", ONE, THREE)
    assert (outcomes(report), report.left, report.applied) == (["listed", "listed"], 1, True)
    await apply(store, "import_valid_numbers", FOUR)
    async with store.read() as transaction:
        assert await transaction.links.load_listed(LIBRARY) == {FOUR}
        assert await transaction.links.is_number_listed("another", ONE) is None
    assert await linked(store) == {"p1": ONE, "p2": TWO}


@pytest.mark.parametrize("what", ["import_valid_numbers", "unlink", "renumber"])
async def test_a_dry_run_judges_all_and_changes_nothing(store: SqlStore, what: str) -> None:
    line = f"{ONE},{THREE}" if what == "renumber" else ONE
    report = await apply(store, what, line, dry=True)
    assert (report.accepted, report.applied, len(report.rows)) == (True, False, 1)
    async with store.read() as transaction:
        assert await transaction.links.load_listed(LIBRARY) == frozenset()
        assert await transaction.staff_audit.list_latest(10) == ()
    assert await linked(store) == {"p1": ONE, "p2": TWO}
    assert (await apply(store, what, line)).applied  # a dry run is no application


async def test_the_order_itself_is_judged_first(store: SqlStore) -> None:
    for system, name in (("nowhere", "system_unknown"), ("facility-booking", "links_kept_elsewhere")):
        with pytest.raises(IdentityError, match=name):
            await apply(store, "unlink", ONE, system=system)


async def test_a_file_is_one_audit_record_with_its_count(store: SqlStore) -> None:
    await apply(store, "renumber", f"{ONE},{THREE}", f"{FOUR},{number(5)}")
    async with store.read() as transaction:
        (action,) = await transaction.staff_audit.list_latest(10)
    assert (action.action, action.count, action.by, action.reason) == ("file_renumber", 1, "鈴木", "yearly")
