"""Start personal mode and take it down again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import structlog

from bridge.errors import SettingsError
from bridge.personal.service import PersonalService
from bridge.personal.settings import PersonalSettings
from bridge.personal.stand_in import StandIn
from bridge.personal.view import WindowAction
from bridge.personal.window import ProcessWindow, Window, require_window
from bridge.service import open_source, stop_signals
from bridge.state_file import replace_file

_log = structlog.get_logger("bridge.personal")


async def run_personal(settings: PersonalSettings) -> None:
    """Run until SIGINT or SIGTERM. Raises `SettingsError` when it cannot start."""
    stopped = asyncio.Event()
    with stop_signals(asyncio.get_running_loop(), stopped):
        stand_in = await _open_stand_in(settings)

        def open_window(act: Callable[[WindowAction], None]) -> Window:
            return ProcessWindow(settings.language, act) if stand_in is None else stand_in.open(act)

        service = PersonalService(settings, open_source(settings.virtual, settings.virtual_reader), open_window)
        try:
            await service.start()
            _issue_ready_file(settings, service.address, "" if stand_in is None else stand_in.url)
            await stopped.wait()
        finally:
            await service.stop()
            if stand_in is not None:
                await stand_in.stop()
            _log.info("stopped")


async def _open_stand_in(settings: PersonalSettings) -> StandIn | None:
    """None where the bridge's own window can be opened. Raises `SettingsError` where neither is possible."""
    try:
        await require_window()
    except SettingsError:
        if settings.stand_in_port is None:
            raise
    else:
        return None
    stand_in = StandIn(settings.stand_in_frame, settings.stand_in_fonts)
    await stand_in.start(settings.stand_in_port)
    return stand_in


def _issue_ready_file(settings: PersonalSettings, address: str, window: str) -> None:
    """`window`: address of the demo's page, or "" for the bridge's own window."""
    if settings.ready_file is None:
        return
    content = json.dumps({"bridge": f"ws://{address}/personal", "window": window})
    try:
        replace_file(settings.ready_file, content.encode())
    except OSError as trouble:
        raise SettingsError(f"cannot write {str(settings.ready_file)!a} ({trouble.strerror})") from None
