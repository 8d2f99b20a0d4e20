"""NIST's Public Key Interoperability Test Suite (PKITS 1.0.1, 2011) as data: what each case expects, and its path.

The files come with `cryptography_vectors`. Whether a case must be valid is what NIST's description says; its path leads
from the trust anchor through the named CAs to the end entity. Sections 4.8 to 4.13 (policies and name constraints) are
about paths of several CAs and are not here; all others are listed in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cryptography_vectors

FOLDER = Path(cryptography_vectors.__file__).parent / "x509/PKITS_data"
ANCHOR = "TrustAnchorRootCertificate"


@dataclass(frozen=True)
class Case:
    """One test of PKITS. `authorities` are the CA certificates between anchor and `entity`, from above."""

    number: str
    valid: bool
    entity: str
    authorities: tuple[str, ...]


def _case(number: str, entity: str, *authorities: str) -> Case:
    """NIST's word is the first one of the name."""
    return Case(number, entity.startswith("Valid"), entity, authorities)


CASES = (
    # 4.1 Signature verification
    _case("4.1.1", "ValidCertificatePathTest1EE", "GoodCACert"),
    _case("4.1.2", "InvalidCASignatureTest2EE", "BadSignedCACert"),
    _case("4.1.3", "InvalidEESignatureTest3EE", "GoodCACert"),
    _case("4.1.4", "ValidDSASignaturesTest4EE", "DSACACert"),
    _case("4.1.5", "ValidDSAParameterInheritanceTest5EE", "DSACACert", "DSAParametersInheritedCACert"),
    _case("4.1.6", "InvalidDSASignatureTest6EE", "DSACACert"),
    # 4.2 Validity periods
    _case("4.2.1", "InvalidCAnotBeforeDateTest1EE", "BadnotBeforeDateCACert"),
    _case("4.2.2", "InvalidEEnotBeforeDateTest2EE", "GoodCACert"),
    _case("4.2.3", "Validpre2000UTCnotBeforeDateTest3EE", "GoodCACert"),
    _case("4.2.4", "ValidGeneralizedTimenotBeforeDateTest4EE", "GoodCACert"),
    _case("4.2.5", "InvalidCAnotAfterDateTest5EE", "BadnotAfterDateCACert"),
    _case("4.2.6", "InvalidEEnotAfterDateTest6EE", "GoodCACert"),
    _case("4.2.7", "Invalidpre2000UTCEEnotAfterDateTest7EE", "GoodCACert"),
    _case("4.2.8", "ValidGeneralizedTimenotAfterDateTest8EE", "GoodCACert"),
    # 4.3 Verifying name chaining
    _case("4.3.1", "InvalidNameChainingTest1EE", "GoodCACert"),
    _case("4.3.2", "InvalidNameChainingOrderTest2EE", "NameOrderingCACert"),
    _case("4.3.3", "ValidNameChainingWhitespaceTest3EE", "GoodCACert"),
    _case("4.3.4", "ValidNameChainingWhitespaceTest4EE", "GoodCACert"),
    _case("4.3.5", "ValidNameChainingCapitalizationTest5EE", "GoodCACert"),
    _case("4.3.6", "ValidNameUIDsTest6EE", "UIDCACert"),
    _case("4.3.7", "ValidRFC3280MandatoryAttributeTypesTest7EE", "RFC3280MandatoryAttributeTypesCACert"),
    _case("4.3.8", "ValidRFC3280OptionalAttributeTypesTest8EE", "RFC3280OptionalAttributeTypesCACert"),
    _case("4.3.9", "ValidUTF8StringEncodedNamesTest9EE", "UTF8StringEncodedNamesCACert"),
    _case(
        "4.3.10",
        "ValidRolloverfromPrintableStringtoUTF8StringTest10EE",
        "RolloverfromPrintableStringtoUTF8StringCACert",
    ),
    _case("4.3.11", "ValidUTF8StringCaseInsensitiveMatchTest11EE", "UTF8StringCaseInsensitiveMatchCACert"),
    # 4.4 Basic certificate revocation tests
    _case("4.4.1", "InvalidMissingCRLTest1EE", "NoCRLCACert"),
    _case("4.4.2", "InvalidRevokedCATest2EE", "GoodCACert", "RevokedsubCACert"),
    _case("4.4.3", "InvalidRevokedEETest3EE", "GoodCACert"),
    _case("4.4.4", "InvalidBadCRLSignatureTest4EE", "BadCRLSignatureCACert"),
    _case("4.4.5", "InvalidBadCRLIssuerNameTest5EE", "BadCRLIssuerNameCACert"),
    _case("4.4.6", "InvalidWrongCRLTest6EE", "WrongCRLCACert"),
    _case("4.4.7", "ValidTwoCRLsTest7EE", "TwoCRLsCACert"),
    _case("4.4.8", "InvalidUnknownCRLEntryExtensionTest8EE", "UnknownCRLEntryExtensionCACert"),
    _case("4.4.9", "InvalidUnknownCRLExtensionTest9EE", "UnknownCRLExtensionCACert"),
    _case("4.4.10", "InvalidUnknownCRLExtensionTest10EE", "UnknownCRLExtensionCACert"),
    _case("4.4.11", "InvalidOldCRLnextUpdateTest11EE", "OldCRLnextUpdateCACert"),
    _case("4.4.12", "Invalidpre2000CRLnextUpdateTest12EE", "pre2000CRLnextUpdateCACert"),
    _case("4.4.13", "ValidGeneralizedTimeCRLnextUpdateTest13EE", "GeneralizedTimeCRLnextUpdateCACert"),
    _case("4.4.14", "ValidNegativeSerialNumberTest14EE", "NegativeSerialNumberCACert"),
    _case("4.4.15", "InvalidNegativeSerialNumberTest15EE", "NegativeSerialNumberCACert"),
    _case("4.4.16", "ValidLongSerialNumberTest16EE", "LongSerialNumberCACert"),
    _case("4.4.17", "ValidLongSerialNumberTest17EE", "LongSerialNumberCACert"),
    _case("4.4.18", "InvalidLongSerialNumberTest18EE", "LongSerialNumberCACert"),
    _case(
        "4.4.19",
        "ValidSeparateCertificateandCRLKeysTest19EE",
        "SeparateCertificateandCRLKeysCertificateSigningCACert",
    ),
    _case(
        "4.4.20",
        "InvalidSeparateCertificateandCRLKeysTest20EE",
        "SeparateCertificateandCRLKeysCertificateSigningCACert",
    ),
    _case(
        "4.4.21",
        "InvalidSeparateCertificateandCRLKeysTest21EE",
        "SeparateCertificateandCRLKeysCA2CertificateSigningCACert",
    ),
    # 4.5 Verifying paths with self-issued certificates
    _case(
        "4.5.1",
        "ValidBasicSelfIssuedOldWithNewTest1EE",
        "BasicSelfIssuedNewKeyCACert",
        "BasicSelfIssuedNewKeyOldWithNewCACert",
    ),
    _case(
        "4.5.2",
        "InvalidBasicSelfIssuedOldWithNewTest2EE",
        "BasicSelfIssuedNewKeyCACert",
        "BasicSelfIssuedNewKeyOldWithNewCACert",
    ),
    _case(
        "4.5.3",
        "ValidBasicSelfIssuedNewWithOldTest3EE",
        "BasicSelfIssuedOldKeyCACert",
        "BasicSelfIssuedOldKeyNewWithOldCACert",
    ),
    _case("4.5.4", "ValidBasicSelfIssuedNewWithOldTest4EE", "BasicSelfIssuedOldKeyCACert"),
    _case("4.5.5", "InvalidBasicSelfIssuedNewWithOldTest5EE", "BasicSelfIssuedOldKeyCACert"),
    _case("4.5.6", "ValidBasicSelfIssuedCRLSigningKeyTest6EE", "BasicSelfIssuedCRLSigningKeyCACert"),
    _case("4.5.7", "InvalidBasicSelfIssuedCRLSigningKeyTest7EE", "BasicSelfIssuedCRLSigningKeyCACert"),
    _case(
        "4.5.8",
        "InvalidBasicSelfIssuedCRLSigningKeyTest8EE",
        "BasicSelfIssuedCRLSigningKeyCACert",
        "BasicSelfIssuedCRLSigningKeyCRLCert",
    ),
    # 4.6 Verifying basic constraints
    _case("4.6.1", "InvalidMissingbasicConstraintsTest1EE", "MissingbasicConstraintsCACert"),
    _case("4.6.2", "InvalidcAFalseTest2EE", "basicConstraintsCriticalcAFalseCACert"),
    _case("4.6.3", "InvalidcAFalseTest3EE", "basicConstraintsNotCriticalcAFalseCACert"),
    _case("4.6.4", "ValidbasicConstraintsNotCriticalTest4EE", "basicConstraintsNotCriticalCACert"),
    _case("4.6.5", "InvalidpathLenConstraintTest5EE", "pathLenConstraint0CACert", "pathLenConstraint0subCACert"),
    _case("4.6.6", "InvalidpathLenConstraintTest6EE", "pathLenConstraint0CACert", "pathLenConstraint0subCACert"),
    _case("4.6.7", "ValidpathLenConstraintTest7EE", "pathLenConstraint0CACert"),
    _case("4.6.8", "ValidpathLenConstraintTest8EE", "pathLenConstraint0CACert"),
    _case(
        "4.6.9",
        "InvalidpathLenConstraintTest9EE",
        "pathLenConstraint6CACert",
        "pathLenConstraint6subCA0Cert",
        "pathLenConstraint6subsubCA00Cert",
    ),
    _case(
        "4.6.10",
        "InvalidpathLenConstraintTest10EE",
        "pathLenConstraint6CACert",
        "pathLenConstraint6subCA0Cert",
        "pathLenConstraint6subsubCA00Cert",
    ),
    _case(
        "4.6.11",
        "InvalidpathLenConstraintTest11EE",
        "pathLenConstraint6CACert",
        "pathLenConstraint6subCA1Cert",
        "pathLenConstraint6subsubCA11Cert",
        "pathLenConstraint6subsubsubCA11XCert",
    ),
    _case(
        "4.6.12",
        "InvalidpathLenConstraintTest12EE",
        "pathLenConstraint6CACert",
        "pathLenConstraint6subCA1Cert",
        "pathLenConstraint6subsubCA11Cert",
        "pathLenConstraint6subsubsubCA11XCert",
    ),
    _case(
        "4.6.13",
        "ValidpathLenConstraintTest13EE",
        "pathLenConstraint6CACert",
        "pathLenConstraint6subCA4Cert",
        "pathLenConstraint6subsubCA41Cert",
        "pathLenConstraint6subsubsubCA41XCert",
    ),
    _case(
        "4.6.14",
        "ValidpathLenConstraintTest14EE",
        "pathLenConstraint6CACert",
        "pathLenConstraint6subCA4Cert",
        "pathLenConstraint6subsubCA41Cert",
        "pathLenConstraint6subsubsubCA41XCert",
    ),
    _case(
        "4.6.15",
        "ValidSelfIssuedpathLenConstraintTest15EE",
        "pathLenConstraint0CACert",
        "pathLenConstraint0SelfIssuedCACert",
    ),
    _case(
        "4.6.16",
        "InvalidSelfIssuedpathLenConstraintTest16EE",
        "pathLenConstraint0CACert",
        "pathLenConstraint0SelfIssuedCACert",
        "pathLenConstraint0subCA2Cert",
    ),
    _case(
        "4.6.17",
        "ValidSelfIssuedpathLenConstraintTest17EE",
        "pathLenConstraint1CACert",
        "pathLenConstraint1SelfIssuedCACert",
        "pathLenConstraint1subCACert",
        "pathLenConstraint1SelfIssuedsubCACert",
    ),
    # 4.7 Key usage
    _case("4.7.1", "InvalidkeyUsageCriticalkeyCertSignFalseTest1EE", "keyUsageCriticalkeyCertSignFalseCACert"),
    _case("4.7.2", "InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE", "keyUsageNotCriticalkeyCertSignFalseCACert"),
    _case("4.7.3", "ValidkeyUsageNotCriticalTest3EE", "keyUsageNotCriticalCACert"),
    _case("4.7.4", "InvalidkeyUsageCriticalcRLSignFalseTest4EE", "keyUsageCriticalcRLSignFalseCACert"),
    _case("4.7.5", "InvalidkeyUsageNotCriticalcRLSignFalseTest5EE", "keyUsageNotCriticalcRLSignFalseCACert"),
    # 4.14 Distribution points
    _case("4.14.1", "ValiddistributionPointTest1EE", "distributionPoint1CACert"),
    _case("4.14.2", "InvaliddistributionPointTest2EE", "distributionPoint1CACert"),
    _case("4.14.3", "InvaliddistributionPointTest3EE", "distributionPoint1CACert"),
    _case("4.14.4", "ValiddistributionPointTest4EE", "distributionPoint1CACert"),
    _case("4.14.5", "ValiddistributionPointTest5EE", "distributionPoint2CACert"),
    _case("4.14.6", "InvaliddistributionPointTest6EE", "distributionPoint2CACert"),
    _case("4.14.7", "ValiddistributionPointTest7EE", "distributionPoint2CACert"),
    _case("4.14.8", "InvaliddistributionPointTest8EE", "distributionPoint2CACert"),
    _case("4.14.9", "InvaliddistributionPointTest9EE", "distributionPoint2CACert"),
    _case("4.14.10", "ValidNoissuingDistributionPointTest10EE", "NoissuingDistributionPointCACert"),
    _case("4.14.11", "InvalidonlyContainsUserCertsTest11EE", "onlyContainsUserCertsCACert"),
    _case("4.14.12", "InvalidonlyContainsCACertsTest12EE", "onlyContainsCACertsCACert"),
    _case("4.14.13", "ValidonlyContainsCACertsTest13EE", "onlyContainsCACertsCACert"),
    _case("4.14.14", "InvalidonlyContainsAttributeCertsTest14EE", "onlyContainsAttributeCertsCACert"),
    _case("4.14.15", "InvalidonlySomeReasonsTest15EE", "onlySomeReasonsCA1Cert"),
    _case("4.14.16", "InvalidonlySomeReasonsTest16EE", "onlySomeReasonsCA1Cert"),
    _case("4.14.17", "InvalidonlySomeReasonsTest17EE", "onlySomeReasonsCA2Cert"),
    _case("4.14.18", "ValidonlySomeReasonsTest18EE", "onlySomeReasonsCA3Cert"),
    _case("4.14.19", "ValidonlySomeReasonsTest19EE", "onlySomeReasonsCA4Cert"),
    _case("4.14.20", "InvalidonlySomeReasonsTest20EE", "onlySomeReasonsCA4Cert"),
    _case("4.14.21", "InvalidonlySomeReasonsTest21EE", "onlySomeReasonsCA4Cert"),
    _case("4.14.22", "ValidIDPwithindirectCRLTest22EE", "indirectCRLCA1Cert"),
    _case("4.14.23", "InvalidIDPwithindirectCRLTest23EE", "indirectCRLCA1Cert"),
    _case("4.14.24", "ValidIDPwithindirectCRLTest24EE", "indirectCRLCA2Cert"),
    _case("4.14.25", "ValidIDPwithindirectCRLTest25EE", "indirectCRLCA2Cert"),
    _case("4.14.26", "InvalidIDPwithindirectCRLTest26EE", "indirectCRLCA2Cert"),
    _case("4.14.27", "InvalidcRLIssuerTest27EE", "indirectCRLCA2Cert"),
    _case("4.14.28", "ValidcRLIssuerTest28EE", "indirectCRLCA3Cert"),
    _case("4.14.29", "ValidcRLIssuerTest29EE", "indirectCRLCA3Cert"),
    _case("4.14.30", "ValidcRLIssuerTest30EE", "indirectCRLCA4Cert"),
    _case("4.14.31", "InvalidcRLIssuerTest31EE", "indirectCRLCA6Cert"),
    _case("4.14.32", "InvalidcRLIssuerTest32EE", "indirectCRLCA6Cert"),
    _case("4.14.33", "ValidcRLIssuerTest33EE", "indirectCRLCA6Cert"),
    _case("4.14.34", "InvalidcRLIssuerTest34EE", "indirectCRLCA5Cert"),
    _case("4.14.35", "InvalidcRLIssuerTest35EE", "indirectCRLCA5Cert"),
    # 4.15 Delta-CRLs
    _case("4.15.1", "InvaliddeltaCRLIndicatorNoBaseTest1EE", "deltaCRLIndicatorNoBaseCACert"),
    _case("4.15.2", "ValiddeltaCRLTest2EE", "deltaCRLCA1Cert"),
    _case("4.15.3", "InvaliddeltaCRLTest3EE", "deltaCRLCA1Cert"),
    _case("4.15.4", "InvaliddeltaCRLTest4EE", "deltaCRLCA1Cert"),
    _case("4.15.5", "ValiddeltaCRLTest5EE", "deltaCRLCA1Cert"),
    _case("4.15.6", "InvaliddeltaCRLTest6EE", "deltaCRLCA1Cert"),
    _case("4.15.7", "ValiddeltaCRLTest7EE", "deltaCRLCA1Cert"),
    _case("4.15.8", "ValiddeltaCRLTest8EE", "deltaCRLCA2Cert"),
    _case("4.15.9", "InvaliddeltaCRLTest9EE", "deltaCRLCA2Cert"),
    _case("4.15.10", "InvaliddeltaCRLTest10EE", "deltaCRLCA3Cert"),
    # 4.16 Private certificate extensions
    _case("4.16.1", "ValidUnknownNotCriticalCertificateExtensionTest1EE"),
    _case("4.16.2", "InvalidUnknownCriticalCertificateExtensionTest2EE"),
)

_LISTS = {
    "BadCRLIssuerNameCACert": ("BadCRLIssuerNameCACRL",),
    "BasicSelfIssuedCRLSigningKeyCACert": (
        "BasicSelfIssuedCRLSigningKeyCACRL",
        "BasicSelfIssuedCRLSigningKeyCRLCertCRL",
    ),
    "BasicSelfIssuedCRLSigningKeyCRLCert": ("BasicSelfIssuedCRLSigningKeyCACRL",),
    "BasicSelfIssuedNewKeyOldWithNewCACert": ("BasicSelfIssuedNewKeyCACRL",),
    "BasicSelfIssuedOldKeyCACert": ("BasicSelfIssuedOldKeyCACRL", "BasicSelfIssuedOldKeySelfIssuedCertCRL"),
    "BasicSelfIssuedOldKeyNewWithOldCACert": ("BasicSelfIssuedOldKeyCACRL",),
    "NameOrderingCACert": ("NameOrderCACRL",),
    "NoCRLCACert": (),
    "SeparateCertificateandCRLKeysCA2CertificateSigningCACert": ("SeparateCertificateandCRLKeysCA2CRL",),
    "SeparateCertificateandCRLKeysCertificateSigningCACert": ("SeparateCertificateandCRLKeysCRL",),
    ANCHOR: ("TrustAnchorRootCRL",),
    "TwoCRLsCACert": ("TwoCRLsCABadCRL", "TwoCRLsCAGoodCRL"),
    "deltaCRLCA1Cert": ("deltaCRLCA1CRL", "deltaCRLCA1deltaCRL"),
    "deltaCRLCA2Cert": ("deltaCRLCA2CRL", "deltaCRLCA2deltaCRL"),
    "deltaCRLCA3Cert": ("deltaCRLCA3CRL", "deltaCRLCA3deltaCRL"),
    "indirectCRLCA2Cert": ("indirectCRLCA1CRL",),
    "indirectCRLCA3Cert": ("indirectCRLCA3CRL", "indirectCRLCA3cRLIssuerCRL"),
    "indirectCRLCA4Cert": ("indirectCRLCA4cRLIssuerCRL",),
    "indirectCRLCA6Cert": ("indirectCRLCA5CRL",),
    "onlySomeReasonsCA1Cert": ("onlySomeReasonsCA1compromiseCRL", "onlySomeReasonsCA1otherreasonsCRL"),
    "onlySomeReasonsCA2Cert": ("onlySomeReasonsCA2CRL1", "onlySomeReasonsCA2CRL2"),
    "onlySomeReasonsCA3Cert": ("onlySomeReasonsCA3compromiseCRL", "onlySomeReasonsCA3otherreasonsCRL"),
    "onlySomeReasonsCA4Cert": ("onlySomeReasonsCA4compromiseCRL", "onlySomeReasonsCA4otherreasonsCRL"),
    "pathLenConstraint0SelfIssuedCACert": ("pathLenConstraint0CACRL",),
    "pathLenConstraint1SelfIssuedCACert": ("pathLenConstraint1CACRL",),
    "pathLenConstraint1SelfIssuedsubCACert": ("pathLenConstraint1subCACRL",),
    "UTF8StringEncodedNamesCACert": ("UTF8StringEncodedNamesCACRL",),
}

LIST_SIGNERS = {
    "BasicSelfIssuedCRLSigningKeyCACert": ("BasicSelfIssuedCRLSigningKeyCRLCert",),
    "BasicSelfIssuedNewKeyOldWithNewCACert": ("BasicSelfIssuedNewKeyCACert",),
    "BasicSelfIssuedOldKeyCACert": ("BasicSelfIssuedOldKeyNewWithOldCACert",),
    "SeparateCertificateandCRLKeysCA2CertificateSigningCACert": ("SeparateCertificateandCRLKeysCA2CRLSigningCert",),
    "SeparateCertificateandCRLKeysCertificateSigningCACert": ("SeparateCertificateandCRLKeysCRLSigningCert",),
}
"""Certificates of other keys under the CA's name that sign its lists; each is judged like the CAs themselves."""

SIGNER_ISSUERS = {
    "BasicSelfIssuedCRLSigningKeyCRLCert": "BasicSelfIssuedCRLSigningKeyCACert",
    "BasicSelfIssuedNewKeyCACert": ANCHOR,
    "BasicSelfIssuedOldKeyNewWithOldCACert": "BasicSelfIssuedOldKeyCACert",
    "SeparateCertificateandCRLKeysCA2CRLSigningCert": ANCHOR,
    "SeparateCertificateandCRLKeysCRLSigningCert": ANCHOR,
}
"""Who issued them."""


def find_lists(authority: str) -> tuple[Path, ...]:
    """The lists of a CA: by default the one that has its name."""
    default = (authority.removesuffix("Cert").removesuffix("CA") + "CACRL",)
    if authority not in _LISTS and not locate_list(default[0]).exists():
        default = (authority.removesuffix("Cert") + "CRL",)
    return tuple(locate_list(name) for name in _LISTS.get(authority, default))


def locate_list(name: str) -> Path:
    return FOLDER / "crls" / f"{name}.crl"


def locate(name: str) -> Path:
    """The file of a certificate."""
    return FOLDER / "certs" / f"{name}.crt"
