"""Start the booking system: `python -m examples.facility`. It listens on this computer alone; with `--key` it asks a
terminal for readings.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import signal
import sys
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

if __package__:
    from examples.facility.bookings import Users
    from examples.facility.kiosk_api import KioskApi
    from examples.facility.readings import SYSTEM, Inbox
    from examples.facility.visits import Visits
    from examples.facility.webhook import PublishedKeys, WebhookGate, WebhookRefused
else:  # started by its folder
    from bookings import Users  # type: ignore[import-not-found,no-redef]  # then its neighbours are found like this
    from kiosk_api import KioskApi  # type: ignore[import-not-found,no-redef]  # as above
    from readings import SYSTEM, Inbox  # type: ignore[import-not-found,no-redef]  # as above
    from visits import Visits  # type: ignore[import-not-found,no-redef]  # as above
    from webhook import (  # type: ignore[import-not-found,no-redef]  # as above
        PublishedKeys,
        WebhookGate,
        WebhookRefused,
    )

HERE = Path(__file__).parent
KIOSK = "http://localhost:8482"
FILES = {
    "/clerk.css": ("clerk.css", "text/css; charset=utf-8"),
    "/clerk.js": ("clerk.js", "text/javascript; charset=utf-8"),
}
MOST_BODY_BYTES = 1024
MOST_SEALED_BYTES = 16_384
RETURN = "/visit/return"
COOKIE = "facility_visit"
ENDS = {
    "declined": "利用者が読み取りを断りました。",
    "failed": "読み取りは終わりませんでした。",
    "cancelled": "依頼は取り消されました。",
    "expired": "時間が過ぎました。",
}
FONT = re.compile(r"/fonts/([a-z0-9-]+(?:/[a-z0-9-]+)*\.(css|woff2))")


class Server(ThreadingHTTPServer):
    """One port of this computer. `kiosk`: address of the API of the kiosk whose webhooks are taken; `receiver_key`:
    file of the key that it seals to; `ribbon`: what stands over its page, all the time.
    """

    daemon_threads = True

    def __init__(
        self,
        port: int,
        fonts: Path | None,
        kiosk: str = KIOSK,
        receiver_key: Path | None = None,
        ribbon: str = "",
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.fonts = fonts
        self.ribbon = ribbon
        self.gate = WebhookGate(PublishedKeys(kiosk), SYSTEM)
        self.users = Users()
        self.inbox = Inbox(receiver_key)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.visits: Visits | None = None

    def ask_at(self, api: KioskApi) -> None:
        """Readings are asked for there; the address of the way back must be registered for the client."""
        self.visits = Visits(api, self.url + RETURN)


class Handler(BaseHTTPRequestHandler):
    """The clerk's page, and the look-up behind it."""

    server: Server

    def do_GET(self) -> None:
        if not self._is_from_here():
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
        elif self.path.partition("?")[0] == "/":
            self._send_page("")
        elif self.path in FILES:
            name, kind = FILES[self.path]
            self._send(HTTPStatus.OK, (HERE / name).read_bytes(), kind)
        elif font := FONT.fullmatch(self.path):
            self._send_font(*font.groups())
        elif self.path == "/readings":
            self._send_json(HTTPStatus.OK, self._describe_newest())
        elif self.path == "/users":
            asks = self.server.visits is not None
            self._send_json(HTTPStatus.OK, {"count": self.server.users.count(), "asks": asks})
        elif self.path.partition("?")[0] == RETURN and self.server.visits is not None:
            self._finish_visit(self.server.visits)
        else:
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")

    def do_POST(self) -> None:
        """`{"ppid"}` to /find or /register answers `{"number"}`, to its own page or to a program.

        /visit sends the browser to the terminal's page.
        """
        length = self.headers.get("Content-Length", "")
        if self.path == "/readings" and self.headers.get_content_type() == "application/jose":
            self._receive(length)
            return
        own = self.headers.get("Origin") in (None, f"http://{self.headers.get('Host', '')}")
        if not (self._is_from_here() and own and length.isdecimal() and int(length) <= MOST_BODY_BYTES):
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
            return
        if self.path == "/visit" and self.server.visits is not None:
            self._start_visit(self.server.visits)
            return
        try:
            ppid = str(json.loads(self.rfile.read(int(length)))["ppid"])
            work = {"/find": self.server.users.find, "/register": self.server.users.register}[self.path]
            number = work(ppid)
        except (ValueError, KeyError, TypeError):
            self._send_json(HTTPStatus.BAD_REQUEST, {})
            return
        self._send_json(HTTPStatus.OK, {"number": number})

    def _start_visit(self, visits: Visits) -> None:
        try:
            cookie, address = visits.start()
        except OSError:
            self._send_page("端末に依頼できませんでした。端末の名前と登録を確かめてください。")
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", address)
        self.send_header("Set-Cookie", f"{COOKIE}={cookie}; Path={RETURN}; HttpOnly; SameSite=Lax")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _finish_visit(self, visits: Visits) -> None:
        """Only the browser that went comes back; what it carries is worth nothing without this program's own half."""
        query = dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
            ended = visits.finish("" if cookie is None else cookie.value, query)
        except (ValueError, OSError, CookieError):
            self._send_page("この画面は、依頼した続きではありません。")
            return
        claims = ended["claims"]
        if claims is None:
            self._send_page(ENDS.get(ended["state"], "読み取りは終わりませんでした。"))
        elif claims["accepted"]:
            number = f"予約システムの利用者番号: {self.server.users.register(claims['ppid'])}"
            said = number + self._take_items(claims)
            visits.acknowledge(ended["receipt"])
            self._send_page(said)
        else:
            self._send_page("本人を確認できませんでした。窓口の通常の方法で確認してください。")

    def _take_items(self, claims: Mapping[str, Any]) -> str:
        """What was sealed is opened as that of a webhook is, for the page to show. What to say if it is not."""
        items = claims["basic_four"]
        if items is None:
            return ""
        if items["outcome"] != "sent":
            return "（基本4情報は届いていません）"
        try:
            self.server.inbox.receive(items["sealed"], {name: claims[name] for name in ("reference", "ppid")})
        except ValueError:
            return "（届いた基本4情報を開けませんでした）"
        return ""

    def _send_page(self, sentence: str) -> None:
        """The clerk's page with one sentence in the place of the answer."""
        page = (HERE / "clerk.html").read_text(encoding="utf-8")
        ribbon = f'\n<p class="ribbon">{html.escape(self.server.ribbon)}</p>' if self.server.ribbon else ""
        for place, said in (("<body>", ribbon), ('<p id="answer" role="status">', sentence)):
            page = page.replace(place, place + said, 1)
        self._send(HTTPStatus.OK, page.encode(), "text/html; charset=utf-8")

    def _receive(self, length: str) -> None:
        """A sealed reading, as the kiosk's webhook sends it; nobody else's is opened."""
        if not (self._is_from_here() and length.isdecimal() and int(length) <= MOST_SEALED_BYTES):
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
            return
        body = self.rfile.read(int(length))
        try:
            signed = self.server.gate.admit(self.headers.get("Kiosk-Signature"), body)
            reading = self.server.inbox.receive(body.decode("ascii"), {"reading": signed})
            self.server.users.register(reading.ppid)
        except WebhookRefused as refused:
            self._send_json(refused.status, {"code": refused.code, "error": refused.sentence})
            return
        except ValueError:
            sentence = "The body is no reading that is sealed to this system, or not the one that was signed."
            self._send_json(HTTPStatus.BAD_REQUEST, {"code": "not_our_reading", "error": sentence})
            return
        self._send(HTTPStatus.NO_CONTENT, b"", "text/plain")

    def _describe_newest(self) -> dict[str, object]:
        newest = self.server.inbox.newest()
        if newest is None:
            return {"count": 0}
        return {
            "count": self.server.inbox.count(),
            "reference": newest.reference,
            "number": self.server.users.find(newest.ppid),
            **newest.items,
        }

    def _is_from_here(self) -> bool:
        return self.headers.get("Host", "").rsplit(":", 1)[0] in ("127.0.0.1", "localhost")

    def _send_font(self, name: str, ending: str) -> None:
        """Nothing, and the system's own letters, without `--fonts`."""
        folder = self.server.fonts
        file = None if folder is None else folder / name
        body = file.read_bytes() if file is not None and file.is_file() else b""
        self._send(HTTPStatus.OK, body, "text/css; charset=utf-8" if ending == "css" else "font/woff2")

    def _send_json(self, status: HTTPStatus, content: object) -> None:
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'self'")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the standard library
        """Nothing is logged."""


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples.facility", description="An invented booking system.")
    parser.add_argument("--port", type=int, default=0, help="port of the clerk's page; 0: a free one")
    parser.add_argument("--fonts", type=Path, help="folder with fonts.css, for computers without Japanese letters")
    parser.add_argument("--ribbon", default="", help="said at the top of every page, all the time")
    parser.add_argument("--ready-file", type=Path, help="write the address here as JSON")
    parser.add_argument("--api", default=KIOSK, help="the kiosk's API; its published keys sign the webhooks")
    parser.add_argument("--client", default="counter", help="name of this client of the API")
    parser.add_argument("--key", type=Path, help="PEM file with the client's private Ed25519 key: asks for readings")
    parser.add_argument("--terminal", default="", help="name of the terminal on this computer")
    parser.add_argument("--receiver-key", type=Path, help="private P-256 key that the kiosk seals to; made if missing")
    options = parser.parse_args()
    server = Server(options.port, options.fonts, options.api, options.receiver_key, options.ribbon)
    if options.key is not None:
        server.ask_at(KioskApi(options.api, options.client, options.key, options.terminal))
    if options.ready_file is not None:
        draft = options.ready_file.with_name(f"{options.ready_file.name}.new")
        content = {"url": server.url, "pid": os.getpid(), "receiver_key": server.inbox.public_key}
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(options.ready_file)
    print(f"booking system  {server.url}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
