"""OCSP: the ten rules, one by one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from kiosk_web.pki.ocsp import build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.status import Good, HighWaterMark, OnHold, Revoked, Unknown
from tests.kiosk_web.pki.ocsp_question import (
    BAD_DELEGATES,
    CERTIFICATE,
    DELEGATE,
    MINUTE,
    NONCE,
    POLICY,
    REQUEST,
    ROOT,
    UNKNOWN_EXTENSION,
    judge,
    say,
    why,
)
from tests.support.der import tlv
from tests.support.jpki import NOW, Issued, build_root, ec_key, issue, issue_delegate, rsa_key, trust
from tests.support.ocsp_answers import AnswerShape, answer

# Rule 1: answer status and certificate status


@pytest.mark.parametrize("name", ["MALFORMED_REQUEST", "INTERNAL_ERROR", "TRY_LATER", "SIG_REQUIRED", "UNAUTHORIZED"])
def test_rule_1_an_unsigned_error_is_no_answer(name: str) -> None:
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus[name])
    assert why(judge(refusal.public_bytes(Encoding.DER))) == f"Unavailable: responder_{name.lower()}"


def test_rule_1_only_good_is_good() -> None:
    assert isinstance(say(), Good)
    assert isinstance(say(status="unknown"), Unknown)


def test_rule_1_revoked_carries_time_and_reason_as_received() -> None:
    status = say(status="revoked", reason=x509.ReasonFlags.affiliation_changed)
    assert isinstance(status, Revoked)
    assert (status.at, status.reason) == (NOW - timedelta(days=1), "affiliationChanged")
    assert isinstance(without := say(status="revoked"), Revoked)
    assert without.reason is None


def test_rule_1_a_hold_is_not_a_revocation() -> None:
    status = say(status="revoked", reason=x509.ReasonFlags.certificate_hold)
    assert isinstance(status, OnHold)
    assert status.at == NOW - timedelta(days=1)


# Rule 2: one single response, about our certificate


@pytest.mark.parametrize(
    "shape",
    [
        AnswerShape(serial=CERTIFICATE.serial + 1),
        AnswerShape(issuer=build_root(2019)),
        AnswerShape(issuer=build_root(2023, "digital_signature")),
        AnswerShape(hash_algorithm=hashes.SHA256()),
    ],
    ids=["serial", "other generation's key", "other authority", "other hash"],
)
def test_rule_2_an_answer_about_another_certificate_is_no_answer(shape: AnswerShape) -> None:
    assert why(judge(answer(REQUEST, ROOT, None, shape))) == "Unavailable: other_certificate"


def test_rule_2_a_request_that_was_not_about_this_certificate_confirms_nothing() -> None:
    other = build_ocsp_request(trust(issue(ROOT, serial=9), ROOT), NONCE, POLICY)
    assert why(judge(answer(other, ROOT), request=other)) == "Unavailable: other_request"


def test_rule_2_two_single_responses_are_no_answer() -> None:
    assert why(say(repeat=2)) == "Unavailable: not_single"


# Rule 3: who may sign


def test_rule_3_the_issuer_itself_may_sign() -> None:
    status = say(ROOT)
    assert isinstance(status, Good)
    assert status.evidence.signer == "issuer"
    assert isinstance(say(ROOT, by_name=True), Good)


def test_rule_3_a_delegate_of_the_issuer_may_sign() -> None:
    status = say(DELEGATE)
    assert isinstance(status, Good)
    assert status.evidence.signer == f"delegate:{hashlib.sha256(DELEGATE.der).hexdigest()[:16]}"
    assert isinstance(say(DELEGATE, by_name=True), Good)


@pytest.mark.parametrize(("delegate", "word"), BAD_DELEGATES.values(), ids=BAD_DELEGATES.keys())
def test_rule_3_no_other_delegate_may_sign(delegate: Issued, word: str) -> None:
    assert why(say(delegate)) == f"Unavailable: {word}"


def test_rule_3_a_delegate_that_says_nothing_of_its_usages_may_sign() -> None:
    assert isinstance(say(issue_delegate(ROOT, usages=None)), Good)


@pytest.mark.parametrize("by_name", [True, False])
def test_rule_3_an_answer_is_of_the_responder_that_it_names_and_not_of_another_that_is_embedded(by_name: bool) -> None:
    """The delegate's key has signed, and may; but the answer says that it is somebody else's."""
    other = issue_delegate(ROOT, name="another responder", key=rsa_key("another delegate"))
    status = say(other, signing_key=DELEGATE.key, embedded=(DELEGATE.certificate,), by_name=by_name)
    assert why(status) == "Unavailable: signer_unknown"


def test_rule_3_another_generation_may_not_sign_though_it_has_the_issuers_name() -> None:
    assert why(say(build_root(2019), by_name=True)) == "Unavailable: signature_invalid"
    assert why(say(build_root(2019))) == "Unavailable: signer_unknown"


def test_rule_3_a_delegate_that_is_not_there_is_unknown() -> None:
    assert why(say(DELEGATE, embed=False)) == "Unavailable: signer_unknown"


def test_rule_3_the_right_delegate_is_found_beside_others() -> None:
    others = (build_root(2019).certificate, issue(ROOT).certificate)
    assert isinstance(say(DELEGATE, embedded=(*others, DELEGATE.certificate)), Good)


def test_rule_3_a_heap_of_certificates_is_not_searched() -> None:
    assert why(say(DELEGATE, embedded=(DELEGATE.certificate,) * 5)) == "Unavailable: too_many_certificates"


def test_rule_3_a_delegate_seen_before_is_judged_anew_at_each_answer() -> None:
    """What follows from its bytes may be remembered; what follows from the moment may not."""
    delegate = issue_delegate(ROOT, key=rsa_key("short delegate"), not_after=NOW + MINUTE)
    response = answer(REQUEST, ROOT, delegate)
    assert isinstance(judge(response), Good)
    later = judge_ocsp_response(CERTIFICATE, REQUEST, response, POLICY, NOW + 2 * MINUTE, None)
    assert why(later) == "Unavailable: delegate_not_valid_now"
    assert isinstance(judge(response), Good)


def test_rule_3_a_delegate_seen_before_speaks_for_no_other_generation() -> None:
    assert isinstance(say(DELEGATE), Good)
    old = build_root(2019)
    certificate = trust(issue(old), old)
    request = build_ocsp_request(certificate, NONCE, POLICY)
    status = judge_ocsp_response(certificate, request, answer(request, old, DELEGATE), POLICY, NOW, None)
    assert why(status) == "Unavailable: delegate_of_another_issuer"


def test_rule_3_algorithms_that_are_no_longer_listed_do_not_count_for_a_delegate_seen_before() -> None:
    assert isinstance(say(DELEGATE), Good)
    narrow = replace(POLICY, algorithms=frozenset({"ecdsa-p384-sha384"}))
    assert why(judge(answer(REQUEST, ROOT, DELEGATE), narrow)) == "Unavailable: delegate_of_another_issuer"


# Rule 4: the nonce


@pytest.mark.parametrize(
    ("nonce", "word"), [("absent", "nonce_missing"), (bytes(32), "nonce_wrong"), (NONCE[:16], "nonce_wrong")]
)
def test_rule_4_a_required_nonce_must_come_back(nonce: bytes, word: str) -> None:
    assert why(say(nonce=nonce)) == f"Unavailable: {word}"


def test_rule_4_without_nonce_none_is_sent_and_none_is_looked_at() -> None:
    policy = replace(POLICY, nonce="none")
    request = build_ocsp_request(CERTIFICATE, NONCE, policy)
    assert NONCE not in request
    assert isinstance(judge(answer(request, ROOT), policy, request=request), Good)
    assert isinstance(judge(answer(request, ROOT, None, AnswerShape(nonce=bytes(32))), policy, request=request), Good)


def test_rule_4_a_nonce_is_32_bytes() -> None:
    assert NONCE in REQUEST
    with pytest.raises(ValueError, match="32 bytes"):
        build_ocsp_request(CERTIFICATE, bytes(16), POLICY)


# Rule 5: the times


@pytest.mark.parametrize(
    ("shape", "word"),
    [
        ({"this_update": NOW - 22 * MINUTE}, None),
        ({"this_update": NOW - 22 * MINUTE - timedelta(seconds=1)}, "too_old"),
        ({"this_update": NOW + 2 * MINUTE, "next_update": None}, None),
        ({"this_update": NOW + 2 * MINUTE + timedelta(seconds=1), "next_update": None}, "from_the_future"),
        ({"produced_at": NOW + 2 * MINUTE}, None),
        ({"produced_at": NOW + 2 * MINUTE + timedelta(seconds=1)}, "from_the_future"),
        ({"produced_at": NOW - 23 * MINUTE}, "too_old"),
        ({"produced_at": NOW - 6 * MINUTE}, "produced_before_update"),
        ({"produced_at": NOW - 4 * MINUTE}, None),
        ({"next_update": NOW}, None),
        ({"this_update": NOW + MINUTE, "next_update": NOW + MINUTE / 2}, "next_update_passed"),
        ({"next_update": NOW - timedelta(seconds=1)}, "next_update_passed"),
        ({"next_update": None}, None),
    ],
)
def test_rule_5_an_answer_is_fresh_or_stale(shape: dict[str, object], word: str | None) -> None:
    status = say(**shape)
    assert isinstance(status, Good) if word is None else why(status) == f"Stale: {word}"


@pytest.mark.parametrize(
    ("next_update", "word"),
    [
        (NOW + MINUTE, None),
        (NOW - timedelta(seconds=1), "next_update_passed"),
        (None, "too_old"),
    ],
)
def test_rule_5_an_answer_of_another_issuer_may_count_until_its_next_update(
    next_update: datetime | None, word: str | None
) -> None:
    week_old = NOW - timedelta(days=7)
    shape = AnswerShape(this_update=week_old, produced_at=week_old, next_update=next_update)
    status = judge(answer(REQUEST, ROOT, None, shape), replace(POLICY, trust_next_update=True))
    assert isinstance(status, Good) if word is None else why(status) == f"Stale: {word}"


@pytest.mark.parametrize("status", ["good", "revoked", "unknown"])
def test_rule_5_a_stale_answer_says_nothing_at_all(status: str) -> None:
    assert why(say(status=status, this_update=NOW - timedelta(days=2), next_update=None)) == "Stale: too_old"


def test_rule_5_an_answer_behind_one_already_seen_is_stale() -> None:
    response = answer(REQUEST, ROOT, None, AnswerShape(this_update=NOW - 5 * MINUTE))
    assert why(judge(response, mark=HighWaterMark(NOW - 4 * MINUTE))) == "Stale: behind_high_water"
    assert isinstance(judge(response, mark=HighWaterMark(NOW - 5 * MINUTE)), Good)


def test_rule_5_a_revocation_once_seen_stays() -> None:
    mark = HighWaterMark(NOW - timedelta(days=3), revoked_at=NOW - timedelta(days=4), revoked_reason="superseded")
    status = judge(answer(REQUEST, ROOT), mark=mark)
    assert isinstance(status, Revoked)
    assert (status.at, status.reason) == (NOW - timedelta(days=4), "superseded")


def test_rule_5_only_a_newer_answer_lifts_a_hold() -> None:
    """Answers between two refreshes carry the same thisUpdate; only our nonce tells which of them is the newer one."""
    mark = HighWaterMark(NOW - 5 * MINUTE, held=True)
    shape = AnswerShape(this_update=NOW - 5 * MINUTE)
    assert isinstance(judge(answer(REQUEST, ROOT, None, shape), mark=mark), Good)
    policy = replace(POLICY, nonce="none")
    request = build_ocsp_request(CERTIFICATE, NONCE, policy)
    same, newer = answer(request, ROOT, None, shape), answer(request, ROOT)
    assert why(judge(same, policy, mark, request)) == "Stale: hold_not_lifted"
    assert isinstance(judge(newer, policy, mark, request), Good)
    assert isinstance(judge(same, policy, replace(mark, held=False), request), Good)


# Rule 6: the signature


def test_rule_6_a_signature_must_fit() -> None:
    response = bytearray(answer(REQUEST, ROOT))
    response[-1] ^= 1
    assert why(judge(bytes(response))) == "Unavailable: signature_invalid"


@pytest.mark.parametrize("algorithm", [hashes.SHA384(), hashes.SHA512()])
def test_rule_6_algorithms_off_the_list_are_refused(algorithm: hashes.HashAlgorithm) -> None:
    assert why(say(ROOT, algorithm=algorithm)) == "Unavailable: algorithm_refused"


def test_rule_6_sha1_is_refused() -> None:
    response = answer(REQUEST, ROOT)
    sha256, sha1 = bytes.fromhex("06092a864886f70d01010b"), bytes.fromhex("06092a864886f70d010105")
    assert why(judge(response.replace(sha256, sha1))) == "Unavailable: algorithm_refused"


def test_rule_6_a_delegate_with_p384_and_sha384_is_accepted_where_it_is_listed() -> None:
    delegate = issue_delegate(ROOT, key=ec_key("delegate"))
    assert isinstance(say(delegate), Good)
    narrow = replace(POLICY, algorithms=frozenset({"rsa-sha256"}))
    assert why(judge(answer(REQUEST, ROOT, delegate), narrow)) == "Unavailable: algorithm_refused"


def test_rule_6_a_delegate_with_a_weak_key_is_refused() -> None:
    weak = issue_delegate(ROOT, key=rsa_key("weak delegate", 1024))
    assert why(say(weak)) == "Unavailable: algorithm_refused"


# Rules 7, 9 and 10 (8 is the fetcher's)


def test_rule_7_an_answer_longer_than_any_is_not_even_parsed() -> None:
    assert why(judge(bytes(20 * 1024 + 1))) == "Unavailable: too_large"


def test_rule_9_every_outcome_names_what_it_rests_on() -> None:
    response = answer(REQUEST, ROOT, DELEGATE)
    status = judge_ocsp_response(CERTIFICATE, REQUEST, response, POLICY, NOW, None, responder="http://other/")
    evidence = status.evidence
    assert (evidence.method, evidence.responder) == ("ocsp", "http://other/")
    assert evidence.sha256 == hashlib.sha256(response).digest()
    assert (evidence.this_update, evidence.next_update) == (NOW - 3 * MINUTE, NOW + 12 * MINUTE)
    assert evidence.produced_at == NOW
    assert (evidence.checked_at, evidence.certificate_sha256) == (NOW, CERTIFICATE.sha256)
    garbage = judge(b"garbage").evidence
    assert (garbage.sha256, garbage.this_update) == (hashlib.sha256(b"garbage").digest(), None)


def test_rule_10_the_same_answer_is_judged_by_the_servers_time_alone() -> None:
    response = answer(REQUEST, ROOT)
    later = judge_ocsp_response(CERTIFICATE, REQUEST, response, POLICY, NOW + timedelta(hours=1), None)
    earlier = judge_ocsp_response(CERTIFICATE, REQUEST, response, POLICY, NOW - timedelta(hours=1), None)
    assert why(later) == "Stale: too_old"
    assert why(earlier) == "Stale: from_the_future"


# Both kinds of CertID, and what the library thinks of ours


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_the_certid_is_the_one_the_library_computes(name: str) -> None:
    policy = replace(POLICY, hash_algorithm=name)  # type: ignore[arg-type]
    issued = issue(ROOT)
    request = build_ocsp_request(trust(issued, ROOT), NONCE, policy)
    algorithm = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}[name]
    builder = ocsp.OCSPRequestBuilder().add_certificate(issued.certificate, ROOT.certificate, algorithm)
    expected = builder.add_extension(x509.OCSPNonce(NONCE), critical=False).build()
    assert request == expected.public_bytes(Encoding.DER)
    assert isinstance(judge(answer(request, ROOT), policy, request=request), Good)


def test_an_unknown_critical_extension_of_an_answer_is_refused() -> None:
    assert why(say(extra=[(UNKNOWN_EXTENSION, True)])) == "Unavailable: critical_extension"
    assert isinstance(say(extra=[(UNKNOWN_EXTENSION, False)]), Good)


@pytest.mark.parametrize("critical", [True, False])
def test_an_unknown_critical_extension_of_the_single_response_is_refused_as_well(critical: bool) -> None:
    """It may say that the rest means something else."""
    name, flag, value = tlv(0x06, b"\x2a\x03\x04\x05"), tlv(0x01, b"\xff"), tlv(0x04, b"\x05\x00")
    extension = tlv(0x30, name + (flag if critical else b"") + value)
    status = say(single_extensions=tlv(0xA1, tlv(0x30, extension)))
    assert why(status) == "Unavailable: critical_extension" if critical else isinstance(status, Good)


@pytest.mark.parametrize("response", [b"", b"\x30\x00", b"\x30\x03\x0a\x01\x00", b"<html>", REQUEST, DELEGATE.der])
def test_what_is_no_answer_is_malformed(response: bytes) -> None:
    assert why(judge(response)) == "Unavailable: malformed"
