"""What is asked again under one Idempotency-Key: done once, answered alike, for its own client and request alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.services.api.kept_replies import KeptReplies, Reply, ReplyRefused
from kiosk_web.services.ports.clients import ClientKeyRecord, ClientRecord

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
ASKED, OTHER = b"\1" * 32, b"\2" * 32
SECRET = "the PPID K7QX2M9D"


class Program:
    """A client's work, which counts how often it was done."""

    def __init__(self, store: SqlStore) -> None:
        self.now = NOW
        self.done = 0
        self.drawn = 0
        self.replies = KeptReplies(
            store=store, database_key=bytes(range(32)), clock=lambda: self.now, entropy=self._draw
        )

    def _draw(self, octets: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(octets, "big")

    async def work(self) -> Reply:
        self.done += 1
        return Reply(200, f"{SECRET} {self.done}")

    async def ask(self, client: str = "gym", key: str = "key-1", request: bytes = ASKED) -> Reply | ReplyRefused:
        return await self.replies.answer(client, key, request, self.work)


@pytest.fixture
async def program(store: SqlStore) -> Program:
    async with store.write() as transaction:
        for name in ("gym", "library", "gy"):
            key = ClientKeyRecord(f"key of {name}", name, name.encode(), NOW)
            await transaction.clients.add(ClientRecord(name, ("hall",), ("ocsp",), (), 60, NOW), key)
    return Program(store)


async def test_the_same_request_is_done_once_and_answered_alike_for_ten_minutes(program: Program) -> None:
    first = await program.ask()
    assert first == Reply(200, f"{SECRET} 1")
    program.now = NOW + timedelta(minutes=10) - timedelta(seconds=1)
    assert await program.ask() == Reply(200, f"{SECRET} 1", again=True)
    assert program.done == 1
    program.now = NOW + timedelta(minutes=10)
    assert await program.ask() == Reply(200, f"{SECRET} 2")


async def test_a_key_is_for_one_request_and_each_client_has_its_own(program: Program) -> None:
    await program.ask()
    assert await program.ask(request=OTHER) == ReplyRefused("other_request")
    assert program.done == 1
    assert await program.ask("library") == Reply(200, f"{SECRET} 2")
    assert await program.ask(key="key-2") == Reply(200, f"{SECRET} 3")
    assert await program.ask() == Reply(200, f"{SECRET} 1", again=True)


async def test_client_and_key_are_two_words(program: Program) -> None:
    await program.ask("gy", "m")
    assert await program.ask("gym", "") == Reply(200, f"{SECRET} 2")


async def test_while_it_is_being_done_it_is_not_done_again(program: Program) -> None:
    seen: list[Reply | ReplyRefused] = []

    async def work() -> Reply:
        seen.append(await program.ask())
        seen.append(await program.ask(request=OTHER))
        return Reply(201, "done")

    assert await program.replies.answer("gym", "key-1", ASKED, work) == Reply(201, "done")
    assert seen == [ReplyRefused("running"), ReplyRefused("other_request")]
    assert program.done == 0


async def test_what_failed_may_be_asked_again_at_once(program: Program) -> None:
    async def fail() -> Reply:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await program.replies.answer("gym", "key-1", ASKED, fail)
    assert await program.ask() == Reply(200, f"{SECRET} 1")


async def test_an_answer_that_never_came_makes_room_after_a_minute(program: Program) -> None:
    later: list[Reply | ReplyRefused] = []

    async def stop() -> Reply:
        program.now = NOW + timedelta(seconds=59)
        later.append(await program.ask())
        program.now = NOW + timedelta(seconds=60)
        later.append(await program.ask())
        return Reply(200, "late")

    await program.replies.answer("gym", "key-1", ASKED, stop)
    assert later == [ReplyRefused("running"), Reply(200, f"{SECRET} 1")]


async def test_neither_key_nor_answer_is_on_the_disk(program: Program, store: SqlStore, tmp_path: Path) -> None:
    await program.ask(key="a key that names somebody")
    async with store.read() as transaction:
        rows = (await transaction.remote._connection.execute(text("SELECT * FROM kept_replies"))).all()  # type: ignore[attr-defined]
    assert len(rows) == 1
    for word in ("names somebody", SECRET, "K7QX2M9D"):
        assert word not in str(rows)
    await store.close()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if b"K7QX2M9D" in file.read_bytes()]
