"""Which version a person accepted, and when a new one is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk_web.adapters.terms_files import PACKAGED
from kiosk_web.errors import SettingsError
from tests.support.kiosk_server import Clock, Stand, run_stand

pytestmark = pytest.mark.anyio
SYSTEM = "facility-booking"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path) as running:
        yield running


async def load_accepted(stand: Stand, ppid: str) -> dict[str, tuple[str, object]]:
    async with stand.server.store.read() as transaction:
        person = await transaction.persons.find_by_ppid(ppid, SYSTEM)
        assert person is not None
        found = await transaction.terms.find(person, SYSTEM)
        assert await transaction.terms.find(person, "city-library") == ()
    return {accepted.document: (accepted.version, accepted.accepted_at) for accepted in found}


async def test_the_screen_of_the_pin_names_the_version_that_its_typing_accepts(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    stage = await terminal.send("text_size_chosen", size="normal")
    assert stage.state == "awaiting_pin"
    assert "demo-1" in stage.html
    await terminal.submit_pin()
    await terminal.sign(card)
    first = stand.clock.now
    ppid = (await stand.read_result(terminal)).identifier
    assert await load_accepted(stand, ppid) == {
        "terms-of-use": ("demo-1", first),
        "privacy-policy": ("demo-1", first),
    }
    await terminal.take_card()
    stand.clock.advance(60)
    await stand.identify(terminal, card)
    assert {at for _, at in (await load_accepted(stand, ppid)).values()} == {first}


async def test_a_new_version_of_one_document_is_accepted_anew(tmp_path: Path) -> None:
    clock = Clock()
    async with run_stand(tmp_path, clock) as stand:
        terminal, card = await stand.opened(), stand.card()
        await stand.identify(terminal, card)
        ppid = (await stand.read_result(terminal)).identifier
        before = clock.now
    own = tmp_path / "terms"
    own.mkdir()
    for path in PACKAGED.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        new = text.replace("version: demo-1", "version: demo-2") if path.name.startswith("terms") else text
        (own / path.name).write_text(new, encoding="utf-8")
    clock.advance(3600)
    async with run_stand(tmp_path, clock, terms=own) as stand:
        terminal = await stand.opened("library-2")
        await stand.identify(terminal, card)
        accepted = await load_accepted(stand, ppid)
        assert accepted["privacy-policy"] == ("demo-1", before)
        assert accepted["terms-of-use"] == ("demo-2", clock.now)


async def test_a_text_that_cannot_be_shown_stops_the_server_by_name(tmp_path: Path) -> None:
    empty = tmp_path / "terms"
    empty.mkdir()
    with pytest.raises(SettingsError, match=r"terms: terms-of-use\.ja\.md"):
        async with run_stand(tmp_path, terms=empty):
            pass
