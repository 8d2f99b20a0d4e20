"""A folder of files for `kiosk verify`, and the command as a function and as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request
from kiosk_web.verify.inquiry import Given, load_question
from kiosk_web.verify.judgement import Verification, begin, conclude
from tests.support.jpki import NOW, Issued, Root, build_root, choose_hash, issue, trust
from tests.support.ocsp_answers import AnswerShape, answer

ROOT_FOLDER = Path(__file__).parents[3]
ROOT = build_root()
HOUR = timedelta(hours=1)
AT = NOW.isoformat()


def build_list(
    root: Root = ROOT,
    entries: Sequence[tuple[int, x509.ReasonFlags | None]] = (),
    *,
    this_update: datetime = NOW - HOUR,
    next_update: datetime = NOW + 24 * HOUR,
    number: int = 7,
    point: x509.IssuingDistributionPoint | None = None,
    name: x509.Name | None = None,
    signer: Root | None = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """The DER of a list of `root`, with (serial, reason) for each entry. `signer` signs in its place."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or root.name)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    if point is not None:
        builder = builder.add_extension(point, critical=True)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    for serial, reason in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - timedelta(days=2))
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    key = (signer or root).key
    return builder.sign(key, choose_hash(key)).public_bytes(Encoding.DER)


def build_answer(certificate: Issued, root: Root = ROOT, **shape: Any) -> bytes:
    """An OCSP answer as it would be kept in a file: to a question without a nonce."""
    policy = OcspResponderPolicy(url="", nonce="none", hash_algorithm=shape.pop("hash_name", "sha1"))
    request = build_ocsp_request(trust(certificate, root), bytes(32), policy)
    return answer(request, root, None, AnswerShape(**shape))


def sign(certificate: Issued, message: bytes) -> bytes:
    """As the card signs."""
    assert isinstance(certificate.key, rsa.RSAPrivateKey)
    return certificate.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True)
class Stand:
    """A folder with a card's certificate (`card.der`) and the anchors that issued it."""

    folder: Path
    card: Issued

    def write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def judge(self, now: datetime = NOW, **given: Any) -> Verification:
        """The judgement of `card.der` without network, at `now`."""
        given.setdefault("certificate", self.folder / "card.der")
        if given.get("profile") != "any":
            given.setdefault("anchors", self.folder / "anchors")
        question = load_question(Given(**given))
        return conclude(question, begin(question, now, bytes(32)), None, now)


def build_stand(folder: Path, card: Issued | None = None, *roots: Root) -> Stand:
    stand = Stand(folder, card or issue(ROOT))
    stand.write("card.der", stand.card.der)
    for number, root in enumerate(roots or (ROOT,)):
        stand.write(f"anchors/root{number}.der", root.der)
    return stand


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The installed program in `folder`: exit status, what it printed, what it complained of."""
    done = subprocess.run(
        [sys.executable, "-m", "kiosk_web", "verify", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT_FOLDER)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def load(text: str) -> dict[str, Any]:
    """The document of `--json`."""
    document = json.loads(text)
    assert isinstance(document, dict)
    return document
