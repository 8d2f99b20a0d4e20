"""The booking system's clerk comes back from the terminal: what is signed and sealed for it is opened and shown."""

from __future__ import annotations

import contextlib
import http.client
import json
import stat
import sys
import threading
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from examples.facility.__main__ import RETURN, Server
from examples.facility.kiosk_api import SYSTEM, KioskApi
from examples.facility.readings import load_or_make_key
from examples.facility.visits import Visits

KIOSK = "http://localhost:8482"
PPID, REFERENCE = "B2P6K7QX" * 3, "7KQP-29XA"
ITEMS = {"name": "𠮷野　髙子", "address": "千葉県みほん市﨑浜一丁目", "birth": "19461011", "sex": "2"}
NUMBER = "予約システムの利用者番号: 30410001"


class PlayedApi:
    """Plays the kiosk's API: the browser is sent away, and `basic_four` is in the verified claims."""

    address = KIOSK

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.basic_four: dict[str, str | None] | None = None
        self.acknowledged: list[str] = []

    def ask(self, nonce: str, redirect: dict[str, str]) -> dict[str, Any]:
        self.asked = redirect
        return {"id": "r1", "authorization_uri": "http://localhost:8480/"}

    def redeem(self, code: str, redirect_uri: str, verifier: str, reading: str) -> dict[str, Any]:
        return {"id": reading, "state": "done", "result": "signed", "receipt": "receipt-1"}

    def acknowledge(self, receipt: str) -> None:
        self.acknowledged.append(receipt)

    def open_result(self, result: str, reading: str, nonce: str) -> dict[str, Any]:
        return {"accepted": True, "ppid": PPID, "reference": REFERENCE, "basic_four": self.basic_four}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(0, None, receiver_key=tmp_path / "receiver.key") as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def seal(public_key: str, *, reference: str = REFERENCE, ppid: str = PPID) -> str:
    header: dict[str, Any] = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "typ": "kiosk-basic-four+jwe"}
    header |= {"system": SYSTEM, "reading": "s1", "reference": reference, "exp": int(time.time()) + 600}
    registry = jwe.JWERegistry(algorithms=["ECDH-ES+A256KW", "A256GCM"], strict_check_header=False)
    statement = json.dumps({"ppid": ppid, "basic_four": ITEMS}).encode()
    return jwe.encrypt_compact(header, statement, ECKey.import_key(public_key), registry=registry)


def call(server: Server, method: str, path: str, **headers: str) -> tuple[http.client.HTTPResponse, str]:
    with contextlib.closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)) as connection:
        body = b"" if method == "POST" else None
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()


def visit(server: Server, api: PlayedApi) -> str:
    """The clerk's page goes and comes back; the page then."""
    server.visits = Visits(api, server.url + RETURN)
    sent, _ = call(server, "POST", "/visit")
    assert (sent.status, sent.headers["Location"]) == (303, "http://localhost:8480/")
    back = urlencode({"code": "c", "state": api.asked["state"], "iss": KIOSK})
    answer, page = call(server, "GET", f"{RETURN}?{back}", Cookie=sent.headers["Set-Cookie"].partition(";")[0])
    assert answer.status == 200
    return page


def look(server: Server) -> dict[str, Any]:
    """What the page fetches to show."""
    return dict(json.loads(call(server, "GET", "/readings")[1]))


def test_it_asks_for_the_items_with_the_service_that_may() -> None:
    posted: list[tuple[str, Any]] = []

    class Noting(KioskApi):
        def __init__(self) -> None:
            self._terminal = "hall-1"

        def _post(self, path: str, body: object) -> dict[str, Any]:
            posted.append((path, body))
            return {}

    Noting().ask("n", {"state": "s"})
    ((path, asked),) = posted
    assert path == "readings"
    assert (asked["service"], asked["basic_four"], asked["redirect"]) == ("facility-registration", True, {"state": "s"})


def test_what_was_sealed_in_the_result_is_shown_sign_for_sign(server: Server) -> None:
    api = PlayedApi()
    api.basic_four = {"outcome": "sent", "sealed": seal(server.inbox.public_key)}
    page = visit(server, api)
    assert f'role="status">{NUMBER}</p>' in page
    assert "--" not in page.partition("<body>")[2], "a clerk is told of no option"
    assert look(server) == {"count": 1, "reference": REFERENCE, "number": 30410001, **ITEMS}
    assert api.acknowledged == ["receipt-1"]


@pytest.mark.parametrize("lost", ["there", "back"])
def test_an_answer_to_a_code_that_was_lost_is_asked_for_again(lost: str) -> None:
    """As docs/readings.md says: by the reading; by the code once more where it never arrived. A refusal is final."""
    answers: list[Any] = [OSError("reset"), {"state": "done", "result": None if lost == "there" else "signed"}]
    answers += [{"state": "done", "result": "signed"}] * (lost == "there")
    called: list[str] = []

    class Losing(KioskApi):
        def __init__(self) -> None:
            pass

        def _call(self, path: str, body: bytes | None = None) -> dict[str, Any]:
            called.append(path)
            answer = answers.pop(0)
            if isinstance(answer, OSError):
                raise answer
            return dict(answer)

    told = Losing().redeem("c", "https://booking.example.lg.jp/back", "v", "r1")
    assert told["result"] == "signed"
    again = ["redirected-readings"] if lost == "there" else []
    assert called == ["redirected-readings", "readings/r1", *again]
    answers[:] = [HTTPError("", 409, "", Message(), None)]
    with pytest.raises(HTTPError):
        Losing().redeem("c", "https://booking.example.lg.jp/back", "v", "r1")


@pytest.mark.parametrize("outcome", ["declined", "failed", "gone"])
def test_a_verdict_without_items_says_so(server: Server, outcome: str) -> None:
    api = PlayedApi()
    api.basic_four = {"outcome": outcome, "sealed": None}
    assert f"{NUMBER}（基本4情報は届いていません）</p>" in visit(server, api)
    assert look(server) == {"count": 0}


@pytest.mark.parametrize("wrong", ["reference", "ppid", "key", "none"])
def test_what_is_not_sealed_for_this_visit_is_not_shown(server: Server, wrong: str) -> None:
    ours = server.inbox.public_key
    sealed = {
        "reference": seal(ours, reference="8MRS-45YB"),
        "ppid": seal(ours, ppid="C3Q7L8RY" * 3),
        "key": seal(ECKey.generate_key("P-256").as_pem(private=False).decode()),
        "none": "",
    }[wrong]
    api = PlayedApi()
    api.basic_four = {"outcome": "sent", "sealed": sealed}
    assert f"{NUMBER}（届いた基本4情報を開けませんでした）</p>" in visit(server, api)
    assert look(server) == {"count": 0}


def test_the_receivers_key_outlives_the_program_in_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "receiver.key"
    made = load_or_make_key(path)
    assert load_or_make_key(path).thumbprint() == made.thumbprint()
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for unfit in (made.as_pem(private=False), RSAKey.generate_key(2048).as_pem(private=True), b"nothing"):
        path.write_bytes(unfit)
        with pytest.raises(SystemExit, match="holds no private P-256 key"):
            load_or_make_key(path)
