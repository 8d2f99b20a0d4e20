"""Which version a person accepted, who is asked about a new one, and what happens until they have answered."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk_web.adapters.terms_files import PACKAGED
from kiosk_web.errors import SettingsError
from tests.support.jpki import Issued
from tests.support.kiosk_server import Stand, run_stand
from tests.support.ocsp_answers import AnswerShape
from tests.support.register import ScriptedRegister
from tests.support.terminal import Terminal

pytestmark = pytest.mark.anyio
SYSTEM = "facility-booking"


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


def publish(tmp_path: Path, version: str, *, of: str = "terms-of-use", changes: str = "") -> Path:
    """The demo's texts, one document in another version."""
    own = tmp_path / "terms"
    own.mkdir(exist_ok=True)
    for path in PACKAGED.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        if path.name.startswith(of):
            said = f"version: {version}\nchanges: {changes}" if changes else f"version: {version}"
            text = text.replace("version: demo-1", said)
        (own / path.name).write_text(text, encoding="utf-8")
    return own


@contextlib.asynccontextmanager
async def reopened(folder: Path, stand: Stand, **changes: object) -> AsyncIterator[tuple[Stand, Terminal]]:
    """The server started again with its newest texts, and its second terminal."""
    async with run_stand(folder, stand.clock, **changes) as again:
        yield again, await again.opened("library-2")


async def identify_once(folder: Path) -> tuple[Stand, Issued, str]:
    """Somebody who accepted the demo's texts for the facility system; the server has stopped."""
    async with run_stand(folder) as stand:
        terminal, card = await stand.opened(), stand.card()
        await stand.identify(terminal, card)
        return stand, card, (await stand.read_result(terminal)).identifier


async def test_who_accepted_an_older_version_is_asked_before_the_result(tmp_path: Path) -> None:
    before, card, ppid = await identify_once(tmp_path)
    first = before.clock.now
    before.clock.advance(3600)
    own = publish(tmp_path, "demo-2", changes="開館時間が変わりました。")
    async with reopened(tmp_path, before, terms=own) as (stand, terminal):
        stage = await stand.identify(terminal, card)
        assert (stage.state, stage.code) == ("agreeing", "")
        for said in ("demo-2", "demo-1", "2026年11月23日", "開館時間が変わりました。", "利用規約"):
            assert said in stage.html
        assert 'id="change-privacy-policy"' not in stage.html
        assert ppid not in stage.html
        assert (await load_accepted(stand, ppid))["terms-of-use"] == ("demo-1", first)
        stage = await terminal.send("terms_agreed")
        assert stage.state == "result"
        assert (await stand.read_result(terminal)).identifier == ppid
        assert await load_accepted(stand, ppid) == {
            "privacy-policy": ("demo-1", first),
            "terms-of-use": ("demo-2", stand.clock.now),
        }
        await terminal.take_card()
        assert (await stand.identify(terminal, card)).state == "result"
        await terminal.take_card()
        assert (await stand.identify(terminal, card, "library")).state == "result"  # a first visit there: typing agrees


async def test_who_does_not_agree_leaves_nothing_behind(tmp_path: Path) -> None:
    before, card, ppid = await identify_once(tmp_path)
    async with reopened(tmp_path, before, terms=publish(tmp_path, "demo-2")) as (stand, terminal):
        await stand.identify(terminal, card)
        stage = await terminal.send("cancelled")
        assert (stage.state, stage.code) == ("refused", "terms_declined")
        assert "K-613" in stage.html
        assert ppid not in stage.html
        assert {version for version, _ in (await load_accepted(stand, ppid)).values()} == {"demo-1"}
        assert not stand.server.sessions._effects._proofs._held
        reference = (await stand.server.sessions.load(terminal.id)).state.visit.reference
        async with stand.server.store.read() as transaction:
            assert await transaction.links.find_visit(reference, stand.clock.now) is None
            (latest,) = [one for one in await transaction.audit.list_latest() if one.terminal == terminal.id]
        assert (latest.outcome, latest.code) == ("refused", "terms_declined")


@pytest.mark.parametrize("ends", ["card", "time"])
async def test_card_and_time_end_the_question(tmp_path: Path, ends: str) -> None:
    before, card, _ = await identify_once(tmp_path)
    async with reopened(tmp_path, before, terms=publish(tmp_path, "demo-2")) as (stand, terminal):
        await stand.identify(terminal, card)
        if ends == "card":
            stage = await terminal.take_card()
        else:
            stand.clock.advance(121)
            await stand.server.sessions.sweep()
            stage = await terminal.send("language_chosen", language="ja")
        assert (stage.state, stage.code) == ("refused", {"card": "card_removed", "time": "session_timeout"}[ends])
        assert (await terminal.send("terms_agreed")).refusal == "illegal_event"


async def test_a_certificate_revoked_while_they_read_is_found(tmp_path: Path) -> None:
    before, card, _ = await identify_once(tmp_path)
    async with reopened(tmp_path, before, terms=publish(tmp_path, "demo-2"), ocsp_cache_seconds=0) as (stand, terminal):
        await stand.identify(terminal, card)
        for _ in range(2):
            stand.clock.advance(100)
            await terminal.send("extended")
        asked = stand.responder.questions
        stand.responder.shape = AnswerShape(status="revoked")
        assert (await terminal.send("terms_agreed")).state == "checking"
        await stand.server.sessions.settle()
        stage = await terminal.send("language_chosen", language="ja")
        assert stand.responder.questions == asked + 1
        assert (stage.state, stage.code) == ("refused", "certificate_revoked")


async def test_a_renewed_certificate_is_asked_and_kept_only_with_the_agreement(tmp_path: Path) -> None:
    before, _, ppid = await identify_once(tmp_path)
    renewed = before.card(0x77)
    register = ScriptedRegister({0x77: 0x0A1B2C3D})
    async with reopened(tmp_path, before, terms=publish(tmp_path, "demo-2"), register=register) as (stand, terminal):
        assert (await stand.identify(terminal, renewed)).state == "agreeing"
        async with stand.server.store.read() as transaction:
            person = await transaction.persons.find_by_ppid(ppid, SYSTEM)
            assert person is not None
            assert await transaction.persons.count_certificates(person) == 1
        await terminal.send("terms_agreed")
        assert (await stand.read_result(terminal)).identifier == ppid


async def test_a_text_that_cannot_be_shown_stops_the_server_by_name(tmp_path: Path) -> None:
    empty = tmp_path / "terms"
    empty.mkdir()
    with pytest.raises(SettingsError, match=r"terms: terms-of-use\.ja\.md"):
        async with run_stand(tmp_path, terms=empty):
            pass
