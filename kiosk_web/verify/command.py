"""`kiosk verify`: judge one certificate with everything that was given, and say how the answer came about.

Exit status: 0 good, 1 refused, 2 could not be confirmed, 3 the command cannot be carried out.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

CANNOT = 3
"""Exit status of a command that cannot be carried out: unknown options, unreadable files, contradictions, faults."""


class PolicyChoice(StrEnum):
    """How the status is learned."""

    OCSP = "ocsp"
    CRL = "crl"
    OCSP_THEN_CRL = "ocsp-then-crl"


class ProfileChoice(StrEnum):
    """What the certificate must be."""

    JPKI = "jpki"
    ANY = "any"


class NonceChoice(StrEnum):
    """Whether the responder must echo a nonce."""

    REQUIRED = "required"
    NONE = "none"


class HashChoice(StrEnum):
    """The hash in the CertID."""

    SHA1 = "sha1"
    SHA256 = "sha256"


class VerifyCommand(TyperCommand):
    """A command that ends with 0, 1 or 2 by its verdict alone; usage errors, faults of ours and Ctrl-C end with 3."""

    def make_context(self, *arguments: Any, **extra: Any) -> Any:
        """As always, but for the exit status of what the parser refuses."""
        try:
            return super().make_context(*arguments, **extra)
        except typer.TyperException as error:
            error.exit_code = CANNOT
            raise

    def invoke(self, ctx: Any) -> Any:
        """As always, but for an exception that nobody foresaw: Python would end with 1, which says "refused"."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.TyperException):
            raise
        except (Exception, KeyboardInterrupt) as error:
            from kiosk_web.log import describe_place

            where = describe_place(error.__traceback__)
            typer.echo(f"kiosk verify: {type(error).__name__} at {where}; nothing was decided", err=True)
            raise typer.Exit(CANNOT) from None


def verify(
    certificate: Annotated[Path, typer.Argument(metavar="CERT", help="The certificate, PEM or DER.")],
    anchors: Annotated[
        Path | None, typer.Option(help="Folder of root certificates. Without it: the published JPKI roots.")
    ] = None,
    profile: Annotated[
        ProfileChoice, typer.Option(help="jpki: a user-authentication certificate. any: other CAs' certificates.")
    ] = ProfileChoice.JPKI,
    issuer: Annotated[
        list[Path] | None, typer.Option(help="Certificate of the issuer (profile any); may be repeated.")
    ] = None,
    crl_issuer: Annotated[
        list[Path] | None, typer.Option(help="Another key of the issuer that signs its lists (profile any).")
    ] = None,
    at: Annotated[str | None, typer.Option(help="Judge as of this moment (ISO 8601; without an offset: UTC).")] = None,
    policy: Annotated[
        PolicyChoice | None, typer.Option(help="How to learn the status. Without it: by what is given.")
    ] = None,
    ocsp_response: Annotated[Path | None, typer.Option(help="An OCSP answer, DER or PEM.")] = None,
    ocsp_url: Annotated[str | None, typer.Option(help="Ask this OCSP responder.")] = None,
    nonce: Annotated[NonceChoice, typer.Option(help="Must the responder echo a nonce?")] = NonceChoice.REQUIRED,
    ocsp_hash: Annotated[HashChoice, typer.Option(help="Hash in the CertID of the question.")] = HashChoice.SHA1,
    crl: Annotated[list[Path] | None, typer.Option(help="A revocation list, DER or PEM; may be repeated.")] = None,
    fallback_open: Annotated[
        bool, typer.Option("--fallback-open", help="The responder is out of service: ocsp-then-crl may use lists.")
    ] = False,
    allow_test_arc: Annotated[
        bool, typer.Option("--allow-test-arc", help="Accept the policy identifier of test cards.")
    ] = False,
    signature: Annotated[Path | None, typer.Option(help="A signature by the certificate's key, raw bytes.")] = None,
    message: Annotated[Path | None, typer.Option(help="The message that was signed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON (docs/verify.md).")] = False,
) -> None:
    """Judge a certificate: outcome, each step, evidence. 0 good, 1 refused, 2 could not be confirmed, 3 usage."""
    from kiosk_web.adapters.clock import read_clock
    from kiosk_web.verify import inquiry
    from kiosk_web.verify.inputs import UsageMistake
    from kiosk_web.verify.report import write_json, write_text

    given = inquiry.Given(
        certificate=certificate,
        anchors=anchors,
        profile=profile.value,
        issuers=tuple(issuer or ()),
        crl_issuers=tuple(crl_issuer or ()),
        at=at,
        policy=policy.value if policy is not None else None,
        ocsp_response=ocsp_response,
        ocsp_url=ocsp_url,
        nonce=nonce.value,
        ocsp_hash=ocsp_hash.value,
        crls=tuple(crl or ()),
        fallback_open=fallback_open,
        allow_test_arc=allow_test_arc,
        signature=signature,
        message=message,
    )
    try:
        verification = asyncio.run(inquiry.verify(given, read_clock, secrets.token_bytes))
    except UsageMistake as error:
        typer.echo(f"kiosk verify: {error}", err=True)
        raise typer.Exit(CANNOT) from None
    _print(write_json(verification) if as_json else write_text(verification))
    raise typer.Exit(verification.exit_status)


def _print(text: str) -> None:
    """An answer that could not be written is none: 1, Python's own end for that, would say "refused"."""
    try:
        typer.echo(text)
    except OSError as error:
        with Path(os.devnull).open("wb") as nowhere:  # what is left of it is not tried again at the very end
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        typer.echo(f"kiosk verify: the answer cannot be written: {error.strerror}", err=True)
        raise typer.Exit(CANNOT) from None
