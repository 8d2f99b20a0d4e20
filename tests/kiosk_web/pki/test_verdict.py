"""The verdict: of all combinations of evidence exactly one is accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.fallback import DatedWindow, FallbackState, OpeningRecord, find_openings, plan_route
from kiosk_web.pki.signature import Proof
from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    Good,
    OnHold,
    Opening,
    Revoked,
    Stale,
    Unavailable,
    Unknown,
)
from kiosk_web.pki.status_policy import PolicyName, StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.pki.verdict import Verdict, VerdictPolicy, judge_verdict
from kiosk_web.session.codes import CODES
from tests.support.jpki import NOW, build_root, issue, trust

ROOT = build_root()
TRUSTED = trust(issue(ROOT), ROOT)
OTHER = trust(issue(ROOT, serial=99), ROOT)
EVIDENCE = Evidence("ocsp", NOW, None, NOW, "http://127.0.0.1/", b"\x01" * 32, NOW, "issuer", TRUSTED.sha256)
PROOF = Proof("pin", True, TRUSTED.sha256)


def policy(name: PolicyName | None, fallback: FallbackState | None = None, **changes: object) -> VerdictPolicy:
    usual = StatusContext(StatusPolicy(name), "pin", "identify", lists_permitted=True)
    context = replace(usual, **changes)  # type: ignore[arg-type]  # handed through
    return VerdictPolicy(context, fallback or FallbackState())


POLICY = policy("ocsp")
OPENED = OpeningRecord("manager", NOW - timedelta(hours=1), NOW + timedelta(hours=1))
OPENING = Opening("manager", OPENED.opened_at, OPENED.until)
WINDOW = DatedWindow(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
UNASKED = replace(WINDOW, ask_responder=False)
LIST = replace(EVIDENCE, method="crl", this_update=NOW - timedelta(hours=5), responder="", crl_number=7)

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
    "good by list": Good(LIST),
    "good by list in an opening": Good(replace(LIST, opening=OPENING)),
    "good by list in a window": Good(replace(LIST, opening=replace(OPENING, cause="window"))),
    "good by list unasked": Good(replace(LIST, opening=replace(OPENING, cause="window", ask_responder=False))),
    "good by list in another opening": Good(replace(LIST, opening=replace(OPENING, since=NOW))),
    "good by an old list": Good(replace(LIST, this_update=NOW - timedelta(hours=30, minutes=2, seconds=1))),
    "good by an old answer": Good(replace(EVIDENCE, this_update=NOW - timedelta(minutes=22, seconds=1))),
    "good without a time": Good(replace(EVIDENCE, this_update=None)),
    "good in an opening": Good(replace(EVIDENCE, opening=OPENING)),
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
STATES = {
    "closed": FallbackState(),
    "closed by now": FallbackState(records=(replace(OPENED, closed_at=NOW),)),
    "over": FallbackState(records=(replace(OPENED, until=NOW),)),
    "manager": FallbackState(records=(OPENED,)),
    "automatic": FallbackState(records=(replace(OPENED, cause="automatic"),)),
    "window": FallbackState(windows=(WINDOW,)),
    "unasked": FallbackState(windows=(UNASKED,)),
}
POLICIES = {
    "empty": VerdictPolicy(),
    **{
        f"{name} {state}": policy(name, STATES[state])
        for name in (None, "ocsp", "crl", "ocsp-then-crl")
        for state in STATES
    },
    "enrolment": policy("ocsp-then-crl", STATES["manager"], purpose="enrol"),
    "enrolment by lists": policy("crl", purpose="enrol"),
    "no list for this person": policy("ocsp-then-crl", STATES["manager"], lists_permitted=False),
    "no lists for this person": policy("crl", lists_permitted=False),
    "kazashi": policy("ocsp", method="kazashi"),
    "kazashi by lists": policy("crl", method="kazashi", kazashi_in_window=True),
    "kazashi manager": policy("ocsp-then-crl", STATES["manager"], method="kazashi", kazashi_in_window=True),
    "kazashi window": policy("ocsp-then-crl", STATES["window"], method="kazashi"),
    "kazashi allowed in a window": policy("ocsp-then-crl", STATES["window"], method="kazashi", kazashi_in_window=True),
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
    responder_asked = {f"ocsp {state}" for state in STATES}
    responder_asked |= {f"ocsp-then-crl {state}" for state in STATES if state != "unasked"}
    responder_asked |= {"enrolment", "no list for this person"}
    by_kazashi = {"kazashi", "kazashi manager", "kazashi window", "kazashi allowed in a window"}
    assert accepted == {
        *{("trusted", "good", "verified", policy) for policy in responder_asked},
        *{("trusted", "good", "kazashi", policy) for policy in by_kazashi},
        *{("trusted", "good by list", "verified", f"crl {state}") for state in STATES},
        ("trusted", "good by list in an opening", "verified", "ocsp-then-crl manager"),
        ("trusted", "good by list in a window", "verified", "ocsp-then-crl window"),
        ("trusted", "good by list in a window", "kazashi", "kazashi allowed in a window"),
        ("trusted", "good by list unasked", "verified", "ocsp-then-crl unasked"),
    }


SHORT = st.integers(-5, 5).map(lambda minutes: NOW + timedelta(minutes=minutes))
BOUNDS = st.tuples(SHORT, SHORT).filter(lambda both: both[0] < both[1]) | st.just((OPENED.opened_at, OPENED.until))
FALLBACKS = st.sampled_from(list(STATES.values())) | st.builds(
    FallbackState,
    windows=st.lists(
        st.tuples(BOUNDS, st.booleans()).map(lambda drawn: DatedWindow(*drawn[0], drawn[1])), max_size=2
    ).map(tuple),
    records=st.lists(
        st.tuples(st.sampled_from(["manager", "automatic"]), BOUNDS, st.none() | SHORT).map(
            lambda drawn: OpeningRecord(drawn[0], *drawn[1], closed_at=drawn[2])
        ),
        max_size=2,
    ).map(tuple),
)
CONTEXTS = st.sampled_from([one.context for one in POLICIES.values()]) | st.builds(
    StatusContext,
    policy=st.sampled_from([None, "ocsp", "crl", "ocsp-then-crl"]).map(StatusPolicy),
    method=st.sampled_from(["pin", "kazashi"]),
    purpose=st.sampled_from(["identify", "enrol", "relink", ""]),
    lists_permitted=st.booleans(),
    kazashi_in_window=st.booleans(),
)


@st.composite
def evidences(draw: st.DrawFn, fallback: FallbackState, context: StatusContext) -> Evidence:
    """What an honest check would have brought, and now and then something else."""
    checked_at = draw(st.integers(0, 3)) * timedelta(minutes=-1) + NOW
    route = plan_route(context, fallback, checked_at)
    method = "crl" if route.consult_lists and draw(st.integers(0, 3)) else "ocsp"
    honest = replace(
        EVIDENCE,
        method=method,
        checked_at=checked_at,
        this_update=checked_at - timedelta(minutes=draw(st.integers(0, 24 if method == "ocsp" else 32 * 60))),
        opening=route.opening if method == "crl" else None,
    )
    other: dict[str, st.SearchStrategy[object]] = {
        "method": st.sampled_from(["ocsp", "crl"]),
        "checked_at": SHORT,
        "this_update": st.none(),
        "certificate_sha256": st.just(OTHER.sha256),
        "opening": st.none()
        | st.builds(Opening, st.sampled_from(["window", "manager", "automatic"]), SHORT, SHORT, st.booleans()),
    }
    spoilt = draw(st.lists(st.sampled_from(sorted(other)), max_size=1))
    return replace(honest, **{name: draw(other[name]) for name in spoilt})  # type: ignore[arg-type]  # by their names


@pytest.mark.long
@settings(max_examples=600)
@given(FALLBACKS, CONTEXTS, st.data())
def test_whoever_is_accepted_came_by_the_one_path(
    fallback: FallbackState, context: StatusContext, data: st.DataObject
) -> None:
    """Said once more in other words than the verdict's, over drawn evidence, openings and circumstances."""
    evidence = data.draw(evidences(fallback, context))
    fitting = {"pin": "verified", "kazashi": "kazashi"}[context.method]
    proof = data.draw(st.sampled_from([fitting, fitting, "verified", "kazashi", "refuted"]))
    openings = find_openings(fallback, evidence.checked_at)
    verdict = judge_verdict(TRUSTED, Good(evidence), PROOFS[proof], VerdictPolicy(context, fallback), NOW)
    if not verdict.accepted:
        return
    assert evidence.certificate_sha256 == TRUSTED.sha256
    assert timedelta() <= NOW - evidence.checked_at <= timedelta(minutes=3)
    assert proof == fitting
    assert evidence.this_update is not None
    age = evidence.checked_at - evidence.this_update
    if evidence.method == "ocsp":
        assert context.policy.name in ("ocsp", "ocsp-then-crl")
        assert (evidence.opening, age <= timedelta(minutes=22)) == (None, True)
        return
    assert (context.purpose, context.lists_permitted) == ("identify", True)
    assert age <= timedelta(hours=30, minutes=2)
    if context.policy.name == "crl":
        assert (evidence.opening, context.method) == (None, "pin")
        return
    assert context.policy.name == "ocsp-then-crl"
    assert evidence.opening in openings
    if context.method == "kazashi":
        assert evidence.opening is not None
        assert (evidence.opening.cause, context.kazashi_in_window) == ("window", True)


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
        ("good by list in an opening", "status_unavailable"),
        ("good in an opening", "status_unavailable"),
        ("good by an old answer", "status_stale"),
        ("good without a time", "status_stale"),
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


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, ""), ({"method": "kazashi"}, "status_unavailable"), ({"purpose": "enrol"}, "status_unavailable")],
    ids=["a PIN visit", "kazashi", "enrolment"],
)
def test_an_answer_that_was_kept_counts_for_a_pin_visit_alone(changes: dict[str, str], code: str) -> None:
    kept = Good(replace(EVIDENCE, cached=True))
    proof = replace(PROOF, method=changes.get("method", "pin"))
    assert judge_verdict(TRUSTED, kept, proof, policy("ocsp", **changes), NOW).refusal_code == code
    assert judge_verdict(TRUSTED, Good(EVIDENCE), proof, policy("ocsp", **changes), NOW).accepted


def test_a_certificate_that_expired_since_it_was_trusted_is_refused() -> None:
    later = TRUSTED.not_after + timedelta(seconds=1)
    fresh = Good(replace(EVIDENCE, checked_at=later, this_update=later))
    assert judge_verdict(TRUSTED, fresh, PROOF, POLICY, later).refusal_code == "certificate_expired"


def test_an_anchor_that_expired_since_it_was_trusted_is_refused() -> None:
    ended = replace(TRUSTED, anchor=replace(TRUSTED.anchor, not_after=NOW - timedelta(seconds=1)))
    assert judge(ended).refusal_code == "certificate_untrusted"
    assert judge(replace(TRUSTED, anchor=replace(TRUSTED.anchor, not_after=NOW))).accepted


@pytest.mark.parametrize(
    ("evidence", "oldest"), [(EVIDENCE, timedelta(minutes=22)), (LIST, timedelta(hours=30, minutes=2))]
)
def test_an_answer_as_old_as_it_may_be_still_counts(evidence: Evidence, oldest: timedelta) -> None:
    name: PolicyName = "ocsp" if evidence.method == "ocsp" else "crl"
    for age, code in ((oldest, ""), (oldest + timedelta(microseconds=1), "status_stale")):
        good = Good(replace(evidence, this_update=NOW - age))
        assert judge_verdict(TRUSTED, good, PROOF, policy(name), NOW).refusal_code == code


@pytest.mark.parametrize(("proof", "code"), [("kazashi", "kazashi_unavailable"), ("refuted", "evidence_refused")])
def test_a_proof_that_does_not_count_is_named(proof: str, code: str) -> None:
    assert judge(proof=PROOFS[proof]).refusal_code == code


def test_a_verdict_is_accepted_or_has_a_code() -> None:
    with pytest.raises(ValueError, match="refusal code"):
        Verdict(accepted=True, refusal_code="status_stale")
    with pytest.raises(ValueError, match="refusal code"):
        Verdict(accepted=False, refusal_code="")
