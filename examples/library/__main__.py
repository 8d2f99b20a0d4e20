"""Start the lending system: `python -m examples.library`. Standard library only; it listens on this computer alone."""

from __future__ import annotations

import argparse
import html
import json
import os
import queue
import re
import signal
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

if __package__:
    from examples.library.lending import find_reader
else:  # started by its folder
    from lending import find_reader  # type: ignore[import-not-found,no-redef]  # then its neighbour is found like this

HERE = Path(__file__).parent
PAGES = {
    "/": ("counter.html", "text/html; charset=utf-8"),
    "/counter.css": ("counter.css", "text/css; charset=utf-8"),
    "/counter.js": ("counter.js", "text/javascript; charset=utf-8"),
}
PING_SECONDS = 10
FONT = re.compile(r"/fonts/([a-z0-9-]+(?:/[a-z0-9-]+)*\.(css|woff2))")


class Counter:
    """The one counter of this library: what its barcode reader sent, told to every page that is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: set[queue.SimpleQueue[str]] = set()
        self.scanned = 0

    def scan(self, number: str) -> None:
        """The barcode reader has sent a number."""
        with self._lock:
            self.scanned += 1
            for page in self._pages:
                page.put(number)

    def open_page(self) -> queue.SimpleQueue[str]:
        """Numbers for one page, from now on."""
        page: queue.SimpleQueue[str] = queue.SimpleQueue()
        with self._lock:
            self._pages.add(page)
        return page

    def close_page(self, page: queue.SimpleQueue[str]) -> None:
        """The page is gone."""
        with self._lock:
            self._pages.discard(page)


class Server(ThreadingHTTPServer):
    """One counter behind one port of this computer. `ribbon`: what stands over its page, all the time."""

    daemon_threads = True

    def __init__(self, port: int, counter: Counter, fonts: Path | None, ribbon: str = "") -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.fonts = fonts
        self.counter = counter
        self.ribbon = ribbon

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Pages, look-ups, and the stream of scanned numbers."""

    server: Server

    def do_GET(self) -> None:
        if self.headers.get("Host", "").rsplit(":", 1)[0] not in ("127.0.0.1", "localhost"):
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
            return
        path = urlsplit(self.path).path
        if path in PAGES:
            name, kind = PAGES[path]
            self._send(HTTPStatus.OK, add_ribbon((HERE / name).read_bytes(), self.server.ribbon), kind)
        elif font := FONT.fullmatch(path):
            self._send_font(*font.groups())
        elif path == "/scans":
            self._stream()
        elif path == "/counter":
            self._send_json(HTTPStatus.OK, {"scanned": self.server.counter.scanned})
        elif path.startswith("/readers/"):
            found = find_reader(unquote(path.removeprefix("/readers/")))
            self._send_json(HTTPStatus.NOT_FOUND if found is None else HTTPStatus.OK, found)
        else:
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")

    def _stream(self) -> None:
        """Server-sent events: one for each number."""
        page = self.server.counter.open_page()
        try:
            self._begin(HTTPStatus.OK, "text/event-stream")
            self.wfile.write(b": open\n\n")
            while True:
                try:
                    self.wfile.write(f"data: {page.get(timeout=PING_SECONDS)}\n\n".encode())
                except queue.Empty:
                    self.wfile.write(b": ping\n\n")
        except OSError:
            pass  # the page was closed
        finally:
            self.server.counter.close_page(page)

    def _send_font(self, name: str, ending: str) -> None:
        """Nothing, and the system's own letters, without `--fonts`."""
        folder = self.server.fonts
        file = None if folder is None else folder / name
        body = file.read_bytes() if file is not None and file.is_file() else b""
        self._send(HTTPStatus.OK, body, "text/css; charset=utf-8" if ending == "css" else "font/woff2")

    def _send_json(self, status: HTTPStatus, content: object) -> None:
        self._send(status, json.dumps(content, ensure_ascii=False).encode(), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self._begin(status, kind, len(body))
        self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'self'")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the standard library
        """Reader numbers are in the addresses: nothing is logged."""


def add_ribbon(content: bytes, ribbon: str) -> bytes:
    """The page with it. Everything else, and without a ribbon, is left as it is."""
    place = b"<body>"
    said = f'\n<p class="ribbon">{html.escape(ribbon)}</p>' if ribbon else ""
    return content.replace(place, place + said.encode(), 1)


def connect_barcode_reader(counter: Counter) -> str | None:
    """The device to connect a barcode reader to; None where there are no pseudo-terminals."""
    if sys.platform == "win32":
        return None
    if __package__:
        from examples.library.barcode_reader import BarcodeReader
    else:
        from barcode_reader import BarcodeReader  # type: ignore[import-not-found,no-redef]  # as above

    reader = BarcodeReader()

    def read() -> None:
        for number in reader.read_numbers():
            counter.scan(number)

    threading.Thread(target=read, daemon=True).start()
    return reader.path


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples.library", description="An invented lending system.")
    parser.add_argument("--port", type=int, default=0, help="port of the counter page; 0: a free one")
    parser.add_argument("--fonts", type=Path, help="folder with fonts.css, for computers without Japanese letters")
    parser.add_argument("--ribbon", default="", help="said at the top of every page, all the time")
    parser.add_argument("--ready-file", type=Path, help="write address and serial device here as JSON")
    options = parser.parse_args()
    counter = Counter()
    server = Server(options.port, counter, options.fonts, options.ribbon)
    ready = {"url": server.url, "reader": connect_barcode_reader(counter), "pid": os.getpid()}
    if options.ready_file is not None:
        draft = options.ready_file.with_name(f"{options.ready_file.name}.new")
        draft.write_text(json.dumps(ready), encoding="utf-8")
        draft.replace(options.ready_file)
    print(f"lending system  {ready['url']}\nbarcode reader  {ready['reader']}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
