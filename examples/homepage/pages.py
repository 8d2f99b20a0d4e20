"""The pages of the city, and what its browser script asks: a challenge, then a verdict."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import aiohttp
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if __package__:
    from examples.homepage.confirmation import Confirmation, ConfirmationTrouble
    from examples.homepage.standing import describe_standing
    from examples.homepage.visitors import Visitors
else:  # started by its folder
    from confirmation import (  # type: ignore[import-not-found,no-redef]  # then its neighbours are found like this
        Confirmation,
        ConfirmationTrouble,
    )
    from standing import describe_standing  # type: ignore[import-not-found,no-redef]  # the same
    from visitors import Visitors  # type: ignore[import-not-found,no-redef]  # the same

HERE = Path(__file__).parent
COOKIE = "mihon_visitor"
MOST_BODY_BYTES = 20_000
FILES = {"home.css": "text/css", "home.js": "text/javascript", "personal.js": "text/javascript"}


class Site:
    """`origin`: under which residents see it; `bridge`: where their own one is; `frame`: who may frame the pages;
    `ribbon`: what stands over every page, all the time.
    """

    def __init__(
        self,
        confirmation: Confirmation,
        *,
        origin: str,
        bridge: str,
        booking: str,
        frame: str,
        fonts: Path | None,
        ribbon: str = "",
    ) -> None:
        self._confirmation = confirmation
        self._origin = origin
        self._bridge = bridge
        self._booking = booking
        self._frame = frame
        self._fonts = fonts
        self._ribbon = ribbon
        self._visitors = Visitors()
        self._pages = Environment(loader=FileSystemLoader(HERE), autoescape=True)

    def build(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._home),
                Route("/mypage", self._mypage),
                Route("/mypage/confirmation", self._confirm, methods=["POST"]),
                Route("/login/challenge", self._challenge, methods=["POST"]),
                Route("/login/answer", self._answer, methods=["POST"]),
                Route("/logout", self._logout, methods=["POST"]),
                Route("/logins", self._logins),
                Route("/fonts/{path:path}", self._font),
                *[Route(f"/{name}", self._file) for name in FILES],
            ]
        )

    async def _home(self, request: Request) -> Response:
        visitor = self._visitors.find(request.cookies.get(COOKIE))
        signed_in = visitor is not None and bool(visitor.verdict)
        return self._render("home.html", request, signed_in=signed_in, bridge=self._bridge)

    async def _mypage(self, request: Request) -> Response:
        visitor = self._visitors.find(request.cookies.get(COOKIE))
        if visitor is None or not visitor.verdict:
            return RedirectResponse("/" + _keep_language(request), 303)
        ppid = str(visitor.verdict["ppid"])
        grouped = " ".join(ppid[at : at + 4] for at in range(0, len(ppid), 4))
        return self._render(
            "mypage.html",
            request,
            verdict=visitor.verdict,
            ppid=grouped,
            number=visitor.number,
            standing=describe_standing(visitor.verdict.get("standing"), english=_is_english(request)),
            confirmed=visitor.confirmed,
            trouble="trouble" in request.query_params,
        )

    async def _confirm(self, request: Request) -> Response:
        """The change was taken over: from today on the register compares with today. Once for one signing in."""
        if not self._is_own(request):
            return JSONResponse({"code": "refused"}, 403)
        visitor = self._visitors.find(request.cookies.get(COOKIE))
        here = "/mypage" + _keep_language(request)
        standing = None if visitor is None else describe_standing(visitor.verdict.get("standing"))
        if visitor is None or standing is None or not standing.confirmable:
            return RedirectResponse(here, 303)
        if not visitor.confirmed:
            try:
                await self._confirmation.record_confirmation(str(visitor.verdict["ppid"]))
            except ConfirmationTrouble:
                return RedirectResponse(f"{here}{'&' if '?' in here else '?'}trouble=1#standing", 303)
            visitor.confirmed = True
        return RedirectResponse(f"{here}#standing", 303)

    async def _challenge(self, request: Request) -> Response:
        """For this browser: its answer is taken from no other."""
        if not self._is_own(request):
            return JSONResponse({"code": "refused"}, 403)
        visitor = self._visitors.find(request.cookies.get(COOKIE)) or self._visitors.welcome()
        try:
            visitor.pending, fields, seconds = await self._confirmation.fetch_challenge()
        except ConfirmationTrouble as trouble:
            return JSONResponse({"code": trouble.code}, 502)
        answer = JSONResponse({"fields": fields, "expires_in": seconds}, headers=self._headers())
        self._name(answer, visitor.name)
        return answer

    async def _answer(self, request: Request) -> Response:
        """The verdict on what the resident's card signed for the challenge of this browser."""
        if not self._is_own(request):
            return JSONResponse({"code": "refused"}, 403)
        visitor = self._visitors.find(request.cookies.get(COOKIE))
        if visitor is None or not visitor.pending:
            return JSONResponse({"code": "challenge_missing"}, 409)
        pending, visitor.pending = visitor.pending, ""
        try:
            said = await request.json()
            certificate, signature = (_to_base64(said[name]) for name in ("certificate", "signature"))
            verdict = await self._confirmation.fetch_verdict(pending, certificate, signature)
        except (ValueError, KeyError, TypeError, binascii.Error):
            return JSONResponse({"code": "malformed"}, 400)
        except ConfirmationTrouble as trouble:
            return JSONResponse({"code": trouble.code}, 502)
        answer = JSONResponse(
            {"outcome": verdict["outcome"], "reference": verdict["reference"]}, headers=self._headers()
        )
        if verdict["accepted"]:
            number = await self._find_number(str(verdict["ppid"]))
            self._name(answer, self._visitors.sign_in(visitor, verdict, number).name)
        return answer

    async def _logout(self, request: Request) -> Response:
        if not self._is_own(request):
            return JSONResponse({"code": "refused"}, 403)
        self._visitors.forget(request.cookies.get(COOKIE))
        answer = RedirectResponse("/" + _keep_language(request), 303)
        answer.delete_cookie(COOKIE)
        return answer

    async def _logins(self, request: Request) -> Response:
        """How many signed in, and how many of them the booking system knows from the counter."""
        return JSONResponse({"logins": self._visitors.logins, "known": self._visitors.known})

    async def _find_number(self, ppid: str) -> int | None:
        """The person's number in the booking system, which keeps it by the same PPID: one system, two doors."""
        if not self._booking:
            return None
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
                session.post(f"{self._booking}/find", json={"ppid": ppid}) as answer,
            ):
                number = (await answer.json(content_type=None)).get("number")
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None
        return number if isinstance(number, int) else None

    def _is_own(self, request: Request) -> bool:
        """From this very page, and short."""
        length = request.headers.get("content-length", "")
        short = length.isdecimal() and int(length) <= MOST_BODY_BYTES
        return request.headers.get("origin") == self._origin and short

    def _name(self, answer: Response, name: str) -> None:
        secure = self._origin.startswith("https://")
        answer.set_cookie(COOKIE, name, httponly=True, samesite="strict", secure=secure)

    def _render(self, template: str, request: Request, **content: Any) -> Response:
        ours = {"fonts": self._fonts is not None, "ribbon": self._ribbon}
        shown = {**ours, "english": _is_english(request), "path": request.url.path, **content}
        html = self._pages.get_template(template).render(shown)
        return HTMLResponse(html, headers=self._headers())

    async def _file(self, request: Request) -> Response:
        name = request.url.path.removeprefix("/")
        return FileResponse(HERE / name, media_type=FILES[name], headers=self._headers())

    async def _font(self, request: Request) -> Response:
        """Nothing, and the system's own letters, without `--fonts`."""
        if self._fonts is None:
            return Response(status_code=404)
        folder = self._fonts.resolve()
        file = (folder / str(request.path_params["path"])).resolve()
        found = file.is_relative_to(folder) and file.suffix in (".css", ".woff2") and file.is_file()
        return FileResponse(file) if found else Response(status_code=404)

    def _headers(self) -> dict[str, str]:
        framed_by = self._frame or "'none'"
        socket = self._bridge.rsplit("/", 1)[0]
        return {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",  # with no-referrer a browser calls the origin of a form `null`
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
            f"img-src 'self'; connect-src 'self' {socket}; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {framed_by}",
        }


def _is_english(request: Request) -> bool:
    return request.query_params.get("lang") == "en"


def _keep_language(request: Request) -> str:
    """The query of a page in the language of this one."""
    return "?lang=en" if _is_english(request) else ""


def _to_base64(text: str) -> str:
    """From base64url without padding, as the bridge writes it, to what the API takes."""
    return base64.b64encode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).decode()
