"""The settings of a responder's pin (`[[ocsp_pins]]`), explained in `docs/validation.md`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kiosk_web.pki.ocsp import ResponderPin


def _read_digits(value: object) -> object:
    """Hexadecimal as people write it: capitals, colons and spaces do not matter."""
    return value.replace(":", "").replace(" ", "").lower() if isinstance(value, str) else value


KeySha256 = Annotated[str, BeforeValidator(_read_digits), Field(pattern=r"^[0-9a-f]{64}$")]
KeyIdentifier = Annotated[str, BeforeValidator(_read_digits), Field(pattern=r"^([0-9a-f]{2}){1,64}$")]


class PinSettings(BaseModel):
    """A responder's key, believed for certificates of the issuer keys named, although the rules refuse its certificate.

    `key_sha256` is the SHA-256 of its SubjectPublicKeyInfo; `issuer_key_ids` are identifiers as `kiosk doctor` prints
    them; `ocsp_signing`: its certificate must be meant for OCSP.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    key_sha256: KeySha256
    issuer_key_ids: Annotated[tuple[KeyIdentifier, ...], Field(min_length=1)]
    ocsp_signing: bool = True

    def build_pin(self) -> ResponderPin:
        return ResponderPin(
            bytes.fromhex(self.key_sha256), frozenset(map(bytes.fromhex, self.issuer_key_ids)), self.ocsp_signing
        )
