"""The application under `/api/v1`: its gate, its routes, and how it stands beside the staff pages on one listener."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk_web.log import describe_place
from kiosk_web.web.api.admission import Handler, Handlers
from kiosk_web.web.api.docs_page import render_docs
from kiosk_web.web.api.openapi import build_openapi
from kiosk_web.web.api.operations import JSON, PREFIX, Operation
from kiosk_web.web.api.problems import ProblemRaised, build_problem

POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
STATIC = f"{PREFIX}/static/"
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class ApiGate:
    """Around the whole API: names the request, refuses other hosts and web pages, and puts headers on every answer."""

    app: ASGIApp
    hosts: frozenset[str]
    draw_id: Callable[[], str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("the API speaks HTTP alone")
        request_id = self.draw_id()
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers["Request-Id"] = request_id
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refuse(Headers(scope=scope), scope["path"])
        if refusal is not None:
            await build_problem(refusal, request_id)(scope, receive, send_named)
            return
        await self.app(scope, receive, send_named)

    def _refuse(self, headers: Headers, path: str) -> ProblemRaised | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return ProblemRaised("host_refused")
        if "origin" in headers and not path.startswith(STATIC):  # browsers fetch the fonts of our own page with one
            return ProblemRaised("browser_refused")
        return None


@dataclass(frozen=True)
class BesideApi:
    """One listener, two applications: the API under its prefix, everything else the other one's."""

    api: ASGIApp
    other: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mine = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")
        await (self.api if mine else self.other)(scope, receive, send)


def build_api_app(
    subjects: Sequence[Handlers],
    *,
    static: Path,
    server: str,
    hosts: Iterable[str],
    draw_id: Callable[[], str],
    demo: bool,
) -> ApiGate:
    """`server` is the public address, `hosts` the exact values of Host that programs may use. `demo`: said on the
    page for people.
    """
    document = json.dumps(build_openapi(server), ensure_ascii=False)
    page = render_docs(server, demo=demo)

    async def show_openapi(request: Request) -> Response:
        return Response(document, media_type=JSON)

    async def show_docs(request: Request) -> Response:
        return HTMLResponse(page)

    paths: list[BaseRoute] = [
        _build_route(operation, handler) for subject in subjects for operation, handler in subject.handlers().items()
    ]
    paths += [
        Route(f"{PREFIX}/openapi.json", show_openapi),
        Route(f"{PREFIX}/docs", show_docs),
        Mount(f"{PREFIX}/static", StaticFiles(directory=static)),
    ]
    app = Starlette(
        routes=paths,
        exception_handlers={
            ProblemRaised: _answer_problem,
            HTTPException: _answer_http_error,
            Exception: _answer_crash,
        },
    )
    app.router.redirect_slashes = False
    return ApiGate(_Quiet(app), frozenset(hosts), draw_id)


def _build_route(operation: Operation, handler: Handler) -> Route:
    """For its own method alone: a HEAD that ran a GET would use up what is given once."""
    route = Route(operation.whole_path, handler, methods=[operation.method])
    route.methods = {operation.method}
    return route


@dataclass(frozen=True)
class _Quiet:
    """Starlette raises a crash again after it was answered; it is in the log by then."""

    app: Starlette

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception:
            if not scope["state"].get("crashed"):
                raise


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemRaised)
    return build_problem(error, request.scope["state"]["request_id"])


async def _answer_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = (error.headers if isinstance(error, HTTPException) else None) or {}
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "malformed_request")
    return build_problem(ProblemRaised(code, headers=headers), request.scope["state"]["request_id"])


async def _answer_crash(request: Request, error: Exception) -> Response:
    place = describe_place(error.__traceback__)
    request_id = request.scope["state"]["request_id"]
    structlog.get_logger().error("api", request=request_id, error=type(error).__name__, where=place)
    request.scope["state"]["crashed"] = True
    return build_problem(ProblemRaised("internal"), request_id)
