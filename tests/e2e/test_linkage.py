"""A system on its whole way into use beside the running demo: every check passes, and Type 1 goes live."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kiosk_web.linkage.inquiries import TestClient
from kiosk_web.linkage.report import TestReport
from kiosk_web.linkage.run import run_linkage_test
from kiosk_web.settings.handover import HandoverSettings
from kiosk_web.settings.server import Settings, load_settings
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e
SYSTEM = "facility-booking"


def call_kiosk(demo: RunningDemo, *words: str) -> str:
    """The command line beside the running demo, with the demo's own settings."""
    command = [sys.executable, "-m", "kiosk_web", *words]
    environment = {**os.environ, "KIOSK_CONFIG": str(demo.data / "kiosk.toml")}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def load_demo_settings(demo: RunningDemo) -> Settings:
    """What the running server was started with."""
    given: dict[str, Any] = {
        "port": int(demo.kiosk.rpartition(":")[2]),
        "staff_port": int(demo.staff.rpartition(":")[2]),
    }
    return load_settings(given, {"KIOSK_CONFIG": str(demo.data / "kiosk.toml")})


def run_test(settings: Settings, client: TestClient) -> TestReport:
    """In a thread, since Playwright has this one's event loop. The clock of a test machine may be anything."""

    async def test() -> TestReport:
        return await run_linkage_test(settings, SYSTEM, client, lambda: datetime.now(UTC), "synchronised")

    with ThreadPoolExecutor(1) as beside:
        return beside.submit(lambda: asyncio.run(test())).result()


def outcomes(report: TestReport) -> dict[str, str]:
    return {finding.name: f"{finding.outcome}: {finding.text}" for finding in report.findings}


def test_a_system_passes_every_check_and_goes_live(bare_demo: RunningDemo, tmp_path: Path) -> None:
    demo = bare_demo
    demo.restore()
    call_kiosk(demo, "crl", "refresh", "--wait=60", "--json")
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "portal.pem", tmp_path / "portal.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    origin = "--origin=https://www.example.lg.jp"
    call_kiosk(demo, "client", "add", "portal", f"--system={SYSTEM}", "--method=ocsp", origin, f"--key={public}")
    by = ("--by=鈴木",)
    call_kiosk(demo, "system", "advance", SYSTEM, "--to=inquiry", *by)
    call_kiosk(demo, "system", "advance", SYSTEM, *by)
    call_kiosk(demo, "system", "pledge", SYSTEM, "--signed=2026-10-01", *by)
    call_kiosk(demo, "system", "advance", SYSTEM, *by)
    call_kiosk(demo, "system", "advance", SYSTEM, *by)
    with pytest.raises(subprocess.CalledProcessError) as early:
        call_kiosk(demo, "system", "advance", SYSTEM, *by)
    assert "linkage_test_missing" in early.value.stderr

    settings, client = load_demo_settings(demo), TestClient("portal", private)
    as_it_is = run_test(settings, client)
    # The same system with its numbers kept here, so that the check of links has something to look at.
    systems = [
        system.model_copy(update={"link_holder": "platform"}) if system.id == SYSTEM else system
        for system in settings.systems
    ]
    handover = HandoverSettings.model_validate({"systems": {SYSTEM: {"barcode": "qr"}}})
    whole = run_test(settings.model_copy(update={"systems": tuple(systems), "handover": handover}), client)
    elsewhere = {name for name, said in outcomes(as_it_is).items() if not said.startswith("passed: ")}
    assert (elsewhere, as_it_is.passed) == ({"links_and_handover"}, True), outcomes(as_it_is)
    assert [said for said in outcomes(whole).values() if not said.startswith("passed: ")] == []
    assert (len(whole.findings), whole.passed) == (14, True)

    call_kiosk(demo, "system", "advance", SYSTEM, *by)
    call_kiosk(demo, "system", "advance", SYSTEM, *by)
    shown = json.loads(call_kiosk(demo, "system", "show", SYSTEM, "--json"))
    assert shown["stage"] == "live"
