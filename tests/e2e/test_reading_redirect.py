"""A clerk's page goes to the terminal's page and comes back with a code: a real browser, a card, the example system."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Page, expect

from examples.facility.__main__ import RETURN, Server
from examples.facility.kiosk_api import KioskApi
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_readings import run_kiosk
from tests.support.api_client import SYSTEM, dump_public
from tests.support.demo import RunningDemo, start_demo

pytestmark = pytest.mark.e2e


class VerdictApi(KioskApi):
    """The booking system, asking without the items."""

    service = "facility"
    basic_four = False


@contextmanager
def serve_example(
    demo: RunningDemo,
    folder: Path,
    kind: type[KioskApi] = VerdictApi,
    client: str = "counter",
    receiver_key: Path | None = None,
) -> Iterator[Server]:
    """The booking system, registered by the operator's command for the address of its way back. `kind`: how it asks."""
    key, public = Ed25519PrivateKey.generate(), folder / f"{client}.pub"
    public.write_bytes(dump_public(key))
    private = folder / f"{client}.key"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (terminal,) = [row["name"] for row in json.loads(run_kiosk(demo, "terminal", "list", "--json"))]
    with Server(0, None, receiver_key=receiver_key) as server:
        granted = (f"--system={SYSTEM}", "--method=ocsp", f"--terminal={terminal}")
        back = f"--redirect-uri={server.url}{RETURN}"
        run_kiosk(demo, "client", "add", client, *granted, back, f"--key={public}")
        server.ask_at(kind(demo.staff.rstrip("/"), client, private, terminal))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_a_clerks_page_goes_to_the_terminal_and_comes_back(page: Page, tmp_path: Path) -> None:
    with start_demo(tmp_path) as demo, serve_example(demo, tmp_path) as example:
        seen: list[str] = []
        page.on("framenavigated", lambda frame: seen.append(frame.url))
        kiosk = KioskPage(page, demo.kiosk)
        answer = page.locator("#answer")

        def go() -> None:
            page.goto(example.url)
            page.locator("#visit button").click()

        # The resident does not want it.
        go()
        kiosk.wait_for("awaiting_card")
        expect(kiosk.stage).to_contain_text("元の画面に戻ります")
        page.locator("#stop").click()
        expect(answer).to_have_text("利用者が読み取りを断りました。")

        # A card that lies there is not read for it; taken and put again it is. Then everything is back with the clerk.
        demo.put_card("midori")
        go()
        kiosk.wait_for("out_of_service")
        assert kiosk.code == "reading_blocked"
        demo.lift_card()
        kiosk.wait_for("awaiting_card")
        demo.put_card("midori")
        kiosk.wait_for("awaiting_pin").type_pin(demo.person("midori").pin).wait_for("result")
        ppid = kiosk.stage.locator("#identifier").inner_text().replace("\n", "").replace(" ", "")
        demo.lift_card()
        expect(answer).to_have_text("予約システムの利用者番号: 30410001")
        assert example.users.find(ppid) == 30410001
        back = page.url
        assert back.startswith(f"{example.url}{RETURN}?code=")
        assert [address for address in seen if ppid in address] == []

        # The address of the way back is worth nothing a second time, and the page left to nowhere else.
        page.goto(back)
        expect(answer).to_have_text("この画面は、依頼した続きではありません。")
        own = (demo.kiosk.rstrip("/"), example.url, "about:")
        assert [address for address in seen if not address.startswith(own)] == []

        # A page that is loaded anew loses its visit, and goes back as well.
        go()
        kiosk.wait_for("awaiting_card")
        page.reload()
        expect(answer).to_have_text("読み取りは終わりませんでした。")
        assert kiosk.violations == []
        assert ppid not in demo.read_logs()
