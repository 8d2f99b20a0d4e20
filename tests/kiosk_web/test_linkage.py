"""`kiosk linkage-test`: every check passes on a good configuration and fails on its own fault."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from kiosk_web.__main__ import app
from kiosk_web.adapters.clock_state import ClockState
from kiosk_web.adapters.register_http import HttpRegister
from kiosk_web.identity.offer import Words
from kiosk_web.linkage import inquiries
from kiosk_web.linkage.checks import SETTLED, run_check
from kiosk_web.linkage.checks import Stand as LinkageStand
from kiosk_web.linkage.inquiries import TestClient, check_api, check_register, check_responder
from kiosk_web.linkage.report import Finding, TestReport, build_json, build_lines, derive_sha256
from kiosk_web.linkage.run import run_linkage_test
from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.pki.plan import FetchFailure
from kiosk_web.services.persons.register import Predecessor, RegisterSilent
from kiosk_web.settings.register import RegisterSettings, VerifierSettings
from kiosk_web.settings.server import Settings
from tests.support.api_client import SYSTEM, register
from tests.support.api_server import serve_api
from tests.support.kiosk_server import Stand, build_settings
from tests.support.ocsp_answers import AnswerShape, answer

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[tuple[Stand, str]]:
    async with serve_api(tmp_path) as serving:
        yield serving


def build_stand(stand: Stand, system: str = SYSTEM, state: ClockState = "synchronised", **changes: Any) -> LinkageStand:
    settings: Settings = stand.server.settings.model_copy(update=changes)
    offer = settings.build_offer()
    known = offer.find_system(system)
    assert known is not None
    return LinkageStand(settings, known, offer.list_of((system,)), stand.server.store, stand.clock.now, state)


async def check(name: str, stand: LinkageStand) -> Finding:
    return await run_check(name, lambda: dict(SETTLED)[name](stand))


async def test_what_is_in_order_passes_and_its_own_fault_fails_it(api: tuple[Stand, str]) -> None:
    stand, _ = api
    good = build_stand(stand)
    assert (await check("services", good)).outcome == "passed"
    assert (await check("services", replace(good, services=()))).outcome == "failed"
    assert (await check("name", good)).outcome == "passed"
    nameless = replace(good, system=replace(good.system, name=Words(SYSTEM, SYSTEM)))
    assert (await check("name", nameless)).outcome == "failed"
    assert (await check("verifier", good)).outcome == "not_applicable"
    named = build_stand(stand, verifier=VerifierSettings(user_authentication="demo"))
    assert (await check("verifier", named)).outcome == "failed"  # one role only
    roles = VerifierSettings(user_authentication="みほん市", signature="みほん市")
    production = build_stand(stand, deployment="production", verifier=roles)
    assert (await check("verifier", production)).outcome == "passed"
    assert (await check("verifier", build_stand(stand, deployment="production"))).outcome == "failed"
    assert (await check("trust_anchors", good)).outcome == "passed"
    assert (await check("trust_anchors", production)).outcome == "failed"
    assert (await check("clock", good)).outcome == "passed"
    unkept = await check("clock", build_stand(stand, state="unsynchronised"))
    assert (unkept.outcome, unkept.text.partition(":")[0]) == ("passed", "warning")  # a demo that does not require it
    strict = build_stand(stand, state="unsynchronised", require_synchronised_clock=True)
    assert (await check("clock", strict)).outcome == "failed"
    production_unkept = replace(production, clock_state="unsynchronised")
    assert (await check("clock", production_unkept)).outcome == "failed"
    assert (await check("terminals", good)).outcome == "failed"
    terminal = await stand.terminal()
    assert (await check("terminals", good)).outcome == "passed"
    await stand.server.enrolment.revoke_terminal("library-1")
    assert (await check("terminals", good)).outcome == "failed"
    await terminal.client.aclose()
    assert (await check("revocation_lists", good)).outcome == "failed"
    assert (await check("links_and_handover", good)).outcome == "not_applicable"


async def test_a_library_needs_a_way_for_its_numbers(api: tuple[Stand, str]) -> None:
    stand, _ = api
    bare = build_stand(stand, "city-library")
    assert (await check("links_and_handover", bare)).outcome == "failed"
    assert (await run_check("register", lambda: check_register(bare))).outcome == "not_applicable"

    def with_handover(**given: object) -> LinkageStand:
        handover = type(stand.server.settings.handover).model_validate(given)
        return build_stand(stand, "city-library", handover=handover)

    drawn = await check("links_and_handover", with_handover(systems={"city-library": {"barcode": "nw7"}}))
    assert (drawn.outcome, drawn.text) == ("passed", "kept here; handed over by nw7")
    stranger = with_handover(terminals={"nowhere": {"output": "serial"}})
    assert "no terminal of that name" in (await check("links_and_handover", stranger)).text
    silent = with_handover(systems={"city-library": {}})
    assert (await check("links_and_handover", silent)).outcome == "failed"


async def test_the_responder_has_to_answer_for_an_authority_and_to_echo(
    api: tuple[Stand, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand, _ = api
    replies: dict[str, Any] = {"how": lambda request: answer(request, stand.root)}

    class Fetcher:
        async def __aenter__(self) -> Fetcher:
            return self

        async def __aexit__(self, *error: object) -> None: ...
        async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
            reply: bytes | FetchFailure = replies["how"](request)
            return reply

    monkeypatch.setattr(inquiries, "HttpFetcher", Fetcher)
    linkage, policy = build_stand(stand), OcspResponderPolicy("http://127.0.0.1:9/")
    unaddressed = OcspResponderPolicy(None)

    async def ask(policy: OcspResponderPolicy = policy) -> Finding:
        return await run_check("responder", lambda: check_responder(linkage, policy))

    assert (await ask()).outcome == "passed"
    assert (await ask(unaddressed)).outcome == "failed"
    replies["how"] = lambda request: FetchFailure("refused")
    assert (await ask()).text == "the responder cannot be reached: refused"
    replies["how"] = lambda request: b"\x30\x03\x0a\x01\x06"  # unauthorized
    assert (await ask()).outcome == "failed"
    replies["how"] = lambda request: b"hello"
    assert (await ask()).outcome == "failed"
    replies["how"] = lambda request: answer(request, stand.root, shape=AnswerShape(nonce="absent"))
    assert (await ask()).outcome == "failed"


async def test_the_register_has_to_answer_a_question_about_nobody(
    api: tuple[Stand, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand, _ = api
    replies: dict[str, Predecessor | RegisterSilent] = {}
    asked: list[tuple[str, bytes, int]] = []

    class Register(HttpRegister):
        async def find_predecessor(self, issuer_key_id: bytes, serial: int) -> Predecessor | RegisterSilent:
            asked.append((self._url, issuer_key_id, serial))
            return replies["how"]

    async def ask(linkage: LinkageStand) -> Finding:
        return await run_check("register", lambda: check_register(linkage))

    configured = build_stand(stand, register_service=RegisterSettings(url="http://127.0.0.1:9"))
    assert "register_service.url is not set" in (await ask(build_stand(stand))).text
    nobody = await ask(configured)  # nothing listens there
    assert (nobody.outcome, "unreachable" in nobody.text) == ("failed", True)
    monkeypatch.setattr(inquiries, "HttpRegister", Register)
    for reply in (RegisterSilent("refused"), RegisterSilent("malformed"), RegisterSilent("timeout")):
        replies["how"] = reply
        assert (await ask(configured)).outcome == "failed"
    for answered in (RegisterSilent("unknown_certificate"), Predecessor(None)):
        replies["how"] = answered
        assert (await ask(configured)).outcome == "passed"
    assert len({serial for _, _, serial in asked}) == len(asked)


async def test_a_client_has_to_get_a_token_and_a_challenge(api: tuple[Stand, str], tmp_path: Path) -> None:
    stand, _ = api
    linkage, path = build_stand(stand), tmp_path / "client.pem"

    async def ask(client: TestClient | None) -> Finding:
        return await run_check("api_client", lambda: check_api(linkage, client))

    own = TestClient("portal", path)
    assert "kiosk client add" in (await ask(own)).text
    client = await register(stand)
    assert (await ask(None)).text == "not tested: give --client and --client-key"
    assert (await ask(own)).outcome == "failed"
    path.write_bytes(client.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    passed = await ask(own)
    assert (passed.outcome, passed.text) == ("passed", "portal got a token and a challenge")
    other = await register(stand, "other")
    path.write_bytes(other.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert (await ask(own)).text == "no token: 401 client_unproven"
    await client.http.aclose()
    await other.http.aclose()


async def test_the_outcome_is_recorded_with_the_hash_of_the_report(api: tuple[Stand, str]) -> None:
    stand, _ = api
    settings = stand.server.settings
    report = await run_linkage_test(settings, SYSTEM, None, stand.clock, "synchronised")
    assert not report.passed
    names = [finding.name for finding in report.findings]
    assert names == [name for name, _ in SETTLED] + ["responder", "register", "server", "api_client"]
    async with stand.server.store.read() as transaction:
        recorded = await transaction.introductions.find_report(SYSTEM)
    assert recorded is not None
    assert (recorded.passed, recorded.sha256) == (False, hashlib.sha256(build_json(report)).digest())
    assert (recorded.deployment, recorded.profiles) == ("demo", {"type1", "type2"})


def test_a_report_passes_only_if_something_passed_and_nothing_failed() -> None:
    def report(*outcomes: str) -> TestReport:
        findings = tuple(Finding(f"check{n}", outcome, "") for n, outcome in enumerate(outcomes))  # type: ignore[arg-type]
        return TestReport(SYSTEM, "demo", "0.1.0", ("type1",), NOW, findings)

    assert report("passed", "not_applicable").passed
    assert not report("passed", "failed").passed
    assert not report("not_applicable").passed
    assert build_lines(report("failed"))[-1] == f"result: FAILED   SHA-256 {derive_sha256(report('failed')).hex()}"


async def test_what_a_check_did_not_foresee_fails_it() -> None:
    async def burst() -> str:
        raise RuntimeError("secret")

    assert await run_check("x", burst) == Finding("x", "failed", "it broke off with RuntimeError")


def test_the_command_writes_the_report_and_ends_by_it(tmp_path: Path) -> None:
    from tests.support.jpki import build_root

    settings = build_settings(tmp_path, build_root())
    report = tmp_path / "report.json"
    given = [f"--data={settings.data}", f"--anchors={settings.anchors}", "--port=9", "--ocsp-url=http://127.0.0.1:9/"]
    answer = CliRunner().invoke(app, ["linkage-test", SYSTEM, *given, f"--report={report}"])
    assert answer.exit_code == 1
    document = json.loads(report.read_text())
    assert (document["system"], document["passed"]) == (SYSTEM, False)
    outcomes = {check["name"]: check["outcome"] for check in document["checks"]}
    assert (outcomes["responder"], outcomes["server"], outcomes["api_client"]) == ("failed",) * 3
    assert hashlib.sha256(report.read_bytes()).hexdigest() in answer.stdout
    assert report.with_suffix(".txt").read_text() == answer.stdout
    shown = CliRunner().invoke(app, ["system", "show", SYSTEM, f"--data={settings.data}"])
    assert "linkage test  failed" in shown.stdout
    assert CliRunner().invoke(app, ["linkage-test", "nothing", *given]).exit_code == 2
    assert CliRunner().invoke(app, ["linkage-test", SYSTEM, *given, "--client=portal"]).exit_code == 2
