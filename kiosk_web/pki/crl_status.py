"""The status of a certificate by revocation lists: `judge_crl_status`, by numbered rules (docs/validation.md).

What each list says about one serial number (`ListFinding`) comes from its index; which lists speak about a certificate
at all, whether they are fresh, and what follows when they disagree is decided here, at every look-up.

 1. Only a list counts that covers the certificate: signed by the key of its own anchor, not only for certificates of
    another kind (CAs, users), and of the whole CA or of a plain distribution point that the certificate names
    (`covers`).
 2. No list from the future: a thisUpdate ahead of the clock means that the clock is wrong, and nothing is decided.
 3. A revocation that was seen before stays, whatever a list says.
 4. A permanent revocation in any covering list counts, however old the list: no later one can take it back.
 5. A list is fresh when nextUpdate has not passed, thisUpdate is not older than the policy allows, and it is not behind
    the newest one accepted of its scope. Anything else it says, and its silence, counts only while it is fresh.
 6. A hold in any fresh list counts.
 7. `Good` needs a fresh list that does not name the certificate, and that is newer than every hold known of it: one
    remembered from an answer or a list, or one in a list that is no longer fresh. It must also be newer than any list
    about the certificate that was accepted before and is not here (`derive_scopes`): that one may have named it.
 8. With no covering list the status is `Unavailable`, with none but old ones `Stale`, each with its word.
 9. Each outcome carries its evidence: times and hash of the list it rests on, the newest one where several agree.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from kiosk_web.pki.crl_trust import (
    CrlPolicy,
    ListHeader,
    ListMark,
    ListScope,
    derive_name_scope,
    derive_point,
    find_regression,
)
from kiosk_web.pki.distribution_points import DistributionPoint
from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    Good,
    HighWaterMark,
    OnHold,
    Revoked,
    Stale,
    Unavailable,
)
from kiosk_web.pki.trust import TrustedCertificate

HOLD = "certificateHold"
"""The one reason that may be lifted (RFC 5280 5.3.1)."""


class ListEntry(NamedTuple):
    """What a list says of one serial number: when it was revoked, in `seconds` since 1970, which becomes a time for
    those who ask; and why, a CRLReason by its name in RFC 5280 5.3.1, None without.
    """

    seconds: int
    reason: str | None

    @property
    def revoked_at(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    @property
    def is_hold(self) -> bool:
        return self.reason == HOLD


class ListFinding(NamedTuple):
    """What one list says about the certificate in question: its entry, or None for silence."""

    header: ListHeader
    entry: ListEntry | None


def covers(header: ListHeader, certificate: TrustedCertificate) -> bool:
    """Rule 1: does the list say, by being silent, that this certificate is not revoked?

    The key decides, never the name. A list without a distribution point is about all certificates of its key; another
    one about those that name its point, without restricting it to some reasons or another issuer.
    """
    kind = "ca" if certificate.certificate.is_ca else "user"
    if header.scope.key_id != certificate.issuer_key_id or header.covers not in ("all", kind):
        return False
    if not header.point_names:
        return True
    for point in certificate.certificate.distribution_points:
        if point.plain and not header.point_names.isdisjoint(point.names):
            return True
    return False


def derive_scopes(certificate: TrustedCertificate) -> frozenset[ListScope]:
    """Where lists that cover the certificate are remembered: that of the whole CA, and those of its points, by all of
    their names, by one of them, or by one of them and others that the certificate does not name.
    """
    return _derive_scopes(certificate.issuer_key_id, certificate.certificate.distribution_points)


@functools.lru_cache(maxsize=4096)
def _derive_scopes(key_id: bytes, points: tuple[DistributionPoint, ...]) -> frozenset[ListScope]:
    """Remembered: the certificates of one municipality all have the same."""
    places = {frozenset[bytes]()}
    for point in points:
        if point.plain:
            places |= {point.names, *(frozenset({name}) for name in point.names)}
    by_name = {derive_name_scope(key_id, name) for names in places for name in names}
    return frozenset(ListScope(key_id, derive_point(names)) for names in places) | by_name


def judge_crl_status(
    certificate: TrustedCertificate,
    findings: Sequence[ListFinding],
    policy: CrlPolicy,
    now: datetime,
    *,
    certificate_mark: HighWaterMark | None,
    list_marks: Mapping[ListScope, ListMark],
) -> CertificateStatus:
    """Judge what the lists say about `certificate`, at the server's aware time `now`, by the rules above.

    `certificate_mark` is what was seen of this certificate before by whichever method, `list_marks` the newest list
    ever accepted of each scope, those of `derive_scopes` among them. Findings of lists that do not cover the
    certificate are not looked at. Never raises.
    """
    covering = [finding for finding in findings if covers(finding.header, certificate)]
    if len(covering) > 1:
        covering.sort(key=_rank, reverse=True)
    if not covering:
        return Unavailable("no_list", _build_evidence(certificate, None, now))
    newest = covering[0].header
    if newest.this_update > now + policy.skew:
        return Unavailable("clock_unreliable", _build_evidence(certificate, newest, now))
    if certificate_mark is not None and certificate_mark.revoked_at is not None:
        evidence = _build_evidence(certificate, newest, now)
        return Revoked(certificate_mark.revoked_at, certificate_mark.revoked_reason, evidence)

    revoked: list[tuple[datetime, str, ListHeader]] = []
    held: list[OnHold] = []
    silent: list[ListHeader] = []
    outdated: list[str] = []
    hold_seen: list[datetime] = []
    if certificate_mark is not None and certificate_mark.held:
        hold_seen.append(certificate_mark.this_update)
    for finding in covering:
        header, entry = finding.header, finding.entry
        why = judge_freshness(header, policy, now, list_marks.get(header.scope))
        if entry is not None and not entry.is_hold:
            revoked.append((entry.revoked_at, entry.reason or "", header))
        elif why:
            outdated.append(why)
            if entry is not None:
                hold_seen.append(header.this_update)
        elif entry is not None:
            held.append(OnHold(entry.revoked_at, _build_evidence(certificate, header, now)))
        else:
            silent.append(header)

    if revoked:
        at, reason, header = min(revoked, key=lambda found: found[:2])
        return Revoked(at, reason or None, _build_evidence(certificate, header, now))
    if held:
        return held[0]
    if not silent:
        return Stale(outdated[0], _build_evidence(certificate, newest, now))
    evidence = _build_evidence(certificate, silent[0], now)
    if any(seen >= silent[0].this_update for seen in hold_seen):
        return Stale("hold_not_lifted", evidence)
    if _is_overtaken(silent[0], certificate, covering, list_marks):
        return Stale("behind_high_water", evidence)
    return Good(evidence)


def _rank(finding: ListFinding) -> tuple[datetime, int, bytes]:
    """The newest list has the highest."""
    return finding.header.this_update, finding.header.crl_number or 0, finding.header.sha256


def _is_overtaken(
    newest: ListHeader,
    certificate: TrustedCertificate,
    covering: Sequence[ListFinding],
    list_marks: Mapping[ListScope, ListMark],
) -> bool:
    """Rule 7: was a newer list about the certificate accepted before that is not among these, or not as it was?"""
    if not list_marks:
        return False
    here = [finding.header for finding in covering]
    for scope in derive_scopes(certificate).union(header.scope for header in here):
        mark = list_marks.get(scope)
        if mark is None or mark.this_update <= newest.this_update:
            continue
        about = [header for header in here if scope == header.scope or scope in header.derive_name_scopes()]
        if all(find_regression(header.mark, mark) for header in about):
            return True
    return False


def judge_freshness(header: ListHeader, policy: CrlPolicy, now: datetime, mark: ListMark | None) -> str:
    """Rule 5: why a list is out of date, in a word, or "" while its silence counts.

    nextUpdate is the signer's own promise and is taken at its word, without skew. `list_from_the_future` is for
    whoever shows lists; a look-up has stopped at rule 2 before.
    """
    if header.this_update > now + policy.skew:
        return "list_from_the_future"
    if mark is not None and find_regression(header.mark, mark):
        return "behind_high_water"
    if header.next_update < now:
        return "next_update_passed"
    if header.this_update < now - policy.max_age - policy.skew:
        return "list_too_old"
    return ""


def _build_evidence(certificate: TrustedCertificate, header: ListHeader | None, now: datetime) -> Evidence:
    return Evidence(
        method="crl",
        this_update=header.this_update if header else None,
        next_update=header.next_update if header else None,
        produced_at=None,
        responder="",
        sha256=header.sha256 if header else b"",
        checked_at=now,
        signer="issuer" if header else "",
        certificate_sha256=certificate.sha256,
        crl_number=header.crl_number if header else None,
    )
