"""A code enrols one terminal once; every failure looks the same."""

from __future__ import annotations

import base64

import pytest

from kiosk_web.errors import TerminalError
from kiosk_web.pki.fields import build_fields
from kiosk_web.pki.terminal import judge_ed25519
from tests.support.kiosk_server import ORIGIN, Stand
from tests.support.terminal import Terminal, decode

pytestmark = pytest.mark.anyio


async def test_the_code_carries_the_fingerprint_that_the_identity_key_has(stand: Stand) -> None:
    invitation = await stand.server.enrolment.add_terminal("library-1")
    text = invitation.code.replace("-", "")
    data = base64.b32decode(text + "=" * (-len(text) % 8))
    assert data[16:] == stand.server.keys.identity_fingerprint
    assert all(len(group) == 4 for group in invitation.code.split("-"))


async def test_the_answer_is_confirmed_by_the_identity_key(stand: Stand) -> None:
    invitation = await stand.server.enrolment.add_terminal("library-1")
    terminal = Terminal(stand.client())
    answer = (await terminal.enrol(invitation.code)).json()
    assert answer.keys() == {"v", "terminal", "origin", "identity_key", "confirmation"}
    assert (answer["terminal"], answer["origin"]) == (invitation.terminal, ORIGIN)
    signed = b"kiosk-enrolled/1\0" + build_fields(terminal.public, invitation.terminal, ORIGIN)
    assert judge_ed25519(decode(answer["identity_key"]), signed, decode(answer["confirmation"]))


async def test_a_code_is_used_once_and_lives_a_day(stand: Stand) -> None:
    first = await stand.server.enrolment.add_terminal("library-1")
    late = await stand.server.enrolment.add_terminal("library-2")
    terminal = Terminal(stand.client())
    assert (await terminal.enrol(first.code)).status_code == 201
    used = await terminal.enrol(first.code)
    stand.clock.advance(24 * 3600 + 1)
    expired = await terminal.enrol(late.code)
    invented = await terminal.enrol("AAAA-" * 13)
    malformed = await terminal.post("/k/enrol", {"v": 1})
    answers = [used, expired, invented, malformed]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert len({answer.content for answer in answers}) == 1


async def test_a_new_code_replaces_the_old_one(stand: Stand) -> None:
    first = await stand.server.enrolment.add_terminal("library-1")
    second = await stand.server.enrolment.add_terminal("library-1")
    terminal = Terminal(stand.client())
    assert second.terminal == first.terminal
    assert (await terminal.enrol(first.code)).status_code == 403
    assert (await terminal.enrol(second.code)).status_code == 201


@pytest.mark.parametrize("late", [False, True])
async def test_it_is_told_what_a_new_code_ends(stand: Stand, late: bool) -> None:
    first = await stand.server.enrolment.add_terminal("library-1")
    stand.clock.advance(24 * 3600 - 1 + late)
    second = await stand.server.enrolment.add_terminal("library-1")
    assert [(one.replaces_code, one.replaces_key) for one in (first, second)] == [(False, False), (not late, False)]
    assert (await Terminal(stand.client()).enrol(second.code)).status_code == 201
    third = await stand.server.enrolment.add_terminal("library-1")
    assert (third.replaces_code, third.replaces_key) == (False, True)


async def test_a_terminal_that_is_there_stays_in_its_facility(stand: Stand) -> None:
    """Whose staff attend it is no matter of a new code, and is not passed over in silence."""
    service = stand.server.enrolment
    first = await service.add_terminal("hall-1", "hall")
    with pytest.raises(TerminalError, match="'hall'"):
        await service.add_terminal("hall-1", "main")
    assert not (await service.add_terminal("library-1")).replaces_code
    assert (await service.add_terminal("hall-1", "hall")).terminal == first.terminal
    assert (await service.add_terminal("hall-1")).replaces_code
    assert {one.name: one.facility for one in await service.list_terminals()} == {"hall-1": "hall", "library-1": "main"}


async def test_a_proof_for_another_key_is_refused(stand: Stand) -> None:
    invitation = await stand.server.enrolment.add_terminal("library-1")
    owner, thief = Terminal(stand.client()), Terminal(stand.client())
    sent: list[object] = []

    async def steal(path: str, body: object, **headers: str) -> object:
        sent.append(body)
        raise ConnectionError

    owner.post = steal  # type: ignore[method-assign,assignment]  # the request is caught on its way
    with pytest.raises(ConnectionError):
        await owner.enrol(invitation.code)
    body = dict(sent[0])  # type: ignore[call-overload]  # the body is a dictionary
    from tests.support.terminal import encode

    answer = await thief.post("/k/enrol", {**body, "public_key": encode(thief.public)})
    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["", " x", "a\nb", "x" * 65])
async def test_a_name_is_something_staff_can_read(stand: Stand, name: str) -> None:
    with pytest.raises(TerminalError):
        await stand.server.enrolment.add_terminal(name)


async def test_the_name_of_a_revoked_terminal_is_not_used_again(stand: Stand) -> None:
    await stand.terminal("library-1")
    await stand.server.enrolment.revoke_terminal("library-1")
    with pytest.raises(TerminalError):
        await stand.server.enrolment.add_terminal("library-1")
    with pytest.raises(TerminalError):
        await stand.server.enrolment.revoke_terminal("nobody")
    assert [record.condition for record in await stand.server.enrolment.list_terminals()] == ["revoked"]


async def test_a_code_of_a_revoked_terminal_enrols_nobody(stand: Stand) -> None:
    invitation = await stand.server.enrolment.add_terminal("library-1")
    await stand.server.enrolment.revoke_terminal("library-1")
    assert (await Terminal(stand.client()).enrol(invitation.code)).status_code == 403
