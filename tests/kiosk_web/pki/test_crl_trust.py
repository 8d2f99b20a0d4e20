"""Trust in lists: only a complete, fresh one that was signed by the right key, and never one older than another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.pki.crl import read_crl
from kiosk_web.pki.crl_trust import (
    CrlPolicy,
    ListMark,
    ListScope,
    RefusedCrl,
    TrustedCrl,
    derive_point,
    find_regression,
    judge_crl,
    merge_list_marks,
)
from kiosk_web.pki.trust import TrustStore
from tests.support.crl_writer import ListShape, build_list, encode_entry, encode_extension, encode_integer, encode_point
from tests.support.jpki import NOW, Root, build_municipal_name, build_name, build_root, rsa_key

ROOT, MIDDLE, OLD = build_root(2023), build_root(2019), build_root(2015)
EC_ROOT = build_root(2023, label="ec", algorithm="ec")
SIGNATURE_ROOT = build_root(2023, "digital_signature")
ALL = TrustStore(root.anchor for root in (ROOT, MIDDLE, OLD, EC_ROOT, SIGNATURE_ROOT))
MINUTE = timedelta(minutes=1)
UNKNOWN = bytes.fromhex("2a030405")
KASUMI = x509.DirectoryName(build_municipal_name())


def judge(
    shape: ListShape | None = None,
    root: Root = ROOT,
    *,
    store: TrustStore = ALL,
    policy: CrlPolicy | None = None,
    marks: Mapping[ListScope, ListMark] | None = None,
) -> TrustedCrl | RefusedCrl:
    data = build_list(root, [encode_entry(5)], shape or ListShape())
    return judge_crl(read_crl(data), store, policy or CrlPolicy(), NOW, marks or {})


def trusted(shape: ListShape | None = None, root: Root = ROOT, **settings: object) -> TrustedCrl:
    found = judge(shape, root, **settings)  # type: ignore[arg-type]  # those of `judge`
    assert isinstance(found, TrustedCrl), found
    return found


def refusal(shape: ListShape | None = None, root: Root = ROOT, **settings: object) -> str:
    found = judge(shape, root, **settings)  # type: ignore[arg-type]  # those of `judge`
    assert isinstance(found, RefusedCrl)
    assert found.detail
    return found.why


@pytest.mark.parametrize("root", [ROOT, MIDDLE, EC_ROOT, SIGNATURE_ROOT])
def test_a_list_of_each_anchor_is_trusted_and_named_by_its_key(root: Root) -> None:
    found = trusted(root=root)
    assert found.scope == ListScope(root.anchor.key_id, b"")
    assert found.anchor.sha256 == root.anchor.sha256
    assert found.mark == ListMark(1000, ListShape().this_update, hashlib.sha256(found.crl.data).digest())


def test_a_list_of_a_municipality_has_a_scope_of_its_own() -> None:
    whole, kasumi = trusted(), trusted(ListShape(point=encode_point([KASUMI])))
    upper = build_municipal_name("KASUMI-KU")
    assert kasumi.scope != whole.scope
    assert trusted(ListShape(point=encode_point([x509.DirectoryName(upper)]))).scope == kasumi.scope
    assert trusted(ListShape(point=encode_point([KASUMI, x509.DNSName("a")]))).scope != kasumi.scope
    header = kasumi.build_header(17)
    assert (header.entries, header.point_names, header.mark) == (17, kasumi.crl.point.names, kasumi.mark)


@pytest.mark.parametrize(("flag", "covers"), [("only_contains_user_certs", "user"), ("only_contains_ca_certs", "ca")])
def test_whose_certificates_a_list_is_about_is_kept(flag: str, covers: str) -> None:
    assert trusted(ListShape(point=encode_point(**{flag: True}))).build_header(0).covers == covers


# Step 1: the key


def test_step_1_a_list_must_say_which_key_signed_it() -> None:
    assert refusal(ListShape(key_id=None)) == "no_key_id"


def test_step_1_the_key_must_be_an_anchor() -> None:
    assert refusal(root=build_root(2023, label="stranger")) == "issuer_unknown"
    assert refusal(store=TrustStore([MIDDLE.anchor])) == "issuer_unknown"


def test_step_1_without_a_key_the_generation_that_signed_is_found_where_that_is_allowed() -> None:
    policy = CrlPolicy(allow_missing_key_id=True)
    for root in (ROOT, MIDDLE):
        assert trusted(ListShape(key_id=None), root, policy=policy).scope.key_id == root.anchor.key_id
    assert refusal(ListShape(key_id=None), build_root(label="stranger"), policy=policy) == "signature_invalid"
    assert (
        refusal(ListShape(key_id=None), EC_ROOT, policy=policy, store=TrustStore([ROOT.anchor])) == "algorithm_refused"
    )
    assert refusal(ListShape(key_id=None), policy=policy, store=TrustStore([SIGNATURE_ROOT.anchor])) == "issuer_name"


# Step 2: the name


def test_step_2_the_name_must_be_that_of_the_anchor() -> None:
    assert refusal(ListShape(issuer=build_name("digital_signature"))) == "issuer_name"


def test_step_2_the_same_name_written_otherwise_is_the_same() -> None:
    other = x509.Name(
        [x509.NameAttribute(part.oid, str(part.value).upper(), x509.name._ASN1Type.UTF8String) for part in ROOT.name]
    )
    assert trusted(ListShape(issuer=other)).scope.key_id == ROOT.anchor.key_id


# Step 3: the rights of the anchor


def test_step_3_the_anchor_must_be_allowed_to_sign_lists() -> None:
    store = TrustStore([replace(ROOT.anchor, crl_sign=False)])
    assert refusal(store=store) == "issuer_may_not_sign"


def test_step_3_the_anchor_must_be_valid_now() -> None:
    assert refusal(root=OLD) == "issuer_not_valid_now"


# Step 4: the algorithm


def test_step_4_the_algorithm_is_one_and_listed() -> None:
    ecdsa = bytes.fromhex("300a06082a8648ce3d040303")
    assert refusal(ListShape(outer_algorithm=ecdsa)) == "algorithm_mismatch"
    assert refusal(ListShape(algorithm=ecdsa)) == "algorithm_refused"
    assert refusal(ListShape(algorithm=bytes.fromhex("300d06092a864886f70d0101050500"))) == "algorithm_refused"
    assert refusal(root=EC_ROOT, policy=CrlPolicy(algorithms=frozenset({"rsa-sha256"}))) == "algorithm_refused"


# Step 5: the signature


def test_step_5_another_generation_with_the_key_identifier_of_this_one_proves_nothing() -> None:
    assert refusal(ListShape(key_id=ROOT.anchor.key_id), MIDDLE) == "signature_invalid"
    forger = Root(rsa_key("forger"), ROOT.certificate)
    assert refusal(ListShape(key_id=ROOT.anchor.key_id), forger) == "signature_invalid"


# Step 6: completeness


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (ListShape(extensions=[encode_extension(UNKNOWN, b"", critical=True)]), "critical_extension"),
        (ListShape(extensions=[encode_extension(bytes.fromhex("551d1b"), encode_integer(1), critical=True)]), "delta"),
        (ListShape(extensions=[encode_extension(bytes.fromhex("551d1b"), encode_integer(1))]), "delta"),
        (ListShape(point=encode_point([KASUMI], indirect_crl=True)), "indirect"),
        (ListShape(point=encode_point([KASUMI], only_contains_attribute_certs=True)), "attribute_certificates"),
        (
            ListShape(
                point=x509.IssuingDistributionPoint(
                    [KASUMI], None, False, False, frozenset({x509.ReasonFlags.key_compromise}), False, False
                ).public_bytes()
            ),
            "some_reasons",
        ),
    ],
)
def test_step_6_only_a_complete_list_is_one(shape: ListShape, why: str) -> None:
    assert refusal(shape) == why


def test_step_6_an_unknown_extension_that_is_not_critical_is_passed_over() -> None:
    assert trusted(ListShape(extensions=[encode_extension(UNKNOWN, b"")]))


# Step 7: times


def test_step_7_a_list_from_the_future_is_refused_beyond_the_skew() -> None:
    assert refusal(ListShape(this_update=NOW + 3 * MINUTE)) == "from_the_future"
    assert trusted(ListShape(this_update=NOW + 2 * MINUTE))


def test_step_7_the_next_list_must_be_announced_and_not_be_due() -> None:
    assert refusal(ListShape(next_update=None)) == "no_next_update"
    assert refusal(ListShape(next_update=NOW - timedelta(seconds=1))) == "next_update_passed"
    assert refusal(ListShape(this_update=NOW + MINUTE, next_update=NOW)) == "next_update_passed"
    assert trusted(ListShape(next_update=NOW))


def test_step_7_an_old_list_that_is_still_good_may_be_taken() -> None:
    """How old it may be to confirm somebody is judged at each look-up; an old one may be newer than what there was."""
    assert trusted(ListShape(this_update=NOW - timedelta(days=20)))


# Step 8: the mark

SHAPE = ListShape()
MARK = trusted(SHAPE).mark
SCOPE = trusted(SHAPE).scope


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (replace(MARK, crl_number=1001), "number_behind"),
        (replace(MARK, crl_number=1001, this_update=MARK.this_update - MINUTE), "number_behind"),
        (replace(MARK, crl_number=999, this_update=MARK.this_update + MINUTE), "update_behind"),
        (replace(MARK, crl_number=None, this_update=MARK.this_update + MINUTE), "update_behind"),
        (replace(MARK, sha256=b"other"), "same_number_other_list"),
        (replace(MARK, sha256=b"other", this_update=MARK.this_update - MINUTE), "same_number_other_list"),
    ],
)
def test_step_8_a_list_behind_the_mark_is_refused(mark: ListMark, why: str) -> None:
    assert refusal(SHAPE, marks={SCOPE: mark}) == why


@pytest.mark.parametrize(
    "mark",
    [
        MARK,
        replace(MARK, crl_number=999, sha256=b"other"),
        replace(MARK, crl_number=999, sha256=b"other", this_update=MARK.this_update - MINUTE),
        replace(MARK, crl_number=None, sha256=b"other"),
    ],
)
def test_step_8_the_same_list_or_a_newer_one_is_taken(mark: ListMark) -> None:
    assert trusted(SHAPE, marks={SCOPE: mark}).mark == MARK


def test_step_8_the_mark_of_another_scope_does_not_count() -> None:
    high = ListMark(10**9, NOW, b"")
    others = {
        ListScope(MIDDLE.anchor.key_id, b""): high,
        ListScope(ROOT.anchor.key_id, derive_point(frozenset({b"a"}))): high,
    }
    assert trusted(SHAPE, marks=others).scope == SCOPE


def test_step_8_a_list_about_cas_and_one_about_their_holders_do_not_follow_one_another() -> None:
    """They are issued side by side, each with numbers of its own (RFC 5280 5.2.5)."""
    about_cas = trusted(replace(SHAPE, point=bytes.fromhex("30038201ff"), number=5))
    about_users = trusted(replace(SHAPE, point=bytes.fromhex("30038101ff")), marks={about_cas.scope: about_cas.mark})
    assert (about_cas.covers, about_users.covers) == ("ca", "user")
    assert about_cas.scope != about_users.scope == SCOPE
    assert trusted(replace(SHAPE, point=bytes.fromhex("30038201ff"), number=5), marks={SCOPE: MARK}) is not None


def test_step_8_lists_without_a_number_go_by_time() -> None:
    shape = ListShape(number=None)
    mark = trusted(shape).mark
    assert refusal(shape, marks={SCOPE: MARK}) == "number_behind"
    assert refusal(shape, marks={SCOPE: replace(mark, sha256=b"other")}) == "same_number_other_list"
    assert trusted(shape, marks={SCOPE: replace(mark, sha256=b"other", this_update=mark.this_update - MINUTE)})


marks = st.builds(
    ListMark,
    st.one_of(st.none(), st.integers(0, 3)),
    st.integers(0, 3).map(lambda minutes: NOW + minutes * MINUTE),
    st.sampled_from([b"a", b"b"]),
)


@given(marks, marks, marks)
def test_marks_are_merged_in_any_order_and_never_fall(one: ListMark, two: ListMark, three: ListMark) -> None:
    merged = merge_list_marks(one, two)
    assert merged == merge_list_marks(two, one)
    assert merge_list_marks(merged, three) == merge_list_marks(one, merge_list_marks(two, three))
    assert merge_list_marks(one, one) == one
    for mark in (one, two):
        assert (mark.crl_number or -1) <= (merged.crl_number or -1) or mark.crl_number == 0
        assert mark.this_update <= merged.this_update
        assert find_regression(merged, mark) in ("", "same_number_other_list")


@given(marks, marks)
def test_of_two_lists_at_most_one_may_follow_the_other(one: ListMark, two: ListMark) -> None:
    assert one == two or find_regression(one, two) or find_regression(two, one)
