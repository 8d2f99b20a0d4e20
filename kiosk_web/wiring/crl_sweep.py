"""The nightly sweep, wired: in the server, and by hand with `kiosk crl sweep`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, time

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.pki.trust import TrustPolicy, TrustStore
from kiosk_web.services.lists.check import ListCheck, build_list_check
from kiosk_web.services.lists.sweep import LinkSweep
from kiosk_web.services.ports.sweeps import SweepRecord
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.crl_index import build_policy, open_shelf


def build_sweep(settings: Settings, store: SqlStore, clock: Callable[[], datetime]) -> LinkSweep:
    """The lists are opened anew for each sweep and let go after it: a server holds nothing of them meanwhile."""

    async def open_lists() -> ListCheck:
        marks = await SqlListMarks(store).load_all()
        shelf, policy = open_shelf(settings), build_policy(settings.crl)
        # Serial numbers alone are asked for, so no anchor is needed.
        return await asyncio.to_thread(build_list_check, shelf, TrustStore(), TrustPolicy(), policy, marks, clock())

    at = settings.crl.sweep_at
    return LinkSweep(
        store=store,
        build_check=open_lists,
        systems=settings.build_offer().systems_by_list,
        at=time.fromisoformat(at) if at else None,
        clock=clock,
    )


async def run_sweep(settings: Settings, clock: Callable[[], datetime]) -> SweepRecord | None:
    """One sweep now. None without any list in force."""
    migrate(settings.data)
    store = SqlStore(settings.data)
    try:
        return await build_sweep(settings, store, clock).sweep()
    finally:
        await store.close()
