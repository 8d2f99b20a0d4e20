"""The good answers of the last moments, where the operator has switched that on: who comes again at once is not asked
about again.

Kept in memory for seconds, under the hash of the certificate, with the question each belongs to. An answer is judged
anew whenever it is used: by its times, its nonce and all that was learned since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk_web.pki.plan import AskResponder

MAXIMUM_KEPT = 1024


@dataclass(frozen=True)
class KeptAnswer:
    """The question, its answer, and when that was judged first."""

    plan: AskResponder
    answer: bytes
    judged_at: datetime


class AnswerCache:
    """Answers younger than `lifetime`; with zero, none."""

    def __init__(self, lifetime: timedelta = timedelta(0)) -> None:
        self._lifetime = lifetime
        self._kept: dict[bytes, KeptAnswer] = {}  # oldest first

    def keep(self, certificate_sha256: bytes, kept: KeptAnswer) -> None:
        """Keep the answer about a certificate instead of an older one; what is too old, or too much, goes."""
        self.forget(certificate_sha256)
        self._forget_old(kept.judged_at)
        if len(self._kept) >= MAXIMUM_KEPT:
            del self._kept[next(iter(self._kept))]
        if self._lifetime > timedelta(0):
            self._kept[certificate_sha256] = kept

    def find(self, certificate_sha256: bytes, now: datetime) -> KeptAnswer | None:
        """The answer about a certificate, if it is young enough. One from the future is not: the clock was set back."""
        self._forget_old(now)
        kept = self._kept.get(certificate_sha256)
        return kept if kept is not None and kept.judged_at <= now else None

    def forget(self, certificate_sha256: bytes) -> None:
        self._kept.pop(certificate_sha256, None)

    def _forget_old(self, now: datetime) -> None:
        while self._kept:
            oldest = next(iter(self._kept))
            if now - self._kept[oldest].judged_at < self._lifetime:
                break
            del self._kept[oldest]
