"""What goes over the API, as models: they read requests, write answers, and are the schemas of `openapi.json`.

Binary values are Base64 (RFC 4648 4, with padding), times RFC 3339 in UTC.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from kiosk_web.identity.readings import ReadingState
from kiosk_web.identity.standing import ItemsState, SignatureState, Silence
from kiosk_web.pki.outcomes import Outcome

_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

_TIME = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"


def write_time(value: datetime) -> str:
    """An aware time, as answers have it: in UTC. `isoformat` takes twice as long."""
    utc = value.astimezone(UTC)
    return _TIME % (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond // 1000)


Time = Annotated[
    datetime, PlainSerializer(write_time, return_type=str), Field(json_schema_extra={"format": "date-time"})
]
SystemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="A cooperating system (連携システム).")]
Policy = Literal["ocsp", "crl", "ocsp-then-crl"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AccessTokenAnswer(_Model):
    """An access token (RFC 6749 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")


class ChallengeRequest(_Model):
    """For whom a card is to sign."""

    system: SystemId
    origin: Annotated[
        str,
        Field(
            pattern=r"^https?://[!-~]{1,247}$",
            description="Origin of the page that the resident uses, as registered for the client.",
        ),
    ]
    purpose: Literal["identify"] = "identify"
    method: Annotated[
        Literal["pin", "kazashi"], Field(description="How the card proves itself; `kazashi` is refused by name.")
    ] = "pin"


class SignedFields(_Model):
    """What stands in the bytes that the card signs, in this order; between `nonce` and `consent` the SHA-256 of the
    certificate's DER.
    """

    method: Literal["pin"]
    purpose: Literal["identify"]
    origin: str
    terminal: Annotated[str, Field(description="The client's name.")]
    session: Annotated[str, Field(description="The challenge.")]
    service: Annotated[str, Field(description="The cooperating system.")]
    nonce: Annotated[str, Field(description="Base64 of 32 bytes.")]
    consent: Literal[""]
    lease: Literal[""]


class ChallengeAnswer(_Model):
    """The card signs SHA-256 of: `message_before` + SHA-256(certificate) + `message_after`."""

    challenge: str
    reference: Annotated[str, Field(description="受付番号: by this number staff find the record.")]
    issued_at: Time
    expires_at: Time
    fields: SignedFields
    message_before: Annotated[str, Field(description="Base64.")]
    message_after: Annotated[str, Field(description="Base64.")]


class ValidationRequest(_Model):
    """The certificate that was read from the card, and the card's signature."""

    challenge: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
    certificate: Annotated[
        str, Field(pattern=_BASE64, min_length=4, max_length=10_924, description="Base64 of the DER.")
    ]
    signature: Annotated[str, Field(pattern=_BASE64, min_length=4, max_length=1_368, description="Base64.")]
    policy: Annotated[
        Policy | None,
        Field(description="How the certificate is confirmed; without it the first method of the client."),
    ] = None
    standing: Annotated[
        bool, Field(description="Ask the register of J-LIS about the holder, too, once the verdict has accepted.")
    ] = False


class StatusEvidence(_Model):
    """What the status rests on."""

    method: Literal["ocsp", "crl"]
    this_update: Time | None
    next_update: Time | None
    responder: Annotated[str, Field(description="Address that was asked; empty for a list.")]
    sha256: Annotated[str, Field(description="Of the answer or the list, in hexadecimal; empty without one.")]
    checked_at: Time
    fallback: Annotated[
        Literal["window", "manager", "automatic"] | None,
        Field(description="Why a list stood in for the responder."),
    ]


class Standing(_Model):
    """What the register of J-LIS says of the holder, for this visit and for nothing else (docs/api.md). `unknown` is
    neither `valid` nor `unchanged`.
    """

    signature_certificate: Annotated[SignatureState, Field(description="Of the linked signature certificate.")]
    items: Annotated[ItemsState, Field(description="Have the basic 4 information changed since that day?")]
    since: Annotated[
        date | None, Field(description="Day of the last confirmation for this system, in Japan; null before the first.")
    ]
    as_of: Annotated[Time | None, Field(description="When the register said so; null where it said nothing.")]
    why: Annotated[Silence | None, Field(description="Why it said nothing.")]


class ValidationAnswer(_Model):
    """The verdict. `ppid` is given if and only if `accepted`, `standing` if it was asked for as well."""

    accepted: bool
    outcome: Outcome
    reason: Annotated[str | None, Field(description="A word of docs/verify.md, where the outcome does not say it all.")]
    reference: str
    system: SystemId
    ppid: Annotated[str | None, Field(description="The person's pseudonym for this system, the same at the counter.")]
    expires_soon: Annotated[bool | None, Field(description="The certificate ends within three months.")]
    judged_at: Time
    evidence: StatusEvidence | None
    standing: Standing | None


class ConfirmationRequest(_Model):
    """Of whom the system has the basic 4 information as they are today."""

    system: SystemId
    ppid: Annotated[str, Field(pattern=r"^[2-9A-HJ-NP-Z]{24}$")]


_RECEIPT = "Send it back (`POST /receipts`) when this arrived; the same in every answer that gives the same again."


class ReceiptCall(_Model):
    """What was handed over arrived."""

    receipt: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$", description="Of the answer that arrived.")]


class ReadingRequest(_Model):
    """Which reading of the basic 4 information is picked up."""

    system: SystemId
    reference: Annotated[
        str,
        Field(pattern=r"^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$", description="受付番号, as on the resident's screen."),
    ]


class ReadingAnswer(_Model):
    """The basic 4 information, sealed to the system's key."""

    reading: str
    reference: str
    system: SystemId
    created_at: Time
    jwe: Annotated[str, Field(description="JWE, compact (RFC 7516); docs/basic-four.md says what is in it.")]
    receipt: Annotated[str, Field(description=_RECEIPT)]


_UNSEEN = r"\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # hides, breaks or turns
_TITLE = Field(max_length=60, pattern=rf"^[^{_UNSEEN}]*$")


class ReadingTitle(_Model):
    """What the reading is for, in the system's own words; the terminal shows it to the resident."""

    ja: Annotated[str, _TITLE]
    en: Annotated[str, _TITLE]


class ReadingRedirect(_Model):
    """The system sends its own browser page to the terminal's and gets it back with a code (RFC 6749 4.1, RFC 7636)."""

    redirect_uri: Annotated[
        str,
        Field(pattern=r"^https?://[!-~]{1,1000}$", description="Where the browser goes back to, as registered."),
    ]
    state: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{16,128}$", description="Of the browser's session; it comes back.")
    ]
    code_challenge: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="Base64url of the SHA-256 of the `code_verifier`.")
    ]
    code_challenge_method: Literal["S256"]


class ReadingCall(_Model):
    """Which terminal is to read a card, and for what."""

    system: SystemId
    service: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="A Type 1 service of the system.")]
    terminal: Annotated[str, Field(min_length=1, max_length=64, description="Name of a terminal of the client.")]
    nonce: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{16,128}$", description="The client's own; it comes back in the result.")
    ]
    title: ReadingTitle | None = None
    redirect: Annotated[
        ReadingRedirect | None, Field(description="Only where the browser of the terminal is at the system's own page.")
    ] = None
    basic_four: Annotated[
        bool, Field(description="With the basic 4 information, if the resident agrees on a screen of its own.")
    ] = False


class ReadingProgress(_Model):
    """How far a reading is. Decide by the signed `result` alone; only a reading that is `done` has one."""

    id: str
    state: ReadingState
    expires_at: Time
    result: Annotated[
        str | None, Field(description="A compact JWS (docs/readings.md), until the receipt comes back.")
    ] = None
    receipt: Annotated[str | None, Field(description=f"With a result. {_RECEIPT}")] = None
    authorization_uri: Annotated[
        str | None, Field(description="With `redirect`, in the answer to the request: where to send the browser, once.")
    ] = None


class RedirectedReadingCall(_Model):
    """What the browser brought back, and what proves that it is this client's own request."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
    redirect_uri: Annotated[str, Field(pattern=r"^https?://[!-~]{1,1000}$", description="The same as in the request.")]
    code_verifier: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{43,128}$")]


class LinkRequest(_Model):
    """The user number that the identifier is to have."""

    user_number: Annotated[str, Field(min_length=1, max_length=64, description="As people write it, or as scanned.")]


class LinkAnswer(_Model):
    """One link (連携登録)."""

    system: SystemId
    identifier: Annotated[str, Field(description="As asked for.")]
    user_number: Annotated[str, Field(description="In its one form: digits and capitals.")]
    linked_at: Time


class JsonWebKey(_Model):
    """An Ed25519 key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    kid: str
    x: str


class KeySet(_Model):
    """A JWK set."""

    keys: list[JsonWebKey]


RowId = Annotated[str, Field(max_length=200, description="The asker's own; it comes back.")]


class CertificateLine(_Model):
    """One line of a batch of certificates."""

    id: RowId = ""
    certificate: Annotated[str, Field(pattern=_BASE64, description="Base64 of the DER.")]


class PersonLine(_Model):
    """One line of a batch of linked persons."""

    id: RowId = ""
    ppid: Annotated[str, Field(pattern=r"^[2-9A-HJ-NP-Z]{24}$")]


class AnswerLine(_Model):
    """The answer to one line (docs/crl-batch.md); what does not apply is left out."""

    row: Annotated[int, Field(description="From 1.")]
    id: RowId = ""
    outcome: Annotated[str, Field(description="A word of docs/crl-batch.md; of a person also `not_linked`.")]
    reason: Annotated[str, Field(description="Of a person only where it could not be confirmed.")] = ""
    revoked_at: Time | None = None
    this_update: Time | None = None


class LastLine(_Model):
    """The last line of a batch: without it something is missing."""

    end: Literal["done", "client_revoked", "too_long", "request_too_slow"]
    rows: int


class ProblemAnswer(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")
    type: Annotated[str, Field(pattern=r"^urn:kiosk:problem:[a-z_]+$")]
    title: str
    status: int
    code: str
    instance: Annotated[str, Field(description="With the `Request-Id`.")]
    detail: str | None = None
    error: Annotated[str | None, Field(description="At the token endpoint: the word of RFC 6749 5.2.")] = None


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Of a field whose pattern was checked."""
    return binascii.a2b_base64(text)
