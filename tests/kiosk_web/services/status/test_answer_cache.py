"""Good answers that serve again for some seconds: where they may, as long as they may, never beyond what is known."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.pki.plan import AskResponder, FetchFailure
from kiosk_web.pki.status import (
    CertificateStatus,
    Good,
    HighWaterMark,
    OnHold,
    Revoked,
    Unavailable,
    from_json,
    to_json,
)
from kiosk_web.pki.status_policy import StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustPolicy, TrustStore
from kiosk_web.services.status.answer_cache import MAXIMUM_KEPT, AnswerCache, KeptAnswer
from kiosk_web.services.status.validation import ValidationService, derive_mark_key
from tests.support.fallback import MemoryFallback
from tests.support.high_water import MemoryHighWaterMarks
from tests.support.jpki import NOW, build_root, issue, trust
from tests.support.ocsp_answers import AnswerShape, answer

pytestmark = pytest.mark.anyio

ROOT = build_root()
CERTIFICATE = trust(issue(ROOT), ROOT)
OTHER = trust(issue(ROOT, serial=4711), ROOT)
POLICY = StatusPolicy("ocsp")
ASK = StatusContext(POLICY, "pin", "identify")
SECOND = timedelta(seconds=1)


class Stand:
    """A service whose responder, clock and marks a test moves; `shape` None: the responder is gone."""

    def __init__(self, seconds: float = 30) -> None:
        self.now: datetime = NOW
        self.shape: AnswerShape | None = AnswerShape()
        self.questions = 0
        self.marks = MemoryHighWaterMarks()
        numbers = itertools.count(1)
        self.service = ValidationService(
            store=TrustStore([ROOT.anchor]),
            trust_policy=TrustPolicy(),
            responder_policy=OcspResponderPolicy(url="http://127.0.0.1:1/"),
            fetcher=self,
            high_water=self.marks,
            lists=None,
            fallback=MemoryFallback(),
            clock=lambda: self.now,
            is_clock_trusted=lambda: True,
            entropy=lambda size: next(numbers).to_bytes(size, "big"),
            answers=AnswerCache(timedelta(seconds=seconds)),
        )

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        self.questions += 1
        return FetchFailure("refused") if self.shape is None else answer(request, ROOT, None, self.shape)

    async def ask(self, context: StatusContext = ASK) -> CertificateStatus:
        return await self.service.check_status(CERTIFICATE, context)


async def test_a_good_answer_serves_again_and_the_evidence_says_so() -> None:
    stand = Stand()
    first = await stand.ask()
    stand.now += 29 * SECOND
    again = await stand.ask()
    assert isinstance(first, Good)
    assert isinstance(again, Good)
    assert stand.questions == 1
    assert (first.evidence.cached, again.evidence.cached) == (False, True)
    assert again.evidence.checked_at == first.evidence.checked_at == NOW
    assert again.evidence.sha256 == first.evidence.sha256
    assert from_json(to_json(again)) == again


async def test_by_default_nothing_serves_again() -> None:
    stand = Stand(seconds=0)
    await stand.ask()
    status = await stand.ask()
    assert stand.questions == 2
    assert not status.evidence.cached


async def test_it_serves_for_its_seconds_and_no_longer() -> None:
    stand = Stand()
    await stand.ask()
    stand.now += 30 * SECOND
    status = await stand.ask()
    assert stand.questions == 2
    assert (status.evidence.cached, status.evidence.checked_at) == (False, stand.now)
    stand.now += 29 * SECOND
    assert (await stand.ask()).evidence.cached


@pytest.mark.parametrize(
    "context",
    [StatusContext(POLICY, "kazashi", "identify"), StatusContext(POLICY, "pin", "enrol"), StatusContext(POLICY)],
    ids=["kazashi", "enrolment", "no purpose"],
)
async def test_it_never_serves_kazashi_nor_enrolment(context: StatusContext) -> None:
    stand = Stand()
    await stand.ask()
    status = await stand.ask(context)
    assert stand.questions == 2
    assert not status.evidence.cached


async def test_it_is_of_one_certificate() -> None:
    stand = Stand()
    await stand.ask()
    status = await stand.service.check_status(OTHER, ASK)
    assert (stand.questions, status.evidence.cached) == (2, False)


async def test_it_does_not_outlive_its_own_next_update() -> None:
    stand = Stand()
    stand.shape = AnswerShape(next_update=NOW + 5 * SECOND)
    await stand.ask()
    stand.now += 6 * SECOND
    stand.shape = AnswerShape()
    assert not (await stand.ask()).evidence.cached
    assert stand.questions == 2


async def test_it_does_not_outlive_the_age_limit() -> None:
    stand = Stand()
    stand.shape = AnswerShape(this_update=NOW - timedelta(minutes=21, seconds=55))
    await stand.ask()
    stand.now += 6 * SECOND
    stand.shape = None
    status = await stand.ask()
    assert isinstance(status, Unavailable)
    assert status.why == "refused"


@pytest.mark.parametrize(
    "shape",
    [
        AnswerShape(status="revoked", reason=x509.ReasonFlags.superseded),
        AnswerShape(status="revoked", reason=x509.ReasonFlags.certificate_hold),
        AnswerShape(status="unknown"),
        AnswerShape(this_update=NOW - timedelta(days=2)),
        None,
    ],
    ids=["revoked", "on hold", "unknown", "stale", "unavailable"],
)
async def test_only_good_answers_are_kept(shape: AnswerShape | None) -> None:
    stand = Stand()
    stand.shape = shape
    for _ in range(2):
        assert not (await stand.ask()).evidence.cached
    assert stand.questions == 2


async def test_an_answer_that_is_not_good_ends_the_one_that_was_kept() -> None:
    stand = Stand()
    await stand.ask()
    stand.shape = None
    await stand.ask(StatusContext(POLICY, "kazashi", "identify"))
    assert isinstance(await stand.ask(), Unavailable)


@pytest.mark.parametrize(
    ("mark", "outcome"),
    [
        (HighWaterMark(NOW - timedelta(minutes=3), False, NOW, "superseded"), Revoked),
        (HighWaterMark(NOW - timedelta(minutes=3), True), OnHold),
        (HighWaterMark(NOW, False), Good),
    ],
    ids=["a revocation", "a hold at the same thisUpdate", "a newer answer"],
)
async def test_what_another_host_learned_meanwhile_counts(
    mark: HighWaterMark, outcome: type[CertificateStatus]
) -> None:
    stand = Stand()
    await stand.ask()
    await stand.marks.record(derive_mark_key(CERTIFICATE), mark)
    held = AnswerShape(status="revoked", reason=x509.ReasonFlags.certificate_hold)
    stand.shape = held if mark.held else AnswerShape(this_update=NOW)
    status = await stand.ask()
    assert isinstance(status, outcome)
    assert stand.questions == 2
    assert not status.evidence.cached


async def test_a_clock_that_was_set_back_finds_nothing() -> None:
    stand = Stand()
    stand.shape = AnswerShape(this_update=NOW - timedelta(minutes=10))
    await stand.ask()
    stand.now -= SECOND
    assert not (await stand.ask()).evidence.cached


def keep(cache: AnswerCache, name: bytes, moment: datetime) -> None:
    cache.keep(name, KeptAnswer(AskResponder("http://127.0.0.1/", b"request"), b"answer", moment))


def test_no_more_is_kept_than_there_is_room_for() -> None:
    cache = AnswerCache(timedelta(seconds=30))
    names = [number.to_bytes(4, "big") for number in range(MAXIMUM_KEPT + 1)]
    for name in names:
        keep(cache, name, NOW)
    assert cache.find(names[0], NOW) is None
    assert all(cache.find(name, NOW) is not None for name in names[1:])


def test_what_is_kept_anew_counts_from_then() -> None:
    cache = AnswerCache(timedelta(seconds=30))
    keep(cache, b"a", NOW)
    keep(cache, b"b", NOW + 10 * SECOND)
    keep(cache, b"a", NOW + 20 * SECOND)
    assert cache.find(b"b", NOW + 40 * SECOND) is None
    assert cache.find(b"a", NOW + 49 * SECOND) is not None
