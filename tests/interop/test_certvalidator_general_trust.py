"""pyhanko-certvalidator beside `judge_general_trust`: the same certificates, and nothing asked of their kind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from kiosk_web.pki.certificates import parse_certificate
from kiosk_web.pki.general_trust import judge_general_trust
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from tests.interop import test_certvalidator_trust as jpki
from tests.support.certvalidator import STRICT, Allowances, Finding, ask_certvalidator
from tests.support.disagreements import Comparison
from tests.support.generated_case import ROOTS, Case, choose, mutations
from tests.support.generated_chains import FIELDS, Chain, build_chain
from tests.support.signed_der import Mutation

ISSUERS = [parse_certificate(root.der) for root in ROOTS.values()]
OF_THE_PROFILE = (
    "no authorityKeyIdentifier",
    "every policy",
    "policy qualifiers",
    "keyUsage exactly",
    "a CA",
)
"""What is refused for being no user-authentication certificate, and no more here."""


def judge_ours(chain: Chain) -> TrustedCertificate | Untrusted:
    return judge_general_trust(chain.der, ISSUERS, chain.moment)


def ask_them(chain: Chain, allowances: Allowances) -> Finding:
    roots = list(ROOTS.values())
    ours = judge_ours(chain)
    if allowances.one_anchor and isinstance(ours, TrustedCertificate):
        roots = [root for root in roots if root.der == ours.anchor.der]
    return ask_certvalidator(chain.der, roots, chain.moment, profile=False, allowances=allowances)


STRICTER = {name: kind for name, kind in jpki.STRICTER.items() if name not in OF_THE_PROFILE}
COMPARISON = Comparison(jpki.GENEROUS, STRICTER, ask_them)


def explain(chain: Chain) -> list[str]:
    ours = judge_ours(chain)
    if isinstance(ours, Untrusted):
        return COMPARISON.explain(chain, "refused", ours.detail)
    return COMPARISON.explain(chain, "good", "")


@pytest.mark.long
@settings(max_examples=3 * settings.default.max_examples)
@given(choose(FIELDS), mutations())
def test_both_judges_agree_or_the_reason_is_known(case: Case, mutation: Mutation | None) -> None:
    explain(build_chain(case, mutation))


@pytest.mark.parametrize("field", FIELDS)
def test_every_single_respect_is_judged_alike_or_explained(field: str) -> None:
    for value in FIELDS[field]:
        explain(build_chain({field: value}))


@pytest.mark.parametrize("name", OF_THE_PROFILE)
def test_what_the_profile_refuses_is_trusted_by_both(name: str) -> None:
    chain = build_chain(jpki.STRICTER[name].specimen)
    assert isinstance(judge_ours(chain), TrustedCertificate)
    assert ask_them(chain, STRICT) == Finding("good")
