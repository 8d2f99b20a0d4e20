"""pyhanko-certvalidator as a peer: the path alone, with all that can be prepared prepared once."""

from __future__ import annotations

from collections.abc import Iterable

from asn1crypto import x509
from pyhanko_certvalidator import CertificateValidator, PKIXValidationParams, ValidationContext
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule

from tests.support.jpki import AUTHENTICATION_POLICY, NOW, Root

_NO_CHECK = RevocationCheckingRule.NO_CHECK
_PROFILE = PKIXValidationParams(
    user_initial_policy_set=frozenset({AUTHENTICATION_POLICY}), initial_explicit_policy=True
)


def build_context(root: Root) -> ValidationContext:
    """What knows the anchor; it looks at no revocation."""
    return ValidationContext(
        trust_roots=[x509.Certificate.load(root.der)],
        moment=NOW,
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(_NO_CHECK, _NO_CHECK)),
    )


async def validate_all(ders: Iterable[bytes], context: ValidationContext) -> None:
    """Load each certificate and validate its path, usages and policy. Raises what the library raises."""
    for der in ders:
        validator = CertificateValidator(x509.Certificate.load(der), None, context, _PROFILE)
        await validator.async_validate_usage({"digital_signature"}, {"client_auth"})
