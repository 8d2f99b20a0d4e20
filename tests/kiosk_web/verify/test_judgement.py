"""Outcomes of `kiosk verify`: each of the closed list, by each method, and what follows when several say something."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from kiosk_web.pki.plan import FetchFailure
from kiosk_web.verify.inquiry import Given, load_question
from kiosk_web.verify.judgement import Verification, begin, conclude
from tests.kiosk_web.verify.stand import HOUR, ROOT, Stand, build_answer, build_list, build_stand, sign
from tests.support.jpki import NOW, SIGNATURE_POLICY, Issued, build_root, issue, rsa_key

SUPERSEDED = x509.ReasonFlags.superseded
HOLD = x509.ReasonFlags.certificate_hold
TRY_LATER = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return build_stand(tmp_path)


def said(verification: Verification) -> tuple[str, str | None, int]:
    return verification.outcome, verification.reason, verification.exit_status


def failed(verification: Verification) -> list[str]:
    return [step.name for step in verification.steps if step.result == "failed"]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({}, ("good", None, 0)),
        ({"hash_name": "sha256"}, ("good", None, 0)),
        ({"status": "revoked", "reason": SUPERSEDED}, ("revoked", "superseded", 1)),
        ({"status": "revoked"}, ("revoked", None, 1)),
        ({"status": "revoked", "reason": HOLD}, ("on_hold", "certificateHold", 1)),
        ({"status": "unknown"}, ("unknown", None, 2)),
        ({"serial": 5}, ("unavailable", "other_certificate", 2)),
        ({"this_update": NOW - 2 * HOUR}, ("stale", "too_old", 2)),
        ({"next_update": NOW - timedelta(seconds=1)}, ("stale", "next_update_passed", 2)),
    ],
)
def test_an_answer_from_a_file(stand: Stand, shape: dict[str, object], expected: tuple[str, str | None, int]) -> None:
    path = stand.write("answer.der", build_answer(stand.card, **shape))
    verification = stand.judge(ocsp_response=path)
    assert said(verification) == expected
    (nonce,) = [step for step in verification.steps if step.name == "ocsp.4.nonce"]
    assert nonce.result == "skipped"
    assert "nonce" in nonce.detail or expected[1] == "other_certificate"


@pytest.mark.parametrize(
    ("entries", "times", "expected"),
    [
        ([], {}, ("good", None, 0)),
        ([(1, SUPERSEDED)], {}, ("good", None, 0)),
        ([("card", SUPERSEDED)], {}, ("revoked", "superseded", 1)),
        ([("card", None)], {}, ("revoked", None, 1)),
        ([("card", HOLD)], {}, ("on_hold", "certificateHold", 1)),
        ([], {"this_update": NOW - 40 * HOUR}, ("stale", "list_too_old", 2)),
        ([], {"this_update": NOW - 40 * HOUR, "next_update": NOW - HOUR}, ("stale", "next_update_passed", 2)),
        ([("card", SUPERSEDED)], {"next_update": NOW - timedelta(seconds=1)}, ("revoked", "superseded", 1)),
        ([("card", HOLD)], {"next_update": NOW - timedelta(seconds=1)}, ("stale", "next_update_passed", 2)),
        ([], {"this_update": NOW + HOUR}, ("unavailable", "from_the_future", 2)),
    ],
)
def test_a_list_from_a_file(
    stand: Stand,
    entries: list[tuple[int | str, x509.ReasonFlags | None]],
    times: dict[str, object],
    expected: tuple[str, str | None, int],
) -> None:
    listed = [(stand.card.parsed.serial if serial == "card" else serial, reason) for serial, reason in entries]
    path = stand.write("list.der", build_list(entries=listed, **times))
    assert said(stand.judge(crls=(path,))) == expected


def test_a_list_of_another_generation_says_nothing(tmp_path: Path) -> None:
    other = build_root(2019)
    stand = build_stand(tmp_path, None, ROOT, other)
    path = stand.write("list.der", build_list(other))
    verification = stand.judge(crls=(path,))
    assert said(verification) == ("unavailable", "no_list", 2)
    assert failed(verification) == ["lists.1.coverage", "verdict"]


def test_a_list_of_another_municipality_says_nothing(stand: Stand) -> None:
    elsewhere = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Elsewhere CRLDP")])
    point = x509.IssuingDistributionPoint([x509.DirectoryName(elsewhere)], None, False, False, None, False, False)
    path = stand.write("list.der", build_list(point=point))
    assert said(stand.judge(crls=(path,))) == ("unavailable", "no_list", 2)


UNREAD: dict[str, dict[str, Any]] = {
    "some_reasons": {
        "point": x509.IssuingDistributionPoint(None, None, False, False, frozenset({SUPERSEDED}), False, False)
    },
    "indirect": {"point": x509.IssuingDistributionPoint(None, None, False, False, None, True, False)},
    "delta": {"extra": [(x509.DeltaCRLIndicator(6), True)]},
    "critical_extension": {
        "extra": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]
    },
    "entry_remove_from_crl": {},
}


@pytest.mark.parametrize("word", UNREAD)
def test_an_older_list_confirms_nothing_beside_one_that_may_name_the_certificate(stand: Stand, word: str) -> None:
    """Its issuer signed it an hour ago, and it does; the list of yesterday did not."""
    reason = x509.ReasonFlags.remove_from_crl if word.startswith("entry") else SUPERSEDED
    newer = build_list(entries=[(stand.card.parsed.serial, reason)], number=8, **UNREAD[word])
    lists = (
        stand.write("older.der", build_list(this_update=NOW - 20 * HOUR)),
        stand.write("newer.der", newer),
    )
    assert said(stand.judge(crls=lists[:1])) == ("good", None, 0)
    assert said(stand.judge(crls=lists)) == ("unavailable", word, 2)
    assert said(stand.judge(crls=lists[::-1])) == ("unavailable", word, 2)


def test_what_another_generation_leaves_unread_does_not_matter(tmp_path: Path) -> None:
    other = build_root(2019)
    stand = build_stand(tmp_path, None, ROOT, other)
    foreign = stand.write("foreign.der", build_list(other, **UNREAD["indirect"]))
    assert said(stand.judge(crls=(stand.write("own.der", build_list()), foreign))) == ("good", None, 0)


def test_of_several_lists_the_one_that_covers_decides(tmp_path: Path) -> None:
    stand = build_stand(tmp_path, None, ROOT, build_root(2019))
    other = stand.write("other.der", build_list(build_root(2019)))
    own = stand.write("own.der", build_list(entries=[(stand.card.parsed.serial, SUPERSEDED)]))
    garbage = stand.write("garbage.der", b"\x30\x00")
    verification = stand.judge(crls=(other, garbage, own))
    assert said(verification) == ("revoked", "superseded", 1)
    assert [exhibit.source for exhibit in verification.evidence if exhibit.decisive] == [str(own)]


@pytest.mark.parametrize(
    ("card", "expected", "step"),
    [
        (issue(ROOT, not_after=NOW - HOUR), "expired", "trust.7.validity"),
        (issue(ROOT, not_before=NOW + HOUR), "not_yet_valid", "trust.7.validity"),
        (issue(build_root(2019)), "untrusted", "trust.2.issuer_key"),
        (issue(ROOT, signing_key=rsa_key("forger")), "untrusted", "trust.4.signature"),
        (issue(ROOT, policy=SIGNATURE_POLICY), "wrong_kind", "trust.6.kind"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_refused_whatever_else_is_given(
    tmp_path: Path, card: Issued, expected: str, step: str
) -> None:
    stand = build_stand(tmp_path, card)
    verification = stand.judge(crls=(stand.write("list.der", build_list()),))
    assert said(verification) == (expected, step, 1)
    assert failed(verification) == [step, "verdict"]


def test_what_is_no_certificate_is_malformed_and_refused(stand: Stand) -> None:
    path = stand.write("text.pem", b"-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n")
    assert said(stand.judge(certificate=path)) == ("malformed", "trust.0.form", 1)


def test_with_nothing_to_judge_by_nothing_is_accepted(stand: Stand) -> None:
    verification = stand.judge()
    assert said(verification) == ("unavailable", "no_policy", 2)
    assert failed(verification) == ["policy", "verdict"]


def test_a_policy_with_nobody_to_ask_confirms_nothing(tmp_path: Path) -> None:
    stand = build_stand(tmp_path, issue(ROOT, addresses=()))
    assert said(stand.judge(policy="ocsp")) == ("unavailable", "no_responder", 2)
    assert said(stand.judge(policy="crl")) == ("unavailable", "no_list", 2)


def test_the_address_in_a_certificate_is_asked_only_when_a_policy_says_so(stand: Stand) -> None:
    given = Given(stand.folder / "card.der", anchors=stand.folder / "anchors")
    assert begin(load_question(given), NOW, bytes(32)).plan is None
    asked = Given(stand.folder / "card.der", anchors=stand.folder / "anchors", policy="ocsp")
    assert begin(load_question(asked), NOW, bytes(32)).plan is not None


# The fallback: lists only while the responder is out of service


def fall_back(stand: Stand, answer: bytes | FetchFailure | None, *, is_open: bool) -> Verification:
    """ocsp-then-crl with a good list, and this for what came of asking the responder."""
    question = load_question(
        Given(
            stand.folder / "card.der",
            anchors=stand.folder / "anchors",
            ocsp_url="http://127.0.0.1:1/",
            crls=(stand.write("list.der", build_list()),),
            fallback_open=is_open,
        )
    )
    assert question.policy == "ocsp-then-crl"
    return conclude(question, begin(question, NOW, bytes(32)), answer, NOW)


@pytest.mark.parametrize("answer", [FetchFailure("refused"), FetchFailure("timeout"), TRY_LATER, b"garbage"])
def test_trouble_with_the_responder_opens_no_list(stand: Stand, answer: bytes | FetchFailure) -> None:
    verification = fall_back(stand, answer, is_open=False)
    assert verification.outcome == "unavailable"
    assert [step.result for step in verification.steps if step.name == "lists"] == ["skipped"]


def test_in_an_opening_a_list_answers_where_the_responder_is_out_of_reach(stand: Stand) -> None:
    assert said(fall_back(stand, FetchFailure("refused"), is_open=True)) == ("good", None, 0)
    assert said(fall_back(stand, TRY_LATER, is_open=True)) == ("unavailable", "responder_try_later", 2)


def test_in_an_opening_without_anybody_to_ask_the_lists_decide(stand: Stand) -> None:
    path = stand.write("list.der", build_list(entries=[(stand.card.parsed.serial, HOLD)]))
    given = {"policy": "ocsp-then-crl", "crls": (path,)}
    assert said(stand.judge(**given)) != ("on_hold", "certificateHold", 1)
    assert said(stand.judge(**given, fallback_open=True)) == ("on_hold", "certificateHold", 1)


def test_the_answer_of_the_responder_stands_before_any_list(stand: Stand) -> None:
    verification = stand.judge(
        ocsp_response=stand.write("answer.der", build_answer(stand.card)),
        crls=(stand.write("list.der", build_list(entries=[(stand.card.parsed.serial, HOLD)])),),
        fallback_open=True,
    )
    assert said(verification) == ("good", None, 0)


# The signature


@pytest.mark.parametrize(
    ("signed", "message", "entries", "expected"),
    [
        (b"hello", b"hello", [], ("good", None, 0)),
        (b"hello", b"Hello", [], ("signature_invalid", None, 1)),
        (b"hello", b"Hello", ["card"], ("revoked", "superseded", 1)),
        (b"hello", b"hello", ["card"], ("revoked", "superseded", 1)),
    ],
)
def test_a_signature_over_a_message(
    stand: Stand, signed: bytes, message: bytes, entries: list[str], expected: tuple[str, str | None, int]
) -> None:
    listed = [(stand.card.parsed.serial, SUPERSEDED) for _ in entries]
    verification = stand.judge(
        crls=(stand.write("list.der", build_list(entries=listed)),),
        signature=stand.write("signature", sign(stand.card, signed)),
        message=stand.write("message", message),
    )
    assert said(verification) == expected


def test_a_wrong_signature_is_refused_also_where_the_status_is_not_confirmed(stand: Stand) -> None:
    given = {"signature": stand.write("signature", b"\0" * 256), "message": stand.write("message", b"hello")}
    assert said(stand.judge(**given)) == ("signature_invalid", None, 1)


def test_every_step_before_the_one_that_failed_has_passed_or_says_why_it_was_skipped(stand: Stand) -> None:
    steps = stand.judge(crls=(stand.write("list.der", build_list()),)).steps
    assert {step.result for step in steps} == {"passed", "skipped"}
    assert all(step.detail for step in steps if step.result == "skipped")
    assert steps[-1].name == "verdict"
