"""What the simulator's listeners accept: this host, no other site, and strict small JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BODY_BYTES = 8192
_READING = ("GET", "HEAD")
_TYPES = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_POLICY = (  # and frame-ancestors, below
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; "
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class BadRequest(ValueError):
    """The body is not what the route takes; the message goes to the sender."""


async def read_json_object(request: Request, keys: Iterable[str]) -> dict[str, object]:
    """The body as an object with no other than the given keys. Raises `BadRequest`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BODY_BYTES:
            raise BadRequest("the body is too long")
    try:
        content = json.loads(bytes(body), object_pairs_hook=_without_duplicates)
    except BadRequest:
        raise
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    allowed = sorted(keys)
    if not isinstance(content, dict):
        raise BadRequest(f"the body is not a JSON object with {', '.join(allowed)}")
    unknown = sorted(set(content) - set(allowed))
    if unknown:
        raise BadRequest(f"unknown key {unknown[0]!r}; known: {', '.join(allowed)}")
    return content


def read_text(body: dict[str, object], name: str, example: str) -> str:
    """The text under this name. Raises `BadRequest`, which tells what is missing or of another type."""
    if name not in body:
        raise BadRequest(f"{name} is missing: {example}")
    value = body[name]
    if not isinstance(value, str):
        raise BadRequest(f"{name} is {_TYPES[type(value)]}, and has to be text: {example}")
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise BadRequest("a key occurs twice")
    return content


class LocalOnly:
    """Refuses other hosts (DNS rebinding) and, for anything that writes, requests that a page of another site caused.

    Programs send neither Origin nor Sec-Fetch-Site and pass. Every answer carries the content security policy.

    `desk` is the origin of the page that may show this one in a frame, `frames` those that this one may show so.
    """

    def __init__(self, app: ASGIApp, desk: str = "", frames: tuple[str, ...] = ()) -> None:
        self._app = app
        nobody = "'none'"
        policy = f"{_POLICY}frame-ancestors {desk or nobody}"
        if frames:
            policy += f"; frame-src {' '.join(frames)}"
        self._headers = ((b"content-security-policy", policy.encode()), *_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
            await send(message)

        refusal = _judge_headers(scope["method"], Headers(scope=scope))
        if refusal:
            await JSONResponse({"error": refusal}, 403)(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)


def _judge_headers(method: str, headers: Headers) -> str | None:
    hosts = headers.getlist("host")
    if len(hosts) != 1 or hosts[0].rsplit(":", 1)[0] not in ("127.0.0.1", "localhost"):
        return "only for this computer: use 127.0.0.1"
    if method in _READING:
        return None
    origins = headers.getlist("origin")
    if any(origin != f"http://{hosts[0]}" for origin in origins):
        return "not from another site"
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "not from another site"
    return None
