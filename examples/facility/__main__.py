"""Start the booking system: `python -m examples.facility`. Standard library only; it listens on this computer alone."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if __package__:
    from examples.facility.bookings import Users
else:  # started by its folder
    from bookings import Users  # type: ignore[import-not-found,no-redef]  # then its neighbour is found like this

HERE = Path(__file__).parent
PAGES = {
    "/": ("clerk.html", "text/html; charset=utf-8"),
    "/clerk.css": ("clerk.css", "text/css; charset=utf-8"),
    "/clerk.js": ("clerk.js", "text/javascript; charset=utf-8"),
}
MOST_BODY_BYTES = 1024
FONT = re.compile(r"/fonts/([a-z0-9-]+(?:/[a-z0-9-]+)*\.(css|woff2))")


class Server(ThreadingHTTPServer):
    """One port of this computer."""

    daemon_threads = True

    def __init__(self, port: int, fonts: Path | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.fonts = fonts
        self.users = Users()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """The clerk's page, and the look-up behind it."""

    server: Server

    def do_GET(self) -> None:
        if not self._is_from_here():
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
        elif self.path in PAGES:
            name, kind = PAGES[self.path]
            self._send(HTTPStatus.OK, (HERE / name).read_bytes(), kind)
        elif font := FONT.fullmatch(self.path):
            self._send_font(*font.groups())
        elif self.path == "/users":
            self._send_json(HTTPStatus.OK, {"count": self.server.users.count()})
        else:
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")

    def do_POST(self) -> None:
        """`{"ppid"}` to /find or /register answers `{"number"}`: to its own page or to a program."""
        length = self.headers.get("Content-Length", "")
        own = self.headers.get("Origin") in (None, f"http://{self.headers.get('Host', '')}")
        if not (self._is_from_here() and own and length.isdecimal() and int(length) <= MOST_BODY_BYTES):
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
            return
        try:
            ppid = str(json.loads(self.rfile.read(int(length)))["ppid"])
            work = {"/find": self.server.users.find, "/register": self.server.users.register}[self.path]
            number = work(ppid)
        except (ValueError, KeyError, TypeError):
            self._send_json(HTTPStatus.BAD_REQUEST, {})
            return
        self._send_json(HTTPStatus.OK, {"number": number})

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
    parser.add_argument("--ready-file", type=Path, help="write the address here as JSON")
    options = parser.parse_args()
    server = Server(options.port, options.fonts)
    if options.ready_file is not None:
        draft = options.ready_file.with_name(f"{options.ready_file.name}.new")
        draft.write_text(json.dumps({"url": server.url, "pid": os.getpid()}), encoding="utf-8")
        draft.replace(options.ready_file)
    print(f"booking system  {server.url}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
