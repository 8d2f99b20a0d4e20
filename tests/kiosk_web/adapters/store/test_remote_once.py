"""A challenge is used once, also by two processes that come for it at the same moment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.services.ports.clients import ClientKeyRecord, ClientRecord
from kiosk_web.services.ports.remote import RemoteChallengeRecord

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CHALLENGES = [f"challenge-{number}" for number in range(40)]
ROOT = Path(__file__).parents[4]

_CHILD = """
import asyncio, json, sys
from pathlib import Path
from kiosk_web.adapters.store.database import SqlStore
from tests.kiosk_web.adapters.store.test_remote_once import CHALLENGES, take

async def main():
    store = SqlStore(Path(sys.argv[1]))
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(await asyncio.gather(*(take(store, one) for one in CHALLENGES))))
    await store.close()

asyncio.run(main())
"""


async def take(store: SqlStore, challenge: str) -> str:
    """The challenge if it was ours, and "" if it was not."""
    part = store.write_ahead()
    async with part as transaction:
        taken = await transaction.remote.consume_challenge(challenge, "portal", NOW)
    await part.wait()
    return "" if taken is None else taken.id


async def prepare(data: Path) -> None:
    migrate(data)
    store = SqlStore(data)
    async with store.write() as transaction:
        await transaction.clients.add(
            ClientRecord("portal", ("s",), ("ocsp",), (), 60, NOW), ClientKeyRecord("k", "portal", b"", NOW)
        )
        for challenge in CHALLENGES:
            await transaction.remote.add_challenge(
                RemoteChallengeRecord(
                    challenge, "portal", "s", "o", "identify", b"n", challenge, NOW, NOW + timedelta(minutes=3)
                )
            )
    await store.close()


@pytest.mark.long
def test_of_two_processes_one_gets_a_challenge(tmp_path: Path) -> None:
    asyncio.run(prepare(tmp_path))
    command = [sys.executable, "-c", _CHILD, str(tmp_path)]
    children = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    said = [child.communicate(timeout=60)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    taken = [one for answers in said for one in json.loads(answers) if one]
    assert sorted(taken) == sorted(CHALLENGES)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_who_comes_before_the_commit_finds_it_used(tmp_path: Path) -> None:
    await prepare(tmp_path)
    store = SqlStore(tmp_path)
    first, second = store.write_ahead(), store.write_ahead()
    async with first as transaction:
        assert await transaction.remote.consume_challenge(CHALLENGES[0], "portal", NOW) is not None
    async with second as transaction:
        assert await transaction.remote.consume_challenge(CHALLENGES[0], "portal", NOW) is None
    await first.wait()
    await second.wait()
    await store.close()
