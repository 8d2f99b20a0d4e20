"""Statuses: the JSON of the database goes out and comes back, strictly; marks only rise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    Good,
    HighWaterMark,
    OnHold,
    Opening,
    Revoked,
    Stale,
    StatusMalformed,
    Unavailable,
    Unknown,
    derive_kept_evidence,
    derive_mark,
    from_json,
    merge_marks,
    name_outcome,
    to_json,
)
from tests.support.jpki import NOW

EVIDENCE = Evidence(
    "ocsp", NOW, NOW + timedelta(minutes=15), NOW, "http://127.0.0.1/", b"\x01" * 32, NOW, "issuer", b"c" * 32
)
NOTHING = Evidence("ocsp", None, None, None, "", b"", NOW)
OPENING = Opening("manager", NOW - timedelta(hours=2), NOW + timedelta(hours=3))
LIST = replace(
    EVIDENCE,
    method="crl",
    this_update=NOW - timedelta(hours=5, seconds=17),
    produced_at=None,
    crl_number=1 << 90,
    opening=OPENING,
)
ALL: list[CertificateStatus] = [
    Good(EVIDENCE),
    Revoked(NOW, "superseded", EVIDENCE),
    Revoked(NOW, None, EVIDENCE),
    OnHold(NOW, EVIDENCE),
    Unknown(EVIDENCE),
    Unavailable("timeout", NOTHING),
    Stale("too_old", EVIDENCE),
    Good(LIST),
    Revoked(NOW, "superseded", replace(LIST, opening=None, crl_number=None)),
]


@pytest.mark.parametrize("status", ALL, ids=name_outcome)
def test_a_status_comes_back_as_it_went(status: CertificateStatus) -> None:
    assert from_json(to_json(status)) == status


def test_the_six_outcomes_have_six_names() -> None:
    assert [name_outcome(status) for status in ALL[:7]] == [
        "good", "revoked", "revoked", "on_hold", "unknown", "unavailable", "stale"
    ]  # fmt: skip


DOCUMENT = json.loads(to_json(Revoked(NOW, "superseded", EVIDENCE)))
OPENED = json.loads(to_json(Good(LIST)))["evidence"]["opening"]


@pytest.mark.parametrize(
    "changed",
    [
        {**DOCUMENT, "version": 2},
        {**DOCUMENT, "version": True},
        {**DOCUMENT, "outcome": "fine"},
        {**DOCUMENT, "outcome": ["good"]},
        {**DOCUMENT, "outcome": "good"},
        {**DOCUMENT, "more": 1},
        {**DOCUMENT, "at": "2026-11-23T03:00:00"},
        {**DOCUMENT, "at": 5},
        {**DOCUMENT, "reason": 5},
        {**DOCUMENT, "evidence": None},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "method": "guess"}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "sha256": "xx"}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "responder": None}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "extra": ""}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "checked_at": "0001-01-01T00:00:00.000000+23:00"}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "crl_number": True}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "opening": "window"}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "opening": {**OPENED, "cause": "tryLater"}}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "opening": {**OPENED, "ask_responder": 1}}},
        {**DOCUMENT, "evidence": {**DOCUMENT["evidence"], "opening": {**OPENED, "since": "2026-11-23T03:00:00"}}},
        {key: value for key, value in DOCUMENT.items() if key != "at"},
        [],
        None,
    ],
)
def test_another_form_of_document_is_refused(changed: object) -> None:
    with pytest.raises(StatusMalformed):
        from_json(json.dumps(changed))


@pytest.mark.parametrize("text", ["", "{", '{"version":1,"version":1}', "[" * 5000, "NaN"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(StatusMalformed):
        from_json(text)


def test_a_naive_time_is_never_written() -> None:
    naive = replace(EVIDENCE, checked_at=datetime(2026, 11, 23))  # noqa: DTZ001 the fault under test
    with pytest.raises(ValueError, match="naive"):
        to_json(Good(naive))


@pytest.mark.parametrize("status", ALL, ids=name_outcome)
def test_what_is_kept_says_nothing_about_the_certificate(status: CertificateStatus) -> None:
    kept = derive_kept_evidence(status.evidence)
    assert kept.certificate_sha256 == b""
    assert repr(b"c" * 32) not in repr(kept)


def test_what_is_kept_names_a_degraded_path_and_not_the_municipality_of_its_list() -> None:
    kept = derive_kept_evidence(LIST)
    assert (kept.method, kept.opening) == ("crl", LIST.opening)
    assert kept.this_update == NOW - timedelta(hours=6)
    assert (kept.crl_number, kept.sha256) == (None, b"")


def test_a_list_that_is_good_lifts_a_hold_and_raises_nothing_else() -> None:
    assert LIST.this_update is not None
    assert derive_mark(Good(LIST), None) is None
    seen = HighWaterMark(LIST.this_update - timedelta(hours=1))
    assert derive_mark(Good(LIST), seen) == seen
    assert derive_mark(Good(LIST), replace(seen, held=True)) == HighWaterMark(LIST.this_update)
    newer_hold = HighWaterMark(LIST.this_update + timedelta(minutes=1), held=True)
    assert derive_mark(Good(LIST), newer_hold) == newer_hold
    assert derive_mark(OnHold(NOW, LIST), seen) == HighWaterMark(LIST.this_update, held=True)


def test_what_was_signed_and_fresh_raises_the_mark() -> None:
    assert derive_mark(Good(EVIDENCE), None) == HighWaterMark(NOW)
    assert derive_mark(OnHold(NOW, EVIDENCE), None) == HighWaterMark(NOW, held=True)
    assert derive_mark(Revoked(NOW, "superseded", EVIDENCE), None) == HighWaterMark(NOW, False, NOW, "superseded")
    assert derive_mark(Unknown(EVIDENCE), HighWaterMark(NOW - timedelta(1), held=True)) == HighWaterMark(NOW, True)
    assert derive_mark(Unknown(EVIDENCE), HighWaterMark(NOW - timedelta(1))) == HighWaterMark(NOW)
    assert derive_mark(Unknown(EVIDENCE), None) == HighWaterMark(NOW)


@pytest.mark.parametrize("status", [Unavailable("timeout", NOTHING), Stale("too_old", EVIDENCE)])
def test_what_confirms_nothing_leaves_the_mark(status: CertificateStatus) -> None:
    assert derive_mark(status, None) is None
    assert derive_mark(status, HighWaterMark(NOW)) == HighWaterMark(NOW)


def test_a_newer_good_lifts_a_hold_and_never_a_revocation() -> None:
    before = HighWaterMark(NOW - timedelta(hours=1), held=True)
    assert derive_mark(Good(EVIDENCE), before) == HighWaterMark(NOW)
    revoked = HighWaterMark(NOW - timedelta(hours=1), False, NOW - timedelta(days=1), None)
    assert derive_mark(Good(EVIDENCE), revoked) == replace(revoked, this_update=NOW)


def marks() -> st.SearchStrategy[HighWaterMark]:
    times = st.integers(0, 4).map(lambda hours: NOW + timedelta(hours=hours))
    return st.builds(
        HighWaterMark, times, st.booleans(), st.none() | times, st.none() | st.sampled_from(["a", "b"])
    ).map(lambda mark: mark if mark.revoked_at else replace(mark, revoked_reason=None))


@given(marks(), marks(), marks())
def test_marks_merge_to_the_same_in_any_order(one: HighWaterMark, two: HighWaterMark, three: HighWaterMark) -> None:
    merged = merge_marks(merge_marks(one, two), three)
    assert merged == merge_marks(one, merge_marks(three, two))
    assert merged.this_update == max(mark.this_update for mark in (one, two, three))
    assert (merged.revoked_at is None) == all(mark.revoked_at is None for mark in (one, two, three))
    assert merge_marks(merged, one) == merged
