"""The verdict: of all combinations of evidence exactly one is accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk_web.pki.signature import Proof
from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    Good,
    OnHold,
    Revoked,
    Stale,
    Unavailable,
    Unknown,
)
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.pki.verdict import Verdict, VerdictPolicy, judge_verdict
from kiosk_web.session.codes import CODES
from tests.support.jpki import NOW, build_root, issue, trust

ROOT = build_root()
TRUSTED = trust(issue(ROOT), ROOT)
OTHER = trust(issue(ROOT, serial=99), ROOT)
EVIDENCE = Evidence("ocsp", NOW, None, NOW, "http://127.0.0.1/", b"\x01" * 32, NOW, "issuer", TRUSTED.sha256)
PROOF = Proof("pin", True, TRUSTED.sha256)
POLICY = VerdictPolicy(frozenset({"pin"}), frozenset({"ocsp"}))

TRUSTS: dict[str, TrustedCertificate | Untrusted | None] = {
    "trusted": TRUSTED,
    "other": OTHER,
    "untrusted": Untrusted("certificate_untrusted", "", "trust.4.signature"),
    "expired": Untrusted("certificate_expired", "", "trust.7.validity"),
    "wrong kind": Untrusted("certificate_wrong_kind", "", "trust.6.kind"),
    "malformed": Untrusted("certificate_malformed", "", "trust.0.form"),
    "not yet": Untrusted("certificate_not_yet_valid", "", "trust.7.validity"),
    "none": None,
}
STATUSES: dict[str, CertificateStatus | None] = {
    "good": Good(EVIDENCE),
    "good by list": Good(replace(EVIDENCE, method="crl")),
    "good of another": Good(replace(EVIDENCE, certificate_sha256=b"")),
    "good long ago": Good(replace(EVIDENCE, checked_at=NOW - timedelta(minutes=3, seconds=1))),
    "good tomorrow": Good(replace(EVIDENCE, checked_at=NOW + timedelta(seconds=1))),
    "revoked": Revoked(NOW, None, EVIDENCE),
    "on hold": OnHold(NOW, EVIDENCE),
    "unknown": Unknown(EVIDENCE),
    "unavailable": Unavailable("timeout", EVIDENCE),
    "clock": Unavailable("clock_unreliable", EVIDENCE),
    "stale": Stale("too_old", EVIDENCE),
    "none": None,
}
PROOFS: dict[str, Proof | None] = {
    "verified": PROOF,
    "refuted": replace(PROOF, verified=False),
    "kazashi": replace(PROOF, method="kazashi"),
    "of another": replace(PROOF, certificate_sha256=OTHER.sha256),
    "none": None,
}
POLICIES = {
    "named": POLICY,
    "empty": VerdictPolicy(),
    "no status": VerdictPolicy(proof_methods=frozenset({"pin"})),
    "no proof": VerdictPolicy(status_methods=frozenset({"ocsp"})),
    "list only": VerdictPolicy(frozenset({"pin"}), frozenset({"crl"})),
}


def judge(
    trust: TrustedCertificate | Untrusted | None = TRUSTED,
    status: CertificateStatus | None = Good(EVIDENCE),  # noqa: B008 a frozen value
    proof: Proof | None = PROOF,
    policy: VerdictPolicy = POLICY,
) -> Verdict:
    return judge_verdict(trust, status, proof, policy, NOW)


def test_it_accepts_on_exactly_one_path() -> None:
    accepted = {
        (trusted, status, proof, policy)
        for trusted in TRUSTS
        for status in STATUSES
        for proof in PROOFS
        for policy in POLICIES
        if judge(TRUSTS[trusted], STATUSES[status], PROOFS[proof], POLICIES[policy]).accepted
    }
    assert accepted == {
        ("trusted", "good", "verified", "named"),
        ("trusted", "good by list", "verified", "list only"),  # the same path; the policy names the other method
    }


def test_every_refusal_has_a_code_that_is_published() -> None:
    refusals = {
        judge(trusted, status, proof, policy).refusal_code
        for trusted in TRUSTS.values()
        for status in STATUSES.values()
        for proof in PROOFS.values()
        for policy in POLICIES.values()
    }
    assert refusals - {""} <= set(CODES)
    assert "" in refusals


def test_trivially_refuses() -> None:
    """No evidence and no policy: no."""
    assert not judge_verdict(None, None, None, VerdictPolicy(), NOW).accepted
    assert not judge(policy=VerdictPolicy()).accepted


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("revoked", "certificate_revoked"),
        ("on hold", "certificate_on_hold"),
        ("unknown", "status_unknown"),
        ("unavailable", "status_unavailable"),
        ("clock", "clock_unreliable"),
        ("stale", "status_stale"),
        ("good long ago", "status_stale"),
        ("good tomorrow", "clock_unreliable"),
        ("good by list", "status_unavailable"),
        ("good of another", "status_unavailable"),
        ("none", "status_unavailable"),
    ],
)
def test_each_status_is_refused_by_its_own_code(status: str, code: str) -> None:
    assert judge(status=STATUSES[status]).refusal_code == code


@pytest.mark.parametrize("name", ["expired", "untrusted", "wrong kind", "malformed", "not yet"])
def test_a_refusal_of_trust_comes_before_everything_else(name: str) -> None:
    trusted = TRUSTS[name]
    assert isinstance(trusted, Untrusted)
    assert judge(trusted, STATUSES["revoked"], None).refusal_code == trusted.reason


def test_evidence_of_exactly_three_minutes_is_still_fresh() -> None:
    assert judge(status=Good(replace(EVIDENCE, checked_at=NOW - timedelta(minutes=3)))).accepted


def test_a_certificate_that_expired_since_it_was_trusted_is_refused() -> None:
    later = TRUSTED.not_after + timedelta(seconds=1)
    fresh = Good(replace(EVIDENCE, checked_at=later))
    assert judge_verdict(TRUSTED, fresh, PROOF, POLICY, later).refusal_code == "certificate_expired"


@pytest.mark.parametrize(("proof", "code"), [("kazashi", "kazashi_unavailable"), ("refuted", "evidence_refused")])
def test_a_proof_that_does_not_count_is_named(proof: str, code: str) -> None:
    assert judge(proof=PROOFS[proof]).refusal_code == code


def test_a_verdict_is_accepted_or_has_a_code() -> None:
    with pytest.raises(ValueError, match="refusal code"):
        Verdict(accepted=True, refusal_code="status_stale")
    with pytest.raises(ValueError, match="refusal code"):
        Verdict(accepted=False, refusal_code="")
