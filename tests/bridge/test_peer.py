"""Programs of other users of the terminal: whatever headers they send, the kernel knows whose they are."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from bridge.errors import SettingsError
from bridge.gate import Refusal
from bridge.peer import PeerGate, find_user, find_user_number
from tests.bridge.page import Page, running_bridge
from tests.bridge.test_server import handshake, shake

linux = pytest.mark.skipif(sys.platform != "linux", reason="the table is Linux's")
PEER, OWN = ("127.0.0.1", 0x9C40), ("127.0.0.1", 0x2121)
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
HERE = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"


def line(local: str, remote: str, state: str, user: int) -> str:
    return (
        f"   7: {HERE}:{local} {HERE}:{remote} {state} 00000000:00000000 00:00000000 00000000  {user}  0 81190 1 0 20\n"
    )


def test_the_user_is_that_of_the_socket_at_the_other_end_and_of_no_other() -> None:
    """Our own end, another program's connection, and one that is over stand in the table beside it."""
    others = line("2121", "9C40", "01", 990) + line("9C41", "2121", "01", 1001) + line("9C40", "2122", "01", 1002)
    over = line("9C40", "2121", "06", 0)
    assert find_user(HEAD + others + over + line("9C40", "2121", "01", 1000), PEER, OWN) == 1000
    assert find_user(HEAD + others + over, PEER, OWN) is None
    assert find_user("", PEER, OWN) is None


@pytest.mark.parametrize("content", ["", HEAD, HEAD + line("9C40", "2121", "01", 0), HEAD + "x y z\n", "\u9375", None])
def test_who_is_not_known_is_refused(tmp_path: Path, content: str | None) -> None:
    table = tmp_path / "tcp"
    if content is not None:
        table.write_text(content, encoding="utf-8")
    assert PeerGate(1000, table).judge(PEER, OWN) == Refusal(403, "user")


@linux
@pytest.mark.parametrize("mine", [True, False])
def test_only_the_programs_of_the_one_user_get_in(tmp_path: Path, mine: bool) -> None:
    async def check() -> None:
        async with running_bridge(tmp_path, peer=PeerGate(os.getuid() if mine else os.getuid() + 1)) as bridge:
            if mine:
                async with Page.verified(bridge) as page:
                    await page.say("ping")
                    await page.expect("pong")
            else:
                assert await shake(bridge, handshake(bridge)) == (403, "refused\n")

    asyncio.run(check())


@linux
def test_a_user_is_named_or_numbered_and_has_to_be_there() -> None:
    assert find_user_number("root") == find_user_number("0") == 0
    for nobody in ("no-such-user-here", "4294967294999", ""):
        with pytest.raises(SettingsError, match="no user"):
            find_user_number(nobody)


@pytest.mark.skipif(sys.platform == "linux", reason="there it works")
def test_elsewhere_it_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="needs Linux"):
        find_user_number("root")
