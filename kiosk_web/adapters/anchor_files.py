"""Anchors from files: the published JPKI roots that come with the program, and the operator's folder."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.pki.anchors import (
    Anchor,
    AnchorRefused,
    PublishedRoot,
    build_anchor,
    find_published,
    read_published_roots,
)
from kiosk_web.pki.trust import AnchorConflict, TrustStore

SUFFIXES = frozenset({".pem", ".cer", ".crt", ".der"})
MAX_FILE = 256 * 1024


class AnchorFileRefused(ValueError):
    """A file of anchors cannot be used; the message names the file and the reason."""


def load_published_roots() -> tuple[PublishedRoot, ...]:
    """The list of the roots JPKI has published, known fingerprints included."""
    return read_published_roots(_data("published.json").decode())


def load_packaged_anchors() -> tuple[Anchor, ...]:
    """The roots that come with the program: the 2015 and 2023 generations of both CAs."""
    folder = resources.files("kiosk_web.pki") / "jpki_roots"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".pem"))
    return tuple(anchor for name in names for anchor in _read_anchors(_data(name), name))


def load_anchors(folder: Path) -> tuple[Anchor, ...]:
    """Every anchor in the certificate files of a folder. Raises `AnchorFileRefused`; none is skipped."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
        return tuple(anchor for path in paths for anchor in _read_anchors(_read_file(path), path.name))
    except OSError as error:
        raise AnchorFileRefused(f"{folder}: {error.strerror or 'cannot be read'}") from None


def load_trust_store(
    folder: Path | None, *, production: bool, confirmed_fingerprints: Iterable[str] = ()
) -> TrustStore:
    """The anchors to trust: those of `folder`; without one, and in production always, the packaged ones.

    Raises `AnchorFileRefused` where production meets an anchor that is not a published JPKI root: a kiosk that would
    accept the cards of a simulator must not start. `confirmed_fingerprints` are SHA-256 values in hexadecimal (see
    `find_published`).
    """
    anchors = load_anchors(folder) if folder is not None else ()
    if production or folder is None:
        anchors += load_packaged_anchors()
    if production:
        published, confirmed = load_published_roots(), read_fingerprints(confirmed_fingerprints)
        for anchor in anchors:
            if find_published(anchor, published, confirmed) is None:
                raise AnchorFileRefused(
                    f"{anchor.label}: not on the list of published JPKI roots ({anchor.fingerprint})"
                )
    if not anchors:
        raise AnchorFileRefused(f"{folder}: no anchor in this folder")
    try:
        return TrustStore(anchors)
    except AnchorConflict as error:
        raise AnchorFileRefused(str(error)) from None


def read_fingerprints(fingerprints: Iterable[str]) -> frozenset[bytes]:
    """SHA-256 fingerprints as people write them: hexadecimal, with or without colons and spaces."""
    result = set()
    for text in fingerprints:
        try:
            value = bytes.fromhex(text.replace(":", " "))
        except ValueError:
            value = b""
        if len(value) != 32:
            raise AnchorFileRefused("a confirmed fingerprint is not a SHA-256 value in hexadecimal")
        result.add(value)
    return frozenset(result)


def _data(name: str) -> bytes:
    return (resources.files("kiosk_web.pki") / "jpki_roots" / name).read_bytes()


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise AnchorFileRefused(f"{path.name}: longer than a file of certificates may be")
    return path.read_bytes()


def _read_anchors(data: bytes, name: str) -> tuple[Anchor, ...]:
    label = name.rpartition(".")[0] or name
    try:
        if b"-----BEGIN" not in data:
            return (build_anchor(data, label),)
        certificates = x509.load_pem_x509_certificates(data)
        return tuple(build_anchor(certificate.public_bytes(Encoding.DER), label) for certificate in certificates)
    except AnchorRefused as error:
        raise AnchorFileRefused(f"{name}: {error}") from None
    except ValueError:
        raise AnchorFileRefused(f"{name}: not a certificate") from None
