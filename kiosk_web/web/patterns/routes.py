"""`/patterns`: every screen without script, with sample data; only in a demo."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from kiosk_web.web.catalogue import LANGUAGES
from kiosk_web.web.patterns import build_patterns
from kiosk_web.web.patterns.records import build_records
from kiosk_web.web.patterns.staff import BOARD, show_desk
from kiosk_web.web.render import TEXT_SIZES, Renderer
from kiosk_web.web.view import StaffBoard


def build_pattern_routes(renderer: Renderer) -> list[Route]:
    """`/patterns` lists all, `/patterns/{name}?lang=en&size=large` shows one without script, `/patterns/staff` too."""
    patterns = build_patterns()

    async def list_patterns(_request: Request) -> Response:
        items = "".join(
            f"<li>{escape(name)}: "
            + " · ".join(f'<a href="/patterns/{escape(name)}?lang={lang}">{lang}</a>' for lang in LANGUAGES)
            + "</li>"
            for name in (*patterns, "records", "staff", "staff-empty", "link-desk", "link-answer")
        )
        return HTMLResponse(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Screens</title></head>'
            f"<body><main><h1>Screens</h1><ul>{items}</ul></main></body></html>"
        )

    async def show_pattern(request: Request) -> Response:
        name = request.path_params["name"]
        language = request.query_params.get("lang", "ja")
        size = request.query_params.get("size", "normal")
        if language not in LANGUAGES or size not in TEXT_SIZES:
            return PlainTextResponse("unknown language or size", status_code=404)
        if name == "records":
            view = replace(patterns["result"], language=language, text_size=size)
            return HTMLResponse(renderer.render_page(view, live=False, records=build_records(language)))
        if name in ("link-desk", "link-answer"):
            return HTMLResponse(show_desk(renderer, name, language))
        if name in ("staff", "staff-empty"):
            board = BOARD if name == "staff" else StaffBoard(())
            return HTMLResponse(renderer.render_staff(board, language, live=False))
        if name not in patterns:
            return PlainTextResponse("no such screen", status_code=404)
        return HTMLResponse(
            renderer.render_page(replace(patterns[name], language=language, text_size=size), live=False)
        )

    return [Route("/patterns", list_patterns), Route("/patterns/{name}", show_pattern)]
