"""A redirected reading through the whole server: the browser comes with a handle, goes back with a code, and carries
nothing else; and what an attacker would try with each of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from kiosk_web.errors import ClientError
from kiosk_web.services.api.clients import read_redirect_uris
from tests.support.api_client import API_SYSTEMS, problem
from tests.support.kiosk_server import run_stand
from tests.support.redirects import BACK, REDIRECT, STATE, Desk, open_asker, read_answer
from tests.support.terminal import Stage, Terminal

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Desk]:
    async with run_stand(tmp_path, systems=API_SYSTEMS) as stand:
        terminal = await stand.terminal("library-1")
        yield Desk(stand, terminal, await open_asker(stand))


async def test_a_browser_comes_goes_back_and_the_result_goes_to_the_server(desk: Desk) -> None:
    address = await desk.ask()
    assert address.startswith("http://127.0.0.1:8480/?request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A")
    opened = await desk.arrive(address)
    assert (opened.status_code, Stage(opened.text).state) == (200, "awaiting_card")
    assert "元の画面に戻ります" in opened.text
    cookie = opened.headers["set-cookie"]
    assert cookie.startswith("kiosk_reading=")
    assert {"HttpOnly", "Path=/k/readings", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    stage = await desk.read(desk.stand.card())
    assert stage.state == "result"
    assert "元の画面に戻る" in stage.html
    shown = await desk.stand.read_result(desk.terminal)

    back = await desk.leave()
    answer = read_answer(back)
    assert answer["state"] == STATE
    assert [secret for secret in (shown.identifier, shown.visit.reference) if secret in back] == []
    redeemed = await desk.redeem(answer["code"])
    assert (redeemed.status_code, redeemed.json()["state"]) == (200, "done")
    claims = await desk.asker.open_result(redeemed.json()["result"])
    assert (claims["ppid"], claims["accepted"], claims["jti"]) == (shown.identifier, True, redeemed.json()["id"])

    assert await desk.leave() == "/"  # the way back leads somewhere once
    assert problem(await desk.redeem(answer["code"])) == (409, "code_refused")


async def test_the_result_is_not_given_without_the_code(desk: Desk) -> None:
    """Else a system could learn of a person whose browser is not the one it serves."""
    asked = (await desk.asker.ask(redirect=REDIRECT)).json()
    await desk.arrive(asked["authorization_uri"])
    assert (await desk.read(desk.stand.card())).state == "result"
    shown = (await desk.asker.show(asked["id"])).json()
    assert (shown["state"], shown["result"]) == ("done", None)
    redeemed = (await desk.redeem(read_answer(await desk.leave())["code"])).json()
    assert (redeemed["id"], redeemed["state"]) == (asked["id"], "done")
    assert redeemed["result"] is not None


async def test_every_other_end_goes_back_as_well_and_says_no_more(desk: Desk) -> None:
    """Declined, taken back, timed out, and a page that was loaded anew."""
    heard = [(await desk.redeem(await desk.decline())).json()]

    asked = (await desk.asker.ask(redirect=REDIRECT)).json()
    await desk.arrive(asked["authorization_uri"])
    await desk.asker.cancel(asked["id"])
    assert (await desk.terminal.send("finished")).state == "choosing_service"
    heard.append((await desk.redeem(read_answer(await desk.leave())["code"])).json())

    await desk.arrive(await desk.ask())
    desk.stand.clock.advance(120)
    await desk.stand.server.upkeep.sweep()
    heard.append((await desk.redeem(read_answer(await desk.leave())["code"])).json())

    await desk.arrive(await desk.ask())
    assert (await desk.terminal.open_page(again=True)).state == "choosing_service"
    heard.append((await desk.redeem(read_answer(await desk.leave())["code"])).json())
    assert [(one["state"], one["result"]) for one in heard] == [
        ("declined", None),
        ("cancelled", None),
        ("expired", None),
        ("failed", None),
    ]


async def test_only_a_registered_address_is_gone_back_to(desk: Desk) -> None:
    """Sign by sign: an open redirect is one sign away."""
    for foreign in (
        f"{BACK}/",
        f"{BACK}x",
        f"{BACK}?next=1",
        f"{BACK}#x",
        "https://booking.example.lg.jp",
        "https://booking.example.lg.jp.evil.example/kiosk/return",
        "https://booking.example.lg.jp@evil.example/kiosk/return",
        "https://BOOKING.example.lg.jp/kiosk/return",
        "http://booking.example.lg.jp/kiosk/return",
        "https://evil.example/kiosk/return",
    ):
        refused = await desk.asker.ask(redirect={**REDIRECT, "redirect_uri": foreign})
        assert problem(refused) == (403, "redirect_uri_not_permitted")
    for script in ("javascript:alert(1)", "data:text/html,x", "//evil.example/", ""):
        assert problem(await desk.asker.ask(redirect={**REDIRECT, "redirect_uri": script}))[0] == 400
    assert problem(await desk.asker.ask(redirect={**REDIRECT, "code_challenge_method": "plain"}))[0] == 400
    assert problem(await desk.asker.ask(redirect={**REDIRECT, "state": "short"}))[0] == 400
    other = await open_asker(desk.stand, "other", back=("https://other.example/return",))
    assert problem(await other.ask(redirect=REDIRECT)) == (403, "redirect_uri_not_permitted")


@pytest.mark.parametrize(
    "address",
    [
        "https://booking.example.lg.jp",
        "http://booking.example.lg.jp/return",
        "https://booking.example.lg.jp/return?x=1",
        "https://booking.example.lg.jp/return#x",
        "https://user@booking.example.lg.jp/return",
        "https://booking.example.lg.jp/../return",
        "https://booking.example.lg.jp/a//b",
        "https://booking.example.lg.jp/%2e%2e/return",
        "https://booking.example.lg.jp\\@evil.example/return",
        "https://BOOKING.example.lg.jp/return",
        "https://booking.example.lg.jp:443/return",
        "https://booking.example.lg.jp/return\n",
        "javascript://booking.example.lg.jp/return",
        "https:///return",
    ],
)
async def test_an_address_that_is_not_plain_is_not_registered(address: str) -> None:
    with pytest.raises(ClientError):
        read_redirect_uris([address])


async def test_a_handle_counts_once(desk: Desk) -> None:
    address = await desk.ask()
    assert (await desk.arrive(address)).status_code == 200
    again = await desk.hand_over(address)
    assert (again.status_code, Stage(again.text).code) == (404, "reading_unusable")
    assert (await desk.terminal.send("cancelled")).state == "choosing_service"
    assert (await desk.hand_over(address)).status_code == 404

    address = await desk.ask()
    await desk.terminal.open_page()
    await desk.terminal.take_card()
    both = await asyncio.gather(desk.hand_over(address), desk.hand_over(address))
    assert sorted(answer.status_code for answer in both) == [200, 404]


async def test_a_handle_is_for_its_terminal_in_time_and_for_a_page_that_proved_its_bridge(desk: Desk) -> None:
    address = await desk.ask()
    stranger = await desk.stand.terminal("library-2")
    refused = await desk.arrive(address, stranger)
    assert (refused.status_code, Stage(refused.text).code) == (404, "reading_unusable")
    assert await desk.leave(stranger) == "/"
    nobody = Terminal(desk.stand.client())
    assert (await desk.hand_over(address, nobody)).status_code == 401
    for forged in ("urn:ietf:params:oauth:request_uri:" + "A" * 43, "https://evil.example/request", ""):
        assert (await stranger.post("/k/readings", {"v": 1, "request_uri": forged})).status_code == 404
    desk.stand.clock.advance(121)
    late = await desk.arrive(address)
    assert (late.status_code, Stage(late.text).code) == (404, "reading_unusable")


async def test_a_card_that_lay_there_before_is_not_read_for_it(desk: Desk) -> None:
    """Also where the page asks before its bridge told the reader. The handle can be used once the card was taken."""
    address = await desk.ask()
    await desk.terminal.open_page()
    early = await desk.hand_over(address)
    assert (early.status_code, Stage(early.text).code) == (409, "reading_blocked")
    await desk.terminal.put_card()
    blocked = await desk.hand_over(address)
    assert (blocked.status_code, Stage(blocked.text).code) == (409, "reading_blocked")
    await desk.terminal.take_card()
    assert (await desk.hand_over(address)).status_code == 200


async def test_a_browser_that_did_not_bring_the_handle_is_sent_nowhere(desk: Desk) -> None:
    """The way back before the end, without the cookie, and with somebody else's."""
    await desk.arrive(await desk.ask())
    assert await desk.leave() == "/"
    assert (await desk.terminal.send("cancelled")).state == "choosing_service"
    other = desk.stand.client()
    for cookies in ({}, {"kiosk_reading": "A" * 43}, {"kiosk_reading": "ü"}):
        headers = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()} if cookies else {}
        )
        answer = await other.get("/k/readings/return", headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    foreign = await desk.terminal.client.get("/k/readings/return", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert (await desk.leave()).startswith(BACK)


async def test_a_code_is_for_the_client_that_asked_once_and_for_a_minute(desk: Desk) -> None:
    other = await open_asker(desk.stand, "other")
    code = await desk.decline()
    assert problem(await desk.redeem(code, other)) == (409, "code_refused")  # and it is not used up by that
    assert (await desk.redeem(code)).status_code == 200
    code = await desk.decline()
    desk.stand.clock.advance(61)
    assert problem(await desk.redeem(code)) == (409, "code_refused")
    code = await desk.decline()
    both = await asyncio.gather(desk.redeem(code), desk.redeem(code))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    assert problem(await desk.redeem("A" * 43)) == (409, "code_refused")


@pytest.mark.parametrize(
    "changes", [{"code_verifier": "w" * 43}, {"redirect_uri": f"{BACK}/2"}], ids=["verifier", "uri"]
)
async def test_a_code_that_was_put_into_another_session_is_used_up_for_nothing(
    desk: Desk, changes: dict[str, str]
) -> None:
    """Code injection: whoever brings it has not the verifier of its request, and the result is gone with it."""
    await desk.arrive(await desk.ask())
    assert (await desk.read(desk.stand.card())).state == "result"
    code = read_answer(await desk.leave())["code"]
    assert problem(await desk.redeem(code, **changes)) == (409, "code_refused")
    assert problem(await desk.redeem(code)) == (409, "code_refused")
    async with desk.stand.server.store.read() as transaction:
        kept = (await transaction.connection.execute(text("SELECT result FROM readings"))).scalars().all()
    assert kept == [None]


async def test_a_client_that_speaks_for_the_system_no_more_gets_nothing_for_its_code(desk: Desk) -> None:
    await desk.arrive(await desk.ask())
    assert (await desk.read(desk.stand.card())).state == "result"
    assert (await desk.terminal.take_card()).state == "choosing_service"
    code = read_answer(await desk.leave())["code"]
    async with desk.stand.server.store.write() as transaction:
        await transaction.connection.execute(text("UPDATE api_clients SET systems = 'library'"))
    assert problem(await desk.redeem(code)) == (409, "code_refused")
    async with desk.stand.server.store.read() as transaction:
        kept = (await transaction.connection.execute(text("SELECT result FROM readings"))).scalars().all()
    assert kept == [None]


@pytest.mark.parametrize("moment", ["asked", "shown", "over"])
async def test_no_browser_is_sent_to_a_client_that_was_revoked_meanwhile(desk: Desk, moment: str) -> None:
    address = await desk.ask()
    if moment != "asked":
        assert (await desk.arrive(address)).status_code == 200
    if moment == "over":
        assert (await desk.terminal.send("cancelled")).state == "choosing_service"
    async with desk.stand.server.store.write() as transaction:
        await transaction.clients.revoke(desk.asker.api.name, desk.stand.clock.now)
    if moment == "asked":
        refused = await desk.arrive(address)
        assert (refused.status_code, Stage(refused.text).code) == (404, "reading_unusable")
    if moment == "shown":
        assert (await desk.terminal.send("cancelled")).state == "choosing_service"
    assert await desk.leave() == "/"


async def test_handle_browser_and_code_are_kept_as_hashes_alone_and_gone_after_a_day(desk: Desk) -> None:
    address = await desk.ask()
    opened = await desk.arrive(address)
    assert (await desk.terminal.send("cancelled")).state == "choosing_service"
    code = read_answer(await desk.leave())["code"]
    secrets = [address[-43:], opened.headers["set-cookie"].split("=")[1].split(";")[0], code]
    kept = b"".join(path.read_bytes() for path in desk.stand.data.glob("kiosk.sqlite3*"))
    assert [secret for secret in secrets if secret.encode() in kept] == []
    desk.stand.clock.advance(25 * 3600)
    await desk.stand.server.upkeep.sweep()
    async with desk.stand.server.store.read() as transaction:
        left = await transaction.connection.execute(text("SELECT count(*) FROM reading_redirects"))
    assert left.scalar_one() == 0
