"""What the page does when the bridge is missing, dies, is somebody else, or is reached by somebody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo
from tests.support.impostor import FakeBridge, Relay, listen
from tests.support.own_bridge import derive_port, find_free_port, run_bridge

pytestmark = pytest.mark.e2e


def test_without_a_bridge_the_page_says_so_and_begins_by_itself_when_it_comes(
    bare_kiosk: KioskPage, bare_demo: RunningDemo
) -> None:
    bare_kiosk.open("out_of_service").wait_for_code("bridge_missing")
    with run_bridge(bare_demo):
        bare_kiosk.wait_for("choosing_service")


@pytest.mark.parametrize("state", ["choosing_service", "awaiting_card", "awaiting_pin", "result"])
def test_a_bridge_killed_at_any_step_and_started_again_needs_no_touch_of_staff(
    bare_kiosk: KioskPage, bare_demo: RunningDemo, state: str
) -> None:
    with run_bridge(bare_demo) as bridge:
        bare_kiosk.open()
        reach(bare_kiosk, bare_demo, state)
        bridge.kill()
        bare_kiosk.wait_for("out_of_service", "refused", *(["result"] if state == "result" else []))
        assert state == "result" or bare_kiosk.state != "result"
        bare_demo.lift_card()
        bridge.start()
        bare_kiosk.start_again().choose()
        bare_demo.put_card("midori")
        bare_kiosk.wait_for("awaiting_pin").type_pin("1234").wait_for("result")


def reach(bare_kiosk: KioskPage, demo: RunningDemo, state: str) -> None:
    if state == "choosing_service":
        return
    bare_kiosk.choose()
    if state == "awaiting_card":
        return
    demo.put_card("midori")
    bare_kiosk.wait_for("awaiting_pin")
    if state == "result":
        bare_kiosk.type_pin("1234").wait_for("result")


def test_a_program_on_the_port_without_the_terminal_key_gets_no_pin(
    bare_kiosk: KioskPage, bare_demo: RunningDemo
) -> None:
    terminal = json.loads((bare_demo.data / "bridge" / "terminal.json").read_text())["terminal"]
    fake = FakeBridge(terminal)
    with listen("127.0.0.1", derive_port(bare_demo), fake.serve_page):
        bare_kiosk.open("out_of_service").wait_for_code("bridge_untrusted")
        bare_kiosk.page.keyboard.type("1234")
        bare_kiosk.page.keyboard.press("Enter")
    assert {message["type"] for message in fake.heard} <= {"open", "hello", "bye"}
    assert "1234" not in json.dumps(fake.heard)


def test_a_relay_on_the_port_in_front_of_the_real_bridge_gets_no_pin(
    bare_kiosk: KioskPage, bare_demo: RunningDemo
) -> None:
    real = find_free_port()
    with run_bridge(bare_demo, *real_bridge_elsewhere(bare_demo, real)):
        relay = Relay(f"ws://127.0.0.1:{real}/card", bare_demo.kiosk)
        with listen("127.0.0.1", derive_port(bare_demo), relay.serve_page):
            bare_kiosk.open("out_of_service")
            assert bare_kiosk.code in {"bridge_untrusted", "bridge_refused"}
    assert relay.connections > 0
    assert "enter_pin" not in {message["type"] for message in relay.heard}


def real_bridge_elsewhere(demo: RunningDemo, port: int) -> tuple[str, ...]:
    virtual = next(part for part in demo.bridge_command if part.startswith("--virtual"))
    return (virtual, f"--port={port}")


def test_a_relay_on_the_other_loopback_address_is_never_asked(bare_kiosk: KioskPage, bare_demo: RunningDemo) -> None:
    """`localhost` may mean [::1]; the page dials 127.0.0.1 by its number, also when it was opened as localhost."""
    relay = Relay(bare_demo.bridge, bare_demo.kiosk)
    with run_bridge(bare_demo), listen("::1", derive_port(bare_demo), relay.serve_page):
        bare_kiosk.page.goto(bare_demo.kiosk.replace("127.0.0.1", "localhost"))
        bare_kiosk.wait_for("choosing_service").choose()
        bare_demo.put_card("midori")
        bare_kiosk.wait_for("awaiting_pin").type_pin("1234").wait_for("result")
        assert bare_kiosk.page.url.startswith(bare_demo.kiosk)
    assert relay.connections == 0


OPEN_SOCKET = """
address => new Promise(resolve => {
  const heard = [];
  const socket = new WebSocket(address, "kiosk-card.v1");
  socket.onopen = () => socket.send(JSON.stringify({v: 1, type: "open", page_key: "A".repeat(43)}));
  socket.onmessage = event => heard.push(event.data);
  socket.onclose = event => resolve({code: event.code, heard});
})
"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>foreign</title><iframe sandbox='allow-scripts' srcdoc='<p>inside</p>'></iframe>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def foreign_page() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_foreign_page_and_a_sandboxed_frame_cannot_open_the_socket(
    bare_kiosk: KioskPage, page: Page, bare_demo: RunningDemo
) -> None:
    with run_bridge(bare_demo), foreign_page() as address:
        page.goto(address)
        for frame in page.frames:
            assert frame.evaluate(OPEN_SOCKET, bare_demo.bridge) == {"code": 1006, "heard": []}
        bare_kiosk.open("choosing_service")
