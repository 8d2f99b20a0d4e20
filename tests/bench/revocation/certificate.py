"""One certificate: loaded, its path judged, looked up in a list, and judged by what the list says."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kiosk_web.adapters.crl_files import CrlShelf
from kiosk_web.pki.crl_status import judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy
from kiosk_web.pki.status import Good
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, judge_trust_of_bytes
from kiosk_web.services.lists.answers import build_answers
from kiosk_web.services.lists.check import ListCheck, build_list_check
from kiosk_web.services.lists.rows import build_lines, read_question
from tests.bench.goals import Finding, Measure
from tests.bench.revocation.look_up_work import open_shelf
from tests.bench.revocation.pyhanko import build_context, validate_all
from tests.bench.revocation.rsa import build_verification
from tests.bench.revocation.specimens import People
from tests.bench.samples import show_microseconds
from tests.bench.turns import take_turns
from tests.support.jpki import NOW, Root

VERIFICATIONS_LIMIT = 4.0
PYHANKO_LIMIT = 8.0
ROWS_LIMIT = 0.3

_TRUST = TrustPolicy()
_CRL = CrlPolicy()


def check_all(ders: Sequence[bytes], store: TrustStore, shelf: CrlShelf) -> None:
    """All of it, for certificates that are good."""
    for der in ders:
        trusted = judge_trust_of_bytes(der, store, _TRUST, NOW)
        if not isinstance(trusted, TrustedCertificate):
            raise RuntimeError(trusted.detail)
        findings = shelf.look_up(trusted)
        status = judge_crl_status(trusted, findings, _CRL, NOW, certificate_mark=None, list_marks={})
        if not isinstance(status, Good):
            raise RuntimeError(f"a certificate was judged {status}")


def build_rows(ders: Sequence[bytes]) -> list[bytes]:
    """The input of a batch: a JSON object a line."""
    questions = [{"id": str(row), "certificate": b64encode(der).decode()} for row, der in enumerate(ders)]
    return [json.dumps(question).encode() for question in questions]


def answer_rows(rows: Sequence[bytes], check: ListCheck) -> None:
    """What `kiosk crl check` does with its rows between reading them from a file and writing answers to another."""
    answers = build_answers(check, 1, [read_question(row, None) for row in rows])
    build_lines(answers, "ndjson")
    if any(answer.outcome != "good" for answer in answers):
        raise RuntimeError("a row was answered wrongly")


def load_and_verify(ders: Sequence[bytes], root: Root) -> None:
    """The floor: load each certificate and check its signature with a key that is at hand."""
    key = root.key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    scheme, algorithm = padding.PKCS1v15(), hashes.SHA256()
    for der in ders:
        certificate = x509.load_der_x509_certificate(der)
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, scheme, algorithm)


def measure_certificate(people: People, data: Path, rounds: int) -> list[Finding]:
    """In turn: all of ours, its two halves, RSA alone, and the path alone by pyhanko-certvalidator."""
    store, shelf, ders, trusted = people.store, open_shelf(str(data)), people.ders, people.trusted
    context, rows = build_context(people.root), build_rows(ders)
    check = build_list_check(shelf, store, _TRUST, _CRL, {}, NOW)

    def judge_paths() -> None:
        for der in ders:
            judge_trust_of_bytes(der, store, _TRUST, NOW)

    def look_up() -> None:
        for one in trusted:
            findings = shelf.look_up(one)
            judge_crl_status(one, findings, _CRL, NOW, certificate_mark=None, list_marks={})

    def validate() -> None:
        asyncio.run(validate_all(ders, context))

    works = {
        "all": lambda: check_all(ders, store, shelf),
        "path": judge_paths,
        "list": look_up,
        "verify": build_verification(people.root, people.issued[0], len(ders)),
        "rows": lambda: answer_rows(rows, check),
        "floor": lambda: load_and_verify(ders, people.root),
        "pyhanko": validate,
    }
    times = {name: samples.median for name, samples in take_turns(works, rounds, units=len(ders)).items()}
    ratio, other_ratio = times["all"] / times["verify"], times["pyhanko"] / times["all"]
    rows_ratio = times["floor"] / times["rows"]
    said = f"time on the processor, medians; {len(ders)} certificates, {rounds} times"
    return [
        Finding(
            Measure.CERTIFICATE,
            f"{ratio:.1f}",
            ratio <= VERIFICATIONS_LIMIT,
            f"{show_microseconds(times['all'])} / {show_microseconds(times['verify'])}; load and path "
            f"{show_microseconds(times['path'])} ({times['path'] / times['verify']:.1f}), look-up and judgement "
            f"{show_microseconds(times['list'])} ({times['list'] / times['verify']:.1f}); {said}",
        ),
        Finding(
            Measure.PYHANKO,
            f"{other_ratio:.1f}",
            other_ratio >= PYHANKO_LIMIT,
            f"{show_microseconds(times['pyhanko'])} / {show_microseconds(times['all'])}; its context is made once and "
            f"used for all certificates; {said}",
        ),
        Finding(
            Measure.ROWS,
            f"{rows_ratio:.2f}",
            rows_ratio >= ROWS_LIMIT,
            f"{1 / times['rows']:,.0f} / {1 / times['floor']:,.0f} each second on one processor; {said}",
        ),
    ]
