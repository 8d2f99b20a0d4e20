"""Many serial numbers against all lists of a key: the same words as one certificate gets, never a silent "fine"."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from kiosk_web.pki.crl import read_crl
from kiosk_web.pki.crl_batch import SerialAnswer, SerialJudge
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_trust import CrlPolicy, ListMark, TrustedCrl, derive_name_scope, judge_crl
from kiosk_web.pki.trust import TrustStore
from tests.support.crl_stand import town_point
from tests.support.crl_writer import ListShape, build_list, encode_entry, encode_reason
from tests.support.jpki import NOW, build_root

ROOT = build_root()
STORE = TrustStore([ROOT.anchor])
HOLD, KEY_COMPROMISE = 6, 1
LONG = 1 << 100
ABOUT_CAS = bytes.fromhex("30038201ff")
"""issuingDistributionPoint with onlyContainsCACerts alone."""


def segment(entries: dict[int, int | None], **shape: object) -> Segment:
    """A segment of a list with these serials and reasons."""
    der = build_list(
        ROOT,
        [
            encode_entry(serial, extensions=[] if reason is None else [encode_reason(reason)])
            for serial, reason in entries.items()
        ],
        replace(ListShape(), **shape),  # type: ignore[arg-type]  # any of its fields
    )
    trusted = judge_crl(read_crl(der), STORE, CrlPolicy(max_age=timedelta(days=900)), NOW, {})
    assert isinstance(trusted, TrustedCrl)
    written = bytearray()
    build_segment(trusted, written.extend)
    return Segment.open(memoryview(bytes(written)))


def words(judge: SerialJudge, *serials: int) -> list[tuple[str, str]]:
    return [(answer.outcome, answer.reason) for answer in judge.judge(serials)]


def test_each_serial_gets_what_any_list_of_the_key_says_in_the_order_of_the_question() -> None:
    lists = [
        segment({5: KEY_COMPROMISE, 7: None}, point=town_point()),
        segment({9: HOLD, LONG: HOLD}, number=1001),
    ]
    judge = SerialJudge(lists, CrlPolicy(), NOW, {})
    assert words(judge, 9, 5, 6, LONG, 7, LONG + 1) == [
        ("on_hold", "certificateHold"),
        ("revoked", "keyCompromise"),
        ("not_listed", ""),
        ("on_hold", "certificateHold"),
        ("revoked", ""),
        ("not_listed", ""),
    ]
    assert judge.lists == 2
    assert judge.judge([]) == []


def test_a_permanent_entry_in_one_list_outweighs_a_hold_in_another() -> None:
    judge = SerialJudge([segment({5: HOLD}), segment({5: KEY_COMPROMISE}, point=town_point())], CrlPolicy(), NOW, {})
    assert words(judge, 5) == [("revoked", "keyCompromise")]


def test_silence_of_an_old_list_is_stale_and_so_is_its_hold_but_not_its_revocation() -> None:
    old = segment({5: KEY_COMPROMISE, 9: HOLD}, this_update=NOW - timedelta(hours=40), number=7)
    judge = SerialJudge([old, segment({}, point=town_point())], CrlPolicy(), NOW, {})
    assert words(judge, 5, 6, 9) == [
        ("revoked", "keyCompromise"),
        ("stale", "list_too_old"),
        ("stale", "list_too_old"),
    ]
    assert words(SerialJudge([old], CrlPolicy(), NOW + timedelta(days=9), {}), 6) == [("stale", "next_update_passed")]


def test_a_list_below_its_high_water_mark_does_not_count_by_its_silence() -> None:
    found = segment({5: None}, number=7)
    mark = ListMark(8, found.header.this_update + timedelta(hours=1), b"other")
    judge = SerialJudge([found], CrlPolicy(), NOW, {found.header.scope: mark})
    assert words(judge, 5, 6) == [("revoked", ""), ("stale", "behind_high_water")]


def test_silence_does_not_count_while_a_list_is_missing_that_was_accepted_lately() -> None:
    whole, town = segment({5: None}), segment({6: HOLD}, point=town_point())
    marks = {found.header.scope: found.header.mark for found in (whole, town)}
    assert words(SerialJudge([whole, town], CrlPolicy(), NOW, marks), 5, 6, 7) == [
        ("revoked", ""),
        ("on_hold", "certificateHold"),
        ("not_listed", ""),
    ]
    for some in ([whole], [town]):
        assert words(SerialJudge(some, CrlPolicy(), NOW, marks), 7) == [("stale", "behind_high_water")]
    long_ago = replace(town.header.mark, this_update=NOW - timedelta(hours=31))
    of_another_key = town.header.scope._replace(key_id=b"another")
    for others in ({town.header.scope: long_ago}, {of_another_key: town.header.mark}):
        assert words(SerialJudge([whole], CrlPolicy(), NOW, others), 7) == [("not_listed", "")]


def test_the_names_of_a_list_are_no_missing_lists() -> None:
    whole = segment({5: None})
    marks = {
        whole.header.scope: whole.header.mark,
        derive_name_scope(whole.header.scope.key_id, b"a"): whole.header.mark,
    }
    assert words(SerialJudge([whole], CrlPolicy(), NOW, marks), 7) == [("not_listed", "")]


def test_a_list_about_cas_is_no_missing_one() -> None:
    about_cas = segment({8: None}, point=ABOUT_CAS)
    whole = segment({5: None})
    marks = {found.header.scope: found.header.mark for found in (whole, about_cas)}
    judge = SerialJudge([whole, about_cas], CrlPolicy(), NOW, marks)
    assert words(judge, 5, 7, 8) == [("revoked", ""), ("not_listed", ""), ("not_listed", "")]


@pytest.mark.parametrize(("damaged", "why"), [(False, "no_list"), (True, "list_damaged")])
def test_without_lists_or_with_a_damaged_one_nothing_is_said_of_silence(damaged: bool, why: str) -> None:
    assert words(SerialJudge([], CrlPolicy(), NOW, {}, damaged=damaged), 5) == [("unavailable", why)]


def test_a_damaged_list_does_not_silence_what_a_sound_one_says() -> None:
    judge = SerialJudge([segment({5: None})], CrlPolicy(), NOW, {}, damaged=True)
    assert words(judge, 5, 6) == [("revoked", ""), ("unavailable", "list_damaged")]


def test_nothing_is_decided_while_the_clock_is_behind_a_list() -> None:
    judge = SerialJudge([segment({5: None})], CrlPolicy(), NOW - timedelta(days=2), {})
    assert judge.judge([5, 6]) == [SerialAnswer("unavailable", "clock_unreliable")] * 2


def test_it_agrees_with_a_look_up_one_by_one_over_many_serials() -> None:
    random = np.random.default_rng(5)
    first, second = ({int(serial): None for serial in random.integers(1, 4000, 900)} for _ in range(2))
    lists = [segment(first), segment(second, point=town_point(), number=7)]
    judge = SerialJudge(lists, CrlPolicy(), NOW, {})
    serials = [int(serial) for serial in random.integers(1, 5000, 3000)]
    expected = ["revoked" if any(one.find(serial) for one in lists) else "not_listed" for serial in serials]
    assert [answer.outcome for answer in judge.judge(serials)] == expected
    assert {"revoked", "not_listed"} == set(expected)
