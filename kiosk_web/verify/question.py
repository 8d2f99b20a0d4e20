"""What `kiosk verify` is asked, as values: everything a judgement needs, files already read. PURE."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from kiosk_web.pki.anchors import Anchor, HashName
from kiosk_web.pki.certificates import UnverifiedCertificate
from kiosk_web.pki.status_policy import PolicyName
from kiosk_web.pki.trust import TrustPolicy, TrustStore

Profile = Literal["jpki", "any"]
Nonce = Literal["required", "none"]

ANY_AGE = timedelta(days=36500)
"""For other CAs: an answer or a list counts until its nextUpdate, whatever its age."""


@dataclass(frozen=True, slots=True)
class GivenFile:
    """One object from a file: its DER, and the file's name as it was given."""

    data: bytes = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who may have issued the certificate, and who may sign its lists.

    Profile `jpki`: `anchors` alone. Profile `any`: `issuers`, taken as they are given, and `crl_issuers`, other keys
    under the issuer's name which sign its lists (the new key after a rollover, or a key for lists alone). That they
    speak for the issuer is the word of whoever names them: the name proves nothing.
    """

    anchors: TrustStore = field(default_factory=TrustStore)
    issuers: tuple[UnverifiedCertificate, ...] = ()
    crl_issuers: tuple[Anchor, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One certificate and all that may be known of it. `policy` None accepts nothing.

    `fallback_open`: the responder is out of service, as a configured window or a manager would say.
    """

    certificate: GivenFile
    profile: Profile
    authorities: Authorities
    policy: PolicyName | None
    trust_policy: TrustPolicy = field(default_factory=TrustPolicy)
    ocsp_response: GivenFile | None = None
    ocsp_url: str | None = None
    nonce: Nonce = "required"
    ocsp_hash: HashName = "sha1"
    crls: tuple[GivenFile, ...] = ()
    fallback_open: bool = False
    signature: bytes | None = field(default=None, repr=False)
    message: GivenFile | None = None

    @property
    def has_responder(self) -> bool:
        """Is there an answer, or somebody to ask?"""
        return self.ocsp_response is not None or self.ocsp_url is not None
