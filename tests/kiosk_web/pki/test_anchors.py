"""Anchors: the published JPKI roots load, and nothing that is no root becomes one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kiosk_web.adapters.anchor_files import load_packaged_anchors, load_published_roots
from kiosk_web.pki.anchors import AnchorRefused, build_anchor, find_published, judge_anchors
from tests.support.jpki import NOW, build_root, ec_key, issue

PACKAGED = load_packaged_anchors()
PUBLISHED = load_published_roots()


def test_the_published_roots_of_both_authorities_are_packaged() -> None:
    assert sorted((anchor.authority, anchor.generation) for anchor in PACKAGED) == [
        ("digital_signature", 2015),
        ("digital_signature", 2023),
        ("user_authentication", 2015),
        ("user_authentication", 2023),
    ]
    newest = next(anchor for anchor in PACKAGED if anchor.label == "auth_ca_2023")
    assert newest.fingerprint.startswith("64:11:4F:29:62:0C:24:ED:26:31:D4:64:76:A0:40:E7:EE:74:0D:95:60:89:C0:0B:03")


def test_all_packaged_roots_are_on_the_list_with_their_key_identifiers() -> None:
    for anchor in PACKAGED:
        root = find_published(anchor, PUBLISHED)
        assert root is not None
        assert (root.authority, root.generation, root.not_after) == (
            anchor.authority,
            anchor.generation,
            anchor.not_after,
        )
        assert root.key_id == anchor.key_id == anchor.key_hashes["sha1"]


def test_all_generations_of_one_authority_share_their_name() -> None:
    assert len({anchor.subject.rfc4514_string() for anchor in PACKAGED}) == 2


@pytest.mark.parametrize(
    ("der", "why"),
    [
        (issue(build_root()).der, "not a CA"),
        (build_root(2023, label="no ca", ca=False).der, "not a CA"),
        (build_root(2023, label="no signing", key_cert_sign=False).der, "may not sign"),
        (issue(build_root(), ca=True, usages=("key_cert_sign",)).der, "another name issued it"),
        (issue(build_root(2023, label="weak", algorithm="ec"), key=ec_key("p256", "secp256r1")).der, "algorithms"),
        (b"\x30\x00", "cut off"),
    ],
)
def test_what_is_no_root_is_refused(der: bytes, why: str) -> None:
    with pytest.raises(AnchorRefused, match=why):
        build_anchor(der)


def test_a_root_whose_own_signature_is_wrong_is_refused() -> None:
    der = bytearray(build_root().der)
    der[-1] ^= 1
    with pytest.raises(AnchorRefused, match="not signed by itself"):
        build_anchor(bytes(der))


def test_a_root_of_the_same_name_is_not_on_the_list() -> None:
    assert find_published(build_root().anchor, PUBLISHED) is None
    confirmed = frozenset({build_root(2019).anchor.sha256})
    assert find_published(build_root(2019).anchor, PUBLISHED, confirmed) is None


def test_the_generation_without_known_fingerprint_needs_the_known_key_and_the_operators_word() -> None:
    anchor = build_root(2019).anchor
    published = [replace(root, key_id=anchor.key_id) if root.sha256 is None else root for root in PUBLISHED]
    assert find_published(anchor, published) is None
    found = find_published(anchor, published, frozenset({anchor.sha256}))
    assert found is not None
    assert found.label == "authca02"


def test_the_doctor_names_the_missing_generation_and_the_expired_roots() -> None:
    findings = judge_anchors(PACKAGED, PUBLISHED, NOW, production=True)
    assert [finding.level for finding in findings] == ["warning"] * 3
    texts = " / ".join(finding.text for finding in findings)
    assert "the 2019 generation of the user-authentication CA is missing" in texts
    assert texts.count("expired on 2025-10-19") == 2


def test_the_doctor_finds_nothing_where_all_is_well() -> None:
    anchors = [build_root(2019).anchor, build_root(2023).anchor]
    assert judge_anchors(anchors, PUBLISHED, NOW, production=False) == ()


def test_the_doctor_calls_it_an_error_when_no_card_could_be_trusted() -> None:
    late = datetime(2034, 1, 1, tzinfo=UTC)
    assert "error" in {finding.level for finding in judge_anchors(PACKAGED, PUBLISHED, late, production=True)}
    assert "error" in {finding.level for finding in judge_anchors([], PUBLISHED, NOW, production=True)}


def test_the_doctor_calls_it_an_error_when_production_would_refuse_an_anchor() -> None:
    findings = judge_anchors([*PACKAGED, build_root(2019).anchor], PUBLISHED, NOW, production=True)
    assert [finding.text for finding in findings if finding.level == "error"] == [
        "test: not on the list of published roots; production refuses it"
    ]
