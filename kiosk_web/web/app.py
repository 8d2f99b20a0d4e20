"""The two applications:

one for residents on the terminal's loopback address, one for staff. Each has its own listener.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from kiosk_web.log import describe_place
from kiosk_web.web.handover import HandoverRoutes
from kiosk_web.web.health import HealthRoutes
from kiosk_web.web.kiosk import KioskRoutes
from kiosk_web.web.link_desk import LinkDeskRoutes
from kiosk_web.web.security import Guard, GuardMiddleware, build_headers, build_policy, build_problem
from kiosk_web.web.staff import StaffRoutes
from kiosk_web.web.style_sheet import build_style_route
from kiosk_web.web.wire import MAXIMUM_BODY

Application = ASGIApp


async def _answer_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return build_problem(status if status in (400, 403, 404, 405, 413, 415) else 500)


def _build_app(routes: list[BaseRoute], static: Path, guard: Guard) -> Starlette:
    async def answer_crash(request: Request, error: Exception) -> Response:
        place = describe_place(error.__traceback__)
        structlog.get_logger().error("request", path=request.url.path, error=type(error).__name__, where=place)
        response = build_problem(500)
        # Starlette gives this answer outside of all middleware, so the guard does not see it.
        response.headers.update({**build_headers(guard), "Cache-Control": "no-store"})
        return response

    return Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=static))],
        middleware=[
            Middleware(GuardMiddleware, guard=guard),
            Middleware(RequestBodyLimitMiddleware, max_body_size=MAXIMUM_BODY),
        ],
        exception_handlers={HTTPException: _answer_http_error, Exception: answer_crash},
    )


def build_resident_app(
    kiosk: KioskRoutes,
    handover: HandoverRoutes,
    health: HealthRoutes,
    *,
    static: Path,
    port: int,
    bridge_port: int,
    extra: Sequence[BaseRoute],
    desk: str = "",
) -> Starlette:
    """`port` is the real one. `extra` are more routes of its own. `desk`: origin of the demo desk."""
    guard = Guard(
        origin=kiosk.origin,
        hosts=frozenset({f"127.0.0.1:{port}"}),
        policy=build_policy(f"ws://127.0.0.1:{bridge_port}", desk),
        redirect_from=frozenset({f"localhost:{port}"}),
        open_posts=frozenset({"/k/enrol"}),
        framed=bool(desk),
    )
    routes = [*kiosk.build(), *handover.build(), *health.build(), build_style_route(static), *extra]
    return _build_app(routes, static, guard)


def build_staff_app(
    staff: StaffRoutes,
    links: LinkDeskRoutes,
    health: HealthRoutes,
    *,
    static: Path,
    hosts: frozenset[str],
    desk: str = "",
    extra: Sequence[BaseRoute] = (),
) -> Starlette:
    """`hosts` are the exact values of Host that staff may use. `desk`, `extra`: as above."""
    guard = Guard(origin="", hosts=hosts, policy=build_policy(desk=desk), framed=bool(desk))
    return _build_app([*staff.build(), *links.build(), *health.build(), *extra], static, guard)
