"""Who may talk to a listener, and what the browser may do with the answers:

Host, Origin, media type, body size, headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "kiosk_terminal"
COOKIE_PATH = "/k"
COOKIE_SECONDS = 7 * 24 * 3600
BROWSER_COOKIE = "kiosk_reading"
BROWSER_PATH = "/k/readings"
BROWSER_SECONDS = 30 * 60  # a request, the basic 4 information, and somebody who reads the result at leisure
_SAFE = frozenset({"GET", "HEAD"})


def build_policy(bridge: str = "", desk: str = "") -> str:
    """The Content-Security-Policy (reference/ux.md J2).

    `bridge` is the origin of the bridge socket, such as `ws://127.0.0.1:8481`; `desk` that of the demo desk, which may
    show the page in a frame. Nobody else may.
    """
    connect = f"'self' {bridge}".strip()
    ancestors = desk or "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; "
        f"connect-src {connect}; frame-ancestors {ancestors}; base-uri 'none'; form-action 'self'"
    )


@dataclass(frozen=True)
class Guard:
    """The rules of one listener.

    `hosts` are the exact values of Host; `redirect_from` are hosts whose GET of a page is sent to `origin`.
    `open_posts` are paths that programs without an Origin may post to. `policy` is the Content-Security-Policy.
    `framed`: it lets somebody show the page in a frame, which the older header can only forbid to all.
    """

    origin: str
    hosts: frozenset[str]
    policy: str
    redirect_from: frozenset[str] = frozenset()
    open_posts: frozenset[str] = frozenset()
    framed: bool = False

    def refuse(self, method: str, path: str, headers: Headers) -> Response | None:
        """The answer to a request that may not pass, None for one that may."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return self._answer_other_host(method, path, hosts)
        if method not in _SAFE | {"POST"}:
            return _refuse(405)
        if origins and not self._is_own(origins):
            return _refuse(403)
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") and path != "/":
            return _refuse(403)
        if method == "POST":
            if not origins and path not in self.open_posts:
                return _refuse(403)
            if headers.getlist("content-type") != ["application/json"]:
                return _refuse(415)
        return None

    def _answer_other_host(self, method: str, path: str, hosts: list[str]) -> Response:
        if len(hosts) == 1 and hosts[0] in self.redirect_from and method in _SAFE and path == "/":
            return RedirectResponse(f"{self.origin}/", status_code=307)
        return _refuse(400)

    def _is_own(self, origins: list[str]) -> bool:
        return origins in ([self.origin], *([f"http://{host}"] for host in self.hosts))


_TITLES: Mapping[int, str] = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
}


def _refuse(status: int) -> Response:
    return PlainTextResponse(_TITLES[status], status_code=status)


def build_problem(status: int, detail: str = "") -> Response:
    """An error for a program to read (RFC 9457). `detail` is one of our own fixed texts."""
    problem = {"type": "about:blank", "title": _TITLES[status], "status": status}
    if detail:
        problem["detail"] = detail
    return JSONResponse(problem, status_code=status, media_type="application/problem+json")


def build_headers(guard: Guard) -> Mapping[str, str]:
    """What every answer of a listener tells the browser."""
    headers = {
        "Content-Security-Policy": guard.policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=()",
    }
    return headers if guard.framed else {**headers, "X-Frame-Options": "DENY"}


class GuardMiddleware:
    """Applies a `Guard` to every request and its headers to every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard
        self._headers = build_headers(guard)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
            return

        static = scope["path"].startswith("/static/")

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                # Static files are asked for again by their ETag; everything else is somebody's session.
                headers.setdefault("Cache-Control", "no-cache" if static else "no-store")
            await send(message)

        refusal = self._guard.refuse(scope["method"], scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_guarded)


def read_cookie(request: Request) -> str:
    """The terminal cookie, "" without one."""
    return request.cookies.get(COOKIE, "")


def set_cookie(response: Response, value: str) -> None:
    """`Secure` is left out on purpose: the page is plain HTTP on the loopback address.

    Cookies know no port. `path` keeps it from going along with `ws://127.0.0.1:8481/card`, to whatever program holds
    that port.
    """
    response.set_cookie(COOKIE, value, max_age=COOKIE_SECONDS, path=COOKIE_PATH, httponly=True, samesite="strict")


def read_browser_cookie(request: Request) -> str:
    """Of the browser that a municipal system sent here, "" without one."""
    return request.cookies.get(BROWSER_COOKIE, "")


def set_browser_cookie(response: Response, value: str) -> None:
    """As above: it goes along with the way back and nothing else."""
    response.set_cookie(
        BROWSER_COOKIE, value, max_age=BROWSER_SECONDS, path=BROWSER_PATH, httponly=True, samesite="strict"
    )
