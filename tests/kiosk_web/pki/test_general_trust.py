"""Trust without the JPKI profile: the issuer as it is given, and every step that may still say no."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from kiosk_web.pki.certificates import UnverifiedCertificate, parse_certificate
from kiosk_web.pki.general_trust import judge_general_trust
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from tests.support.jpki import NOW, Issued, Root, build_name, build_root, issue, rsa_key

ROOT = build_root()
DAY = timedelta(days=1)
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
CA_USAGES = ("key_cert_sign", "crl_sign")


def parse(root: Root) -> UnverifiedCertificate:
    return parse_certificate(root.der)


def build_authority(**changes: object) -> Root:
    """A CA below the root, with a key of its own: an issuer that is no root."""
    shape = {"key": rsa_key("below"), "ca": True, "usages": CA_USAGES, "extended": None, "policy": None}
    issued = issue(ROOT, **(shape | changes))  # type: ignore[arg-type]
    return Root(issued.key, issued.certificate)


def judge(issued: Issued, *issuers: Root) -> TrustedCertificate | Untrusted:
    return judge_general_trust(issued.der, [parse(issuer) for issuer in issuers or (ROOT,)], NOW)


def failed(verdict: TrustedCertificate | Untrusted) -> str:
    assert isinstance(verdict, Untrusted)
    return verdict.step


def test_a_certificate_of_no_profile_is_trusted_under_its_issuer() -> None:
    plain = issue(ROOT, policy=None, usages=None, extended=None, serial=77)
    trusted = judge(plain)
    assert isinstance(trusted, TrustedCertificate)
    assert (trusted.serial, trusted.anchor.sha256) == (77, ROOT.anchor.sha256)


def test_the_issuer_need_not_be_a_root() -> None:
    authority = build_authority()
    trusted = judge(issue(authority), authority)
    assert isinstance(trusted, TrustedCertificate)
    assert trusted.anchor.sha256 == parse(authority).sha256


def test_a_ca_certificate_may_be_judged() -> None:
    authority = build_authority()
    assert isinstance(judge(Issued(authority.key, authority.certificate)), TrustedCertificate)


def test_the_issuer_is_found_by_name_where_no_key_identifier_leads_to_it() -> None:
    issued = issue(ROOT, authority_key_id="absent")
    for issuers in ((ROOT,), (build_root(2019), ROOT), (ROOT, build_root(2019))):
        trusted = judge(issued, *issuers)
        assert isinstance(trusted, TrustedCertificate)
        assert trusted.anchor.sha256 == ROOT.anchor.sha256


def test_a_name_is_equal_by_rfc_5280_and_not_by_its_bytes() -> None:
    country, *others = ROOT.name
    spaced = [x509.NameAttribute(part.oid, f"  {str(part.value).lower()} ") for part in others]
    assert isinstance(judge(issue(ROOT, issuer_name=x509.Name([country, *spaced]))), TrustedCertificate)


@pytest.mark.parametrize(
    ("issued", "step"),
    [
        (issue(ROOT, key=rsa_key("short", 1024)), "trust.1.key"),
        (issue(build_root(2019)), "trust.2.issuer_key"),
        (issue(ROOT, issuer_name=build_name("digital_signature")), "trust.3.issuer_name"),
        (issue(ROOT, signing_key=rsa_key("forger")), "trust.4.signature"),
        (issue(ROOT, algorithm=hashes.SHA512()), "trust.4.signature"),
        (issue(ROOT, authority_key_id="absent", signing_key=build_root(2019).key), "trust.4.signature"),
        (issue(ROOT, extra=[(UNKNOWN_EXTENSION, True)]), "trust.5.critical_extensions"),
        (issue(ROOT, not_after=NOW - DAY), "trust.7.validity"),
        (issue(ROOT, not_before=NOW + DAY), "trust.7.validity"),
    ],
)
def test_a_certificate_is_refused_in_the_step_that_says_no(issued: Issued, step: str) -> None:
    assert failed(judge(issued)) == step


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"ca": None}, "trust.6.kind"),
        ({"ca": False}, "trust.6.kind"),
        ({"usages": ("digital_signature",)}, "trust.6.kind"),
        ({"extra": [(UNKNOWN_EXTENSION, True)]}, "trust.6.kind"),
        ({"not_after": NOW - DAY}, "trust.8.issuer_validity"),
        ({"not_before": NOW + DAY}, "trust.8.issuer_validity"),
    ],
)
def test_an_issuer_that_may_not_issue_is_refused(changes: dict[str, object], step: str) -> None:
    authority = build_authority(**changes)
    assert failed(judge(issue(authority), authority)) == step


def test_an_issuer_without_key_usage_may_issue() -> None:
    authority = build_authority(usages=None)
    assert isinstance(judge(issue(authority), authority), TrustedCertificate)


def test_without_an_issuer_nothing_is_trusted_and_garbage_never_is() -> None:
    assert failed(judge_general_trust(issue(ROOT).der, [], NOW)) == "trust.2.issuer_key"
    assert failed(judge_general_trust(b"\x30\x00", [parse(ROOT)], NOW)) == "trust.0.form"
