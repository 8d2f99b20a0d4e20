"""A library system that speaks SIP2: an independent server (pysip2) with a few readers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
from anyio.abc import SocketAttribute
from pysip2 import (
    LOGIN,
    PATRON_STATUS,
    LoginRequest,
    LoginResponse,
    PatronStatusRequest,
    PatronStatusResponse,
    SIP2Server,
)

READERS = {"1001": ("Y", " " * 14), "1002": ("Y", "Y" + " " * 13), "1003": ("N", " " * 14)}
"""Number → (valid, flags)."""


def build_library(**options: Any) -> SIP2Server:
    library = SIP2Server(institution_id="MIHON", encoding=options.pop("encoding", "utf-8"), **options)

    @library.route(LOGIN)
    async def login(request: LoginRequest, _context: Any) -> LoginResponse:
        right = (request.login_user_id, request.login_password) == ("kiosk", "open sesame")
        return LoginResponse(ok="1" if right else "0")

    @library.route(PATRON_STATUS)
    async def patron(request: PatronStatusRequest, context: Any) -> PatronStatusResponse:
        valid, flags = READERS.get(request.patron_identifier, ("N", " " * 14))
        return PatronStatusResponse(
            patron_status=flags,
            language=request.language,
            transaction_date=context.now_18(),
            institution_id=request.institution_id,
            patron_identifier=request.patron_identifier,
            personal_name="ポール 青葉",
            valid_patron=valid,
        )

    return library


@contextlib.asynccontextmanager
async def serving(library: SIP2Server) -> AsyncIterator[int]:
    """Its port."""
    listener = await library.listen(port=0)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, library._handle_connection)
        yield listener.extra(SocketAttribute.local_port)
        tasks.cancel_scope.cancel()
