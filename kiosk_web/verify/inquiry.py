"""One run of `kiosk verify`: read the files, ask the responder if there is one to ask, have it judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_trust_store
from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.pki.anchors import Anchor, AnchorRefused, HashName, build_issuer
from kiosk_web.pki.certificates import MalformedCertificate, UnverifiedCertificate, parse_certificate
from kiosk_web.pki.ocsp import NONCE_LENGTH
from kiosk_web.pki.plan import AskResponder
from kiosk_web.pki.status_policy import PolicyName
from kiosk_web.pki.trust import AnchorConflict, TrustPolicy, TrustStore
from kiosk_web.verify.inputs import UsageMistake, read_file, read_moment, read_objects, read_single
from kiosk_web.verify.judgement import Verification, begin, conclude
from kiosk_web.verify.question import Authorities, GivenFile, Nonce, Profile, Question


@dataclass(frozen=True, slots=True)
class Given:
    """The command line, parsed and nothing more."""

    certificate: Path
    anchors: Path | None = None
    profile: Profile = "jpki"
    issuers: tuple[Path, ...] = ()
    crl_issuers: tuple[Path, ...] = ()
    at: str | None = None
    policy: PolicyName | None = None
    ocsp_response: Path | None = None
    ocsp_url: str | None = None
    nonce: Nonce = "required"
    ocsp_hash: HashName = "sha1"
    crls: tuple[Path, ...] = ()
    fallback_open: bool = False
    allow_test_arc: bool = False
    signature: Path | None = None
    message: Path | None = None


async def verify(given: Given, clock: Callable[[], datetime], entropy: Callable[[int], bytes]) -> Verification:
    """Carry it out. Raises `UsageMistake` where that cannot be done; whatever a file holds is judged, not raised."""
    at = read_moment(given.at) if given.at is not None else None
    question = load_question(given)
    beginning = begin(question, at or clock(), entropy(NONCE_LENGTH))
    answer = None
    if isinstance(beginning.plan, AskResponder):
        async with HttpFetcher() as fetcher:
            answer = await fetcher.fetch_ocsp(beginning.plan.address, beginning.plan.request)
    return conclude(question, beginning, answer, at or clock())


def load_question(given: Given) -> Question:
    """Read every file that was named. Raises `UsageMistake`, also for options that contradict one another."""
    _refuse_contradictions(given)
    return Question(
        certificate=GivenFile(read_single(given.certificate, "certificate"), str(given.certificate)),
        profile=given.profile,
        authorities=_load_authorities(given),
        policy=given.policy or _choose_policy(given),
        trust_policy=TrustPolicy(allow_test_arc=given.allow_test_arc),
        ocsp_response=(
            GivenFile(read_single(given.ocsp_response, "ocsp_response"), str(given.ocsp_response))
            if given.ocsp_response is not None
            else None
        ),
        ocsp_url=given.ocsp_url,
        nonce=given.nonce,
        ocsp_hash=given.ocsp_hash,
        crls=tuple(GivenFile(data, str(path)) for path in given.crls for data in read_objects(path, "crl")),
        fallback_open=given.fallback_open,
        signature=read_file(given.signature, "signature") if given.signature is not None else None,
        message=(
            GivenFile(read_file(given.message, "message"), str(given.message)) if given.message is not None else None
        ),
    )


def _refuse_contradictions(given: Given) -> None:
    if given.profile == "any" and not given.issuers:
        raise UsageMistake("--profile any needs --issuer FILE: nobody else is trusted")
    if given.profile == "any" and given.anchors is not None:
        raise UsageMistake("--anchors is for the profile jpki; with --profile any the issuer is named by --issuer")
    if given.profile == "jpki" and (given.issuers or given.crl_issuers):
        raise UsageMistake("--issuer and --crl-issuer are for --profile any; the profile jpki trusts --anchors alone")
    if given.ocsp_response is not None and given.ocsp_url is not None:
        raise UsageMistake("--ocsp-response and --ocsp-url: only one answer is judged at a time")
    if (given.signature is None) != (given.message is None):
        raise UsageMistake("--signature and --message belong together")


def _choose_policy(given: Given) -> PolicyName | None:
    """Without `--policy`: what the given answers and lists can be judged by."""
    asked = given.ocsp_response is not None or given.ocsp_url is not None
    if asked:
        return "ocsp-then-crl" if given.crls else "ocsp"
    return "crl" if given.crls else None


def _load_authorities(given: Given) -> Authorities:
    try:
        if given.profile == "jpki":
            return Authorities(anchors=load_trust_store(given.anchors, production=False))
        issuers = tuple(certificate for path in given.issuers for certificate in _load_certificates(path))
        deputies = tuple(
            _build_deputy(certificate, path) for path in given.crl_issuers for certificate in _load_certificates(path)
        )
        for issuer in issuers if deputies else ():
            TrustStore((build_issuer(issuer), *deputies))
    except AnchorRefused as error:
        raise UsageMistake(f"--issuer: {error}") from None
    except (AnchorFileRefused, AnchorConflict) as error:
        raise UsageMistake(str(error)) from None
    return Authorities(issuers=issuers, crl_issuers=deputies)


def _load_certificates(path: Path) -> tuple[UnverifiedCertificate, ...]:
    try:
        return tuple(parse_certificate(der) for der in read_objects(path, "certificate"))
    except MalformedCertificate as error:
        raise UsageMistake(f"{path}: {error}") from None


def _build_deputy(certificate: UnverifiedCertificate, path: Path) -> Anchor:
    try:
        return build_issuer(certificate, path.name)
    except AnchorRefused as error:
        raise UsageMistake(f"{path}: {error}") from None
