"""The process that refreshes revocation lists beside a server: `kiosk crl refresh`, with the server's own settings."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Sequence

from kiosk_web.log import configure_log
from kiosk_web.program import kiosk_program
from kiosk_web.services.lists.upkeep import RefreshFailed
from kiosk_web.settings.server import Settings

_NICENESS = 10


class RefreshChild:
    """Implements `services.lists.upkeep.Refresher`. The process has less of the processor than visits have."""

    def __init__(self, settings: Settings, program: Sequence[str] = ()) -> None:
        self._settings = settings
        self._command = [*(program or kiosk_program()), "crl", "refresh", "--json", "--inherit"]

    async def refresh(self, names: Sequence[str]) -> RefreshFailed | None:
        """Refresh these sources. A cancelled caller ends the process; whatever it has done, the index is whole."""
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        except OSError as error:
            return RefreshFailed("refresh_ended", error.strerror or "the process could not be started")
        try:
            output, _ = await child.communicate(build_order(self._settings, names).encode())
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            raise
        return _read_answer(output, child.returncode)


def build_order(settings: Settings, names: Sequence[str]) -> str:
    """What the child is told: the server's settings, wherever they came from, and the names of the sources."""
    return json.dumps({"settings": settings.model_dump(mode="json"), "sources": list(names)})


def begin_as_child(order: str) -> tuple[Settings, list[str]]:
    """What the child does first with its `order`."""
    configure_log()
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):  # the unit may not let a process choose
            os.nice(_NICENESS)
    known = json.loads(order)
    return Settings(**known["settings"]), known["sources"]


def _read_answer(output: bytes, status: int | None) -> RefreshFailed | None:
    try:
        answer = json.loads(output)
        if "error" in answer:
            return RefreshFailed(answer["error"]["why"], answer["error"]["detail"])
        answer["sources"]
    except (ValueError, KeyError, TypeError):
        return RefreshFailed("refresh_ended", f"status {status}")
    return None
