"""What stands for the window in a demo on a computer without a desktop: a page of its own, on a virtual reader alone.

It says of itself that it is no window. A resident's own bridge has none of this: `PersonalSettings` refuses it beside a
real reader, because a page that takes a PIN is what personal mode is there to avoid.
"""

from __future__ import annotations

import contextlib
import http
import json
import logging
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import structlog
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bridge.errors import SettingsError
from bridge.personal.view import MAXIMUM_LINE, View, WindowAction, parse_action_line
from bridge.personal.window import Window
from bridge.personal.words import build_face
from bridge.settings import HOST
from bridge.strict_json import NotStrict

SUBPROTOCOL = Subprotocol("kiosk-personal-stand-in.v1")
_HERE = Path(__file__).parent
_FONT = re.compile(r"/fonts/([a-z0-9-]+(?:/[a-z0-9-]+)*\.(css|woff2))")
_FILES = {
    "/": ("stand_in.html", "text/html; charset=utf-8"),
    "/stand_in.css": ("stand_in.css", "text/css; charset=utf-8"),
    "/stand_in.js": ("stand_in.js", "text/javascript; charset=utf-8"),
}

_log = structlog.get_logger("bridge.personal")


class StandIn:
    """The page and whoever looks at it. `frame`: the one origin that may frame it, or ""; `fonts`: folder of letters,
    for a computer without Japanese ones.
    """

    def __init__(self, frame: str, fonts: Path | None) -> None:
        self._frame = frame
        self._fonts = fonts
        self._viewers: set[ServerConnection] = set()
        self._view: View | None = None
        self._act: Callable[[WindowAction], None] | None = None
        self._server: Server | None = None
        self._host = ""

    @property
    def url(self) -> str:
        return f"http://{self._host}"

    async def start(self, port: int) -> None:
        """Raises `SettingsError` when the port is taken."""
        try:
            self._server = await serve(
                self._serve_viewer,
                HOST,
                port,
                process_request=self._answer,
                subprotocols=[SUBPROTOCOL],
                compression=None,
                server_header=None,
                max_size=MAXIMUM_LINE,
                logger=logging.getLogger("websockets.server"),
            )
        except OSError as trouble:
            raise SettingsError(f"cannot listen on {HOST}:{port} ({trouble.strerror})") from None
        self._host = f"{HOST}:{next(iter(self._server.sockets)).getsockname()[1]}"
        _log.warning("window_is_a_demo_page", address=self._host)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def open(self, act: Callable[[WindowAction], None]) -> Window:
        """See `OpenWindow`."""
        self._act = act
        return _Pane(self._show)

    def _show(self, view: View | None) -> None:
        self._view = view
        if view is None:
            self._act = None
        broadcast(self._viewers, self._build_message())

    def _build_message(self) -> str:
        view = self._view
        if view is None:
            return json.dumps({"step": "closed"})
        faces = {"ja": asdict(build_face(view, "ja")), "en": asdict(build_face(view, "en"))}
        return json.dumps({"step": view.step, "origin": view.origin, "maximum": view.maximum, **faces})

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Pages for GET; the socket for the page itself and nobody else."""
        if request.headers.get_all("Host") != [self._host]:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "refused\n")
        if request.path == "/window":
            if request.headers.get_all("Origin") != [self.url]:
                return connection.respond(http.HTTPStatus.FORBIDDEN, "refused\n")
            return None
        file, kind = self._find_file(request.path.partition("?")[0])
        if file is None or not file.is_file():
            return connection.respond(http.HTTPStatus.NOT_FOUND, "refused\n")
        body = file.read_bytes()
        framed_by = self._frame or "'none'"
        headers = Headers()
        headers["Content-Type"] = kind
        headers["Content-Length"] = str(len(body))
        headers["Cache-Control"] = "no-store"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; form-action 'none'; "
            f"base-uri 'none'; connect-src ws://{self._host}; frame-ancestors {framed_by}"
        )
        headers["Connection"] = "close"
        return Response(200, "OK", headers, body)

    def _find_file(self, path: str) -> tuple[Path | None, str]:
        """The file behind a path and its media type."""
        if path in _FILES:
            name, kind = _FILES[path]
            return _HERE / name, kind
        font = _FONT.fullmatch(path)
        if font is None or self._fonts is None:
            return None, ""
        return self._fonts / font[1], "text/css; charset=utf-8" if font[2] == "css" else "font/woff2"

    async def _serve_viewer(self, connection: ServerConnection) -> None:
        self._viewers.add(connection)
        try:
            await connection.send(self._build_message())
            async for line in connection:
                with contextlib.suppress(NotStrict):
                    action = parse_action_line(line)
                    if self._act is not None:
                        self._act(action)
        except ConnectionClosed:
            pass
        finally:
            self._viewers.discard(connection)


class _Pane:
    """One request's view on the page; see `Window`."""

    def __init__(self, show: Callable[[View | None], None]) -> None:
        self._show: Callable[[View | None], None] | None = show

    def show(self, view: View) -> None:
        if self._show is not None:
            self._show(view)

    def close(self) -> None:
        show, self._show = self._show, None
        if show is not None:
            show(None)
