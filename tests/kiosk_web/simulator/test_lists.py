"""Revocation lists, with OpenSSL as judge."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kiosk_web.simulator.lists import derive_list_names, issue_list
from kiosk_web.simulator.names import Kind
from kiosk_web.simulator.people import MUNICIPALITIES
from kiosk_web.simulator.responder import floor_to_grid
from kiosk_web.simulator.server import Simulator
from tests.kiosk_web.simulator.conftest import Running
from tests.kiosk_web.simulator.openssl import openssl, to_pem


def issue(simulator: Simulator, name: str, at: datetime | None = None) -> x509.CertificateRevocationList:
    moment = floor_to_grid(at or datetime.now(UTC), timedelta(minutes=15))
    der = issue_list(derive_list_names(simulator.hierarchy)[name], simulator.register, moment)
    return x509.load_der_x509_crl(der)


def number(revocations: x509.CertificateRevocationList) -> int:
    return revocations.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def current(simulator: Simulator, person: str) -> tuple[str, int, str]:
    entry = simulator.register.find_current(person, Kind.AUTHENTICATION)
    assert entry is not None
    return entry.authority, entry.serial, entry.municipality


def test_each_authority_in_force_has_a_list_for_itself_and_one_for_each_town(simulator: Simulator) -> None:
    names = derive_list_names(simulator.hierarchy)
    assert len(names) == 4 * (1 + len(MUNICIPALITIES))
    assert not [name for name in names if name.startswith(("authca01", "signca01"))]


@pytest.mark.parametrize(("person", "reason"), [("sakura", "cessation_of_operation"), ("ken", "certificate_hold")])
def test_a_revoked_certificate_stands_in_the_list_of_its_town_and_generation_alone(
    simulator: Simulator, person: str, reason: str
) -> None:
    authority, serial, town = current(simulator, person)
    holding = {
        name
        for name in derive_list_names(simulator.hierarchy)
        if issue(simulator, name).get_revoked_certificate_by_serial_number(serial) is not None
    }
    assert holding == {authority, f"{authority}-{town}"}
    entry = issue(simulator, authority).get_revoked_certificate_by_serial_number(serial)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name == reason


def test_the_scope_of_a_list_is_the_distribution_point_of_its_certificates(simulator: Simulator, made: Path) -> None:
    certificate = x509.load_der_x509_certificate((made / "cards/sakura/auth-cert.der").read_bytes())
    authority, _, town = current(simulator, "sakura")
    scope = issue(simulator, f"{authority}-{town}").extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert scope.critical
    assert scope.value.full_name == points[0].full_name
    with pytest.raises(x509.ExtensionNotFound):
        issue(simulator, authority).extensions.get_extension_for_class(x509.IssuingDistributionPoint)


def test_the_number_rises_with_the_content_and_never_otherwise(simulator: Simulator) -> None:
    authority, _, town = current(simulator, "midori")
    name = f"{authority}-{town}"
    at = datetime.now(UTC)
    first = issue(simulator, name, at)
    assert number(issue(simulator, name, at)) == number(first)
    simulator.office.hold("midori")
    held = issue(simulator, name, at)
    assert number(held) == number(first) + 1
    simulator.office.release("midori")
    released = issue(simulator, name, at)
    assert number(released) == number(held) + 1
    assert len(released) == len(first)


def test_an_expired_certificate_leaves_the_list(simulator: Simulator) -> None:
    simulator.office.revoke("ichiro")
    authority, serial, _ = current(simulator, "ichiro")
    assert issue(simulator, authority).get_revoked_certificate_by_serial_number(serial) is None


def test_openssl_checks_certificates_against_the_list_of_their_town(standing: Running, tmp_path: Path) -> None:
    for person, words in (("sakura", "certificate revoked"), ("ken", "certificate revoked"), ("midori", "OK")):
        card = to_pem(standing.folder / f"cards/{person}/auth-cert.der", tmp_path / f"{person}.pem")
        ca = to_pem(standing.folder / f"cards/{person}/auth-ca.der", tmp_path / f"{person}-ca.pem")
        subject = openssl("x509", "-in", card, "-noout", "-subject")
        town = re.search(r"(\d{5})003A", subject)
        assert town is not None
        generation = next(
            p for p in (standing.folder / "anchors").glob("authca*.pem") if p.read_text() == ca.read_text()
        )
        fetched = standing.ocsp.get(f"/crl/{generation.stem}-{town[1]}.crl")
        assert fetched.headers["content-type"] == "application/pkix-crl"
        der = tmp_path / f"{person}.crl"
        der.write_bytes(fetched.content)
        pem = tmp_path / f"{person}-crl.pem"
        openssl("crl", "-inform", "der", "-in", der, "-out", pem)
        output = openssl("verify", "-crl_check", "-CRLfile", pem, "-CAfile", ca, card, check=False)
        assert words in output
        text = openssl("crl", "-in", pem, "-noout", "-text", "-CAfile", ca)
        assert "verify OK" in text
        assert "X509v3 Issuing Distribution Point: critical" in text
        assert "X509v3 CRL Number" in text


def test_the_index_names_every_list(standing: Running) -> None:
    lists = standing.ocsp.get("/crl").json()["lists"]
    assert len(lists) == 20
    assert all(standing.ocsp.get(entry["url"]).status_code == 200 for entry in lists[:3])


def test_a_list_that_did_not_change_is_not_sent_again(standing: Running) -> None:
    url = standing.ocsp.get("/crl").json()["lists"][0]["url"]
    first = standing.ocsp.get(url)
    again = standing.ocsp.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert standing.ocsp.get(url, headers={"If-None-Match": '"another"'}).content == first.content
