"""What the API can do, as data: the routes, `openapi.json` and the page of documentation are all made from this."""

from __future__ import annotations

from kiosk_web.web.api import models as m
from kiosk_web.web.api.link_operations import END_LINK, PUT_LINK, READ_LINK
from kiosk_web.web.api.operation import (
    ALWAYS_CODES,
    BODY_CODES,
    CLIENT_CODES,
    FORM,
    JSON,
    NDJSON,
    ONCE_CODES,
    PREFIX,
    FormField,
    Operation,
    QueryField,
)

__all__ = ["FORM", "JSON", "NDJSON", "OPERATIONS", "PREFIX", "Operation", "QueryField"]

TOKEN = Operation(
    id="issueToken",
    method="POST",
    path="/token",
    summary="Get an access token",
    description=(
        "OAuth 2.0 client credentials with `private_key_jwt` (RFC 7523). The assertion is a JWT signed with the "
        "client's key: `iss` and `sub` are the client's name, `aud` is the address of this endpoint, `exp` at most 60 "
        "seconds ahead, `jti` new each time. Ed25519 signs with EdDSA, P-256 with ES256, RSA with PS256."
    ),
    media_type=FORM,
    request=None,
    form=(
        FormField("grant_type", "The grant.", value="client_credentials"),
        FormField("client_assertion_type", "The kind.", value="urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        FormField("client_assertion", "The signed JWT, compact."),
        FormField("client_id", "The client's name, if given the same as in the assertion.", required=False),
    ),
    status=200,
    answer=m.AccessTokenAnswer,
    answer_type=JSON,
    codes=(
        *ALWAYS_CODES,
        *BODY_CODES,
        "token_request_malformed",
        "grant_type_unsupported",
        "client_unproven",
        "assertion_refused",
        "too_many_requests",
    ),
    needs_token=False,
)
CHALLENGE = Operation(
    id="issueChallenge",
    method="POST",
    path="/challenges",
    summary="Ask for a challenge",
    description=(
        "What the card is to sign, bound to the client, one of its systems, a registered origin and a purpose. It is "
        "usable once, for three minutes."
    ),
    media_type=JSON,
    request=m.ChallengeRequest,
    form=(),
    status=201,
    answer=m.ChallengeAnswer,
    answer_type=JSON,
    codes=(
        *ALWAYS_CODES,
        *BODY_CODES,
        *CLIENT_CODES,
        *ONCE_CODES,
        "system_not_permitted",
        "system_not_in_use",
        "origin_not_permitted",
        "kazashi_not_offered",
    ),
    idempotent=True,
)
VALIDATION = Operation(
    id="validate",
    method="POST",
    path="/validations",
    summary="Have a certificate and a signature judged",
    description=(
        "The challenge is used up first, whatever follows. Then trust, the signature over the published bytes, and the "
        "status of the certificate are judged. A refusal is an answer (200, `accepted` false), not an error. With "
        "`standing`, and only where the verdict accepts, the register of J-LIS is asked about the holder as well."
    ),
    media_type=JSON,
    request=m.ValidationRequest,
    form=(),
    status=200,
    answer=m.ValidationAnswer,
    answer_type=JSON,
    codes=(
        *ALWAYS_CODES,
        *BODY_CODES,
        *CLIENT_CODES,
        *ONCE_CODES,
        "method_not_permitted",
        "system_not_in_use",
        "challenge_not_usable",
    ),
    idempotent=True,
)
CONFIRMATION = Operation(
    id="confirmItems",
    method="POST",
    path="/confirmations",
    summary="Say that the basic 4 information of a person is known as it is today",
    description=(
        "After `standing` said `changed` and the person showed your system what changed. From then on `items` says "
        "whether they changed since today."
    ),
    media_type=JSON,
    request=m.ConfirmationRequest,
    form=(),
    status=204,
    answer=None,
    answer_type="",
    codes=(
        *ALWAYS_CODES,
        *BODY_CODES,
        *CLIENT_CODES,
        "system_not_permitted",
        "system_not_in_use",
        "identifier_unknown",
    ),
)
_BATCH = (
    *ALWAYS_CODES,
    "request_too_slow",
    "media_type_refused",
    *CLIENT_CODES,
    "method_not_permitted",
    "system_not_in_use",
    "batch_running",
)
CERTIFICATES = Operation(
    id="checkCertificates",
    method="POST",
    path="/batches/certificates",
    summary="Check many certificates against the lists",
    description=(
        "A stream of lines in, a stream of lines out, in the same order. Says whether certificates are in force and "
        "nothing of whose they are. The client needs the method `crl`. Read the answers while you send."
    ),
    media_type=NDJSON,
    request=None,
    form=(),
    status=200,
    answer=None,
    answer_type=NDJSON,
    codes=_BATCH,
    lines=(m.CertificateLine, m.AnswerLine, m.LastLine),
)
PERSONS = Operation(
    id="checkPersons",
    method="POST",
    path="/batches/persons",
    summary="Check the client's own linked persons against the lists",
    description=(
        "A stream of PPIDs of one system in, a stream of lines out, in the same order: is the newest certificate known "
        "of the person listed? A PPID of another system is `not_linked` like one that does not exist. The client needs "
        "the method `crl`. Read the answers while you send."
    ),
    media_type=NDJSON,
    request=None,
    form=(),
    status=200,
    answer=None,
    answer_type=NDJSON,
    codes=(*_BATCH, "system_not_permitted"),
    query=(QueryField("system", "The cooperating system whose PPIDs they are.", "^[a-z][a-z0-9-]{0,31}$"),),
    lines=(m.PersonLine, m.AnswerLine, m.LastLine),
)
READING = Operation(
    id="takeReading",
    method="POST",
    path="/sealed-readings",
    summary="Pick up the basic 4 information of one visit, once",
    description=(
        "What a resident agreed at a terminal to send to this system (Type 1), sealed to the key of the system. The "
        "client that is first gets it, and nobody else. If the answer is lost, the same client may ask again within "
        "two minutes. Once it has stored it, it sends `receipt` back (`POST /receipts`), and the ciphertext is gone."
    ),
    media_type=JSON,
    request=m.ReadingRequest,
    form=(),
    status=200,
    answer=m.ReadingAnswer,
    answer_type=JSON,
    codes=(*ALWAYS_CODES, *BODY_CODES, *CLIENT_CODES, "system_not_permitted", "reading_not_available"),
)
REQUEST_READING = Operation(
    id="requestReading",
    method="POST",
    path="/readings",
    summary="Ask for a reading at a terminal",
    description=(
        "Type 1: the terminal shows the resident who asks and for what, and reads the card. Only a terminal at which "
        "nobody is takes a request, one at a time. Ask for the end with `GET`."
    ),
    media_type=JSON,
    request=m.ReadingCall,
    form=(),
    status=201,
    answer=m.ReadingProgress,
    answer_type=JSON,
    codes=(
        *ALWAYS_CODES,
        *BODY_CODES,
        *CLIENT_CODES,
        *ONCE_CODES,
        "system_not_permitted",
        "system_not_in_use",
        "service_not_permitted",
        "basic_four_not_permitted",
        "terminal_not_permitted",
        "terminal_busy",
        "terminal_offline",
        "redirect_uri_not_permitted",
    ),
    idempotent=True,
)
REDEEM_READING = Operation(
    id="redeemReading",
    method="POST",
    path="/redirected-readings",
    summary="Redeem the code that the browser brought back",
    description=(
        "How a reading with `redirect` ended, with the signed result of one that is `done`. A code holds for a minute, "
        "for the client that asked, and once: it is used up by the first request that names it, right or wrong. If the "
        "answer is lost, ask for the reading with `GET`: it has the result again for two minutes once the code was "
        "redeemed. Once the result is stored, send `receipt` back (`POST /receipts`)."
    ),
    media_type=JSON,
    request=m.RedirectedReadingCall,
    form=(),
    status=200,
    answer=m.ReadingProgress,
    answer_type=JSON,
    codes=(*ALWAYS_CODES, *BODY_CODES, *CLIENT_CODES, "code_refused"),
)
ACKNOWLEDGE = Operation(
    id="acknowledge",
    method="POST",
    path="/receipts",
    summary="Say that a result or the basic 4 information arrived",
    description=(
        "Ends what was handed over: result and ciphertext are gone here. It can be repeated. Without it they are gone "
        "two minutes after they were first given, and it is not known whether they arrived."
    ),
    media_type=JSON,
    request=m.ReceiptCall,
    form=(),
    status=204,
    answer=None,
    answer_type="",
    codes=(*ALWAYS_CODES, *BODY_CODES, *CLIENT_CODES, "receipt_unknown"),
)
_READING_ID = QueryField("id", "The reading.", "^[A-Za-z0-9_-]{22}$")
SHOW_READING = Operation(
    id="showReading",
    method="GET",
    path="/readings/{id}",
    summary="Ask how a reading ended",
    description=(
        "With `wait` the answer comes at the end of the reading, or after so many seconds. The signed result of a "
        "reading that is `done` waits for five minutes, and is given again for two minutes after the first time, until "
        "its `receipt` comes back (`POST /receipts`); it is gone after that (`reading_delivered`)."
    ),
    media_type=None,
    request=None,
    form=(),
    status=200,
    answer=m.ReadingProgress,
    answer_type=JSON,
    codes=(*ALWAYS_CODES, *CLIENT_CODES, "reading_unknown", "reading_delivered"),
    query=(QueryField("wait", "Seconds to wait, 0 to 25.", "^([0-9]|1[0-9]|2[0-5])$", required=False),),
    path_fields=(_READING_ID,),
)
CANCEL_READING = Operation(
    id="cancelReading",
    method="DELETE",
    path="/readings/{id}",
    summary="Take a request for a reading back",
    description="The terminal tells the resident. A result whose receipt did not come back is forgotten.",
    media_type=None,
    request=None,
    form=(),
    status=200,
    answer=m.ReadingProgress,
    answer_type=JSON,
    codes=(*ALWAYS_CODES, *CLIENT_CODES, "reading_unknown"),
    path_fields=(_READING_ID,),
)
KEYS = Operation(
    id="showKeys",
    method="GET",
    path="/keys",
    summary="The keys that sign results",
    description="A JWK set (RFC 7517). Keys change every ten days or so; fetch it again for a `kid` that is not in it.",
    media_type=None,
    request=None,
    form=(),
    status=200,
    answer=m.KeySet,
    answer_type=JSON,
    codes=ALWAYS_CODES,
    needs_token=False,
)
OPERATIONS: tuple[Operation, ...] = (
    TOKEN,
    CHALLENGE,
    VALIDATION,
    CONFIRMATION,
    CERTIFICATES,
    PERSONS,
    READING,
    REQUEST_READING,
    SHOW_READING,
    CANCEL_READING,
    REDEEM_READING,
    ACKNOWLEDGE,
    READ_LINK,
    PUT_LINK,
    END_LINK,
    KEYS,
)
