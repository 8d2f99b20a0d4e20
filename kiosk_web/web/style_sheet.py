"""The looks of the terminal: a style sheet for each subject in `static/kiosk/`, sent as one, so that a browser waits
for one answer before it paints.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ADDRESS = "/static/kiosk.css"
_NAMES = """
canvas head scene buttons foot services keypad fields agreements result dialogs orientation motion number narrow
"""
SUBJECTS = tuple(_NAMES.split())
"""In the order of the cascade: of two rules that say otherwise of one element, the later one counts."""


def build_style_sheet(static: Path) -> str:
    """`static` is the folder of what browsers load."""
    return "\n".join((static / "kiosk" / f"{name}.css").read_text(encoding="utf-8") for name in SUBJECTS)


def build_style_route(static: Path) -> Route:
    """Read at the start. A browser that has it asks again by its ETag (RFC 9110, 13.1.2), as for other static files."""
    body = build_style_sheet(static).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'

    async def answer(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag})
        return Response(body, media_type="text/css", headers={"ETag": tag})

    return Route(ADDRESS, answer)
