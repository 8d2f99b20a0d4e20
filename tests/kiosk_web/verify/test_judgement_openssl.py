"""OpenSSL beside `kiosk verify`: `openssl verify -crl_check` over certificates and lists, `openssl ocsp` both ways.

Whatever is good for us is good for OpenSSL, and the other way round but for what one table names.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.verify.inquiry import Given, verify
from kiosk_web.verify.judgement import Verification
from tests.kiosk_web.verify.stand import HOUR, ROOT, Stand, build_list, build_stand
from tests.support.jpki import NOW, Issued, build_name, build_root, issue, issue_delegate
from tests.support.ocsp_responder import run_openssl_responder, write_openssl_index

OTHER = build_root(2019)
STRANGER = build_root(2023, label="stranger")
CARDS = {
    "listed": issue(ROOT, serial=0xA1),
    "not listed": issue(ROOT, serial=0xB2),
    "of another generation": issue(OTHER, serial=0xA1),
}
LISTED = 0xA1
DAY = timedelta(days=1)
(POINT,) = CARDS["listed"].certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
ELSEWHERE = [x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Elsewhere CRLDP")]))]
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
SOME_REASONS = frozenset({x509.ReasonFlags.key_compromise})


def point(names: list[x509.GeneralName] | None, **changes: object) -> x509.IssuingDistributionPoint:
    fields: dict[str, object] = {
        "full_name": names,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(fields | changes))  # type: ignore[arg-type]


def build_bad_signature() -> bytes:
    der = build_list()
    return der[:-1] + bytes([der[-1] ^ 1])


LISTS = {
    "empty": build_list(),
    "revoked": build_list(entries=[(LISTED, x509.ReasonFlags.superseded)]),
    "revoked without a reason": build_list(entries=[(LISTED, None)]),
    "on hold": build_list(entries=[(LISTED, x509.ReasonFlags.certificate_hold)]),
    "expired": build_list(next_update=NOW - HOUR / 2),
    "expired and revoked": build_list(entries=[(LISTED, None)], next_update=NOW - HOUR / 2),
    "from the future": build_list(this_update=NOW + HOUR),
    "40 hours old": build_list(this_update=NOW - 40 * HOUR),
    "of another generation": build_list(OTHER),
    "by another key under this name": build_list(signer=STRANGER),
    "by another key under this name and its own identifier": build_list(STRANGER),
    "of another issuer": build_list(name=build_name("digital_signature")),
    "one bit of the signature changed": build_bad_signature(),
    "of the municipality": build_list(point=point(POINT.full_name)),
    "of the municipality, revoked": build_list(entries=[(LISTED, None)], point=point(POINT.full_name)),
    "of two municipalities": build_list(point=point([*ELSEWHERE, *(POINT.full_name or ())])),
    "of two municipalities, revoked": build_list(
        entries=[(LISTED, None)], point=point([*ELSEWHERE, *(POINT.full_name or ())])
    ),
    "of another municipality": build_list(point=point(ELSEWHERE)),
    "for users": build_list(point=point(None, only_contains_user_certs=True)),
    "for CAs": build_list(point=point(None, only_contains_ca_certs=True)),
    "for attribute certificates": build_list(point=point(None, only_contains_attribute_certs=True)),
    "of some reasons": build_list(point=point(POINT.full_name, only_some_reasons=SOME_REASONS)),
    "indirect": build_list(point=point(POINT.full_name, indirect_crl=True)),
    "delta": build_list(extra=[(x509.DeltaCRLIndicator(6), True)]),
    "unknown critical extension": build_list(extra=[(UNKNOWN, True)]),
    "unknown extension": build_list(extra=[(UNKNOWN, False)]),
}
STRICTER = {
    "40 hours old": "JPKI renews its lists daily: 30 hours are the limit",
    "delta": "OpenSSL takes a list of changes for a complete one",
}
"""What OpenSSL takes and we do not."""


@functools.cache
def judge_by_openssl(folder: Path, card: str, crl: str) -> str:
    """What `openssl verify -crl_check` says at NOW: `OK`, or its errors."""
    arguments = ["openssl", "verify", "-crl_check", "-CAfile", "roots.pem", "-CRLfile", f"{crl}.crl"]
    arguments += ["-attime", str(int(NOW.timestamp())), f"{card}.pem"]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return "OK" if done.returncode == 0 else done.stderr


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Stand:
    stand = build_stand(tmp_path_factory.mktemp("openssl"), None, ROOT, OTHER)
    roots = [root.certificate.public_bytes(Encoding.PEM) for root in (ROOT, OTHER)]
    stand.write("roots.pem", b"".join(roots))
    for name, card in CARDS.items():
        stand.write(f"{name}.pem", card.certificate.public_bytes(Encoding.PEM))
    for name, der in LISTS.items():
        stand.write(f"{name}.crl", x509.load_der_x509_crl(der).public_bytes(Encoding.PEM))
    return stand


@pytest.mark.parametrize("crl", LISTS)
@pytest.mark.parametrize(
    "card", ["listed", *(pytest.param(card, marks=pytest.mark.long) for card in CARDS if card != "listed")]
)
def test_openssl_says_the_same_of_a_certificate_and_a_list(stand: Stand, card: str, crl: str) -> None:
    ours = stand.judge(certificate=stand.folder / f"{card}.pem", crls=(stand.folder / f"{crl}.crl",))
    theirs = judge_by_openssl(stand.folder, card, crl)
    if ours.outcome == "good":
        assert theirs == "OK"
    elif ours.outcome in ("revoked", "on_hold"):
        assert "revoked" in theirs or "expired" in theirs
    else:
        assert ours.exit_status == 2
        assert theirs != "OK" or crl in STRICTER


def test_the_comparison_has_seen_every_kind_of_answer(stand: Stand) -> None:
    said = {
        stand.judge(certificate=stand.folder / f"{card}.pem", crls=(stand.folder / f"{crl}.crl",)).outcome
        for card in CARDS
        for crl in LISTS
    }
    assert said == {"good", "revoked", "on_hold", "unavailable", "stale"}
    assert {crl for crl in LISTS if judge_by_openssl(stand.folder, "not listed", crl) == "OK"} - STRICTER.keys() == {
        "empty",
        "revoked",
        "revoked without a reason",
        "on hold",
        "of the municipality",
        "of the municipality, revoked",
        "of two municipalities",
        "of two municipalities, revoked",
        "for users",
        "unknown extension",
    }


# openssl ocsp: as responder, and as the client that keeps an answer


def build_responder_stand(folder: Path) -> tuple[Stand, Issued, dict[str, Issued]]:
    """A folder with cards of this moment, the CA database of `openssl ocsp`, and its signer."""
    now = datetime.now(UTC)
    cards = {
        name: issue(ROOT, serial=serial, not_before=now - DAY, not_after=now + DAY)
        for name, serial in (("good", 0x11), ("revoked", 0x22), ("on_hold", 0x33), ("unknown", 0x44))
    }
    stand = build_stand(folder)
    for name, card in cards.items():
        stand.write(f"{name}.pem", card.certificate.public_bytes(Encoding.PEM))
    entries = [(0x11, "V", None), (0x22, "R,cessationOfOperation", now - DAY), (0x33, "R,certificateHold", now - DAY)]
    write_openssl_index(folder / "index.txt", entries)
    return stand, issue_delegate(ROOT, not_before=now - DAY, not_after=now + DAY), cards


def ask(given: Given) -> Verification:
    return asyncio.run(verify(given, lambda: datetime.now(UTC), secrets.token_bytes))


@pytest.mark.parametrize("ocsp_hash", ["sha1", "sha256"])
def test_openssl_answers_the_command(tmp_path: Path, ocsp_hash: str) -> None:
    stand, signer, cards = build_responder_stand(tmp_path)
    with run_openssl_responder(tmp_path, ROOT, signer) as url:
        said = {
            name: ask(
                Given(
                    tmp_path / f"{name}.pem",
                    anchors=stand.folder / "anchors",
                    ocsp_url=url,
                    ocsp_hash="sha1" if ocsp_hash == "sha1" else "sha256",
                )
            )
            for name in cards
        }
    assert {name: verification.outcome for name, verification in said.items()} == {name: name for name in cards}
    assert said["revoked"].reason == "cessationOfOperation"
    assert [step.result for step in said["good"].steps if step.name == "ocsp.4.nonce"] == ["passed"]


@pytest.mark.parametrize("ocsp_hash", ["sha1", "sha256"])
def test_an_answer_that_openssl_kept_is_judged_as_openssl_judges_it(tmp_path: Path, ocsp_hash: str) -> None:
    stand, signer, cards = build_responder_stand(tmp_path)
    words = {"good": ": good", "revoked": ": revoked", "on_hold": "Reason: certificateHold", "unknown": ": unknown"}
    with run_openssl_responder(tmp_path, ROOT, signer) as url:
        for name in cards:
            done = subprocess.run(
                f"openssl ocsp -issuer ca.pem -{ocsp_hash} -cert {name}.pem -url {url} -CAfile ca.pem"
                f" -respout {name}.ocsp".split(),
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
            assert "Response verify OK" in done.stderr
            assert words[name] in done.stdout
    for name in cards:
        given = Given(
            tmp_path / f"{name}.pem", anchors=stand.folder / "anchors", ocsp_response=tmp_path / f"{name}.ocsp"
        )
        verification = ask(given)
        assert verification.outcome == name
        assert [step.result for step in verification.steps if step.name == "ocsp.4.nonce"] == ["skipped"]
