"""A receiver's side of docs/basic-four.md, and the example booking system, against a kiosk that really sends."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from examples.facility.__main__ import Server
from examples.facility.webhook import PublishedKeys, WebhookGate
from kiosk_web.identity.basic_four import BasicFour
from tests.contract.test_api_examples import run
from tests.support.api_client import SYSTEM
from tests.support.api_server import serve_api
from tests.support.kiosk_server import Stand
from tests.support.receiver import build_systems

pytestmark = pytest.mark.anyio
DOCUMENT = (Path(__file__).parents[2] / "docs" / "basic-four.md").read_text(encoding="utf-8")
(PYTHON,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
AROUND = """
import os, pathlib
api = os.environ["API"] + "/api/v1"
signature, body = os.environ["SIGNATURE"], pathlib.Path("body").read_bytes()
EXAMPLE
def refused(signature, body):
    try:
        verify_webhook(signature, body)
    except Exception as error:
        return type(error).__name__ + " " + str(error)
head, claims, rest = signature.split(".")
print(refused(signature, body + b"x"))
print(refused(f"{head}.{claims[:-4]}AAAA.{rest}", body))
print(verify_webhook(signature, body))
print(refused(signature, body))
"""
FOUR = BasicFour("𠮷野\u3000髙子", "みほん県みほん市﨑浜一丁目", "19461011", "2")


class Listening(Server):
    """The booking system, which also keeps the headers of what came."""

    heard: tuple[str, bytes] = ("", b"")

    def keep(self, signature: str, body: bytes) -> None:
        self.heard = signature, body


@contextmanager
def booking_system() -> Iterator[Listening]:
    with Listening(0, None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class NotingGate(WebhookGate):
    """Lets the test see what came before it is judged."""

    def __init__(self, address: str, server: Listening) -> None:
        super().__init__(PublishedKeys(address), SYSTEM)
        self._server = server

    def admit(self, signature: str | None, body: bytes) -> str:
        self._server.keep(signature or "", body)
        return super().admit(signature, body)


@asynccontextmanager
async def delivered(folder: Path) -> AsyncIterator[tuple[Stand, str, Listening, str]]:
    """A kiosk, its API, a booking system that it sends to, and the id of a reading that is due."""
    with booking_system() as server:
        systems = build_systems(webhook_url=f"{server.url}/readings", receiver_key=server.inbox.public_key)
        async with serve_api(folder, systems=systems) as (stand, address):
            server.gate = NotingGate(address, server)
            async with stand.server.store.write() as transaction:
                reading = await stand.server.basic_four.record_reading(
                    transaction, SYSTEM, "7KQP-29XA", "B2P6K7QX" * 3, FOUR, stand.clock.now
                )
            await stand.server.delivery.sweep()
            yield stand, address, server, reading.id


async def test_the_example_takes_what_a_kiosk_sends(tmp_path: Path) -> None:
    async with delivered(tmp_path) as (stand, _, server, reading):
        newest = server.inbox.newest()
        async with stand.server.store.read() as transaction:
            kept = await transaction.readings.find(reading)
    assert newest is not None
    assert (newest.id, newest.items["name"], newest.items["address"]) == (reading, FOUR.name, FOUR.address)
    assert kept is not None
    assert (kept.jwe, kept.attempts) == ("", 1), "delivered, and gone at the kiosk"


async def test_the_python_example_verifies_it_once_and_refuses_what_was_changed(tmp_path: Path) -> None:
    async with delivered(tmp_path) as (_, address, server, reading):
        signature, body = server.heard
        (tmp_path / "body").write_bytes(body)
        script = AROUND.replace("EXAMPLE", PYTHON)
        said = await run(tmp_path, address, sys.executable, "-c", script, SIGNATURE=signature)
    another, changed, taken, again = said.splitlines()
    assert another == "InvalidTokenError another body"
    assert changed.startswith("InvalidSignatureError")
    assert taken == reading
    assert again == "InvalidTokenError taken before"
