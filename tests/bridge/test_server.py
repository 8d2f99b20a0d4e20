"""The gate and the sockets: who gets in, and that those who do not get in disturb nobody."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog
from websockets.exceptions import ConnectionClosed

from bridge.gated_socket import UNFINISHED_HANDSHAKES
from bridge.messages import MAXIMUM_BYTES
from tests.bridge.authority import ORIGIN
from tests.bridge.page import Bridge, Page, running_bridge
from tests.support.profiles import PIN

KEY = "dGhlIHNhbXBsZSBub25jZQ=="

FOREIGN_ORIGINS = [
    "http://127.0.0.1:8480/",
    "http://127.0.0.1:8480.evil.example",
    "http://127.0.0.1:84800",
    "http://127.0.0.1:8481",
    "http://127.0.0.1",
    "https://127.0.0.1:8480",
    "HTTP://127.0.0.1:8480",
    "http://127.0.0.1.:8480",
    "http://127.1:8480",
    "http://2130706433:8480",
    "http://0x7f000001:8480",
    "http://[::ffff:127.0.0.1]:8480",
    "http://[::1]:8480",
    "http://localhost:8480",
    "http://user@127.0.0.1:8480",
    "http://evil.example",
    "https://evil.example#http://127.0.0.1:8480",
    "null",
    "*",
    "",
    "file://",
    "http://127.0.0.1:8480 http://evil.example",
    "http://127.0.0.1:8480,http://evil.example",
]


async def shake(bridge: Bridge, lines: Sequence[str], *, request: str = "GET /card HTTP/1.1") -> tuple[int, str]:
    """Send a raw handshake; returns status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    try:
        writer.write("\r\n".join([request, *lines, "", ""]).encode())
        async with asyncio.timeout(60):
            answer = await reader.readuntil(b"\r\n\r\n")
            status = int(answer.split(b" ", 2)[1])
            body = "" if status == 101 else (await reader.read()).decode()
        assert b"\r\nServer:" not in answer
        return status, body
    finally:
        await _drop(writer)


def handshake(bridge: Bridge, **changes: str | None) -> list[str]:
    """The header lines of a good handshake, with some changed (None: left out)."""
    headers: dict[str, str | None] = {
        "Host": bridge.address,
        "Origin": ORIGIN,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "kiosk-card.v1",
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return [f"{name}: {value}" for name, value in headers.items() if value is not None]


def in_a_bridge(folder: Path, check: object) -> None:
    async def run() -> None:
        async with running_bridge(folder) as bridge:
            await check(bridge)  # type: ignore[operator]  # a coroutine function of one bridge

    asyncio.run(run())


def test_the_right_handshake_is_let_in_without_compression_or_server_name(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        lines = handshake(bridge, Sec_WebSocket_Extensions="permessage-deflate")
        assert (await shake(bridge, lines))[0] == 101

    in_a_bridge(tmp_path, check)


def test_messages_are_sent_at_once_each(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        async with Page.verified(bridge):
            (connection,) = bridge.service.server.socket.open
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    in_a_bridge(tmp_path, check)


def test_every_foreign_origin_is_refused(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        for origin in FOREIGN_ORIGINS:
            assert await shake(bridge, handshake(bridge, Origin=origin)) == (403, "refused\n"), origin
        assert (await shake(bridge, handshake(bridge, Origin=None)))[0] == 403

    in_a_bridge(tmp_path, check)


def test_every_foreign_host_is_refused(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        port = bridge.port
        for host in (
            f"localhost:{port}",
            "127.0.0.1",
            f"127.0.0.1:{port + 1}",
            f"127.0.0.1.:{port}",
            f"[::1]:{port}",
            f"evil.example:{port}",
            f"127.0.0.1:{port}, evil.example",
            f"127.0.0.1:0{port}",
            "",
        ):
            assert await shake(bridge, handshake(bridge, Host=host)) == (403, "refused\n"), host
        assert (await shake(bridge, handshake(bridge, Host=None)))[0] == 403

    in_a_bridge(tmp_path, check)


def test_doubled_headers_are_refused_without_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def check(bridge: Bridge) -> None:
        for doubled in (f"Host: {bridge.address}", f"Origin: {ORIGIN}", "Origin: http://evil.example"):
            assert await shake(bridge, [*handshake(bridge), doubled]) == (403, "refused\n")
        doubled = f"Sec-WebSocket-Key: {KEY}"
        assert await shake(bridge, [*handshake(bridge), doubled]) == (400, "refused\n")

    in_a_bridge(tmp_path, check)
    said = "".join(capfd.readouterr()) + caplog.text
    assert "Traceback" not in said
    assert "Error" not in said


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET / HTTP/1.1", 404),
        ("GET /card/ HTTP/1.1", 404),
        ("GET /card?x=1 HTTP/1.1", 404),
        ("GET //card HTTP/1.1", 404),
        ("GET /CARD HTTP/1.1", 404),
        ("GET http://127.0.0.1/card HTTP/1.1", 404),
        ("POST /card HTTP/1.1", 404),
        ("HEAD /card HTTP/1.1", 404),
        ("OPTIONS /card HTTP/1.1", 404),
        ("GET /card HTTP/1.0", 400),
    ],
)
def test_only_get_of_the_one_path(tmp_path: Path, request_line: str, status: int) -> None:
    async def check(bridge: Bridge) -> None:
        assert await shake(bridge, handshake(bridge), request=request_line) == (status, "refused\n")

    in_a_bridge(tmp_path, check)


@pytest.mark.parametrize("offered", [None, "", "kiosk-card.v2", "chat", "KIOSK-CARD.V1", "kiosk-card.v1;x", ",,"])
def test_the_subprotocol_is_required(tmp_path: Path, offered: str | None) -> None:
    async def check(bridge: Bridge) -> None:
        answer = await shake(bridge, handshake(bridge, Sec_WebSocket_Protocol=offered))
        assert answer == (400, "refused\n")

    in_a_bridge(tmp_path, check)


@pytest.mark.parametrize(
    "changes",
    [
        {"Upgrade": None},
        {"Upgrade": "h2c"},
        {"Connection": "close"},
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Version": None},
    ],
)
def test_a_handshake_that_is_none_is_refused_with_the_same_text(tmp_path: Path, changes: dict[str, str | None]) -> None:
    async def check(bridge: Bridge) -> None:
        assert await shake(bridge, handshake(bridge, **changes)) == (400, "refused\n")
        async with Page.verified(bridge):  # and its place is free again
            pass

    in_a_bridge(tmp_path, check)


def test_the_order_of_the_gate(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        everything_wrong = handshake(bridge, Host="evil", Origin="evil", Sec_WebSocket_Protocol="evil")
        assert (await shake(bridge, everything_wrong, request="GET / HTTP/1.1"))[0] == 404
        assert (await shake(bridge, everything_wrong))[0] == 403
        assert (await shake(bridge, handshake(bridge, Origin="evil", Sec_WebSocket_Protocol="evil")))[0] == 403
        assert (await shake(bridge, handshake(bridge, Sec_WebSocket_Protocol="evil")))[0] == 400

    in_a_bridge(tmp_path, check)


def test_the_ninth_socket_is_refused_and_the_owner_goes_on(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        async with Page.verified(bridge) as page:
            others = [Page.connected(bridge) for _ in range(7)]
            for other in others:
                await other.__aenter__()
            assert await shake(bridge, handshake(bridge)) == (503, "refused\n")
            seq = await page.say("ping")
            assert (await page.expect("pong"))["seq"] == seq
            for other in others:
                await other.__aexit__(None, None, None)
            while (answer := await shake(bridge, handshake(bridge)))[0] == 503:  # until the bridge has noticed
                await asyncio.sleep(0.1)
            assert answer[0] == 101  # their places are free again

    in_a_bridge(tmp_path, check)


def test_a_flood_of_half_open_sockets_and_bad_handshakes_does_not_disturb_a_visit(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        async with Page.verified(bridge) as page:
            bridge.lay("cards/taro")
            await page.expect_card("ours")
            certificate, _ = await page.read_certificate()
            half_open = [await asyncio.open_connection("127.0.0.1", bridge.port) for _ in range(200)]
            with structlog.testing.capture_logs() as lines:
                answers = [await shake(bridge, handshake(bridge, Origin="http://evil.example")) for _ in range(100)]
            assert {status for status, _ in answers} <= {403, 503}
            assert len(answers) == 100
            assert 503 in {status for status, _ in answers}
            told = [line for line in lines if line["event"] == "handshakes_refused"]
            assert len(told) < len(answers) // 5  # one in ten seconds, however long it took
            await page.say("authenticate")
            await page.enter_pin(PIN, certificate["challenge"])
            await page.expect("result")
            assert sum(reader.at_eof() for reader, _ in half_open) >= 200 - UNFINISHED_HANDSHAKES
            for _, writer in half_open:
                await _drop(writer)

    in_a_bridge(tmp_path, check)


def test_sockets_that_prove_nothing_hold_nothing(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        async with Page.verified(bridge) as owner, Page.connected(bridge) as stranger:
            await stranger.say("watch")
            await stranger.socket.wait_closed()
            assert stranger.socket.close_code == 4401
            await owner.say("ping")
            await owner.expect("pong")

    in_a_bridge(tmp_path, check)


def test_a_message_that_is_too_long_closes_only_its_own_socket(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        async with Page.verified(bridge) as owner, Page.connected(bridge) as stranger:
            await stranger.socket.send("x" * (MAXIMUM_BYTES + 1))
            await stranger.socket.wait_closed()
            assert stranger.socket.close_code == 1009
            await owner.say("ping")
            await owner.expect("pong")

    in_a_bridge(tmp_path, check)


@pytest.mark.parametrize(
    ("message", "code"),
    [("nonsense", 4400), (json.dumps({"v": 2, "type": "open", "page_key": "A" * 43}), 4426), (b"\0\1", 4400)],
)
def test_what_is_not_a_message_closes_with_its_code(tmp_path: Path, message: str | bytes, code: int) -> None:
    async def check(bridge: Bridge) -> None:
        async with Page.connected(bridge) as page:
            await page.socket.send(message)
            await page.socket.wait_closed()
            assert page.socket.close_code == code

    in_a_bridge(tmp_path, check)


def test_bye_closes_normally(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        async with Page.verified(bridge) as page:
            await page.say("bye")
            await page.socket.wait_closed()
            assert page.socket.close_code == 1000

    in_a_bridge(tmp_path, check)


def test_a_relay_on_another_address_gets_no_welcome(tmp_path: Path) -> None:
    async def check(bridge: Bridge) -> None:
        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", bridge.port)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line for line in head.decode().split("\r\n") if not line.lower().startswith("host:")]
            inner_writer.write("\r\n".join([lines[0], f"Host: {bridge.address}", *lines[1:]]).encode())
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

        server = await asyncio.start_server(relay, "127.0.0.1", 0)
        try:
            dialled = Bridge(bridge.folder, bridge.authority, bridge.service, server.sockets[0].getsockname()[1])
            async with Page.connected(dialled) as page:
                with pytest.raises(ConnectionClosed):  # the hello ticket names the address that was dialled
                    await page.prove()
                assert page.socket.close_code == 4401
        finally:
            server.close()

    in_a_bridge(tmp_path, check)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    await _drop(writer)


async def _drop(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
