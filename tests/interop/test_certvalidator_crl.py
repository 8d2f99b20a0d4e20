"""pyhanko-certvalidator beside the judges of revocation lists: generated lists, and every disagreement explained.

Ours go the whole way of a list: read, judged, made into an index, looked up in it, judged again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings

from kiosk_web.pki.crl import MalformedCrl, read_crl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListFinding, covers, judge_crl_status
from kiosk_web.pki.crl_trust import RefusedCrl, judge_crl
from kiosk_web.pki.trust import TrustStore
from tests.support.certvalidator import STRICT, Allowances, Finding, Verdict, ask_certvalidator
from tests.support.disagreements import Comparison, Generosity, Strictness, name_status
from tests.support.generated_case import ROOTS, Case, mutations
from tests.support.generated_lists import FIELDS, Lists, build_lists, cases
from tests.support.signed_der import Mutation

SKEW = 2 * 60
OLDEST = -30 * 3600 - SKEW
STORE = TrustStore(root.anchor for root in ROOTS.values())


def look_up(der: bytes, lists: Lists, imported: datetime) -> ListFinding | str:
    """What one list says of the certificate, or the word for which it is refused."""
    try:
        judged = judge_crl(read_crl(der), STORE, lists.policy, imported, {})
        if isinstance(judged, RefusedCrl):
            return judged.why
        written = bytearray()
        build_segment(judged, written.extend)
    except MalformedCrl as error:
        return error.why
    segment = Segment.open(memoryview(bytes(written)))
    assert segment.check_digest()
    return ListFinding(segment.header, segment.find(lists.certificate.serial))


def judge_ours(lists: Lists) -> tuple[Verdict, str]:
    """One of three verdicts, and our words for a refusal: those of the lists, then that of the status."""
    findings = [look_up(der, lists, imported) for der, imported in zip(lists.lists, lists.imported, strict=False)]
    words = [finding for finding in findings if isinstance(finding, str)]
    accepted = [finding for finding in findings if isinstance(finding, ListFinding)]
    status = judge_crl_status(
        lists.certificate, accepted, lists.policy, lists.moment, certificate_mark=None, list_marks={}
    )
    verdict, word = name_status(status)
    return verdict, " ".join([*words, word]) if verdict == "refused" else ""


def ask_them(lists: Lists, allowances: Allowances) -> Finding:
    roots = [lists.root] if allowances.one_anchor else list(ROOTS.values())
    leaf, crls = lists.leaf, list(lists.lists)
    if allowances.covering_lists or allowances.no_points:
        found = [(der, look_up(der, lists, at)) for der, at in zip(lists.lists, lists.imported, strict=False)]
        accepted = [(der, finding.header) for der, finding in found if isinstance(finding, ListFinding)]
        covering = [(der, header) for der, header in accepted if covers(header, lists.certificate)]
        crls = [der for der, header in covering if not (allowances.no_points and header.point_names)]
    if allowances.no_points:
        leaf = lists.twin
    if allowances.delta:
        crls.append(lists.delta)
    return ask_certvalidator(leaf, roots, lists.moment, "crl", crls=crls, allowances=allowances)


GENEROUS = {
    "a clock that is fast": Generosity(
        "the clock of the CA may be two minutes ahead of ours",
        partial(replace, tolerance=timedelta(seconds=SKEW)),
        ({"this update": "120"},),
    ),
    "a bad list beside a good one": Generosity(
        "a refused list, or one of another key, is as if it had not come, and what the right one proves stays proven; "
        "the other judge stops at the first that it cannot read, and believes what we refuse",
        partial(replace, covering_lists=True),
        ({"encoding": "a byte after", "says": "revoked", "beside": "a silent one of the whole CA"},),
    ),
    "lists of the whole CA": Generosity(
        "a complete list of the issuer itself counts for all its certificates, whatever distribution points they name "
        "(RFC 5280 6.3.3, last paragraph)",
        partial(replace, no_points=True),
        ({"certificate points": "of another issuer", "point": "none"},),
    ),
    "no delta lists": Generosity(
        "freshestCRL offers changes since the complete list; to use them is a choice (RFC 5280 6.3.3), and the "
        "complete list is young enough by our own rule",
        partial(replace, delta=True),
        ({"extension": "freshest"},),
    ),
}


def word(*words: str, field: str = "", values: tuple[str, ...] = ()) -> Callable[[Lists, str], bool]:
    """Refused in one of these words, and of such a kind."""
    return lambda lists, said: not {*words}.isdisjoint(said.split()) and (not field or lists.says(field, *values))


STRICTER: dict[str, Strictness[Lists]] = {
    "a distribution point for some reasons": Strictness(
        "silence about some reasons is no good news about the others; the other judge does not look",
        word("no_list", field="certificate points", values=("for some reasons",)),
        {"certificate points": "for some reasons"},
    ),
    "indirect lists": Strictness(
        "not supported, and refused by name: their entries may be about other issuers",
        word("indirect", field="point", values=("indirect",)),
        {"point": "indirect"},
    ),
    "an empty distribution point": Strictness(
        "RFC 5280 5.2.5: an issuingDistributionPoint that says nothing is not issued",
        word("malformed", field="point", values=("nothing in it",)),
        {"point": "nothing in it"},
    ),
    "lists for some reasons": Strictness(
        "refused by name: what they keep silent about nobody knows",
        word("some_reasons", field="point", values=("some reasons",)),
        {"point": "some reasons", "says": "revoked"},
    ),
    "which key signed": Strictness(
        "authorityKeyIdentifier must say it: three generations share a name; the other judge tries them all",
        lambda lists, said: (
            not {"no_key_id", "issuer_unknown"}.isdisjoint(said.split())
            and (lists.says("authority key", "absent", "empty", "stranger") or lists.says("encoding", "no extensions"))
        ),
        {"authority key": "absent"},
    ),
    "which key is said to have signed": Strictness(
        "authorityKeyIdentifier names another generation than the one whose key signed; the other judge tries them all",
        lambda lists, said: (
            not {"signature_invalid", "algorithm_refused", "issuer_not_valid_now"}.isdisjoint(said.split())
            and lists.says("signer")
            and lists.says("signer's key")
        ),
        {"signer": "root 2019", "signer's key": "root 2023"},
    ),
    "age": Strictness(
        "lists come daily: one older than 30 hours and 2 minutes counts no more, whatever nextUpdate promises",
        lambda lists, said: "list_too_old" in said.split() and lists.offset("this update") <= OLDEST,
        {"this update": "-108121"},
    ),
    "no nextUpdate": Strictness(
        "RFC 5280 5.1.2.5: there must be one; the other judge gives half an hour",
        word("no_next_update", field="next update", values=("absent",)),
        {"next update": "absent", "this update": "0"},
    ),
    "the number of a list": Strictness(
        "RFC 5280 5.2.3: not negative, at most 20 octets; the other judge does not read it",
        word("malformed", field="number", values=("-1", "21 octets")),
        {"number": "21 octets"},
    ),
    "an extension twice": Strictness(
        "RFC 5280 4.2: not more than one of a kind; the other judge takes the last",
        word("malformed", field="extension", values=("number twice",)),
        {"extension": "number twice"},
    ),
    "critical extensions": Strictness(
        "critical is refused unless processed, and the other judge processes more of them",
        word("critical_extension", field="extension", values=("issuerAltName, critical",)),
        {"extension": "issuerAltName, critical"},
    ),
    "entries of delta lists": Strictness(
        "removeFromCRL belongs into delta lists alone: what it would take back here nobody can tell",
        word("entry_remove_from_crl", field="says", values=("revoked, removeFromCRL",)),
        {"says": "revoked, removeFromCRL"},
    ),
    "entries about other issuers": Strictness(
        "certificateIssuer belongs into indirect lists alone",
        lambda lists, said: (
            "entry_certificate_issuer" in said.split()
            and (lists.says("says", "revoked, of another issuer") or lists.says("says of others", "another issuer"))
        ),
        {"says": "revoked, of another issuer"},
    ),
    "entries about others": Strictness(
        "a list with one bad entry is a bad list (RFC 5280 5.3); the other judge reads the entry it was asked about",
        word("entry_critical_extension", "entry_serial", "entry_malformed", field="says of others"),
        {"says of others": "a critical extension"},
    ),
    "a revocation to come": Strictness(
        "what is announced for later is revoked now: the key may already be in other hands",
        lambda lists, _: lists.says("says", "revoked from now", "revoked from later", "revoked in 2060"),
        {"says": "revoked from later"},
    ),
    "a revocation that was": Strictness(
        "a permanent revocation stays when its list is old: no later one can take it back (RFC 5280 3.3)",
        lambda lists, _: lists.says("beside", "a revoking one that is too old"),
        {"beside": "a revoking one that is too old"},
    ),
    "versions": Strictness(
        "RFC 5280 5.1.2.1: version 2, where there are extensions",
        word("malformed", field="version"),
        {"version": "absent"},
    ),
    "algorithms by a list": Strictness(
        "SHA-1 and all that JPKI does not use; the other judge has no opinion on the signature of a list",
        word("algorithm_refused", field="algorithm"),
        {"algorithm": "SHA-1"},
    ),
    "two algorithms": Strictness(
        "RFC 5280 5.1.1.2: the announced algorithm is the signed one; the other judge reads one of them",
        word("algorithm_mismatch", field="encoding", values=("two algorithms",)),
        {"encoding": "two algorithms"},
    ),
    "strict DER": Strictness(
        "one list in DER and nothing else; the other judge reads much of BER",
        lambda lists, said: (
            lists.mutated
            or ("malformed" in said.split() and lists.says("encoding", "length not minimal", "a byte after"))
        ),
        {"encoding": "length not minimal"},
    ),
}
COMPARISON = Comparison(GENEROUS, STRICTER, ask_them)


def explain(lists: Lists) -> list[str]:
    return COMPARISON.explain(lists, *judge_ours(lists))


@pytest.mark.long
@settings(max_examples=6 * settings.default.max_examples)
@given(cases(), mutations())
def test_both_judges_agree_or_the_reason_is_known(case: Case, mutation: Mutation | None) -> None:
    explain(build_lists(case, mutation))


@pytest.mark.parametrize("field", FIELDS)
def test_every_single_respect_is_judged_alike_or_explained(field: str) -> None:
    for value in FIELDS[field]:
        explain(build_lists({field: value}))


@pytest.mark.parametrize("name", STRICTER)
def test_each_reason_to_refuse_has_a_specimen(name: str) -> None:
    lists = build_lists(STRICTER[name].specimen)
    assert judge_ours(lists)[0] != "good"
    assert ask_them(lists, STRICT).verdict != judge_ours(lists)[0]
    assert explain(lists) == [name]


@pytest.mark.parametrize("name", GENEROUS)
def test_each_generosity_has_a_specimen(name: str) -> None:
    specimens = [build_lists(case) for case in GENEROUS[name].specimens]
    assert all(judge_ours(lists) == ("good", "") for lists in specimens)
    assert any(explain(lists) == [name] for lists in specimens)


@pytest.mark.parametrize("root", ["2023", "2019", "P-384"])
@pytest.mark.parametrize("serial", ["short", "long"])
def test_both_judge_by_the_ordinary_list_of_each_living_root(root: str, serial: str) -> None:
    case = {"root": root, "serial": serial}
    assert (judge_ours(build_lists(case)), ask_them(build_lists(case), STRICT)) == (("good", ""), Finding("good"))
    revoking = build_lists({**case, "says": "revoked"})
    assert judge_ours(revoking)[0] == ask_them(revoking, STRICT).verdict == "revoked"
