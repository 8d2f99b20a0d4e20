"""A municipal system asks for a reading: its request by the API, the resident in a real browser, a card, the answer."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page, expect

from tests.e2e.kiosk_page import KioskPage
from tests.support.api_client import ASSERTION_TYPE, ORIGIN, SYSTEM, dump_public
from tests.support.demo import RunningDemo, start_demo

pytestmark = pytest.mark.e2e


@dataclass
class System:
    """The program of a municipality, on the demo's API."""

    address: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    token: str = ""
    name: str = "counter"

    def sign_in(self) -> None:
        claims = {"iss": self.name, "sub": self.name, "aud": f"{self.address}/api/v1/token"}
        claims |= {"exp": int(time.time()) + 50, "jti": secrets.token_hex(8)}  # type: ignore[dict-item]
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode(claims, self.key, algorithm="EdDSA"),
        }
        self.token = httpx2.post(f"{self.address}/api/v1/token", data=form, timeout=30).json()["access_token"]

    def call(self, method: str, path: str, body: Any = None, **told: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in told.items()}
        content = None if body is None else json.dumps(body).encode()
        return httpx2.request(method, f"{self.address}/api/v1/{path}", content=content, headers=headers, timeout=30)

    def ask(self, terminal: str) -> httpx2.Response:
        title = {"ja": "体育館の利用登録", "en": "Gymnasium"}
        body = {"system": SYSTEM, "service": "facility", "terminal": terminal, "nonce": secrets.token_hex(12)}
        return self.call("POST", "readings", {**body, "title": title})


def run_kiosk(demo: RunningDemo, *words: str) -> str:
    command = [sys.executable, "-m", "kiosk_web", *words, f"--data={demo.data / 'kiosk'}"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def register(demo: RunningDemo, system: System, folder: Path) -> str:
    """By the operator's command. The name of the demo's terminal."""
    (folder / "counter.pub").write_bytes(dump_public(system.key))
    (terminal,) = [row["name"] for row in json.loads(run_kiosk(demo, "terminal", "list", "--json"))]
    granted = (f"--system={SYSTEM}", "--method=ocsp", "--method=crl", f"--terminal={terminal}", f"--origin={ORIGIN}")
    run_kiosk(demo, "client", "add", system.name, *granted, f"--key={folder / 'counter.pub'}")
    system.sign_in()
    return str(terminal)


def test_a_municipal_system_asks_and_hears_once(page: Page, tmp_path: Path) -> None:
    with start_demo(tmp_path) as demo:
        system = System(demo.staff.rstrip("/"))
        terminal = register(demo, system, tmp_path)
        assert system.ask(terminal).json()["code"] == "terminal_offline"
        kiosk = KioskPage(page, demo.kiosk)
        kiosk.open()
        reading = _wait_for(lambda: system.ask(terminal), 201).json()["id"]
        kiosk.wait_for("awaiting_card")
        expect(kiosk.stage).to_contain_text("体育館の利用登録")
        busy = system.ask(terminal)
        assert (busy.status_code, busy.json()["code"]) == (409, "terminal_busy")

        # The system does not want it any more, and asks again.
        assert system.call("DELETE", f"readings/{reading}").json()["state"] == "cancelled"
        kiosk.wait_for("refused")
        assert kiosk.code == "reading_withdrawn"
        kiosk.page.locator("#finish").click()
        kiosk.wait_for("choosing_service")

        # The resident does not want it.
        reading = system.ask(terminal).json()["id"]
        kiosk.wait_for("awaiting_card")
        kiosk.page.locator("#stop").click()
        kiosk.wait_for("choosing_service")
        assert system.call("GET", f"readings/{reading}?wait=25").json()["state"] == "declined"

        # Card, 暗証番号, and the answer, once.
        reading = system.ask(terminal).json()["id"]
        kiosk.wait_for("awaiting_card")
        demo.put_card("midori")
        kiosk.wait_for("awaiting_pin").type_pin(demo.person("midori").pin).wait_for("result")
        expect(kiosk.stage.locator("#told")).to_be_visible()
        answer = system.call("GET", f"readings/{reading}?wait=25").json()
        result = answer["result"]
        keys = jwt.PyJWKSet.from_dict(httpx2.get(f"{system.address}/api/v1/keys", timeout=30).json())
        kid = jwt.get_unverified_header(result)["kid"]
        claims = jwt.decode(result, keys[kid], algorithms=["EdDSA"], audience="counter", issuer=system.address)
        shown = kiosk.stage.locator("#identifier").inner_text().replace("\n", "").replace(" ", "")
        assert (claims["jti"], claims["outcome"], claims["ppid"]) == (reading, "good", shown)
        assert system.call("GET", f"readings/{reading}").json() == answer  # until it says that it has it
        assert system.call("POST", "receipts", {"receipt": answer["receipt"]}).status_code == 204
        assert system.call("GET", f"readings/{reading}").status_code == 410
        demo.lift_card()
        kiosk.wait_for("choosing_service")
        assert claims["ppid"] not in demo.read_logs()


def _wait_for(ask: Callable[[], httpx2.Response], status: int) -> httpx2.Response:
    """The page's stream opens a moment after its first screen: ask until the terminal is there."""
    end = time.monotonic() + 20
    while (answer := ask()).status_code != status:
        assert time.monotonic() < end, answer.text
    return answer
