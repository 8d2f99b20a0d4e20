"""Scripts on the terminal itself against the running product: what they get is nothing."""

from __future__ import annotations

import base64
import json
import os
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Route

from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def post(demo: RunningDemo, path: str, body: dict[str, Any], cookie: str | None = None) -> tuple[int, bytes, Any]:
    headers = {"Content-Type": "application/json", "Origin": demo.kiosk}
    if cookie is not None:
        headers["Cookie"] = cookie
    request = urllib.request.Request(demo.kiosk + path, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def test_a_script_that_plays_the_terminal_without_its_key_gets_no_session(demo: RunningDemo) -> None:
    terminal = json.loads((demo.data / "bridge" / "terminal.json").read_text())["terminal"]
    hello = {
        "v": 1,
        "terminal": terminal,
        "bridge_nonce": encode(os.urandom(32)),
        "page_key": encode(os.urandom(32)),
        "address": demo.bridge.removeprefix("ws://").removesuffix("/card"),
    }
    status, body, _ = post(demo, "/k/bridge/hello", hello)
    assert status == 200
    ticket = json.loads(body)["ticket"]
    forged = Ed25519PrivateKey.generate().sign(ticket.encode())
    welcome = {
        "v": 1,
        "ticket": ticket,
        "bridge_key": encode(os.urandom(32)),
        "signature": encode(forged),
        "again": False,
    }
    status, _, headers = post(demo, "/k/bridge/welcome", welcome)
    assert status == 403
    assert headers["Set-Cookie"] is None
    event = {"v": 1, "seq": 1, "event": {"type": "service_chosen", "service": "facility"}}
    for cookie in (None, "kiosk_terminal=" + encode(os.urandom(32))):
        status, body, _ = post(demo, "/k/events", event, cookie)
        assert status == 401
        assert b'data-state="out_of_service"' in body


def test_a_nonce_redeemed_twice_at_once_gives_one_result(kiosk: KioskPage, demo: RunningDemo) -> None:
    answers: list[tuple[int, bytes]] = []

    def redeem_twice(route: Route) -> None:
        request = route.request
        body = json.loads(request.post_data or "{}")
        if body.get("event", {}).get("type") != "signed":
            route.continue_()
            return
        cookie = request.all_headers()["cookie"]

        def redeem(seq: int) -> None:
            status, answer, _ = post(demo, "/k/events", {**body, "seq": seq}, cookie)
            answers.append((status, answer))

        threads = [threading.Thread(target=redeem, args=(body["seq"] + extra,)) for extra in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        route.fulfill(status=200, content_type="text/html", body=answers[0][1])

    kiosk.page.route("**/k/events", redeem_twice)
    kiosk.open().choose()
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin").type_pin("1234")
    kiosk.wait_for("result", "refused")
    assert sorted(status for status, _ in answers) in ([200, 409], [409, 409])
    assert sum(status == 200 for status, _ in answers) == 1
