"""A clerk's page goes to the terminal's page for the basic 4 information: agreed to, read, sealed and shown there, and
back with a code, for which the system's server gets it; and every way in which nothing is handed over.
"""

from __future__ import annotations

import hashlib
import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from playwright.sync_api import Page, expect

from examples.facility.__main__ import RETURN
from examples.facility.kiosk_api import SYSTEM, KioskApi
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_basic_four import NAME, PIN, agree, count_received, type_text_pin
from tests.e2e.test_reading_redirect import serve_example
from tests.support.demo import RunningDemo
from tests.support.terminal import decode, encode

pytestmark = pytest.mark.e2e


class ItemsApi(KioskApi):
    """The booking system. `heard`: the verified claims, the newest last."""

    reading = ""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.heard: list[dict[str, Any]] = []

    def ask(self, nonce: str, redirect: dict[str, str]) -> dict[str, Any]:
        answer = super().ask(nonce, redirect)
        self.reading = answer["id"]
        return answer

    def open_result(self, result: str, reading: str, nonce: str) -> dict[str, Any]:
        self.heard.append(super().open_result(result, reading, nonce))
        return self.heard[-1]

    def cancel(self) -> None:
        headers = {"Authorization": f"Bearer {self._fetch_token()}"}
        url = f"{self.address}/api/v1/readings/{self.reading}"
        self._open(urllib.request.Request(url, headers=headers, method="DELETE")).close()


def read_header(sealed: str) -> dict[str, Any]:
    """Of a JWE, which everybody can read."""
    return dict(json.loads(decode(sealed.partition(".")[0])))


def name_key(demo: RunningDemo) -> str:
    """The `kid` of the demo's receiver, by its public key."""
    ready = json.loads((demo.data / "run" / "facility.json").read_text(encoding="utf-8"))
    public = load_pem_public_key(ready["receiver_key"].encode())
    digest = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return encode(digest)


def test_the_items_come_back_with_the_clerks_page(
    kiosk: KioskPage, page: Page, demo: RunningDemo, tmp_path: Path
) -> None:
    with serve_example(demo, tmp_path, ItemsApi, receiver_key=demo.data / "facility.key") as example:
        assert example.visits is not None
        api: ItemsApi = example.visits._api  # type: ignore[assignment]  # given above
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        page.on("framenavigated", lambda frame: addresses.append(frame.url))
        received, answer = count_received(demo), page.locator("#answer")

        def go() -> None:
            page.goto(example.url)
            page.locator("#visit button").click()

        def reach_consent() -> None:
            go()
            kiosk.wait_for("awaiting_card")
            expect(kiosk.stage).to_contain_text("同意した場合だけ")
            demo.put_card("takako")
            kiosk.wait_for("awaiting_pin").type_pin(PIN).wait_for("consenting")
            kiosk.wait_for_text("みほん市 施設予約システム")

        # Agreed, read, sealed, shown, and back.
        reach_consent()
        agree(kiosk)
        type_text_pin(kiosk)
        kiosk.wait_for("basic_four_sent").wait_for_text("元の画面に戻ると届きます")
        expect(page.locator("[data-item=name]")).to_have_text(NAME)
        address = page.locator("[data-item=address]").inner_text()
        reference = page.locator("#reference").inner_text()
        page.locator("#finish").click()
        kiosk.wait_for("result").wait_for_text("元の画面に戻ると、結果と基本4情報が")
        ppid = kiosk.stage.locator("#identifier").inner_text().replace("\n", "").replace(" ", "")
        demo.lift_card()
        expect(answer).to_have_text("予約システムの利用者番号: 30410001")
        back = page.url
        (claims,) = api.heard
        assert (claims["ppid"], claims["reference"], claims["basic_four"]["outcome"]) == (ppid, reference, "sent")
        sealed = claims["basic_four"]["sealed"]
        header = read_header(sealed)
        assert (header["kid"], header["reference"], header["system"]) == (name_key(demo), reference, SYSTEM)

        # The clerk sees what the system's server opened, sign for sign.
        for field, item in (("name", NAME), ("address", address), ("sex", "女"), ("number", "30410001")):
            expect(page.locator(f"#reading #{field}")).to_have_text(item)

        # The browser carried nothing of it: not in an address; nor has a log it.
        told = (NAME, address, ppid, reference, sealed)
        assert [one for one in told if any(one in unquote(address) for address in addresses)] == []
        logs = demo.read_logs()
        assert [one for one in told if one in logs or json.dumps(one).strip('"') in logs] == []
        assert count_received(demo) == received  # not by webhook as well

        # Code and address count once.
        (code,) = parse_qs(urlsplit(back).query)["code"]
        with pytest.raises(HTTPError, match="409"):
            api.redeem(code, example.url + RETURN, "v" * 43, api.reading)
        page.goto(back)
        expect(answer).to_have_text("この画面は、依頼した続きではありません。")

        # Not wanted: the verdict comes back alone.
        reach_consent()
        page.locator("#decline").click()
        kiosk.wait_for("result")
        demo.lift_card()
        expect(answer).to_have_text("予約システムの利用者番号: 30410001（基本4情報は届いていません）")
        assert api.heard[-1]["basic_four"] == {"outcome": "declined", "sealed": None}

        # The card is taken in the middle: its result is not on the screen any more.
        reach_consent()
        agree(kiosk)
        demo.lift_card()
        kiosk.wait_for("refused").wait_for_text("基本4情報は渡していません")
        assert kiosk.code == "card_removed"
        assert ppid not in page.content().replace("</span><span>", "")
        page.locator("#finish").click()
        expect(answer).to_have_text("予約システムの利用者番号: 30410001（基本4情報は届いていません）")
        assert api.heard[-1]["basic_four"] == {"outcome": "failed", "sealed": None}

        # The system takes it back while the consent is read.
        reach_consent()
        api.cancel()
        kiosk.wait_for("result")
        expect(page.locator("#basic-four")).to_have_attribute("data-code", "reading_withdrawn")
        demo.lift_card()
        expect(answer).to_have_text("依頼は取り消されました。")
        assert len(api.heard) == 3

        # A service that does not ask for the items: the browser goes nowhere.
        api.service = "facility"
        go()
        expect(answer).to_contain_text("端末に依頼できませんでした。")
        assert kiosk.violations == []
