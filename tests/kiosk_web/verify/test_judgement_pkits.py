"""NIST's PKITS: every case of the sections about signatures, validity, names, revocation and the issuer's extensions.

The command judges one link: a certificate under the issuer it is given, with that issuer's lists. So a path is walked
link by link, and it is valid when each link is good. What NIST calls invalid is never good here; what it calls valid
and we do not confirm is in one table, with the reason.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime

import pytest

from kiosk_web.verify.inputs import UsageMistake
from kiosk_web.verify.inquiry import Given, load_question
from kiosk_web.verify.judgement import begin, conclude
from tests.kiosk_web.verify.pkits import (
    ANCHOR,
    CASES,
    FOLDER,
    LIST_SIGNERS,
    SIGNER_ISSUERS,
    Case,
    find_lists,
    locate,
)

NOW = datetime(2012, 6, 1, tzinfo=UTC)

LONGER_PATH = "how many CAs may follow is seen on a whole path; the command judges one link"
NOT_RUN = {f"4.6.{number}": LONGER_PATH for number in (5, 6, *range(9, 18))}

NOT_CONFIRMED = {
    "4.1.4": ("untrusted: trust.1.key", "DSA and SHA-1 are not on the list of algorithms"),
    "4.1.5": ("untrusted: trust.1.key", "DSA and SHA-1 are not on the list of algorithms"),
    "4.3.6": ("malformed: trust.0.form", "certificates with unique identifiers are refused (RFC 5280 4.1.2.8)"),
    "4.4.14": ("unavailable: entry_serial", "a list with a serial number that is not positive is refused as a whole"),
    "4.14.18": ("unavailable: some_reasons", "lists of some reasons only are refused by name"),
    "4.14.19": ("unavailable: some_reasons", "lists of some reasons only are refused by name"),
    "4.14.22": ("unavailable: indirect", "indirect lists are refused by name, also about the CA's own certificates"),
    "4.14.24": ("unavailable: issuer_unknown", "indirect lists are refused by name; here of another CA"),
    "4.14.25": ("unavailable: issuer_unknown", "indirect lists are refused by name; here of another CA"),
    "4.14.28": ("unavailable: no_list", "indirect lists are refused by name; here of a CRL issuer"),
    "4.14.29": ("unavailable: no_list", "indirect lists are refused by name; here of a CRL issuer"),
    "4.14.30": ("unavailable: issuer_unknown", "indirect lists are refused by name; here of a CRL issuer"),
    "4.14.33": ("unavailable: issuer_unknown", "indirect lists are refused by name; here of another CA"),
    "4.15.2": ("unavailable: delta", "delta lists are refused by name, and what they change is not guessed"),
    "4.15.5": ("on_hold: certificateHold", "the delta list that lifts the hold is refused by name"),
    "4.15.7": ("unavailable: delta", "delta lists are refused by name, and what they change is not guessed"),
    "4.15.8": ("unavailable: delta", "delta lists are refused by name, and what they change is not guessed"),
}

REFUSED = {
    "4.1.2": "malformed: trust.0.form",
    "4.1.3": "untrusted: trust.4.signature",
    "4.1.6": "untrusted: trust.1.key",
    "4.2.1": "not_yet_valid: trust.7.validity",
    "4.2.2": "not_yet_valid: trust.7.validity",
    "4.2.5": "expired: trust.7.validity",
    "4.2.6": "expired: trust.7.validity",
    "4.2.7": "expired: trust.7.validity",
    "4.3.1": "untrusted: trust.3.issuer_name",
    "4.3.2": "untrusted: trust.3.issuer_name",
    "4.4.1": "unavailable: no_list",
    "4.4.2": "revoked: keyCompromise",
    "4.4.3": "revoked: keyCompromise",
    "4.4.4": "unavailable: malformed",
    "4.4.5": "unavailable: issuer_name",
    "4.4.6": "unavailable: issuer_unknown",
    "4.4.8": "unavailable: entry_critical_extension",
    "4.4.9": "unavailable: critical_extension",
    "4.4.10": "unavailable: critical_extension",
    "4.4.11": "stale: next_update_passed",
    "4.4.12": "stale: next_update_passed",
    "4.4.15": "malformed: trust.0.form",
    "4.4.18": "revoked: keyCompromise",
    "4.4.20": "revoked: keyCompromise",
    "4.4.21": "revoked: keyCompromise",
    "4.5.2": "revoked: keyCompromise",
    "4.5.5": "revoked: keyCompromise",
    "4.5.7": "revoked: keyCompromise",
    "4.5.8": "untrusted: trust.6.kind",
    "4.6.1": "untrusted: trust.6.kind",
    "4.6.2": "untrusted: trust.6.kind",
    "4.6.3": "untrusted: trust.6.kind",
    "4.7.1": "untrusted: trust.6.kind",
    "4.7.2": "untrusted: trust.6.kind",
    "4.7.4": "unavailable: issuer_may_not_sign",
    "4.7.5": "unavailable: issuer_may_not_sign",
    "4.14.2": "revoked: keyCompromise",
    "4.14.3": "unavailable: no_list",
    "4.14.6": "revoked: keyCompromise",
    "4.14.8": "unavailable: no_list",
    "4.14.9": "unavailable: no_list",
    "4.14.11": "unavailable: no_list",
    "4.14.12": "unavailable: no_list",
    "4.14.14": "unavailable: attribute_certificates",
    "4.14.15": "unavailable: some_reasons",
    "4.14.16": "unavailable: some_reasons",
    "4.14.17": "unavailable: some_reasons",
    "4.14.20": "unavailable: some_reasons",
    "4.14.21": "unavailable: some_reasons",
    "4.14.23": "unavailable: indirect",
    "4.14.26": "unavailable: issuer_unknown",
    "4.14.27": "unavailable: issuer_unknown",
    "4.14.31": "unavailable: issuer_unknown",
    "4.14.32": "unavailable: issuer_unknown",
    "4.14.34": "unavailable: indirect",
    "4.14.35": "unavailable: indirect",
    "4.15.1": "unavailable: delta",
    "4.15.3": "revoked: keyCompromise",
    "4.15.4": "unavailable: delta",
    "4.15.6": "on_hold: certificateHold",
    "4.15.9": "revoked: keyCompromise",
    "4.15.10": "stale: next_update_passed",
    "4.16.2": "untrusted: trust.5.critical_extensions",
}
"""How each invalid case is refused, by the link that refuses it."""


@functools.cache
def judge_link(certificate: str, issuer: str) -> str:
    """Outcome and reason of one link, with the issuer's lists and whoever else signs them."""
    given = Given(
        certificate=locate(certificate),
        profile="any",
        issuers=(locate(issuer),),
        crl_issuers=tuple(locate(signer) for signer in LIST_SIGNERS.get(issuer, ())),
        policy="crl",
        crls=find_lists(issuer),
    )
    try:
        question = load_question(given)
    except UsageMistake:
        return "unreadable: issuer"
    verification = conclude(question, begin(question, NOW, bytes(32)), None, NOW)
    return f"{verification.outcome}: {verification.reason}"


def judge_path(case: Case) -> str:
    """The first link that is not good, or `good`."""
    path = (ANCHOR, *case.authorities, case.entity)
    links = list(zip(path[1:], path, strict=False))
    for _, issuer in tuple(links):
        links[-1:-1] = [(signer, SIGNER_ISSUERS[signer]) for signer in LIST_SIGNERS.get(issuer, ())]
    for certificate, issuer in links:
        said = judge_link(certificate, issuer)
        if said != "good: None":
            return said
    return "good"


@pytest.mark.parametrize("case", [case for case in CASES if case.number not in NOT_RUN], ids=lambda case: case.number)
def test_nist_says_the_same(case: Case) -> None:
    said = judge_path(case)
    assert case.valid or said != "good"
    if case.number in NOT_CONFIRMED:
        assert case.valid
        assert said == NOT_CONFIRMED[case.number][0]
    elif case.valid:
        assert said == "good"
    else:
        assert said == REFUSED[case.number]


def test_every_case_of_the_sections_is_listed_once() -> None:
    entities = {path.stem for path in (FOLDER / "certs").glob("*EE.crt")}
    others = ("olic", "nameConstraints", "UserNotice", "CPSPointer")
    listed = [case.entity for case in CASES]
    assert sorted(listed) == sorted(name for name in entities if not any(word in name for word in others))
    assert len({case.number for case in CASES}) == len(CASES) == 123
    assert {case.number for case in CASES if not case.valid} - NOT_RUN.keys() == REFUSED.keys()
