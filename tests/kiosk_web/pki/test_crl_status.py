"""What follows from lists: `Good` on one path only, whatever lists there are and however they contradict each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.crl_status import (
    HOLD,
    ListEntry,
    ListFinding,
    covers,
    derive_scopes,
    judge_crl_status,
    judge_freshness,
)
from kiosk_web.pki.crl_trust import (
    CrlPolicy,
    ListHeader,
    ListMark,
    ListScope,
    derive_name_scope,
    derive_point,
    is_of_name,
    merge_list_marks,
)
from kiosk_web.pki.names import canonicalise_name
from kiosk_web.pki.status import (
    CertificateStatus,
    Good,
    HighWaterMark,
    OnHold,
    Revoked,
    Stale,
    Unavailable,
    derive_mark,
    name_outcome,
)
from tests.support.jpki import NOW, build_municipal_name, build_root, issue, trust
from tests.support.segments import state_entry

HOUR = timedelta(hours=1)
POLICY = CrlPolicy()
ROOT, MIDDLE = build_root(2023), build_root(2019)
KASUMI, HARU, TSUKI = (
    frozenset({canonicalise_name(build_municipal_name(place).public_bytes())})
    for place in ("Kasumi-ku", "Haru-shi", "Tsuki-machi")
)
WHOLE: frozenset[bytes] = frozenset()
CERTIFICATE = trust(issue(ROOT), ROOT)

REVOKED_AT = NOW - timedelta(days=40)
REVOKED = state_entry(REVOKED_AT, "keyCompromise")
HELD = state_entry(REVOKED_AT, HOLD)


def header(names: frozenset[bytes] = WHOLE, age: timedelta = 2 * HOUR, **changes: object) -> ListHeader:
    """A list of the CA, `age` old and good for 30 hours."""
    this_update = NOW - age
    made = ListHeader(
        scope=ListScope(ROOT.anchor.key_id, derive_point(names)),
        point_names=names,
        covers="all",
        this_update=this_update,
        next_update=this_update + 30 * HOUR,
        crl_number=int(this_update.timestamp()),
        sha256=f"{sorted(names)} {age}".encode(),
        size=1000,
        entries=10,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of a header


def judge(
    *findings: ListFinding,
    mark: HighWaterMark | None = None,
    marks: dict[ListScope, ListMark] | None = None,
    now: datetime = NOW,
) -> CertificateStatus:
    return judge_crl_status(CERTIFICATE, findings, POLICY, now, certificate_mark=mark, list_marks=marks or {})


def silent(names: frozenset[bytes] = WHOLE, age: timedelta = 2 * HOUR, **changes: object) -> ListFinding:
    return ListFinding(header(names, age, **changes), None)


def listed(entry: ListEntry, names: frozenset[bytes] = WHOLE, age: timedelta = 2 * HOUR) -> ListFinding:
    return ListFinding(header(names, age), entry)


def why(status: CertificateStatus) -> str:
    assert isinstance(status, Stale | Unavailable)
    return f"{name_outcome(status)} {status.why}"


# Rule 1: coverage


def test_rule_1_a_list_of_the_whole_ca_and_one_of_the_municipality_cover() -> None:
    assert covers(header(), CERTIFICATE)
    assert covers(header(KASUMI), CERTIFICATE)
    assert covers(header(KASUMI | HARU), CERTIFICATE)
    assert covers(header(KASUMI, covers="user"), CERTIFICATE)
    assert not covers(header(HARU), CERTIFICATE)
    assert not covers(header(covers="ca"), CERTIFICATE)
    assert not covers(header(KASUMI, covers="ca"), CERTIFICATE)


def test_rule_1_a_list_of_another_generation_of_the_same_name_never_covers() -> None:
    assert ROOT.name == MIDDLE.name
    for names in (WHOLE, KASUMI):
        other = header(names, scope=ListScope(MIDDLE.anchor.key_id, derive_point(names)))
        assert not covers(other, CERTIFICATE)
        assert why(judge(ListFinding(other, None))) == "unavailable no_list"
        assert isinstance(judge(ListFinding(other, REVOKED), silent()), Good)


def test_rule_1_a_certificate_without_points_is_covered_by_lists_of_the_whole_ca_alone() -> None:
    bare = trust(issue(ROOT, points=()), ROOT)
    assert covers(header(), bare)
    assert not covers(header(KASUMI), bare)


@pytest.mark.parametrize(
    "point",
    [
        x509.DistributionPoint(
            [x509.DirectoryName(build_municipal_name())], None, frozenset({x509.ReasonFlags.key_compromise}), None
        ),
        x509.DistributionPoint(
            [x509.DirectoryName(build_municipal_name())], None, None, [x509.DirectoryName(build_municipal_name())]
        ),
    ],
)
def test_rule_1_a_point_for_some_reasons_or_of_another_issuer_does_not_count(point: x509.DistributionPoint) -> None:
    certificate = trust(issue(ROOT, points=[point]), ROOT)
    assert not covers(header(KASUMI), certificate)
    assert covers(header(), certificate)


def test_rule_1_one_shared_name_of_several_is_enough() -> None:
    address = "http://lists.invalid/kasumi.crl"
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier(address), x509.DirectoryName(build_municipal_name())], None, None, None
    )
    certificate = trust(issue(ROOT, points=[point]), ROOT)
    assert covers(header(frozenset({b"uri:" + address.encode()})), certificate)
    assert covers(header(KASUMI), certificate)
    assert not covers(header(frozenset({b"uri:http://lists.invalid/haru.crl"})), certificate)


# Rule 2: the clock


@pytest.mark.parametrize(
    "finding", [silent(age=-3 * HOUR), listed(HELD, age=-3 * HOUR), listed(REVOKED, age=-3 * HOUR)]
)
def test_rule_2_a_list_from_the_future_means_that_the_clock_is_wrong(finding: ListFinding) -> None:
    assert why(judge(finding, silent(KASUMI))) == "unavailable clock_unreliable"
    later = NOW + 4 * HOUR
    assert why(judge(finding, silent(KASUMI), now=later - 2 * HOUR)) == "unavailable clock_unreliable"
    assert name_outcome(judge(finding, silent(KASUMI), now=later)) in ("good", "on_hold", "revoked")


def test_rule_2_within_the_skew_a_list_may_be_ahead() -> None:
    assert isinstance(judge(silent(age=-timedelta(minutes=2))), Good)


# Rules 3 and 4: revocation for good


@pytest.mark.parametrize(
    "findings", [(silent(),), (silent(age=200 * HOUR),), (listed(HELD),), (silent(), silent(KASUMI))]
)
def test_rule_3_a_revocation_that_was_seen_stays(findings: tuple[ListFinding, ...]) -> None:
    mark = HighWaterMark(NOW - 90 * HOUR, revoked_at=REVOKED_AT, revoked_reason="superseded")
    status = judge(*findings, mark=mark)
    assert isinstance(status, Revoked)
    assert (status.at, status.reason) == (REVOKED_AT, "superseded")


@pytest.mark.parametrize("age", [HOUR, 29 * HOUR, 31 * HOUR, 5000 * HOUR])
@pytest.mark.parametrize("others", [(), (silent(KASUMI, HOUR),), (listed(HELD, KASUMI, HOUR),)])
def test_rule_4_a_revocation_counts_however_old_the_list(age: timedelta, others: tuple[ListFinding, ...]) -> None:
    finding = listed(REVOKED, age=age)
    status = judge(finding, *others)
    assert status == judge(*others, finding)
    assert isinstance(status, Revoked)
    assert (status.at, status.reason) == (REVOKED.revoked_at, REVOKED.reason)
    assert status.evidence.sha256 == finding.header.sha256


def test_rule_4_of_several_revocations_the_earliest_counts() -> None:
    later = state_entry(REVOKED_AT + HOUR, None)
    status = judge(listed(later), listed(REVOKED, KASUMI))
    assert isinstance(status, Revoked)
    assert (status.at, status.reason) == (REVOKED.revoked_at, REVOKED.reason)


# Rule 5: freshness


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, ""),
        ({"age": 30 * HOUR}, ""),
        ({"age": 30 * HOUR + timedelta(minutes=2), "next_update": NOW}, ""),
        ({"age": 30 * HOUR + timedelta(minutes=2, seconds=1), "next_update": NOW}, "list_too_old"),
        ({"age": 40 * HOUR, "next_update": NOW + HOUR}, "list_too_old"),
        ({"next_update": NOW - timedelta(seconds=1)}, "next_update_passed"),
        ({"age": 40 * HOUR}, "next_update_passed"),
        ({"age": -HOUR}, "list_from_the_future"),
    ],
)
def test_rule_5_silence_counts_only_while_a_list_is_fresh(changes: dict[str, object], word: str) -> None:
    found = header(**changes)  # type: ignore[arg-type]  # those of `header`
    assert judge_freshness(found, POLICY, NOW, None) == word
    status = judge(ListFinding(found, None))
    if word == "":
        assert isinstance(status, Good)
    elif word != "list_from_the_future":
        assert why(status) == f"stale {word}"


def test_rule_5_a_list_behind_the_newest_of_its_scope_is_not_fresh() -> None:
    found = header()
    newer = replace(found.mark, crl_number=(found.crl_number or 0) + 1)
    other = replace(found.mark, sha256=b"another list under this number")
    for mark in (newer, other, replace(found.mark, this_update=NOW)):
        assert why(judge(silent(), marks={found.scope: mark})) == "stale behind_high_water"
    for mark in (found.mark, replace(newer, crl_number=1)):
        assert isinstance(judge(silent(), marks={found.scope: mark}), Good)
    assert isinstance(judge(silent(), marks={ListScope(MIDDLE.anchor.key_id, b""): newer}), Good)


def test_rule_5_next_update_is_judged_at_every_look_up() -> None:
    finding = silent()
    outcomes = [name_outcome(judge(finding, now=NOW + hours * HOUR)) for hours in (0, 27, 28, 29)]
    assert outcomes == ["good", "good", "good", "stale"]


# Rules 6 and 7: holds


@pytest.mark.parametrize(
    "others", [(), (silent(KASUMI, HOUR),), (silent(KASUMI, 3 * HOUR),), (silent(KASUMI, 99 * HOUR),)]
)
def test_rule_6_a_hold_in_any_fresh_list_counts(others: tuple[ListFinding, ...]) -> None:
    status = judge(listed(HELD), *others)
    assert isinstance(status, OnHold)
    assert status.at == REVOKED_AT


def test_rule_7_good_needs_a_fresh_list_that_does_not_name_the_certificate() -> None:
    status = judge(silent())
    assert isinstance(status, Good)
    assert status.evidence.sha256 == header().sha256


def test_rule_7_a_hold_that_was_seen_is_lifted_by_a_newer_list_alone() -> None:
    held = HighWaterMark(NOW - 2 * HOUR, held=True)
    assert isinstance(judge(silent(age=HOUR), mark=held), Good)
    assert why(judge(silent(age=2 * HOUR), mark=held)) == "stale hold_not_lifted"
    assert why(judge(silent(age=3 * HOUR), mark=held)) == "stale hold_not_lifted"
    assert isinstance(judge(silent(age=3 * HOUR), silent(KASUMI, HOUR), mark=held), Good)


def test_rule_7_a_hold_in_an_old_list_is_lifted_by_a_newer_one() -> None:
    old = listed(HELD, KASUMI, 40 * HOUR)
    assert why(judge(old)) == "stale next_update_passed"
    assert isinstance(judge(old, silent()), Good)
    overtaken = ListFinding(header(KASUMI, HOUR, next_update=NOW - timedelta(minutes=1)), HELD)
    assert why(judge(overtaken, silent())) == "stale hold_not_lifted"


@pytest.mark.parametrize("missing", [WHOLE, KASUMI])
def test_rule_7_silence_does_not_count_while_a_newer_list_about_the_certificate_is_missing(
    missing: frozenset[bytes],
) -> None:
    """Somebody put back an index from before that list, in which the other one is the newest of its scope."""
    (left,) = {WHOLE, KASUMI} - {missing}
    newer, behind = header(missing, HOUR), header(missing, 25 * HOUR)
    marks = {newer.scope: newer.mark, header(left).scope: header(left).mark}
    assert why(judge(silent(left), marks=marks)) == "stale behind_high_water"
    assert why(judge(silent(left), ListFinding(behind, None), marks=marks)) == "stale behind_high_water"
    assert isinstance(judge(silent(left), ListFinding(newer, None), marks=marks), Good)
    assert isinstance(judge(silent(left), ListFinding(newer, HELD), marks=marks), OnHold)
    assert isinstance(judge(silent(left, HOUR), marks=marks), Good)


def test_rule_7_a_list_about_others_is_not_missing() -> None:
    for other in (header(HARU, HOUR), header(WHOLE, HOUR, scope=ListScope(MIDDLE.anchor.key_id, b""))):
        assert isinstance(judge(silent(), marks={other.scope: other.mark}), Good)
    about_cas = ListScope(ROOT.anchor.key_id, derive_point(WHOLE, "ca"))
    assert isinstance(judge(silent(), marks={about_cas: header(WHOLE, HOUR).mark}), Good)


def test_the_scopes_of_a_certificate_are_those_of_the_lists_that_cover_it() -> None:
    assert derive_scopes(CERTIFICATE) == {header(WHOLE).scope, header(KASUMI).scope, *name_scopes(KASUMI)}
    assert derive_scopes(trust(issue(ROOT, points=()), ROOT)) == {header(WHOLE).scope}
    names = [x509.DirectoryName(build_municipal_name(place)) for place in ("Kasumi-ku", "Haru-shi")]
    several = trust(issue(ROOT, points=[x509.DistributionPoint(names, None, None, None)]), ROOT)
    expected = {header(found).scope for found in (WHOLE, KASUMI, HARU, KASUMI | HARU)}
    assert derive_scopes(several) == expected | name_scopes(KASUMI | HARU)


def name_scopes(names: frozenset[bytes]) -> set[ListScope]:
    return {derive_name_scope(ROOT.anchor.key_id, name) for name in names}


def test_rule_7_a_list_with_more_names_than_the_certificate_is_missed_as_well() -> None:
    """The certificate names Kasumi alone; that list is about Kasumi and Haru."""
    newer, behind = header(KASUMI | HARU, HOUR), header(KASUMI | HARU, 25 * HOUR)
    marks = dict.fromkeys((newer.scope, *newer.derive_name_scopes()), newer.mark)
    asked = {scope: mark for scope, mark in marks.items() if scope in derive_scopes(CERTIFICATE)}
    assert asked.keys() == name_scopes(KASUMI)
    assert why(judge(silent(), marks=asked)) == "stale behind_high_water"
    for older in (header(KASUMI), behind):
        assert why(judge(silent(), ListFinding(older, None), marks=asked)) == "stale behind_high_water"
    assert isinstance(judge(silent(), ListFinding(newer, None), marks=marks), Good)
    assert isinstance(judge(silent(), ListFinding(newer, HELD), marks=marks), OnHold)
    assert isinstance(judge(silent(age=HOUR), marks=asked), Good)


@pytest.mark.parametrize("names", [KASUMI, KASUMI | HARU])
def test_rule_7_a_newer_list_that_is_here_and_out_of_date_is_not_missing(names: frozenset[bytes]) -> None:
    """It is the one that was accepted, and another fresh one does not name the certificate. Another of its number is
    not the one.
    """
    newer = header(names, HOUR, next_update=NOW - timedelta(minutes=1))
    marks = dict.fromkeys((newer.scope, *newer.derive_name_scopes()), newer.mark)
    assert isinstance(judge(silent(), ListFinding(newer, None), marks=marks), Good)
    exchanged = replace(newer, sha256=b"another list")
    assert why(judge(silent(), ListFinding(exchanged, None), marks=marks)) == "stale behind_high_water"


def test_rule_7_lists_that_share_a_name_share_a_mark_and_the_newest_answers_while_it_is_fresh() -> None:
    """Points were put together anew, the new list counts from 1. Once that is out of date, the old one is no answer."""
    former, latter = header(KASUMI | HARU, 9 * HOUR), header(KASUMI | TSUKI, HOUR, crl_number=1)
    marks = {one.scope: one.mark for one in (former, latter)}
    marks |= {name: merge_list_marks(former.mark, latter.mark) for name in name_scopes(KASUMI)}
    assert marks[derive_name_scope(ROOT.anchor.key_id, *KASUMI)].crl_number == former.crl_number
    assert isinstance(judge(ListFinding(former, None), ListFinding(latter, None), marks=marks), Good)
    outdated = replace(latter, next_update=NOW - HOUR / 2)
    assert why(judge(ListFinding(former, None), ListFinding(outdated, None), marks=marks)) == "stale behind_high_water"


def test_a_list_is_remembered_by_its_names_where_one_of_them_does_not_tell_it() -> None:
    assert header(KASUMI | HARU).derive_name_scopes() == name_scopes(KASUMI | HARU)
    for alone in (header(WHOLE), header(KASUMI), header(KASUMI | HARU, covers="ca")):
        assert alone.derive_name_scopes() == frozenset()
    assert all(is_of_name(scope) for scope in name_scopes(KASUMI))
    assert not any(is_of_name(header(names).scope) for names in (WHOLE, KASUMI, KASUMI | HARU))


def test_rule_7_an_answer_seen_later_than_the_list_does_not_make_it_stale() -> None:
    assert isinstance(judge(silent(), mark=HighWaterMark(NOW - timedelta(minutes=5))), Good)


# Rule 8: nothing to go by


def test_rule_8_without_a_covering_list_nothing_is_known() -> None:
    for findings in ((), (silent(HARU),), (silent(covers="ca"), listed(REVOKED, HARU))):
        status = judge(*findings)
        assert why(status) == "unavailable no_list"
        assert (status.evidence.this_update, status.evidence.sha256, status.evidence.signer) == (None, b"", "")
    mark = HighWaterMark(NOW, revoked_at=REVOKED_AT)
    assert why(judge(silent(HARU), mark=mark)) == "unavailable no_list"


def test_rule_8_of_several_old_lists_the_newest_says_why() -> None:
    passed, old = silent(KASUMI, 50 * HOUR), silent(WHOLE, 40 * HOUR, next_update=NOW + HOUR)
    assert why(judge(passed, old)) == why(judge(old, passed)) == "stale list_too_old"


# Rule 9: evidence


def test_rule_9_the_evidence_is_that_of_the_list_and_bound_to_the_certificate() -> None:
    finding = silent(KASUMI)
    evidence = judge(finding, silent(age=9 * HOUR)).evidence
    found = finding.header
    assert (evidence.method, evidence.signer, evidence.responder) == ("crl", "issuer", "")
    assert (evidence.this_update, evidence.next_update) == (found.this_update, found.next_update)
    assert (evidence.sha256, evidence.crl_number) == (found.sha256, found.crl_number)
    assert (evidence.checked_at, evidence.certificate_sha256) == (NOW, CERTIFICATE.sha256)


# All of them together

STATES = [
    (names, age, late, entry)
    for names in (WHOLE, KASUMI, HARU)
    for age in (HOUR, 5 * HOUR, 50 * HOUR)
    for late in (False, True)
    for entry in (None, HELD, REVOKED)
]
"""A list: its scope, its age, whether nextUpdate has passed early, what it says."""

MARKS = [
    None,
    HighWaterMark(NOW - 3 * HOUR),
    HighWaterMark(NOW - 3 * HOUR, held=True),
    HighWaterMark(NOW - 3 * HOUR, revoked_at=REVOKED_AT),
]


def find(state: tuple[frozenset[bytes], timedelta, bool, ListEntry | None]) -> ListFinding:
    names, age, late, entry = state
    changes = {"next_update": NOW - timedelta(seconds=1)} if late else {}
    return ListFinding(header(names, age, **changes), entry)


def expect(findings: Sequence[ListFinding], mark: HighWaterMark | None) -> str:
    """The outcome, said once more in other words."""
    about = [finding for finding in findings if finding.header.point_names != HARU]
    fresh = [one for one in about if one.header.next_update >= NOW and one.header.this_update >= NOW - 30 * HOUR]
    entries = [one.entry for one in about]
    if not about:
        return "unavailable"
    if REVOKED in entries or (mark is not None and mark.revoked_at is not None):
        return "revoked"
    if HELD in [one.entry for one in fresh]:
        return "on_hold"
    holds = [one.header.this_update for one in about if one.entry == HELD]
    holds += [mark.this_update] if mark is not None and mark.held else []
    newest = max((one.header.this_update for one in fresh), default=None)
    return "good" if newest is not None and all(newest > hold for hold in holds) else "stale"


@pytest.mark.long
@pytest.mark.parametrize("mark", MARKS)
def test_every_pair_of_lists_gives_what_the_rules_say(mark: HighWaterMark | None) -> None:
    outcomes = set()
    for one, other in itertools.product(STATES, STATES):
        findings = [find(one), find(other)]
        status = judge(*findings, mark=mark)
        assert name_outcome(status) == expect(findings, mark), (one, other)
        assert status == judge(*reversed(findings), mark=mark) or one[:2] == other[:2]
        outcomes.add(name_outcome(status))
    assert {"revoked", "unavailable"} <= outcomes


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(STATES), max_size=5), st.sampled_from(MARKS))
def test_more_lists_give_what_the_rules_say(
    states: list[tuple[frozenset[bytes], timedelta, bool, ListEntry | None]], mark: HighWaterMark | None
) -> None:
    findings = [find(state) for state in states]
    status = judge(*findings, mark=mark)
    assert name_outcome(status) == expect(findings, mark)
    after = derive_mark(status, mark)
    if isinstance(status, Good):
        assert after is None or not after.held
    if isinstance(status, Revoked):
        assert after is not None
        assert after.revoked_at == REVOKED_AT
