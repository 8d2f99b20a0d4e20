"""The examples of docs/api.md do what the document says, against a running server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kiosk_web.identity.basic_four import BasicFour
from kiosk_web.services.ports.links import StaffAction
from kiosk_web.settings.services import DEMO_SYSTEMS
from tests.support.api_client import SYSTEM, ApiClient, register
from tests.support.api_server import serve_api
from tests.support.jpki import ec_key
from tests.support.kiosk_server import Stand
from tests.support.receiver import build_systems
from tests.support.register import ScriptedRegister

pytestmark = pytest.mark.anyio

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
PYTHON, PYTHON_STANDING, PYTHON_RECEIPTS, PYTHON_LINKS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
SHELL, SHELL_STANDING, *_, SHELL_LINKS = (
    block for block in re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL) if "curl" in block
)


NO_CURL = pytest.mark.skipif(
    not shutil.which("curl") or not shutil.which("openssl"), reason="curl and openssl are not here"
)
LINKS_HERE = tuple(
    system.model_copy(update={"link_holder": "platform"}) if system.id == SYSTEM else system for system in DEMO_SYSTEMS
)


def write_card(stand: Stand, folder: Path) -> None:
    """As the simulator writes a card (docs/card-profile.md)."""
    card = stand.card()
    (folder / "auth-cert.der").write_bytes(card.der)
    pem = card.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "auth-key.pem").write_bytes(pem)


async def run(folder: Path, address: str, *command: str, **more: str) -> str:
    environment = {
        **os.environ,
        "API": address,
        "CARD": str(folder),
        "KEY": str(folder / "client.key"),
        "NO_PROXY": "*",
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    return said.decode()


async def test_the_python_example_gets_a_ppid(tmp_path: Path) -> None:
    async with serve_api(tmp_path) as (stand, address):
        key = ec_key("client", "secp256r1")
        await register(stand, key=key)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "client.key").write_bytes(pem)
        write_card(stand, tmp_path)
        outcome, ppid, reference = (await run(tmp_path, address, sys.executable, "-c", PYTHON)).split()
    assert outcome == "good"
    assert re.fullmatch(r"[2-9A-Z]{24}", ppid)
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", reference)


@NO_CURL
async def test_the_curl_example_gets_the_same(tmp_path: Path) -> None:
    async with serve_api(tmp_path) as (stand, address):
        key = Ed25519PrivateKey.generate()
        await register(stand, "shell", key=key)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "client.key").write_bytes(pem)
        write_card(stand, tmp_path)
        verdict = json.loads(await run(tmp_path, address, "sh", "-c", SHELL))
    assert (verdict["accepted"], verdict["outcome"], verdict["system"]) == (True, "good", SYSTEM)


async def test_the_python_example_of_standing_takes_a_change_over(tmp_path: Path) -> None:
    asked = ScriptedRegister(signature="revoked")
    async with serve_api(tmp_path, register=asked) as (stand, address):
        key = ec_key("client", "secp256r1")
        client = await register(stand, key=key, algorithm="ES256")
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "client.key").write_bytes(pem)
        write_card(stand, tmp_path)
        await confirm_once(client, stand, address)
        asked.changed_at = datetime.now(UTC)
        said = await run(tmp_path, address, sys.executable, "-c", PYTHON + PYTHON_STANDING)
        actions = await list_actions(stand)
    items, since, signature, as_of = said.splitlines()[1].split()
    assert (items, signature) == ("changed", "revoked")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", since)
    assert as_of.endswith("Z")
    assert [(action.by, action.action) for action in actions] == [("client portal", "confirm")]


@NO_CURL
async def test_the_curl_example_of_standing_takes_a_change_over(tmp_path: Path) -> None:
    asked = ScriptedRegister()
    async with serve_api(tmp_path, register=asked) as (stand, address):
        key = Ed25519PrivateKey.generate()
        client = await register(stand, "shell", key=key)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "client.key").write_bytes(pem)
        write_card(stand, tmp_path)
        await confirm_once(client, stand, address)
        asked.changed_at = datetime.now(UTC)
        said = await run(tmp_path, address, "sh", "-c", SHELL + SHELL_STANDING)
        actions = await list_actions(stand)
    _, verdict, status = said.splitlines()
    standing = json.loads(verdict)["standing"]
    assert (standing["items"], standing["signature_certificate"], status) == ("changed", "valid", "204")
    assert [(action.by, action.action) for action in actions] == [("client shell", "confirm")]


async def sign_in(client: ApiClient, address: str) -> None:
    client.http.headers["Host"] = address.removeprefix("http://")
    answer = await client.ask_token(client.sign_assertion(aud=f"{address}/api/v1/token"))
    client.token = answer.json()["access_token"]


async def confirm_once(client: ApiClient, stand: Stand, address: str) -> None:
    """The person of the card was here: there is a day to compare with."""
    await sign_in(client, address)
    assert (await client.validate(stand.card(), standing=True))["accepted"]


LOSING = """
class Losing(requests.Session):
    lost = 0
    def post(self, url, **given):
        answer = super().post(url, **given)
        if url.endswith("sealed-readings") and not self.lost:
            self.lost += 1
            raise requests.ConnectionError("the answer was lost")
        return answer

losing, kept = Losing(), {}
losing.headers.update(session.headers)
pick_up(losing, api, "facility-booking", os.environ["REFERENCE"], kept.__setitem__)
print(losing.lost, *kept)
"""


async def test_the_python_example_of_a_pick_up_gets_it_although_an_answer_was_lost(tmp_path: Path) -> None:
    async with serve_api(tmp_path, systems=build_systems()) as (stand, address):
        key = ec_key("client", "secp256r1")
        await register(stand, key=key, algorithm="ES256")
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "client.key").write_bytes(pem)
        write_card(stand, tmp_path)
        four = BasicFour("桜井\u3000一郎", "みほん県みほん市一番町1", "19700101", "1")
        async with stand.server.store.write() as transaction:
            sealed = await stand.server.basic_four.record_reading(
                transaction, SYSTEM, "7KQP-29XA", "PPID", four, stand.clock.now
            )
        asking = PYTHON + PYTHON_RECEIPTS + LOSING
        said = await run(tmp_path, address, sys.executable, "-c", asking, REFERENCE="7KQP-29XA")
        async with stand.server.store.read() as transaction:
            kept = await transaction.readings.find(sealed.id)
    assert said.splitlines()[1] == f"1 {sealed.id}"
    assert kept is not None
    assert (kept.jwe, kept.delivered_at is None) == ("", False)


async def test_the_python_example_of_links_makes_changes_and_ends_one(tmp_path: Path) -> None:
    async with serve_api(tmp_path, systems=LINKS_HERE) as (stand, address):
        key = ec_key("client", "secp256r1")
        await register(stand, key=key, algorithm="ES256", links=(SYSTEM,))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "client.key").write_bytes(pem)
        write_card(stand, tmp_path)
        said = await run(tmp_path, address, sys.executable, "-c", PYTHON + PYTHON_LINKS)
        actions = await list_actions(stand)
    assert said.splitlines()[1] == "200 30410002"
    assert [(action.action, action.outcome, action.reason) for action in actions] == [
        (action, "done", "利用登録の申込み") for action in ("link", "link", "unlink")
    ]


@NO_CURL
async def test_the_curl_example_of_links_makes_and_ends_one(tmp_path: Path) -> None:
    async with serve_api(tmp_path, systems=LINKS_HERE) as (stand, address):
        key = Ed25519PrivateKey.generate()
        client = await register(stand, "shell", key=key, links=(SYSTEM,))
        await sign_in(client, address)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "client.key").write_bytes(pem)
        write_card(stand, tmp_path)
        ppid = (await client.validate(stand.card()))["ppid"]
        said = await run(tmp_path, address, "sh", "-c", SHELL + SHELL_LINKS, IDENTIFIER=ppid)
        actions = await list_actions(stand)
    assert said.splitlines()[-1] == "204"
    assert [(action.action, action.outcome, action.reason) for action in actions] == [
        ("link", "done", "registered at the hall"),
        ("unlink", "done", "ended at the hall"),
    ]


async def list_actions(stand: Stand) -> list[StaffAction]:
    """The oldest first."""
    async with stand.server.store.read() as transaction:
        return list(reversed(await transaction.staff_audit.list_latest(9)))
