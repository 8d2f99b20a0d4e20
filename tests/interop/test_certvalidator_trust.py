"""pyhanko-certvalidator beside `judge_trust`: generated certificates, and every disagreement explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings

from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted, judge_trust_of_bytes
from tests.support.certvalidator import STRICT, Allowances, Finding, ask_certvalidator
from tests.support.disagreements import Comparison, Generosity, Strictness
from tests.support.generated_case import ROOTS, Case, choose, mutations
from tests.support.generated_chains import FIELDS, Chain, build_chain
from tests.support.signed_der import Mutation

STORE = TrustStore(root.anchor for root in ROOTS.values())


def judge_ours(chain: Chain) -> TrustedCertificate | Untrusted:
    return judge_trust_of_bytes(chain.der, STORE, TrustPolicy(), chain.moment)


def ask_them(chain: Chain, allowances: Allowances) -> Finding:
    roots = list(ROOTS.values())
    ours = judge_ours(chain)
    if allowances.one_anchor and isinstance(ours, TrustedCertificate):
        roots = [root for root in roots if root.der == ours.anchor.der]
    return ask_certvalidator(chain.der, roots, chain.moment, allowances=allowances)


def says(field: str, *values: str) -> Callable[[Chain, str], bool]:
    return lambda chain, _: chain.says(field, *values)


GENEROUS = {
    "the last second": Generosity(
        "RFC 5280 4.1.2.5 includes notAfter, and its times have whole seconds: we let the last one pass wholly",
        partial(replace, whole_seconds=True),
        ({"moment": "not_after +0.999999 s"},),
    ),
    "the issuer's serial": Generosity(
        "issuer and serial in authorityKeyIdentifier only help to find a path (RFC 5280 4.2.1.1); key identifier and "
        "signature have decided already",
        partial(replace, one_anchor=True, bare_keys=True),
        ({"authority key": "other serial"},),
    ),
}
STRICTER: dict[str, Strictness[Chain]] = {
    "no authorityKeyIdentifier": Strictness(
        "issuers are found by key identifier alone: three generations share the name; the other judge tries them all",
        says("authority key", "absent"),
        {"authority key": "absent"},
    ),
    "the card's own key": Strictness(
        "the key that will sign must be on the list; a path says nothing about what its last key is good for",
        says("key", "P-256", "RSA-1024", "Ed25519"),
        {"key": "RSA-1024"},
    ),
    "algorithms by a list": Strictness(
        "we list what JPKI uses, the other judge lists what is broken",
        lambda chain, _: chain.says("algorithm", *(("SHA-384", "SHA-512", "PSS") if chain.is_rsa else ("SHA-256",))),
        {"algorithm": "PSS"},
    ),
    "every policy": Strictness(
        "each policy must be that of the kind: anyPolicy, or a second one, would make the kind ambiguous",
        says("policy", "any", "two"),
        {"policy": "two"},
    ),
    "policy qualifiers": Strictness(
        "of the qualifiers only the address of the statement is processed, and the extension is critical",
        says("policy", "user notice"),
        {"policy": "user notice"},
    ),
    "keyUsage exactly": Strictness(
        "a key that may also sign certificates or documents is not that of a user-authentication certificate",
        says("usage", "both", "keyCertSign"),
        {"usage": "both"},
    ),
    "a CA": Strictness(
        "a CA speaks for no resident; to a path it is as good as any certificate", says("CA", "true"), {"CA": "true"}
    ),
    "critical extensions": Strictness(
        "critical is refused unless processed, and the other judge processes more of them",
        lambda chain, _: chain.case.get("extension", "").endswith(", critical"),
        {"extension": "subjectAltName, critical"},
    ),
    "serial numbers": Strictness(
        "RFC 5280 4.1.2.2: positive, at most 20 octets, in DER",
        says("encoding", "serial zero", "serial negative", "serial of 21 octets", "serial not minimal"),
        {"encoding": "serial zero"},
    ),
    "version 2": Strictness(
        "a version that has no extensions, with extensions", says("encoding", "version 2"), {"encoding": "version 2"}
    ),
    "two algorithms": Strictness(
        "RFC 5280 4.1.1.2: the announced algorithm is the signed one; the other judge reads one of them",
        says("encoding", "two algorithms"),
        {"encoding": "two algorithms"},
    ),
    "parameters of an algorithm": Strictness(
        "RFC 5758 3.2: ECDSA has none; the other judge does not look",
        lambda chain, _: chain.says("encoding", "algorithm with other parameters") and not chain.is_rsa,
        {"root": "P-384", "encoding": "algorithm with other parameters"},
    ),
    "an extension twice": Strictness(
        "RFC 5280 4.2: not more than one of a kind; the other judge takes the last",
        says("encoding", "one extension twice"),
        {"encoding": "one extension twice"},
    ),
    "strict DER": Strictness(
        "one certificate in DER and nothing else; the other judge reads much of BER",
        lambda chain, _: chain.mutated or chain.says("encoding", "length not minimal"),
        {"encoding": "length not minimal"},
    ),
}
COMPARISON = Comparison(GENEROUS, STRICTER, ask_them)


def explain(chain: Chain) -> list[str]:
    ours = judge_ours(chain)
    if isinstance(ours, Untrusted):
        return COMPARISON.explain(chain, "refused", ours.detail)
    return COMPARISON.explain(chain, "good", "")


@pytest.mark.long
@settings(max_examples=5 * settings.default.max_examples)
@given(choose(FIELDS), mutations())
def test_both_judges_agree_or_the_reason_is_known(case: Case, mutation: Mutation | None) -> None:
    explain(build_chain(case, mutation))


@pytest.mark.parametrize("field", FIELDS)
def test_every_single_respect_is_judged_alike_or_explained(field: str) -> None:
    for value in FIELDS[field]:
        explain(build_chain({field: value}))


@pytest.mark.parametrize("name", STRICTER)
def test_each_reason_to_refuse_has_a_specimen(name: str) -> None:
    chain = build_chain(STRICTER[name].specimen)
    assert isinstance(judge_ours(chain), Untrusted)
    assert ask_them(chain, STRICT).verdict == "good"
    assert explain(chain) == [name]


@pytest.mark.parametrize("name", GENEROUS)
def test_each_generosity_has_a_specimen(name: str) -> None:
    chains = [build_chain(case) for case in GENEROUS[name].specimens]
    assert all(isinstance(judge_ours(chain), TrustedCertificate) for chain in chains)
    assert any(explain(chain) == [name] for chain in chains)


@pytest.mark.parametrize("root", ["2019", "2023", "P-384"])
def test_both_trust_the_ordinary_certificate_of_each_living_root(root: str) -> None:
    chain = build_chain({"root": root})
    assert isinstance(judge_ours(chain), TrustedCertificate)
    assert ask_them(chain, STRICT) == Finding("good")
