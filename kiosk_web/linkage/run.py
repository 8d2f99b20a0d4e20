"""Runs a linkage test and records what it came to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from kiosk_web import __version__
from kiosk_web.adapters.clock_state import ClockState
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.errors import IntroductionError
from kiosk_web.identity.introduction import LinkageReport
from kiosk_web.linkage.checks import SETTLED, Stand, run_check
from kiosk_web.linkage.inquiries import TestClient, check_api, check_register, check_responder, check_server
from kiosk_web.linkage.report import TestReport, derive_sha256
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.introduction import build_introductions
from kiosk_web.wiring.ocsp import build_responder_policy


async def run_linkage_test(
    settings: Settings,
    system: str,
    client: TestClient | None,
    clock: Callable[[], datetime],
    clock_state: ClockState,
) -> TestReport:
    """All checks, one after the other; the outcome is recorded with the hash of the report.

    Raises `IntroductionError` for a system that is not in the settings.
    """
    offer = settings.build_offer()
    known = offer.find_system(system)
    if known is None:
        raise IntroductionError("system_unknown")
    migrate(settings.data)
    store = SqlStore(settings.data)
    try:
        services = offer.list_of((system,))
        stand = Stand(settings, known, services, store, clock(), clock_state)
        findings = [await run_check(name, partial(check, stand)) for name, check in SETTLED]
        policy = build_responder_policy(settings)
        findings.append(await run_check("responder", partial(check_responder, stand, policy)))
        findings.append(await run_check("register", partial(check_register, stand)))
        findings.append(await run_check("server", partial(check_server, stand)))
        findings.append(await run_check("api_client", partial(check_api, stand, client)))
        report = TestReport(system, settings.deployment, __version__, stand.profiles, stand.now, tuple(findings))
        await build_introductions(settings, store, clock).record_report(
            LinkageReport(
                system,
                report.passed,
                derive_sha256(report),
                stand.now,
                settings.deployment,
                frozenset(stand.profiles),
            )
        )
    finally:
        await store.close()
    return report
