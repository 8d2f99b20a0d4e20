"""Certificates and serial numbers against the revocation lists in force, many at a time: what a batch and the nightly
sweep have in common. Lists alone are asked, and nothing is remembered of any answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kiosk_web.pki.crl_batch import SerialAnswer, SerialJudge
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListFinding, judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy, ListMark, ListScope
from kiosk_web.pki.status import CertificateStatus, Unavailable
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted, judge_trust_of_bytes


class ListInForce(Protocol):
    @property
    def scope(self) -> ListScope: ...


class WholeShelf(Protocol):
    """`adapters/crl_files.py`, as far as a batch needs it."""

    @property
    def generation(self) -> int: ...
    def look_up(self, certificate: TrustedCertificate) -> tuple[ListFinding, ...]: ...
    def segments(self) -> Iterable[tuple[ListInForce, Segment]]: ...
    def damaged(self) -> Collection[ListInForce]: ...
    def check_digests(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class ListCheck:
    """All lists in force, the anchors, and what was ever accepted, at the moment `now`. Made by `build_list_check`.

    Without a `clock_reliable` nothing is concluded, as everywhere (`docs/validation.md`).
    """

    shelf: WholeShelf
    anchors: TrustStore
    trust_policy: TrustPolicy
    policy: CrlPolicy
    marks: Mapping[ListScope, ListMark]
    now: datetime
    judges: Mapping[bytes, SerialJudge]
    damaged: frozenset[bytes]
    clock_reliable: bool = True

    @property
    def lists(self) -> int:
        return sum(judge.lists for judge in self.judges.values())

    def judge_serials(self, key_id: bytes, serials: Sequence[int]) -> list[SerialAnswer]:
        """An answer for each serial number under one key, in order."""
        if not self.clock_reliable:
            return [SerialAnswer("unavailable", "clock_unreliable")] * len(serials)
        judge = self.judges.get(key_id)
        if judge is None:  # not kept: thousands of made-up keys must not fill the memory
            judge = SerialJudge([], self.policy, self.now, self.marks, damaged=key_id in self.damaged)
        return judge.judge(serials)

    def judge_certificate(self, der: bytes) -> CertificateStatus | Untrusted:
        """Trust first, then what the lists that cover the certificate say."""
        trust = judge_trust_of_bytes(der, self.anchors, self.trust_policy, self.now)
        if isinstance(trust, Untrusted):
            return trust
        findings = self.shelf.look_up(trust)
        said = judge_crl_status(trust, findings, self.policy, self.now, certificate_mark=None, list_marks=self.marks)
        return said if self.clock_reliable else Unavailable("clock_unreliable", said.evidence)


def build_list_check(
    shelf: WholeShelf,
    anchors: TrustStore,
    trust_policy: TrustPolicy,
    policy: CrlPolicy,
    marks: Mapping[ListScope, ListMark],
    now: datetime,
    *,
    clock_reliable: bool = True,
) -> ListCheck:
    """Read every segment as a whole, which puts damaged ones out of use, and make one judge for each key. Blocking."""
    shelf.check_digests()
    segments: dict[bytes, list[Segment]] = {}
    for _record, segment in shelf.segments():
        segments.setdefault(segment.header.scope.key_id, []).append(segment)
    damaged = frozenset(record.scope.key_id for record in shelf.damaged())
    judges = {
        key_id: SerialJudge(found, policy, now, marks, damaged=key_id in damaged) for key_id, found in segments.items()
    }
    return ListCheck(shelf, anchors, trust_policy, policy, marks, now, judges, damaged, clock_reliable)


def is_clock_reliable(seen: Iterable[datetime | None], policy: CrlPolicy, now: datetime, *, trusted: bool) -> bool:
    """Is it `trusted`, since something keeps it right, and behind none of the verified times that were `seen`?"""
    return trusted and all(time is None or time <= now + policy.skew for time in seen)
