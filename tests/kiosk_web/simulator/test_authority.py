"""The shape of every certificate, as OpenSSL and the published roots show it."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.simulator.authority import draw_common_name, draw_serial, issue_authentication_certificate
from kiosk_web.simulator.lifetimes import Lifetime
from kiosk_web.simulator.names import CPS_URL, OCSP_URLS, Arc, Kind, distribution_point_name, policy_identifier
from kiosk_web.simulator.people import MUNICIPALITIES
from kiosk_web.simulator.register import Register
from kiosk_web.simulator.server import Simulator
from tests.kiosk_web.simulator.openssl import openssl, to_pem


def extensions(certificate: x509.Certificate) -> list[tuple[str, bool]]:
    return [(e.oid.dotted_string, e.critical) for e in certificate.extensions]


def typed(name: x509.Name) -> list[tuple[str, str, str | bytes]]:
    return [(a.oid.dotted_string, a._type.name, a.value) for a in name]


@pytest.mark.parametrize(("kind", "published"), [("auth", "auth_ca_2023.pem"), ("sign", "sign_ca_2023.pem")])
def test_a_root_differs_from_the_published_one_in_key_dates_and_serial_alone(
    made: Path, kind: str, published: str
) -> None:
    data = (resources.files("kiosk_web.pki") / "jpki_roots" / published).read_bytes()
    real = x509.load_pem_x509_certificate(data)
    ours = x509.load_pem_x509_certificate((made / f"anchors/{kind}ca03.pem").read_bytes())
    assert extensions(ours) == extensions(real)
    assert typed(ours.subject) == typed(real.subject)
    assert typed(ours.issuer) == typed(real.issuer)
    for extension in real.extensions:
        if extension.oid != x509.SubjectKeyIdentifier.oid:
            assert ours.extensions.get_extension_for_oid(extension.oid).value == extension.value
    assert ours.signature_algorithm_oid == real.signature_algorithm_oid
    assert len(ours.public_bytes(Encoding.DER)) - len(real.public_bytes(Encoding.DER)) in range(-2, 3)


def test_three_generations_share_one_name_and_no_key(simulator: Simulator) -> None:
    for kind in Kind:
        generations = [a for a in simulator.hierarchy.authorities.values() if a.kind is kind]
        assert len(generations) == 3
        assert len({a.certificate.subject.public_bytes() for a in generations}) == 1
        assert len({a.key_id for a in generations}) == 3
        assert len({a.certificate.serial_number for a in generations}) == 3
        assert generations[0].certificate.serial_number == 1


def test_openssl_reads_a_root_as_a_root_without_path_length(made: Path) -> None:
    text = openssl("x509", "-in", made / "anchors/authca02.pem", "-noout", "-text")
    assert "CA:TRUE\n" in text
    assert "pathlen" not in text
    assert "Certificate Sign, CRL Sign" in text
    assert "Authority Key Identifier" not in text
    assert "Public-Key: (2048 bit)" in text


@pytest.mark.parametrize("person", ["midori", "taro", "ken", "haruto", "minh"])
def test_openssl_verifies_an_authentication_certificate_under_its_generation_alone(
    made: Path, tmp_path: Path, person: str
) -> None:
    pem = to_pem(made / f"cards/{person}/auth-cert.der", tmp_path / "card.pem")
    ca = to_pem(made / f"cards/{person}/auth-ca.der", tmp_path / "ca.pem")
    assert "OK" in openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca, pem)
    for generation in sorted((made / "anchors").glob("authca*.pem")):
        trusted = generation.read_bytes() == ca.read_bytes()
        output = openssl("verify", "-no_check_time", "-CAfile", generation, pem, check=False)
        assert output.endswith("OK\n") is trusted


def test_an_authentication_certificate_has_the_shape_of_the_profile(made: Path, tmp_path: Path) -> None:
    pem = to_pem(made / "cards/midori/auth-cert.der", tmp_path / "card.pem")
    text = openssl("x509", "-in", pem, "-noout", "-text", "-nameopt", "RFC2253,show_type,utf8")
    for wanted in (
        r"X509v3 Key Usage: critical\n +Digital Signature\n",
        r"X509v3 Extended Key Usage: \n +TLS Web Client Authentication\n",
        r"X509v3 Certificate Policies: critical\n +Policy: 1\.2\.392\.200149\.8\.5\.1\.3\.30\n +CPS: "
        + re.escape(CPS_URL),
        r"Full Name:\n +DirName:C = JP, O = JPKI, OU = JPKI for user authentication, OU = CRL Distribution Points, "
        r"OU = Chiba-ken, CN = Mihon-shi CRLDP\n",
        r"OCSP - URI:" + re.escape(OCSP_URLS[Kind.AUTHENTICATION]) + r"\n",
        r"keyid:[0-9A-F:]{59}\n +DirName:/C=JP/O=JPKI/OU=.*\n +serial:[0-9A-F:]{2,11}\n",
        r"Subject: CN=UTF8STRING:[0-9A-Z]{14}12901003A,C=PRINTABLESTRING:JP\n",
        r"Not After : .* 14:59:59 \d{4} GMT",
        r"Signature Algorithm: sha256WithRSAEncryption",
        r"Version: 3",
    ):
        assert re.search(wanted, text), f"{wanted} not in\n{text}"
    assert "URI:http" in text
    assert text.count("URI:") == 1
    for unwanted in ("Basic Constraints", "Subject Alternative Name", "CA Issuers", "Freshest"):
        assert unwanted not in text
    lines = openssl("asn1parse", "-inform", "der", "-in", made / "cards/midori/auth-cert.der")
    assert lines.count("UTCTIME") == 2
    assert "GENERALIZEDTIME" not in lines
    assert lines.count("UTF8STRING") >= 4


def test_the_certificate_needs_seven_reads_of_256_bytes_like_the_real_one(made: Path) -> None:
    assert 1536 < len((made / "cards/midori/auth-cert.der").read_bytes()) <= 1792


def test_the_issuer_alternative_name_is_japanese(made: Path) -> None:
    certificate = x509.load_der_x509_certificate((made / "cards/midori/auth-cert.der").read_bytes())
    name = certificate.extensions.get_extension_for_class(x509.IssuerAlternativeName).value[0].value
    assert [a.value for a in name] == [
        "JP",
        "公的個人認証サービス",
        "公的個人認証サービス利用者証明用",
        "地方公共団体情報システム機構",
    ]


def test_a_signature_certificate_carries_the_four_items_in_the_order_of_a_card(made: Path, tmp_path: Path) -> None:
    certificate = x509.load_der_x509_certificate((made / "cards/takako/sign-cert.der").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    others = [n for n in names if isinstance(n, x509.OtherName)]
    assert [o.type_id.dotted_string.rpartition(".")[2] for o in others] == ["1", "4", "3", "5", "2", "6"]
    values = {o.type_id.dotted_string.rpartition(".")[2]: utf8_string(o.value) for o in others}
    assert values["1"] == "吉野　高子"
    assert values["2"] == "10010"
    assert values["3"] == "2"
    assert values["4"] == "319461011"
    assert values["5"].startswith("千葉県みほん市崎浜")
    assert len(values["6"]) == len(values["5"])
    assert values["6"].count("1") == 1
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert [a.rfc4514_string().split("=")[0] for a in certificate.subject] == ["C", "L", "CN"]
    pem = to_pem(made / "cards/takako/sign-cert.der", tmp_path / "card.pem")
    assert "OK" in openssl("verify", "-CAfile", to_pem(made / "cards/takako/sign-ca.der", tmp_path / "ca.pem"), pem)


def utf8_string(der: bytes) -> str:
    """Contents of a UTF8String, its length checked."""
    assert der[0] == 0x0C
    if der[1] < 0x80:
        start, length = 2, der[1]
    else:
        start = 2 + (der[1] & 0x7F)
        length = int.from_bytes(der[2:start], "big")
    assert len(der) == start + length
    return der[start:].decode()


def test_the_test_arc_differs_in_the_policy_alone(simulator: Simulator) -> None:
    authority = simulator.hierarchy.authorities["authca03"]
    person = simulator.office.people[0]
    lifetime = Lifetime(authority.lifetime.not_before, authority.lifetime.not_after)
    made = {
        arc: issue_authentication_certificate(authority, authority.key.public_key(), person, lifetime, 77_000_000, arc)
        for arc in Arc
    }
    policies = {a: c.extensions.get_extension_for_class(x509.CertificatePolicies) for a, c in made.items()}
    assert policies[Arc.TEST].value[0].policy_identifier.dotted_string == "1.2.392.200149.8.5.1.0.30"
    assert policies[Arc.PRODUCTION].value[0].policy_identifier.dotted_string == "1.2.392.200149.8.5.1.3.30"
    assert extensions(made[Arc.TEST]) == extensions(made[Arc.PRODUCTION])
    assert policy_identifier(Kind.SIGNATURE, Arc.TEST).dotted_string == "1.2.392.200149.8.5.1.0.20"


def test_serials_have_four_octets_and_are_positive() -> None:
    assert all(0x0100_0000 <= draw_serial() < 0x8000_0000 for _ in range(1000))


def test_common_names_have_23_characters_and_differ() -> None:
    names = {draw_common_name(MUNICIPALITIES[0]) for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"[0-9A-Z]{14}12901003A", name) for name in names)


def test_every_town_has_a_distribution_point_of_its_own() -> None:
    names = {distribution_point_name(kind, town).public_bytes() for kind in Kind for town in MUNICIPALITIES}
    assert len(names) == 2 * len(MUNICIPALITIES)


def test_no_serial_is_issued_twice(simulator: Simulator) -> None:
    register: Register = simulator.register
    for person in simulator.office.people:
        entry = register.find_current(person.id, Kind.AUTHENTICATION)
        assert entry is not None
        assert register.find(entry.authority, entry.serial) == entry
