"""pyhanko-certvalidator as an independent judge: RFC 5280 and RFC 6960 by other hands, on another ASN.1 library.

It is given what our judges are given (the anchors, the moment, the bytes) and asked for as much of our profile as it
knows: digitalSignature, clientAuth, and the policy of the user-authentication certificate, explicitly. It fetches
nothing, tolerates no clock, and takes "no information" for a refusal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from asn1crypto import x509
from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko_certvalidator import CertificateValidator, PKIXValidationParams, ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor, NamedKeyAuthority, TrustAnchor, TrustQualifiers
from pyhanko_certvalidator.errors import (
    CRLValidationError,
    OCSPValidationError,
    PathError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule

from tests.support.jpki import AUTHENTICATION_POLICY, Root

Verdict = Literal["good", "revoked", "refused"]
Check = Literal["nothing", "ocsp", "crl"]

_RULES = {
    "nothing": RevocationCheckingRule.NO_CHECK,
    "ocsp": RevocationCheckingRule.OCSP_REQUIRED,
    "crl": RevocationCheckingRule.CRL_REQUIRED,
}
_REFUSALS = (
    ValidationError,
    PathError,
    OCSPValidationError,
    CRLValidationError,
    UnsupportedAlgorithm,
    # What its parser raises for bytes that are none of it, often only when a field is touched:
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    AttributeError,
    AssertionError,
    NotImplementedError,
)
_PROFILE = PKIXValidationParams(
    user_initial_policy_set=frozenset({AUTHENTICATION_POLICY}), initial_explicit_policy=True
)

logging.getLogger("pyhanko_certvalidator").disabled = True


@dataclass(frozen=True)
class Finding:
    """What it decided, and in which words."""

    verdict: Verdict
    words: str = ""


@dataclass(frozen=True)
class Allowances:
    """What the other judge is told to overlook, one switch for each respect in which we are the more generous.

    `tolerance` of clocks; `whole_seconds`: the moment without its fraction; `one_anchor`: the one that we found, alone;
    `bare_keys`: that one as a name and a key, without the certificate that authorityKeyIdentifier may name by issuer
    and serial; `one_signer`: nothing embedded in an answer but the certificate that signed it; `delta`: an empty delta
    list is there for who wants one; `covering_lists`: those that we refuse or that cover others are left out;
    `no_points`: the certificate's twin without distribution points, and of the lists those of the whole CA.
    """

    tolerance: timedelta = timedelta(0)
    whole_seconds: bool = False
    one_anchor: bool = False
    bare_keys: bool = False
    one_signer: bool = False
    delta: bool = False
    covering_lists: bool = False
    no_points: bool = False


STRICT = Allowances()


def ask_certvalidator(
    leaf: bytes,
    roots: Sequence[Root],
    moment: datetime,
    check: Check = "nothing",
    *,
    ocsps: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    profile: bool = True,
    allowances: Allowances = STRICT,
) -> Finding:
    """Its verdict over a path, and over the status where one is asked for; without `profile`, of any certificate."""
    if allowances.whole_seconds:
        moment = moment.replace(microsecond=0)
    try:
        asyncio.run(_validate(leaf, roots, moment, check, ocsps, crls, profile, allowances))
    except RevokedError as error:
        return Finding("revoked", str(error))
    except _REFUSALS as error:
        return Finding("refused", f"{type(error).__name__}: {error}")
    return Finding("good")


async def _validate(
    leaf: bytes,
    roots: Sequence[Root],
    moment: datetime,
    check: Check,
    ocsps: Sequence[bytes],
    crls: Sequence[bytes],
    profile: bool,
    allowances: Allowances,
) -> None:
    rule = _RULES[check]
    context = ValidationContext(
        trust_roots=[_build_anchor(root, allowances.bare_keys) for root in roots],
        moment=moment,
        ocsps=ocsps,
        crls=crls,
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule)),
        time_tolerance=allowances.tolerance,
    )
    certificate = x509.Certificate.load(leaf, strict=True)
    if profile:
        validator = CertificateValidator(certificate, None, context, _PROFILE)
        await validator.async_validate_usage({"digital_signature"}, {"client_auth"})
    else:
        await CertificateValidator(certificate, None, context).async_validate_path()


def _build_anchor(root: Root, bare: bool) -> TrustAnchor:
    """By default it takes an anchor as it is; ours counts only in the validity of its certificate."""
    certificate = x509.Certificate.load(root.der)
    window = TrustQualifiers(
        valid_from=root.certificate.not_valid_before_utc, valid_until=root.certificate.not_valid_after_utc
    )
    if bare:
        return TrustAnchor(NamedKeyAuthority(certificate.subject, certificate.public_key), window)
    return CertTrustAnchor(certificate, window)
