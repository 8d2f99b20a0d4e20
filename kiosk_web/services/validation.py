"""Validation: the use-case around `pki`: judge trust, learn the status of a certificate from its responder, remember
the newest.

One question at a time for one certificate: whoever asks meanwhile waits for the same answer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from kiosk_web.pki.ocsp import NONCE_LENGTH, OcspResponderPolicy
from kiosk_web.pki.plan import AskResponder, FetchFailure, build_unavailable, judge_answer, plan_status_check
from kiosk_web.pki.status import CertificateStatus, HighWaterMark, derive_mark
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted, judge_trust_of_bytes


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


class ValidationService:
    """Judges certificates. `clock` gives the server's aware time, `entropy(n)` n fresh random bytes."""

    def __init__(
        self,
        *,
        store: TrustStore,
        trust_policy: TrustPolicy,
        responder_policy: OcspResponderPolicy,
        fetcher: Fetcher,
        high_water: HighWaterMarks,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._trust_policy = trust_policy
        self._responder_policy = responder_policy
        self._fetcher = fetcher
        self._high_water = high_water
        self._clock = clock
        self._entropy = entropy
        self._running: dict[bytes, asyncio.Task[CertificateStatus]] = {}

    def judge_trust(self, der: bytes) -> TrustedCertificate | Untrusted:
        """Parse the bytes read from a card and judge whom they speak for, now. Never raises."""
        return judge_trust_of_bytes(der, self._store, self._trust_policy, self._clock())

    async def check_status(self, certificate: TrustedCertificate) -> CertificateStatus:
        """Learn the status of a certificate. Trouble with network or answers is an outcome, not an exception.

        A caller that is cancelled does not disturb the others that wait for the same answer.
        """
        running = self._running.get(certificate.sha256)
        if running is None:
            running = asyncio.create_task(self._check(certificate))
            self._running[certificate.sha256] = running
            running.add_done_callback(lambda done: self._forget(certificate.sha256, done))
        return await asyncio.shield(running)

    def _forget(self, sha256: bytes, done: asyncio.Task[CertificateStatus]) -> None:
        del self._running[sha256]
        if not done.cancelled():
            done.exception()  # callers that still wait get it; without any it must not be reported as lost

    async def _check(self, certificate: TrustedCertificate) -> CertificateStatus:
        policy = self._responder_policy
        plan = plan_status_check(certificate, policy, self._entropy(NONCE_LENGTH))
        answer: bytes | FetchFailure | None = None
        if isinstance(plan, AskResponder):
            answer = await self._fetcher.fetch_ocsp(plan.address, plan.request)
        key = derive_mark_key(certificate)
        seen = await self._high_water.load(key)
        newest = await self._high_water.load_newest_time()
        now = self._clock()
        if newest is not None and now + policy.skew < newest:
            return build_unavailable(certificate, "clock_unreliable", policy.url or "", now)
        status = judge_answer(certificate, plan, answer, policy, now, seen)
        mark = derive_mark(status, seen)
        if mark is None or mark == seen:
            return status
        stored = await self._high_water.record(key, mark)
        if stored == mark:
            return status
        return judge_answer(
            certificate, plan, answer, policy, now, stored
        )  # another host saw something newer meanwhile


def derive_mark_key(certificate: TrustedCertificate) -> bytes:
    """The key of a certificate's high-water mark: a hash, since serials are stored with persons only."""
    serial = certificate.serial.to_bytes(20, "big")
    return hashlib.sha256(b"kiosk-high-water/1\0" + certificate.issuer_key_id + serial).digest()
