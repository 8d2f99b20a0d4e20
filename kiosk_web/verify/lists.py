"""Revocation lists from files for `kiosk verify`: each judged as an import would, then looked into.

The files have been read before; here is no input, no output and no clock.

A list past its nextUpdate would have been imported while it was in force, and kept: it is judged as of its nextUpdate,
and the rules of the look-up say what an old list is still good for (a permanent revocation in it stays). A list of
changes (delta) is refused as everywhere; but whoever hands one in knows that the complete list is not the last word, so
that the silence of a complete list confirms nothing then.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from kiosk_web.pki.anchors import Anchor
from kiosk_web.pki.crl import MalformedCrl, UnverifiedCrl, read_crl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListFinding, judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy, ListScope, RefusedCrl, TrustedCrl, judge_crl
from kiosk_web.pki.status import CertificateStatus, Good, Stale, Unavailable
from kiosk_web.pki.steps import CRL_STEP_OF, CRL_STEPS, UNREAD_LIST_WORDS, Step, trace, trace_crl, trace_lookup
from kiosk_web.pki.trust import TrustedCertificate, TrustStore
from kiosk_web.verify.evidence import Exhibit, describe_list
from kiosk_web.verify.question import ANY_AGE, GivenFile, Question

_NO_MEMORY = {
    "crl.8.mark": "this command remembers no earlier list",
    "lists.3.earlier_revocation": "this command remembers no earlier answer",
}


@dataclass(frozen=True, slots=True)
class _Read:
    """One list, judged: what it says about the certificate, or the word with which it was refused.

    `unread`: the certificate's issuer signed it, and nobody knows whether it names the certificate.
    """

    sha256: bytes
    exhibit: Exhibit
    steps: tuple[Step, ...]
    finding: ListFinding | None = None
    refused: str = ""
    unread: bool = False


def judge_lists(
    question: Question, trust: TrustedCertificate, now: datetime
) -> tuple[CertificateStatus, list[Step], list[Exhibit]]:
    """Judge every given list, and the certificate's status by those that were accepted.

    Their silence confirms nothing beside a list of the same issuer that was refused for what it is: it may be newer and
    name the certificate.
    """
    policy, signers, deputies = _choose_signers(question, trust)
    read = [_judge_list(given, trust, signers, deputies, policy, now) for given in question.crls]
    findings = [one.finding for one in read if one.finding is not None]
    refused = {one.refused for one in read}
    status = judge_crl_status(trust, findings, policy, now, certificate_mark=None, list_marks={})
    unread = sorted(one.refused for one in read if one.unread)
    if isinstance(status, Good) and unread:
        status = Unavailable(unread[0], status.evidence)
    steps = [step for one in read for step in one.steps]
    steps += trace_lookup(status, _NO_MEMORY)
    if isinstance(status, Unavailable) and status.why == "no_list" and len(refused) == 1:
        status = _name_refusal(status, *refused)
    exhibits = [replace(one.exhibit, decisive=one.sha256 == status.evidence.sha256) for one in read]
    return status, steps, exhibits


def _choose_signers(question: Question, trust: TrustedCertificate) -> tuple[CrlPolicy, TrustStore, tuple[Anchor, ...]]:
    """The policy, whose lists count, and who of them speaks for the issuer beside it: in the profile `any` alone."""
    if question.profile != "any":
        return CrlPolicy(), question.authorities.anchors, ()
    deputies = _find_deputies(question, trust)
    policy = CrlPolicy(max_age=ANY_AGE, allow_missing_key_id=True)
    return policy, TrustStore((trust.anchor, *deputies)), deputies


def _judge_list(
    given: GivenFile,
    trust: TrustedCertificate,
    signers: TrustStore,
    deputies: tuple[Anchor, ...],
    policy: CrlPolicy,
    now: datetime,
) -> _Read:
    sha256 = hashlib.sha256(given.data).digest()
    try:
        crl = read_crl(given.data)
    except MalformedCrl as error:
        steps = trace(CRL_STEPS, CRL_STEP_OF[error.why], str(error), evidence=sha256)
        return _Read(sha256, Exhibit("crl", sha256, given.source, refused=error.why), steps, refused=error.why)
    judged = judge_crl(crl, signers, policy, now, {})
    if isinstance(judged, RefusedCrl) and judged.why == "next_update_passed" and crl.next_update is not None:
        earlier = judge_crl(crl, signers, policy, crl.next_update, {})
        judged = earlier if isinstance(earlier, TrustedCrl) else judged
    steps = _name_source(trace_crl(judged, sha256, _NO_MEMORY), given.source)
    if isinstance(judged, RefusedCrl):
        exhibit = describe_list(crl, sha256, given.source, refused=judged.why)
        unread = judged.why in UNREAD_LIST_WORDS and _is_of_issuer(crl, trust, deputies)
        return _Read(sha256, exhibit, steps, refused=judged.why, unread=unread)
    try:
        finding = _look_up(judged, trust, deputies)
    except MalformedCrl as error:
        steps += (Step(CRL_STEP_OF[error.why], "failed", str(error), sha256),)
        exhibit = describe_list(crl, sha256, given.source, refused=error.why)
        return _Read(sha256, exhibit, steps, refused=error.why, unread=_is_of_issuer(crl, trust, deputies))
    steps += (Step(CRL_STEPS[-1], "passed", f"entries: {finding.header.entries}", sha256),)
    return _Read(sha256, describe_list(crl, sha256, given.source), steps, finding)


def _is_of_issuer(crl: UnverifiedCrl, trust: TrustedCertificate, deputies: tuple[Anchor, ...]) -> bool:
    """Is a well signed list that of the certificate's own issuer, or of a deputy?"""
    keys = {None, trust.issuer_key_id, *(deputy.key_id for deputy in deputies)}
    return crl.issuer == trust.anchor.canonical_name and crl.authority_key_id in keys


def _name_source(steps: tuple[Step, ...], source: str) -> tuple[Step, ...]:
    """Say in the first step which file it is about."""
    return (replace(steps[0], detail=source), *steps[1:])


def _look_up(judged: TrustedCrl, trust: TrustedCertificate, deputies: tuple[Anchor, ...]) -> ListFinding:
    """What the list says of the certificate, by way of the same index that the server builds.

    A list of a deputy speaks for the issuer: it is taken as if the issuer's own key had signed it.
    """
    index = bytearray()
    header = build_segment(judged, index.extend).header
    if judged.anchor in deputies:
        header = replace(header, scope=ListScope(trust.issuer_key_id, header.scope.point))
    return ListFinding(header, Segment.open(memoryview(index)).find(trust.serial))


def _find_deputies(question: Question, trust: TrustedCertificate) -> tuple[Anchor, ...]:
    """The keys that were named as signing lists for the certificate's issuer: those under its very name."""
    name = trust.anchor.canonical_name
    return tuple(deputy for deputy in question.authorities.crl_issuers if deputy.canonical_name == name)


def _name_refusal(status: Unavailable, why: str) -> Unavailable | Stale:
    """Say why no list is left, where every given one was refused for the same reason; "" where one was accepted."""
    if why == "next_update_passed":
        return Stale(why, status.evidence)
    return Unavailable(why or status.why, status.evidence)
