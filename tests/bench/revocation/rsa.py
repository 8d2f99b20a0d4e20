"""The unit in which the work on one certificate is measured: one RSA-2048 verification over a certificate's bytes."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.jpki import Issued, Root


def build_verification(root: Root, issued: Issued, times: int) -> Callable[[], None]:
    """Verify the signature of `issued` so many times, by the shortest way there is."""
    key = root.key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signed, signature = issued.certificate.tbs_certificate_bytes, issued.certificate.signature
    scheme, algorithm = padding.PKCS1v15(), hashes.SHA256()

    def verify() -> None:
        for _ in range(times):
            key.verify(signature, signed, scheme, algorithm)

    return verify
