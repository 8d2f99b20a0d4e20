"""pyhanko-certvalidator beside `judge_ocsp_response`: generated answers, and every disagreement explained.

The other judge knows RFC 6960, but no question: it judges an answer alone. What it cannot know (the nonce, the CertID
we asked for, how old is too old) stands in `STRICTER`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings

from kiosk_web.pki.ocsp import judge_ocsp_response
from tests.support.certvalidator import STRICT, Allowances, Finding, Verdict, ask_certvalidator
from tests.support.disagreements import Comparison, Generosity, Strictness, name_status
from tests.support.generated_answers import FIELDS, LIVING, Answer, build_answer, cases
from tests.support.generated_case import ROOTS, Case, mutations
from tests.support.signed_der import Mutation

OLDEST = -22 * 60
SKEW = 2 * 60


def judge_ours(answer: Answer) -> tuple[Verdict, str]:
    """One of three verdicts, and our word for a refusal."""
    status = judge_ocsp_response(
        answer.certificate, answer.request, answer.response, answer.policy, answer.moment, None
    )
    return name_status(status)


def ask_them(answer: Answer, allowances: Allowances) -> Finding:
    roots = [answer.root] if allowances.one_anchor else list(ROOTS.values())
    response = answer.plain if allowances.one_signer else answer.response
    return ask_certvalidator(answer.leaf, roots, answer.moment, "ocsp", ocsps=[response], allowances=allowances)


GENEROUS = {
    "the last second": Generosity(
        "RFC 5280 4.1.2.5 includes notAfter, and its times have whole seconds: a delegate's last one passes wholly",
        partial(replace, whole_seconds=True),
        ({"signer": "in its last second", "fraction": "1 µs"},),
    ),
    "a clock that is fast": Generosity(
        "rule 5: the responder's clock may be two minutes ahead of ours",
        partial(replace, tolerance=timedelta(seconds=SKEW)),
        ({"this update": "120"},),
    ),
    "the name of three generations": Generosity(
        "an answer may name its signer by a name that several anchors have: we take the certificate's own issuer, the "
        "other judge the first of that name",
        partial(replace, one_anchor=True),
        ({"root": "2019", "signer": "root", "by name": "yes"}, {"signer": "root", "by name": "yes"}),
    ),
    "several candidates": Generosity(
        "certificates in an answer are unsigned: we try each that the answer may mean, the other judge the first",
        partial(replace, one_signer=True),
        ({"embedded": "an old one first"},),
    ),
}


def word(*words: str, field: str = "", values: tuple[str, ...] = ()) -> Callable[[Answer, str], bool]:
    """Refused in one of these words, and of such a kind."""
    return lambda answer, why: why in words and (not field or answer.says(field, *values))


STRICTER: dict[str, Strictness[Answer]] = {
    "the nonce": Strictness(
        "rule 4: an answer without our nonce may be an old one, replayed; the other judge has asked nothing",
        word("nonce_missing", "nonce_wrong", field="nonce"),
        {"nonce": "absent"},
    ),
    "the CertID we asked for": Strictness(
        "rule 2: another hash names the same certificate, and is not what was asked",
        word("other_certificate", field="certificate", values=("SHA-256", "SHA-512")),
        {"certificate": "SHA-256"},
    ),
    "one single response": Strictness(
        "rule 2: one question, one answer; the other judge reads them all",
        word("not_single", field="singles"),
        {"singles": "two"},
    ),
    "age": Strictness(
        "rule 5: the data are refreshed every 15 minutes, so that nothing older than 20 + 2 counts, whatever "
        "nextUpdate promises",
        lambda answer, why: (
            why == "too_old" and min(answer.offset("this update"), answer.offset("produced at")) <= OLDEST
        ),
        {"this update": "-1321"},
    ),
    "producedAt": Strictness(
        "rule 5: the time of signing must make sense; the other judge does not read it",
        lambda answer, why: (
            (why == "from_the_future" and answer.offset("produced at") > SKEW)
            or (why == "produced_before_update" and answer.offset("produced at") < answer.offset("this update") - SKEW)
        ),
        {"produced at": "121"},
    ),
    "algorithms by a list": Strictness(
        "rule 6: SHA-1 and all that JPKI does not use; the other judge has no opinion on the signature of an answer",
        lambda answer, why: why == "algorithm_refused" and answer.says("algorithm"),
        {"algorithm": "SHA-1"},
    ),
    "critical extensions": Strictness(
        "one that is not processed makes the answer unusable (RFC 6960 4.4); the other judge reads none",
        word("critical_extension", field="extension", values=("unknown, critical", "single, critical")),
        {"extension": "unknown, critical"},
    ),
    "what a delegate is for": Strictness(
        "rule 3: no CA, and keyUsage, where there is one, has digitalSignature; the other judge looks at "
        "extendedKeyUsage alone",
        word("delegate_not_for_ocsp", field="signer", values=("keyUsage nonRepudiation", "a CA")),
        {"signer": "a CA"},
    ),
    "critical extensions of a delegate": Strictness(
        "critical is refused unless processed, and the other judge processes more of them",
        word("delegate_critical_extension", field="signer", values=("critical subjectAltName",)),
        {"signer": "critical subjectAltName"},
    ),
    "the algorithm of a delegate": Strictness(
        "its certificate is signed by an algorithm of the list, or was not issued by this key as we know it",
        word("delegate_of_another_issuer", field="signer", values=("signed with SHA-384",)),
        {"signer": "signed with SHA-384"},
    ),
    "many certificates": Strictness(
        "each of them costs a verification, and nobody signs how many there are",
        word("too_many_certificates", field="embedded", values=("five",)),
        {"embedded": "five"},
    ),
    "a revocation to come": Strictness(
        "what is announced for later is revoked now: the key may already be in other hands",
        lambda answer, _: answer.says("status", "revoked from later"),
        {"status": "revoked from later"},
    ),
    "strict DER": Strictness(
        "one answer in DER and nothing else; the other judge reads much of BER",
        lambda answer, _: answer.mutated,
        {},
    ),
}
COMPARISON = Comparison(GENEROUS, STRICTER, ask_them)


def explain(answer: Answer) -> list[str]:
    return COMPARISON.explain(answer, *judge_ours(answer))


@pytest.mark.long
@settings(max_examples=6 * settings.default.max_examples)
@given(cases(), mutations())
def test_both_judges_agree_or_the_reason_is_known(case: Case, mutation: Mutation | None) -> None:
    explain(build_answer(case, mutation))


@pytest.mark.parametrize("field", FIELDS)
def test_every_single_respect_is_judged_alike_or_explained(field: str) -> None:
    for value in FIELDS[field]:
        explain(build_answer({field: value}))


@pytest.mark.parametrize("name", [name for name, kind in STRICTER.items() if kind.specimen])
def test_each_reason_to_refuse_has_a_specimen(name: str) -> None:
    answer = build_answer(STRICTER[name].specimen)
    assert judge_ours(answer)[0] != "good"
    assert ask_them(answer, STRICT).verdict != judge_ours(answer)[0]
    assert explain(answer) == [name]


@pytest.mark.parametrize("name", GENEROUS)
def test_each_generosity_has_a_specimen(name: str) -> None:
    answers = [build_answer(case) for case in GENEROUS[name].specimens]
    assert all(judge_ours(answer) == ("good", "") for answer in answers)
    assert any(explain(answer) == [name] for answer in answers)


@pytest.mark.parametrize("root", LIVING)
@pytest.mark.parametrize("signer", ["delegate", "root"])
def test_both_believe_the_ordinary_answer_about_a_card_of_each_living_root(root: str, signer: str) -> None:
    answer = build_answer({"root": root, "signer": signer})
    assert judge_ours(answer) == ("good", "")
    assert ask_them(answer, STRICT) == Finding("good")


@pytest.mark.parametrize("reason", [name for name in FIELDS["status"] if name.startswith("revoked,")])
def test_both_read_the_same_revocation(reason: str) -> None:
    answer = build_answer({"status": reason})
    assert judge_ours(answer)[0] == ask_them(answer, STRICT).verdict
