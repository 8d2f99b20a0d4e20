"""One fictional person, planted, visits in every way; then all that the product wrote, told or showed is searched.

Found only where DESIGN allows it; each place is named below with its reason. Last the server is killed, so that the
database is searched as a crash leaves it, with its write-ahead log.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, BrowserContext, Page, expect

from examples.facility.__main__ import Server
from kiosk_web.adapters.clock import read_clock
from kiosk_web.simulator.staff import load_staff
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_kazashi import add_staff, attend, set_birth
from tests.e2e.test_reading_redirect import serve_example
from tests.e2e.test_reading_redirect_basic_four import ItemsApi
from tests.e2e.test_readings import System, register, run_kiosk
from tests.support.api_client import ORIGIN, SYSTEM
from tests.support.demo import RunningDemo, start_demo
from tests.support.planted import Planted, read_files

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to another process"),
]
PERSON, PIN, WRONG_PIN = "sentinel", "SENTINEL9Q7Z", "WRONG8K3V5"
TEXT_PIN, SECURITY_CODE = "0719", "0358"  # no port and no process has a number with a 0 in front
NAME, KANA, NUMBER, MY_NUMBER = "植田　検九郎", "ウエダ　ケンクロウ", "2026041844", "987654321098"
ADDRESS = f"千葉県みほん市大字見張９９番地　{KANA}方"

IN_THE_DATABASE = {
    ("person_certificates", "serial"): {"serial"},  # the only place of one (DESIGN 4)
    ("links", "user_number"): {"user number"},  # a library's links are the platform's
}
IN_WHAT_THE_PAGE_TELLS = {
    "certificate_read": {"serial", "common name"},  # the certificate, which the server judges and does not keep
    "signed": {"serial", "common name"},
    "enrolment_signed": {"serial", "common name", "birth"},  # and the age record, which its issuer signed as a whole
    "basic_four_read": {"name", "kana", "address", "birth", "sex"},  # sealed to the receiver within this request
    "number_entered": {"user number"},
}
IN_ITS_SOCKET = {  # of the terminal's own loopback; secrets and items are under the key of that one connection
    "certificate": {"serial", "common name"},
    "enrolment": {"birth"},  # the age record
    "hand_over": {"user number"},  # the output ticket for the unmodified library system
}
IN_FILES = {"serial", "user number"}  # of the database and its write-ahead log, for the columns above


class Stream:
    """All that one event stream says until its server is gone."""

    def __init__(self, address: str, cookies: dict[str, str] | None = None) -> None:
        self._read: list[bytes] = []
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._follow, args=(address, cookies or {}), daemon=True)
        self._thread.start()
        assert self._begun.wait(20)

    def _follow(self, address: str, cookies: dict[str, str]) -> None:
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        with suppress(httpx2.HTTPError), httpx2.stream("GET", address, headers=header, timeout=None) as answer:
            assert answer.status_code == 200
            for part in answer.iter_bytes():
                self._read.append(part)
                self._begun.set()

    def close(self) -> bytes:
        """After the server is gone."""
        self._thread.join(20)
        return b"".join(self._read)


def plant(demo: RunningDemo) -> Planted:
    """Give the card of nobody else the identity, and say what to look for."""
    folder = demo.data / "simulator" / "cards" / PERSON
    text = {"version": 1, "name": NAME, "address": ADDRESS, "birth": "19850228", "sex": "2"}
    (folder / "text.json").write_text(json.dumps(text), encoding="utf-8")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["text_pin"]["value"] = TEXT_PIN
    card["code_b"]["value"] = f"6002282044{SECURITY_CODE}"
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "my-number.txt").write_text(MY_NUMBER, encoding="utf-8")  # no card file of it exists anywhere
    certificate = x509.load_der_x509_certificate((folder / "auth-cert.der").read_bytes())
    (common_name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    serial = certificate.serial_number
    octets = serial.to_bytes(serial.bit_length() // 8 + 1)
    numbers = (str(serial), f"{serial:x}", f"{serial:X}", f"{serial:08x}", f"{serial:08X}")
    return Planted(
        {
            "name": (NAME, NAME.replace("\u3000", " "), NAME.replace("\u3000", ""), "検九郎"),
            "kana": (KANA, KANA.replace("\u3000", ""), "ケンクロウ"),
            "address": (ADDRESS, "見張９９番地", "見張99番地"),
            "birth": ("19850228", "1985-02-28", "1985/02/28", "1985年2月28日", "昭和60年2月28日", "S60.2.28", "600228"),
            "sex": ('"sex":"2"', '"sex": "2"', ">女<", b"19850228\0\x012"),
            "My Number": (MY_NUMBER, "9876 5432 1098"),
            "PIN": (PIN, WRONG_PIN, "SIGN1234", TEXT_PIN, SECURITY_CODE, card["code_b"]["value"]),
            "serial": (*numbers, b"\x02" + bytes([len(octets)]) + octets),
            "common name": (str(common_name.value),),
            "user number": (NUMBER,),
        }
    )


class Terminal(KioskPage):
    """A page whose socket and console are kept too."""

    def __init__(self, page: Page, demo: RunningDemo) -> None:
        super().__init__(page, demo.kiosk)
        self.demo = demo
        self.frames: list[bytes] = []
        self.console: list[str] = []

        def keep(payload: str | bytes) -> None:
            self.frames.append(payload.encode() if isinstance(payload, str) else payload)

        page.on("websocket", lambda socket: (socket.on("framesent", keep), socket.on("framereceived", keep)))
        page.on("console", lambda message: self.console.append(message.text))

    def begin(self, service: str) -> None:
        self.choose(service)
        self.put_card()

    def put_card(self) -> None:
        self.demo.put_card(PERSON)
        self.type_letters(PIN)

    def type_letters(self, pin: str) -> None:
        """A PIN with letters: the page takes them as soon as the bridge has said that this card's may have such."""
        self.wait_for("awaiting_pin").page.locator("body[data-keypad=screen]").wait_for()
        self.type_pin(pin)

    def lift_card(self) -> None:
        self.demo.lift_card()
        self.wait_for("choosing_service")

    def hand_basic_four_over(self) -> None:
        self.begin("facility-registration")
        self.agree_and_read()

    def agree_and_read(self) -> None:
        """From the consent to the result."""
        self.wait_for("consenting")
        self.page.locator("#agree").click()
        self.type_letters(PIN)
        self.wait_for("awaiting_text")
        self.page.locator("#text-other").click()
        self.page.locator("#pad").wait_for()
        self.type_pin(TEXT_PIN).wait_for("basic_four_sent")
        expect(self.page.locator("[data-item=name]")).to_have_text(NAME)  # the direct answer
        expect(self.page.locator("[data-item=address]")).to_have_text(ADDRESS)
        self.page.locator("#finish").click()
        self.wait_for("result")

    def enrol_for_kazashi(self) -> None:
        self.begin("facility")
        self.wait_for("result")
        self.page.locator("#kazashi").click()
        self.wait_for("consenting")
        self.page.locator("#agree").click()
        self.wait_for("awaiting_birth")
        set_birth(self, year=60, month=2, day=28)
        self.page.locator("#birth-confirm").click()
        self.wait_for("kazashi_set")

    def tap(self) -> None:
        """While staff attend, after a visit that ends with a wrong 暗証番号."""
        secret = add_staff(self.demo)
        self.choose("facility")
        self.demo.put_card(PERSON)
        self.type_letters(WRONG_PIN)
        self.wait_for_text("暗証番号が一致しませんでした")
        self.demo.lift_card()
        self.wait_for("refused").start_again()
        attend(self, secret)
        self.choose("facility")
        self.demo.put_card(PERSON)
        self.wait_for("result")
        self.lift_card()
        self.page.locator("#staff-out").click()
        self.page.locator("#staff").wait_for()

    def link_and_look(self) -> None:
        """A number, confirmed by staff; then what is held."""
        staff = load_staff(self.demo.data / "simulator")
        assert staff is not None
        self.begin("library")
        self.wait_for("result")
        self.page.locator("#link").click()
        self.wait_for("entering_number")
        self.page.keyboard.type(NUMBER)
        self.page.locator("#number-confirm").click()
        self.wait_for("confirming_link")
        expect(self.page.locator("#typed-number")).to_have_text(NUMBER)  # the direct answer
        self.page.locator("#staff-number").fill(staff.number)
        self.page.locator("#staff-code").fill(staff.show_code(read_clock()))
        self.page.locator("#staff-confirm").click()
        self.wait_for("result")
        self.page.locator("#records-open").click()
        expect(self.page.locator("#records-text")).to_contain_text("みほん市立図書館")
        self.page.locator("#records-close").click()

    def be_read(self, system: System, at: str) -> dict[str, Any]:
        """A reading that a municipal system asked for; the claims that it gets."""
        asked = system.ask(at)
        assert asked.status_code == 201, asked.text
        self.wait_for("awaiting_card")
        self.put_card()
        self.wait_for("result")
        result = system.call("GET", f"readings/{asked.json()['id']}?wait=25").json()["result"]
        return dict(jwt.decode(result, options={"verify_signature": False}))

    def be_sent(self, example: Server, open_stream: Callable[[], None]) -> bytes:
        """The booking system's own page sends its browser here and gets it back, with a code: that page then."""
        self.page.goto(example.url)
        self.page.locator("#visit button").click()
        self.wait_for("awaiting_card")
        open_stream()
        self.put_card()
        self.agree_and_read()
        self.demo.lift_card()
        expect(self.page.locator("#answer")).to_contain_text("予約システムの利用者番号")
        return self.page.content().encode()


def read_at_home(demo: RunningDemo, system: System) -> dict[str, bytes]:
    """The same person by Type 2, with what the register says, and in both batches; all that is answered."""
    folder = demo.data / "simulator" / "cards" / PERSON
    certificate = (folder / "auth-cert.der").read_bytes()
    card_key: Any = load_pem_private_key((folder / "auth-key.pem").read_bytes(), None)
    challenge = system.call("POST", "challenges", {"system": SYSTEM, "origin": ORIGIN}).json()
    before, after = (base64.b64decode(challenge[name]) for name in ("message_before", "message_after"))
    signature = card_key.sign(
        before + hashlib.sha256(certificate).digest() + after, padding.PKCS1v15(), hashes.SHA256()
    )
    shown = {"certificate": base64.b64encode(certificate).decode(), "signature": base64.b64encode(signature).decode()}
    asked = {**shown, "challenge": challenge["challenge"], "standing": True}
    verdict = system.call("POST", "validations", asked, Idempotency_Key="planted-identity-1")
    told = verdict.json()
    assert (told["outcome"], told["standing"]["signature_certificate"]) == ("good", "valid")
    lines = {"certificates": {"certificate": shown["certificate"]}, f"persons?system={SYSTEM}": {"ppid": told["ppid"]}}
    ends = {
        path: system.call("POST", f"batches/{path}", line, Content_Type="application/x-ndjson")
        for path, line in lines.items()
    }
    assert all(b'"end": "done"' in end.content for end in ends.values())
    return {"verdict": verdict.content, **{path: end.content for path, end in ends.items()}}


def sign_in_at_home(context: BrowserContext, demo: RunningDemo) -> tuple[bytes, bytes]:
    """By the city's home page, a wrong 暗証番号 first: what the page shows then, and all that it sent and heard."""
    home, window = context.new_page(), context.new_page()
    sent: list[bytes] = []

    def keep(payload: str | bytes) -> None:
        sent.append(payload.encode() if isinstance(payload, str) else payload)

    home.on("websocket", lambda socket: (socket.on("framesent", keep), socket.on("framereceived", keep)))
    home.on("request", lambda request: keep(f"{request.url} {request.post_data or ''}"))
    demo.put_card_at_home(PERSON)
    window.goto(json.loads((demo.data / "desk.json").read_text(encoding="utf-8"))["window"])
    home.goto(demo.homepage)
    home.locator("#login").click()
    window.locator("body[data-step=asking] #primary").click()
    for pin, said in ((WRONG_PIN, "暗証番号が違います。"), (PIN, "")):
        window.locator("body[data-step=pin] #typed").fill(pin)
        window.locator("#primary").click()
        if said:
            expect(window.locator("#alert")).to_have_text(said)
    home.wait_for_url("**/mypage")
    expect(home.locator("#standing")).to_be_visible()
    shown = home.content().encode()
    home.close()
    window.close()
    return shown, b"\n".join(sent)


def look_up_at_the_desk(demo: RunningDemo) -> None:
    """Staff ask for the very number; it is told in that answer alone."""
    asked = {"v": 1, "system": "city-library", "reference": "", "number": NUMBER, "by": "見本", "reason": "照会"}
    answer = httpx2.post(f"{demo.staff}/links/find?lang=ja", json=asked, headers={"Origin": demo.staff}, timeout=30)
    assert NUMBER in answer.text, answer.text


def fetch_open_pages(demo: RunningDemo) -> dict[str, bytes]:
    """What anybody on the facility's network can ask for."""
    paths = ("/metrics", "/healthz", "/readyz", "/", "/?lang=en", "/links", "/demo/terminals")
    addresses = [base + path for base in (demo.kiosk, demo.staff) for path in paths]
    return {address: httpx2.get(address, follow_redirects=True, timeout=30).content for address in addresses}


def find_columns(database: Path, planted: Planted) -> dict[tuple[str, str], set[str]]:
    """What each column of each table holds of the planted."""
    found: dict[tuple[str, str], set[str]] = {}
    with closing(sqlite3.connect(database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in rows.description]
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    content = value if isinstance(value, bytes) else str(value).encode()
                    if these := planted.find(content):
                        found.setdefault((table, name), set()).update(these)
    return found


def sort_by_kind(planted: Planted, messages: list[tuple[str, bytes]]) -> dict[str, set[str]]:
    """What the messages of each kind hold of the planted; kinds that hold nothing are left out."""
    found: dict[str, set[str]] = {}
    for kind, content in messages:
        if these := planted.find(content):
            found.setdefault(kind, set()).update(these)
    return found


def test_a_planted_identity_is_found_only_where_it_may_be(browser: Browser, tmp_path: Path) -> None:
    with start_demo(tmp_path) as demo:
        planted = plant(demo)
        context = browser.new_context(viewport={"width": 1080, "height": 1920}, reduced_motion="reduce")
        terminal = Terminal(context.new_page(), demo)
        terminal.open()
        streams = {"staff stream": Stream(f"{demo.staff}/stream")}

        def open_stream(name: str) -> None:
            cookies = {str(one["name"]): str(one["value"]) for one in context.cookies()}  # path /k
            streams[name] = Stream(f"{demo.kiosk}/k/stream", cookies)

        open_stream("kiosk stream")
        system = System(demo.staff)
        name = register(demo, system, tmp_path)

        terminal.hand_basic_four_over()
        terminal.lift_card()
        terminal.enrol_for_kazashi()
        terminal.lift_card()
        terminal.tap()
        terminal.link_and_look()
        pages = fetch_open_pages(demo)
        terminal.lift_card()
        look_up_at_the_desk(demo)
        claims = terminal.be_read(system, name)
        at_home = read_at_home(demo, system)
        pages |= {f"{address} with a result": content for address, content in fetch_open_pages(demo).items()}
        terminal.lift_card()
        home_page, home_traffic = sign_in_at_home(context, demo)

        storage = terminal.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])")
        sinks = pages | at_home
        sinks |= {
            "counts": run_kiosk(demo, "counts", "--json").encode(),
            "answer to the system": json.dumps(claims, ensure_ascii=False).encode(),
            "storage": storage.encode(),
            "home page": home_page,
        }
        with serve_example(demo, tmp_path, ItemsApi, "counter-page") as example:
            own_page = terminal.be_sent(example, lambda: open_stream("kiosk stream of a redirected reading"))
            assert example.visits is not None
            (heard,) = example.visits._api.heard  # type: ignore[attr-defined]  # of ItemsApi
        assert heard["basic_four"]["outcome"] == "sent"
        sinks |= {
            "answer for the code": json.dumps(heard, ensure_ascii=False).encode(),
            "page of the asking system": own_page,
            "console": "\n".join(terminal.console).encode(),
            "addresses": "\n".join(url for _, url, _ in terminal.requests).encode(),
        }
        context.close()
        os.kill(demo.pids["kiosk"], signal.SIGKILL)
        demo.process.wait(60)  # it stops all others
        sinks |= {name: stream.close() for name, stream in streams.items()}

    files = {path: content for path, content in read_files(demo.data).items() if not path.startswith("simulator/")}
    database = {path for path in files if path.startswith("kiosk/kiosk.sqlite3")}
    assert {"kiosk/kiosk.sqlite3", "kiosk/kiosk.sqlite3-wal"} <= database
    logs = ("kiosk", "bridge", "facility", "library", "homepage", "personal")
    assert {f"logs/{name}.log" for name in logs} <= set(files)
    assert all(b"data-state" in sinks[name] or b"data-terminal" in sinks[name] for name in streams), "nothing was said"
    sinks |= {path: content for path, content in files.items() if path not in database}

    assert planted.find_in(sinks) == set()
    assert planted.find(home_traffic) == {"serial", "common name"}  # the certificate, to whom the resident agreed
    assert planted.find(b"\n".join(files[path] for path in database)) == IN_FILES
    events = [(json.loads(body).get("event", {}).get("type", ""), body) for _, _, body in terminal.requests if body]
    assert sort_by_kind(planted, events) == IN_WHAT_THE_PAGE_TELLS
    messages = [(json.loads(frame)["type"], frame) for frame in terminal.frames]
    assert sort_by_kind(planted, messages) == IN_ITS_SOCKET
    assert find_columns(demo.data / "kiosk" / "kiosk.sqlite3", planted) == IN_THE_DATABASE

    # Were it anywhere, it would be found: the name in a log, in each way of writing, and each of the others.
    log = sinks["logs/kiosk.log"]
    for written in (NAME, json.dumps(NAME), NAME.replace("\u3000", " ")):
        assert planted.find_in({"log": log + written.encode() + b"\n"}) == {("log", "name")}
    for form in ("utf-16-le", "utf-16-be"):
        assert planted.find(log + NAME.encode(form)) == {"name"}
    assert planted.find(b'{"pin": "0719"}') == {"PIN"}
    assert planted.find(b"1985-02-28") == {"birth"}
