"""The validation service against real responders on 127.0.0.1: ours, scripted to misbehave, and OpenSSL's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.pki.status import Good, HighWaterMark, OnHold, Revoked, Stale, Unavailable, Unknown
from kiosk_web.pki.status_policy import StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted
from kiosk_web.services.status.validation import Fetcher, HighWaterMarks, ValidationService, derive_mark_key
from tests.support.fallback import MemoryFallback
from tests.support.high_water import MemoryHighWaterMarks
from tests.support.jpki import NOW, build_root, ec_key, issue, issue_delegate, trust
from tests.support.kiosk_server import Clock, Responder
from tests.support.ocsp_answers import AnswerShape, answer
from tests.support.ocsp_responder import Exchange, run_openssl_responder, serve, write_openssl_index

pytestmark = pytest.mark.anyio

ROOT = build_root()
CARD = issue(ROOT)
CERTIFICATE = trust(CARD, ROOT)
OTHER = trust(issue(ROOT, serial=4711), ROOT)
ASK = StatusContext(StatusPolicy("ocsp"), "pin", "identify")
DELEGATE = issue_delegate(ROOT)


def build_service(
    url: str,
    fetcher: Fetcher,
    marks: HighWaterMarks | None = None,
    *,
    now: Callable[[], datetime] = lambda: NOW,
    policy: OcspResponderPolicy | None = None,
    clock_trusted: bool = True,
) -> ValidationService:
    numbers = itertools.count(1)
    return ValidationService(
        store=TrustStore([ROOT.anchor]),
        trust_policy=TrustPolicy(),
        responder_policy=replace(policy, url=url) if policy else OcspResponderPolicy(url=url),
        fetcher=fetcher,
        high_water=marks or MemoryHighWaterMarks(),
        lists=None,
        fallback=MemoryFallback(),
        clock=now,
        is_clock_trusted=lambda: clock_trusted,
        entropy=lambda size: next(numbers).to_bytes(size, "big"),
    )


def answering(**shape: object) -> Callable[[Exchange], Awaitable[None]]:
    async def handle(exchange: Exchange) -> None:
        await exchange.send(answer(exchange.body, ROOT, DELEGATE, AnswerShape(**shape)))  # type: ignore[arg-type]

    return handle


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def status_500(exchange: Exchange) -> None:
    await exchange.send(b"", status="500 Internal Server Error")


async def try_later(exchange: Exchange) -> None:
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    await exchange.send(refusal.public_bytes(Encoding.DER))


async def garbage(exchange: Exchange) -> None:
    await exchange.send(b"\x30\x82\x01\x00garbage")


async def test_a_certificate_in_force_is_good_with_its_evidence() -> None:
    async with serve(answering()) as served, HttpFetcher() as fetcher:
        status = await build_service(served.url, fetcher).check_status(CERTIFICATE, ASK)
    assert isinstance(status, Good)
    assert status.evidence.responder == served.url
    assert status.evidence.certificate_sha256 == CERTIFICATE.sha256


def test_trust_is_judged_by_the_clock_of_the_service() -> None:
    fetcher = HttpFetcher()
    assert isinstance(build_service("", fetcher).judge_trust(CARD.der), TrustedCertificate)
    late = build_service("", fetcher, now=lambda: NOW + timedelta(days=4000))
    verdict = late.judge_trust(CARD.der)
    assert isinstance(verdict, Untrusted)
    assert verdict.reason == "certificate_expired"
    malformed = late.judge_trust(b"no certificate")
    assert isinstance(malformed, Untrusted)
    assert malformed.reason == "certificate_malformed"


FAULTS: dict[str, tuple[Callable[[Exchange], Awaitable[None]], str]] = {
    "reset": (reset, "unavailable reset"),
    "http_500": (status_500, "unavailable http_status"),
    "try_later": (try_later, "unavailable responder_try_later"),
    "garbage": (garbage, "unavailable malformed"),
    "no_nonce": (answering(nonce="absent"), "unavailable nonce_missing"),
    "wrong_nonce": (answering(nonce=b"\xff" * 32), "unavailable nonce_wrong"),
    "wrong_serial": (answering(serial=99), "unavailable other_certificate"),
    "stale": (answering(this_update=NOW - timedelta(days=2), next_update=None), "stale too_old"),
    "future": (answering(this_update=NOW + timedelta(hours=3), next_update=None), "stale from_the_future"),
    "expired": (answering(next_update=NOW - timedelta(minutes=1)), "stale next_update_passed"),
}


@pytest.mark.parametrize(("handler", "outcome"), FAULTS.values(), ids=FAULTS.keys())
async def test_no_trouble_of_the_responder_is_a_yes_and_none_is_an_exception(
    handler: Callable[[Exchange], Awaitable[None]], outcome: str
) -> None:
    marks = MemoryHighWaterMarks()
    async with serve(handler) as served, HttpFetcher() as fetcher:
        status = await build_service(served.url, fetcher, marks).check_status(CERTIFICATE, ASK)
    assert isinstance(status, Unavailable | Stale)
    assert f"{type(status).__name__.lower()} {status.why}" == outcome
    assert marks.marks == {}


async def test_after_any_trouble_the_next_check_works() -> None:
    async with serve(garbage, status_500, answering()) as served, HttpFetcher() as fetcher:
        service = build_service(served.url, fetcher)
        outcomes = [await service.check_status(CERTIFICATE, ASK) for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, Good]


async def test_an_answer_replayed_to_the_next_question_is_refused() -> None:
    kept: list[bytes] = []

    async def replay(exchange: Exchange) -> None:
        kept.append(kept[0] if kept else answer(exchange.body, ROOT, DELEGATE))
        await exchange.send(kept[-1])

    async with serve(replay) as served, HttpFetcher() as fetcher:
        service = build_service(served.url, fetcher)
        first, second = await service.check_status(CERTIFICATE, ASK), await service.check_status(CERTIFICATE, ASK)
    assert isinstance(first, Good)
    assert isinstance(second, Unavailable)
    assert second.why == "nonce_wrong"


async def test_every_question_has_its_own_nonce() -> None:
    async with serve(answering()) as served, HttpFetcher() as fetcher:
        service = build_service(served.url, fetcher)
        await service.check_status(CERTIFICATE, ASK)
        await service.check_status(CERTIFICATE, ASK)
    assert len(set(served.requests)) == 2


def hold_responder() -> Responder:
    """It hears questions, and answers once its gate is open."""
    responder = Responder(ROOT, Clock())
    responder.gate.clear()
    return responder


async def test_those_who_ask_meanwhile_share_one_question() -> None:
    fetcher = hold_responder()
    service = build_service("http://127.0.0.1/", fetcher)
    waiting = [asyncio.create_task(service.check_status(CERTIFICATE, ASK)) for _ in range(5)]
    other = asyncio.create_task(service.check_status(OTHER, ASK))
    await fetcher.asked.wait()
    fetcher.gate.set()
    assert len({id(status) for status in await asyncio.gather(*waiting)}) == 1
    assert isinstance(await other, Good)
    assert fetcher.questions == 2
    assert isinstance(await service.check_status(CERTIFICATE, ASK), Good)
    assert fetcher.questions == 3


async def test_a_caller_who_gives_up_takes_nobody_elses_answer_away() -> None:
    fetcher = hold_responder()
    service = build_service("http://127.0.0.1/", fetcher)
    impatient = asyncio.create_task(service.check_status(CERTIFICATE, ASK))
    patient = asyncio.create_task(service.check_status(CERTIFICATE, ASK))
    await fetcher.asked.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    fetcher.gate.set()
    assert isinstance(await patient, Good)


async def test_this_update_never_goes_back_for_one_certificate() -> None:
    older = answering(this_update=NOW - timedelta(minutes=10))
    async with serve(answering(), older) as served, HttpFetcher() as fetcher:
        service = build_service(served.url, fetcher)
        assert isinstance(await service.check_status(CERTIFICATE, ASK), Good)
        behind = await service.check_status(CERTIFICATE, ASK)
        elsewhere = await service.check_status(OTHER, ASK)
    assert isinstance(behind, Stale)
    assert behind.why == "behind_high_water"
    assert isinstance(elsewhere, Good)


async def test_a_revocation_stays_and_a_hold_may_be_lifted() -> None:
    hold = answering(status="revoked", reason=x509.ReasonFlags.certificate_hold)
    revoked = answering(status="revoked", reason=x509.ReasonFlags.superseded)
    newest = answering(this_update=NOW)
    async with serve(hold, answering(), revoked, newest) as served, HttpFetcher() as fetcher:
        service = build_service(served.url, fetcher)
        outcomes = [await service.check_status(CERTIFICATE, ASK) for _ in range(4)]
    assert [type(outcome) for outcome in outcomes] == [OnHold, Good, Revoked, Revoked]


async def test_what_another_host_records_meanwhile_counts() -> None:
    class Racing(MemoryHighWaterMarks):
        async def record(self, key: bytes, mark: HighWaterMark) -> HighWaterMark:
            await super().record(key, HighWaterMark(NOW - timedelta(minutes=3), False, NOW, "superseded"))
            return await super().record(key, mark)

    async with serve(answering()) as served, HttpFetcher() as fetcher:
        status = await build_service(served.url, fetcher, Racing()).check_status(CERTIFICATE, ASK)
    assert isinstance(status, Revoked)


async def test_a_clock_behind_the_newest_time_seen_confirms_nothing() -> None:
    marks = MemoryHighWaterMarks()
    await marks.record(b"another certificate", HighWaterMark(NOW + timedelta(minutes=3)))
    async with serve(answering()) as served, HttpFetcher() as fetcher:
        status = await build_service(served.url, fetcher, marks).check_status(CERTIFICATE, ASK)
    assert isinstance(status, Unavailable)
    assert status.why == "clock_unreliable"


async def test_a_clock_that_nothing_keeps_right_confirms_nothing() -> None:
    marks = MemoryHighWaterMarks()
    async with serve(answering()) as served, HttpFetcher() as fetcher:
        status = await build_service(served.url, fetcher, marks, clock_trusted=False).check_status(CERTIFICATE, ASK)
    assert isinstance(status, Unavailable)
    assert status.why == "clock_unreliable"
    assert marks.marks == {}


async def test_a_broken_store_of_marks_is_an_error_and_not_a_yes() -> None:
    class Broken(MemoryHighWaterMarks):
        async def load(self, key: bytes) -> HighWaterMark | None:
            raise OSError("disk")

    async with serve(answering()) as served, HttpFetcher() as fetcher:
        service = build_service(served.url, fetcher, Broken())
        for _ in range(2):
            with pytest.raises(OSError, match="disk"):
                await service.check_status(CERTIFICATE, ASK)


def test_marks_are_kept_under_a_hash_of_key_and_serial() -> None:
    assert derive_mark_key(CERTIFICATE) != derive_mark_key(OTHER)
    twin = trust(issue(build_root(2019), serial=CERTIFICATE.serial), build_root(2019))
    assert derive_mark_key(CERTIFICATE) != derive_mark_key(twin)
    assert len(derive_mark_key(CERTIFICATE)) == 32


@pytest.mark.parametrize("algorithm", ["rsa", "ec"])
@pytest.mark.parametrize("hash_algorithm", ["sha1", "sha256"])
async def test_openssl_as_responder_is_understood(
    tmp_path: Path, hash_algorithm: Literal["sha1", "sha256"], algorithm: Literal["rsa", "ec"]
) -> None:
    now = datetime.now(UTC)
    day = timedelta(days=1)
    root = build_root(label=algorithm, algorithm=algorithm)
    key = ec_key("delegate") if algorithm == "ec" else None
    delegate = issue_delegate(root, key=key, not_before=now - day, not_after=now + day)
    cards = {
        serial: trust(issue(root, serial=serial, not_before=now - day, not_after=now + day), root, now)
        for serial in (0x11, 0x22, 0x33, 0x44)
    }
    entries = [(0x11, "V", None), (0x22, "R,cessationOfOperation", now - day), (0x33, "R,certificateHold", now - day)]
    write_openssl_index(tmp_path / "index.txt", entries)
    policy = OcspResponderPolicy(url=None, hash_algorithm=hash_algorithm)
    with run_openssl_responder(tmp_path, root, delegate) as url:
        async with HttpFetcher() as fetcher:
            service = build_service(url, fetcher, now=lambda: datetime.now(UTC), policy=policy)
            good, revoked, held, unknown = [await service.check_status(card, ASK) for card in cards.values()]
    assert isinstance(good, Good)
    assert good.evidence.signer.startswith("delegate:")
    assert isinstance(revoked, Revoked)
    assert revoked.reason == "cessationOfOperation"
    assert revoked.at == (now - day).replace(microsecond=0)
    assert isinstance(held, OnHold)
    assert isinstance(unknown, Unknown)


async def test_openssl_with_a_signer_of_another_generation_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    day = timedelta(days=1)
    foreign = issue_delegate(build_root(2019), not_before=now - day, not_after=now + day)
    card = trust(issue(ROOT, not_before=now - day, not_after=now + day), ROOT, now)
    write_openssl_index(tmp_path / "index.txt", [(card.serial, "V", None)])
    with run_openssl_responder(tmp_path, ROOT, foreign) as url:
        async with HttpFetcher() as fetcher:
            status = await build_service(url, fetcher, now=lambda: datetime.now(UTC)).check_status(card, ASK)
    assert isinstance(status, Unavailable)
    assert status.why == "delegate_of_another_issuer"
