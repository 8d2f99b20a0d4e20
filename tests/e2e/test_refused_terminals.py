"""A terminal that cannot serve anybody, by name: its bridge, its page, its browser, its server, its enrolment.

Without a bridge, with one that lacks the key, and with a relay in front of it: `test_bridge_trouble.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import BrowserContext, Route, expect
from websockets.asyncio.server import ServerConnection

from kiosk_web.session.codes import CODES
from kiosk_web.web.catalogue import load_catalogues
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_readings import run_kiosk
from tests.support.demo import RunningDemo
from tests.support.impostor import encode, listen
from tests.support.own_bridge import derive_port, run_bridge

pytestmark = pytest.mark.e2e
SAY = load_catalogues()["ja"].say


def expect_code(kiosk: KioskPage, code: str, state: str = "out_of_service") -> None:
    kiosk.wait_for(state).wait_for_code(code)
    expect(kiosk.page.locator("#stage #code")).to_have_text(CODES[code].number)
    kiosk.wait_for_text(SAY("superseded.title" if code == "superseded" else f"code.{code}.title"))


def serve_whole_visit(kiosk: KioskPage, demo: RunningDemo) -> None:
    kiosk.choose("facility")
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin").type_pin("1234").wait_for("result")


def test_a_bridge_of_another_server_refuses_the_page(
    bare_kiosk: KioskPage, bare_demo: RunningDemo, tmp_path: Path
) -> None:
    """It pinned another server's identity key when it was enrolled."""
    state = shutil.copytree(bare_demo.data / "bridge", tmp_path / "bridge")
    terminal = json.loads((state / "terminal.json").read_text(encoding="utf-8"))
    terminal["identity_key"] = encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    (state / "terminal.json").write_text(json.dumps(terminal), encoding="utf-8")
    virtual = next(part for part in bare_demo.bridge_command if part.startswith("--virtual"))
    with run_bridge(bare_demo, virtual, f"--state={state}"):
        bare_kiosk.open("out_of_service")
        expect_code(bare_kiosk, "bridge_refused")
    with run_bridge(bare_demo):
        serve_whole_visit(bare_kiosk.wait_for("choosing_service"), bare_demo)


def test_a_bridge_of_another_version_is_told_apart(bare_kiosk: KioskPage, bare_demo: RunningDemo) -> None:
    async def speak_version_two(socket: ServerConnection) -> None:
        await socket.recv()
        nonce = encode(os.urandom(32))
        await socket.send(
            json.dumps({"v": 2, "type": "greeting", "terminal": "demo", "bridge_nonce": nonce, "version": "2.0.0"})
        )
        await socket.wait_closed()

    with listen("127.0.0.1", derive_port(bare_demo), speak_version_two):
        bare_kiosk.open("out_of_service")
        expect_code(bare_kiosk, "bridge_outdated")
    with run_bridge(bare_demo):
        serve_whole_visit(bare_kiosk.wait_for("choosing_service"), bare_demo)


def test_a_policy_that_does_not_name_the_bridge_is_told_apart(bare_kiosk: KioskPage, bare_demo: RunningDemo) -> None:
    """A proxy in front of the server has a Content-Security-Policy of its own."""

    def narrow(route: Route) -> None:
        answer = route.fetch()
        policy = answer.headers["content-security-policy"]
        kept = [part for part in policy.split(";") if not part.strip().startswith("connect-src")]
        headers = {**answer.headers, "content-security-policy": ";".join([*kept, " connect-src 'self'"])}
        route.fulfill(response=answer, headers=headers)

    with run_bridge(bare_demo):
        bare_kiosk.page.route(f"{bare_demo.kiosk}/", narrow)
        bare_kiosk.open("out_of_service")
        expect_code(bare_kiosk, "policy_blocked")
        bare_kiosk.page.unroute(f"{bare_demo.kiosk}/")
        serve_whole_visit(bare_kiosk.open(), bare_demo)


def test_a_browser_that_permits_no_local_network_is_told_apart(bare_kiosk: KioskPage, bare_demo: RunningDemo) -> None:
    """The page comes straight from a server elsewhere, and nobody gave it the permission."""
    elsewhere = "https://kiosk.example"

    def fetch_from_there(route: Route) -> None:
        address = route.request.url.replace(elsewhere, bare_demo.kiosk)
        headers = {name: value for name, value in route.request.headers.items() if name != "origin"}
        route.fulfill(response=route.fetch(url=address, headers=headers))

    bare_kiosk.page.route(f"{elsewhere}/**", fetch_from_there)
    bare_kiosk.page.goto(f"{elsewhere}/")
    expect_code(bare_kiosk, "browser_blocked")


@pytest.fixture
def visit(bare_kiosk: KioskPage, bare_demo: RunningDemo) -> Iterator[KioskPage]:
    """Begun, with the keys for the PIN on the screen."""
    with run_bridge(bare_demo):
        bare_kiosk.open().choose("facility")
        bare_demo.put_card("midori")
        yield bare_kiosk.wait_for("awaiting_pin")


def test_a_bridge_that_goes_in_the_middle_of_a_visit_is_named(bare_kiosk: KioskPage, bare_demo: RunningDemo) -> None:
    with run_bridge(bare_demo) as bridge:
        bare_kiosk.open().choose("facility")
        bare_demo.put_card("midori")
        bare_kiosk.wait_for("awaiting_pin")
        bridge.kill()
        expect_code(bare_kiosk, "bridge_lost", "refused")
        bare_demo.lift_card()
        bridge.start()
        serve_whole_visit(bare_kiosk.start_again(), bare_demo)


def test_the_older_of_two_pages_says_so(visit: KioskPage, bare_demo: RunningDemo) -> None:
    context: BrowserContext = visit.page.context
    newer = KioskPage(context.new_page(), bare_demo.kiosk).open()
    expect_code(visit, "superseded", "superseded")
    bare_demo.lift_card()
    serve_whole_visit(newer, bare_demo)


def test_a_terminal_that_was_revoked_serves_nobody(visit: KioskPage, bare_demo: RunningDemo) -> None:
    (terminal,) = [row["name"] for row in json.loads(run_kiosk(bare_demo, "terminal", "list", "--json"))]
    run_kiosk(bare_demo, "terminal", "revoke", terminal)
    expect_code(visit, "terminal_revoked")
    with closing(sqlite3.connect(bare_demo.data / "kiosk" / "kiosk.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE terminals SET revoked_at = NULL")  # for the tests after this one
    bare_demo.lift_card()
    serve_whole_visit(visit.open(), bare_demo)


def test_a_page_without_its_server_says_so_and_goes_on_by_itself(visit: KioskPage, bare_demo: RunningDemo) -> None:
    """Its stream stays open all the while: what is answered again must be enough to bring it back."""
    offline = visit.page.locator("#offline[data-code=server_lost]")
    visit.page.route("**/k/**", lambda route: route.abort())
    visit.page.locator("#size-large").click()
    expect(offline).to_be_visible()
    expect(offline).to_contain_text(CODES["server_lost"].number)
    expect(offline).to_contain_text(SAY("code.server_lost.title"))
    bare_demo.lift_card()
    visit.page.unroute("**/k/**")
    expect(offline).to_be_hidden()
    serve_whole_visit(visit.start_again(), bare_demo)
