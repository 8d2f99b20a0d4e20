"""Validation: the use-case around `pki`: judge trust, learn the status of a certificate on the route that its policy
lays down, remember the newest.

One question at a time for one certificate: whoever asks meanwhile waits for the same answer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from kiosk_web.pki.crl_status import ListFinding, derive_scopes, judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy, ListMark, ListScope
from kiosk_web.pki.fallback import (
    NOT_REACHED,
    TRANSPORT_FAILURES,
    FallbackState,
    depends_on_openings,
    is_out_of_reach,
    plan_route,
)
from kiosk_web.pki.ocsp import NONCE_LENGTH, OcspResponderPolicy
from kiosk_web.pki.plan import AskResponder, FetchFailure, build_unavailable, judge_answer, plan_status_check
from kiosk_web.pki.status import CertificateStatus, Good, HighWaterMark, Opening, Stale, Unavailable, derive_mark
from kiosk_web.pki.status_policy import StatusContext, may_use_kept_answer
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted, judge_trust_of_bytes
from kiosk_web.services.ports import Transaction
from kiosk_web.services.status.answer_cache import AnswerCache, KeptAnswer


class Fetcher(Protocol):
    """The network. Every trouble is a `FetchFailure`, never an exception."""

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        """Post an OCSP request; the body of a proper answer, or why there is none."""
        ...


class HighWaterMarks(Protocol):
    """What was seen of each certificate, by all hosts. Keys come from `derive_mark_key`: no serial is stored."""

    async def load(self, key: bytes) -> HighWaterMark | None:
        """The mark under `key`, or None."""
        ...

    async def record(self, key: bytes, mark: HighWaterMark) -> HighWaterMark:
        """Store `merge_marks(stored, mark)` in one step and return it: a mark never falls, whoever writes at once."""
        ...

    async def load_newest_time(self) -> datetime | None:
        """The newest `this_update` of all marks: a clock behind it is wrong."""
        ...


class ListShelf(Protocol):
    """The accepted revocation lists, opened and ready."""

    def look_up(self, certificate: TrustedCertificate) -> tuple[ListFinding, ...]:
        """What each list that may cover the certificate says about it; empty when there is none to be believed."""
        ...


class ListMarks(Protocol):
    """The newest list of each scope that was ever accepted, by all hosts."""

    async def load(self, scopes: Collection[ListScope]) -> Mapping[ListScope, ListMark]:
        """The marks of these scopes; a scope without one is left out."""
        ...

    async def load_newest_time(self) -> datetime | None:
        """The newest `this_update` of all of them: a clock behind it is wrong."""
        ...


class Fallback(Protocol):
    """`services/status/fallback.py`, as far as a check needs it."""

    async def load(self) -> FallbackState:
        """Everything that opens the fallback now."""
        ...

    async def note_exchange(self, *, reached: bool) -> None:
        """What became of one question to the responder."""
        ...


@dataclass(frozen=True)
class Lists:
    """Where revocation lists are looked up, and how they are believed."""

    shelf: ListShelf
    marks: ListMarks
    policy: CrlPolicy


class ValidationService:
    """Judges certificates. `clock` gives the server's aware time, `entropy(n)` n fresh random bytes.

    `is_clock_trusted` says whether something keeps the clock right. Without `lists` none covers any certificate;
    without `answers` none is kept.
    """

    def __init__(
        self,
        *,
        store: TrustStore,
        trust_policy: TrustPolicy,
        responder_policy: OcspResponderPolicy,
        fetcher: Fetcher,
        high_water: HighWaterMarks,
        lists: Lists | None,
        fallback: Fallback,
        clock: Callable[[], datetime],
        is_clock_trusted: Callable[[], bool],
        entropy: Callable[[int], bytes],
        answers: AnswerCache | None = None,
    ) -> None:
        self._store = store
        self._trust_policy = trust_policy
        self._responder_policy = responder_policy
        self._fetcher = fetcher
        self._high_water = high_water
        self._lists = lists
        self._fallback = fallback
        self._clock = clock
        self._is_clock_trusted = is_clock_trusted
        self._entropy = entropy
        self._answers = answers or AnswerCache()
        self._running: dict[bytes, asyncio.Task[CertificateStatus]] = {}

    def judge_trust(self, der: bytes) -> TrustedCertificate | Untrusted:
        """Parse the bytes read from a card and judge whom they speak for, now. Never raises."""
        return judge_trust_of_bytes(der, self._store, self._trust_policy, self._clock())

    async def check_status(self, certificate: TrustedCertificate, context: StatusContext) -> CertificateStatus:
        """Learn the status of a certificate on the route that `context` lays down. Trouble with network, answers or
        lists is an outcome, not an exception.

        The responder is asked first unless a window says that nobody is there; whatever it *answers* stands. Only where
        nothing came from it, and an opening holds at that moment, lists are looked up.
        """
        route = plan_route(context, await self._load_openings(context), self._clock())
        if route.ask_responder:
            status = await self._find_kept(certificate, context) or await self._ask_responder(certificate)
            if not is_out_of_reach(status):
                return status
            route = plan_route(context, await self._load_openings(context), status.evidence.checked_at)
            if not route.consult_lists:
                return status
            return await self._look_up(certificate, route.opening, status.evidence.checked_at)
        if not route.consult_lists:
            return build_unavailable(certificate, "no_policy", "", self._clock())
        return await self._look_up(certificate, route.opening, self._clock())

    async def _load_openings(self, context: StatusContext) -> FallbackState:
        return await self._fallback.load() if depends_on_openings(context) else FallbackState()

    async def find_good(
        self, transaction: Transaction, certificate: TrustedCertificate, context: StatusContext
    ) -> Good | None:
        """`Good` by the lists alone, read inside the caller's transaction. None where anybody would have to be asked or
        anything remembered, and for every other status: `check_status` says which.
        """
        now, lists = self._clock(), self._lists
        if lists is None or depends_on_openings(context):
            return None
        route = plan_route(context, FallbackState(), now)
        if route.ask_responder or not route.consult_lists:
            return None
        findings, scopes = lists.shelf.look_up(certificate), derive_scopes(certificate)
        scopes = scopes.union(finding.header.scope for finding in findings)
        seen = await transaction.marks.recall(derive_mark_key(certificate), scopes)
        status = judge_crl_status(
            certificate, findings, lists.policy, now, certificate_mark=seen.certificate, list_marks=seen.lists
        )
        if not isinstance(status, Good) or derive_mark(status, seen.certificate) != seen.certificate:
            return None
        return status if self._is_clock_trusted() and not self._lags(now, seen.newest) else None

    async def _find_kept(self, certificate: TrustedCertificate, context: StatusContext) -> Good | None:
        """What an answer of a few seconds ago still says, if it may be used and nothing was learned that it cannot know
        of. It stays evidence of the moment at which it came.
        """
        kept = self._answers.find(certificate.sha256, self._clock()) if may_use_kept_answer(context) else None
        if kept is None:
            return None

        def judge(now: datetime, mark: HighWaterMark | None) -> CertificateStatus:
            status = judge_answer(certificate, kept.plan, kept.answer, self._responder_policy, now, mark)
            evidence = replace(status.evidence, checked_at=kept.judged_at, cached=True)
            return Stale("hold_not_lifted", evidence) if mark and mark.held else replace(status, evidence=evidence)

        status = await self._judge(certificate, judge, self._clock())
        return status if isinstance(status, Good) else None

    async def _ask_responder(self, certificate: TrustedCertificate) -> CertificateStatus:
        """A caller that is cancelled does not disturb the others that wait for the same answer."""
        running = self._running.get(certificate.sha256)
        if running is None:
            running = asyncio.create_task(self._ask(certificate))
            self._running[certificate.sha256] = running
            running.add_done_callback(lambda done: self._forget(certificate.sha256, done))
        return await asyncio.shield(running)

    def _forget(self, sha256: bytes, done: asyncio.Task[CertificateStatus]) -> None:
        del self._running[sha256]
        if not done.cancelled():
            done.exception()  # callers that still wait get it; without any it must not be reported as lost

    async def _ask(self, certificate: TrustedCertificate) -> CertificateStatus:
        policy = self._responder_policy
        plan = plan_status_check(certificate, policy, self._entropy(NONCE_LENGTH))
        answer: bytes | FetchFailure | None = None
        if isinstance(plan, AskResponder):
            answer = await self._fetcher.fetch_ocsp(plan.address, plan.request)
            await self._note_exchange(answer)

        def judge(now: datetime, mark: HighWaterMark | None) -> CertificateStatus:
            return judge_answer(certificate, plan, answer, policy, now, mark)

        status = await self._judge(certificate, judge, self._clock())
        if isinstance(status, Good) and isinstance(plan, AskResponder) and isinstance(answer, bytes):
            self._answers.keep(certificate.sha256, KeptAnswer(plan, answer, status.evidence.checked_at))
        else:
            self._answers.forget(certificate.sha256)
        return status

    async def _note_exchange(self, answer: bytes | FetchFailure) -> None:
        if isinstance(answer, bytes) or answer.kind not in NOT_REACHED:
            await self._fallback.note_exchange(reached=True)
        elif answer.kind in TRANSPORT_FAILURES:
            await self._fallback.note_exchange(reached=False)

    async def _look_up(
        self, certificate: TrustedCertificate, opening: Opening | None, now: datetime
    ) -> CertificateStatus:
        """Judge what the lists say at `now`, the moment for which the route was planned."""
        lists = self._lists
        findings = () if lists is None else lists.shelf.look_up(certificate)
        scopes = {finding.header.scope for finding in findings} | derive_scopes(certificate)
        marks = {} if lists is None else await lists.marks.load(scopes)
        policy = CrlPolicy() if lists is None else lists.policy

        def judge(now: datetime, mark: HighWaterMark | None) -> CertificateStatus:
            status = judge_crl_status(certificate, findings, policy, now, certificate_mark=mark, list_marks=marks)
            return replace(status, evidence=replace(status.evidence, opening=opening))

        return await self._judge(certificate, judge, now)

    async def _judge(
        self,
        certificate: TrustedCertificate,
        judge: Callable[[datetime, HighWaterMark | None], CertificateStatus],
        now: datetime,
    ) -> CertificateStatus:
        """Judge under what is known of the certificate, and remember what was learned. Nothing is concluded while the
        clock is wrong.
        """
        key = derive_mark_key(certificate)
        seen = await self._high_water.load(key)
        status = judge(now, seen)
        if not self._is_clock_trusted() or await self._is_behind(now):
            return Unavailable("clock_unreliable", status.evidence)
        mark = derive_mark(status, seen)
        if mark is None or mark == seen:
            return status
        stored = await self._high_water.record(key, mark)
        return status if stored == mark else judge(now, stored)  # another host saw something newer meanwhile

    async def _is_behind(self, now: datetime) -> bool:
        """Is the clock behind the newest time that anything verified has told?"""
        newest = [await self._high_water.load_newest_time()]
        if self._lists is not None:
            newest.append(await self._lists.marks.load_newest_time())
        return any(self._lags(now, time) for time in newest)

    def _lags(self, now: datetime, newest: datetime | None) -> bool:
        return newest is not None and now + self._responder_policy.skew < newest


def derive_mark_key(certificate: TrustedCertificate) -> bytes:
    """The key of a certificate's high-water mark: a hash, since serials are stored with persons only."""
    serial = certificate.serial.to_bytes(20, "big")
    return hashlib.sha256(b"kiosk-high-water/1\0" + certificate.issuer_key_id + serial).digest()
