"""The operations of the API: parse → one service call → render (`docs/api.md`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.pki.client_assertion import RefusedAssertion, RefusedClaim, Unproven
from kiosk_web.pki.status import Evidence
from kiosk_web.services.api_ports import ClientRecord, RemoteChallengeRecord
from kiosk_web.services.basic_four import BasicFourService
from kiosk_web.services.client_auth import ClientAuthService, TooMany
from kiosk_web.services.kept_replies import KeptReplies, Reply, ReplyRefused
from kiosk_web.services.list_batches import BatchRunning, ListBatches
from kiosk_web.services.reading_ports import ReadingRecord
from kiosk_web.services.readings import ReadingRefused, ReadingRequest, ReadingService
from kiosk_web.services.remote_validation import (
    ChallengeNotUsable,
    NotPermitted,
    RemoteValidationService,
    RemoteVerdict,
    build_remote_message,
)
from kiosk_web.web.api import models as m
from kiosk_web.web.api import requests as r
from kiosk_web.web.api.line_stream import LineStream
from kiosk_web.web.api.operations import (
    CANCEL_READING,
    CERTIFICATES,
    CHALLENGE,
    FORM,
    JSON,
    KEYS,
    NDJSON,
    PERSONS,
    READING,
    REQUEST_READING,
    SHOW_READING,
    TOKEN,
    VALIDATION,
    Operation,
)
from kiosk_web.web.api.problems import MEDIA_TYPE, ProblemRaised, build_document

_CLAIMS: dict[RefusedClaim, str] = {
    "claims": "`iss` and `sub` are the client's name, `exp` is a number of seconds",
    "audience": "`aud` is the address of the token endpoint, and nothing else",
    "expired": "`exp` has passed by the server's clock",
    "too_long": "`exp` is more than 60 seconds ahead by the server's clock",
    "not_yet_valid": "`iat` or `nbf` is in the future by the server's clock",
    "jti": "`jti` has 1 to 128 characters",
    "jti_used": "this `jti` was used before",
}
_SHA256_OCTETS = 32


@dataclass(frozen=True)
class ApiRoutes:
    """Everything the operations need. `body_seconds`: how long a body may take."""

    auth: ClientAuthService
    remote: RemoteValidationService
    replies: KeptReplies
    batches: ListBatches
    sealed: BasicFourService
    readings: ReadingService
    body_seconds: float = r.BODY_SECONDS

    def handlers(self) -> dict[Operation, Callable[[Request], Awaitable[Response]]]:
        return {
            TOKEN: self.issue_token,
            CHALLENGE: self.issue_challenge,
            VALIDATION: self.validate,
            CERTIFICATES: self.check_certificates,
            PERSONS: self.check_persons,
            READING: self.take_reading,
            REQUEST_READING: self.request_reading,
            SHOW_READING: self.show_reading,
            CANCEL_READING: self.cancel_reading,
            KEYS: self.show_keys,
        }

    async def issue_token(self, request: Request) -> Response:
        r.require_media_type(request, FORM)
        r.refuse_query(request)
        fields = r.read_form(await r.read_body(request, self.body_seconds))
        if "grant_type" in fields and fields["grant_type"] != TOKEN.form[0].value:
            raise ProblemRaised("grant_type_unsupported")
        if not {field.name for field in TOKEN.form if field.required} <= set(fields):
            raise ProblemRaised("token_request_malformed", "a field is missing")
        if fields["client_assertion_type"] != TOKEN.form[1].value:
            raise ProblemRaised("token_request_malformed", "another client_assertion_type is expected")
        answer = await self.auth.issue_token(fields["client_assertion"], fields.get("client_id"))
        match answer:
            case Unproven():
                raise ProblemRaised("client_unproven")
            case RefusedAssertion(why):
                raise ProblemRaised("assertion_refused", _CLAIMS[why])
            case TooMany():
                raise _refuse_haste(answer)
            case _:
                seconds = int(answer.lifetime.total_seconds())
                return _render(
                    TOKEN.status,
                    m.AccessTokenAnswer(access_token=answer.value, token_type="Bearer", expires_in=seconds),  # noqa: S106 a kind
                )

    async def issue_challenge(self, request: Request) -> Response:
        client = await self._admit(request)
        body = await self._read_json(request)
        asked = r.read_model(body, m.ChallengeRequest)

        async def work() -> Reply:
            if asked.method == "kazashi":
                return _build_refusal(request, ProblemRaised("kazashi_not_offered"))
            answer = await self.remote.issue_challenge(client, asked.system, asked.origin)
            if isinstance(answer, NotPermitted):
                return _build_refusal(request, ProblemRaised(name_problem(answer)))
            return Reply(CHALLENGE.status, build_challenge_answer(answer).model_dump_json())

        return await self._answer_once(request, client, CHALLENGE, body, work)

    async def validate(self, request: Request) -> Response:
        client = await self._admit(request)
        body = await self._read_json(request)
        asked = r.read_model(body, m.ValidationRequest)

        async def work() -> Reply:
            certificate, signature = m.decode_base64(asked.certificate), m.decode_base64(asked.signature)
            answer = await self.remote.validate(client, asked.challenge, certificate, signature, asked.policy)
            match answer:
                case NotPermitted():
                    return _build_refusal(request, ProblemRaised(name_problem(answer)))
                case ChallengeNotUsable():
                    return _build_refusal(request, ProblemRaised("challenge_not_usable"))
                case _:
                    return Reply(VALIDATION.status, _build_validation(answer).model_dump_json())

        return await self._answer_once(request, client, VALIDATION, body, work)

    async def check_certificates(self, request: Request) -> Response:
        client = await self._admit(request)
        r.require_media_type(request, NDJSON)
        r.refuse_query(request)
        return self._stream(self.batches.check_certificates(client, r.read_stream(request, self.body_seconds)))

    async def check_persons(self, request: Request) -> Response:
        client = await self._admit(request)
        r.require_media_type(request, NDJSON)
        system = r.read_query(request, PERSONS.query[0])
        return self._stream(self.batches.check_persons(client, system, r.read_stream(request, self.body_seconds)))

    async def take_reading(self, request: Request) -> Response:
        client = await self._admit(request)
        body = await self._read_json(request)
        asked = r.read_model(body, m.ReadingRequest)

        async def work() -> Reply:
            taken = await self.sealed.take_reading(client, asked.system, asked.reference)
            match taken:
                case NotPermitted():
                    return _build_refusal(request, ProblemRaised(f"{taken.what}_not_permitted"))
                case None:
                    return _build_refusal(request, ProblemRaised("reading_not_available"))
                case _:
                    answer = m.ReadingAnswer(
                        reading=taken.id,
                        reference=taken.reference,
                        system=taken.system,
                        created_at=taken.created_at,
                        jwe=taken.jwe,
                    )
                    return Reply(READING.status, answer.model_dump_json())

        return await self._answer_once(request, client, READING, body, work)

    def _stream(self, answer: AsyncGenerator[bytes] | NotPermitted | BatchRunning) -> Response:
        match answer:
            case NotPermitted():
                raise ProblemRaised(name_problem(answer), headers=r.CLOSE)
            case BatchRunning():
                raise ProblemRaised("batch_running", headers=r.CLOSE)
            case _:
                return LineStream(answer, self.body_seconds)

    async def request_reading(self, request: Request) -> Response:
        client = await self._admit(request)
        body = await self._read_json(request)
        asked = r.read_model(body, m.ReadingCall)

        async def work() -> Reply:
            title = asked.title or m.ReadingTitle(ja="", en="")
            wanted = ReadingRequest(asked.system, asked.service, asked.terminal, asked.nonce, title.ja, title.en)
            answer = await self.readings.request(client, wanted)
            if isinstance(answer, ReadingRefused):
                return _build_refusal(request, ProblemRaised(answer.why))
            return Reply(REQUEST_READING.status, _build_progress(answer).model_dump_json())

        return await self._answer_once(request, client, REQUEST_READING, body, work)

    async def show_reading(self, request: Request) -> Response:
        """A result is taken only for somebody who is still there to get it."""
        client = await self._admit(request)
        wait = r.read_query(request, SHOW_READING.query[0])
        record = await self.readings.find(client, r.read_path(request, SHOW_READING.path_fields[0]), int(wait or 0))
        if record is None:
            raise ProblemRaised("reading_unknown")
        result = None
        if record.state == "done":
            result = None if await request.is_disconnected() else await self.readings.take_result(record)
            if result is None:
                raise ProblemRaised("reading_delivered")
        return _render(SHOW_READING.status, _build_progress(record, result))

    async def cancel_reading(self, request: Request) -> Response:
        client = await self._admit(request)
        r.refuse_query(request)
        record = await self.readings.cancel(client, r.read_path(request, CANCEL_READING.path_fields[0]))
        if record is None:
            raise ProblemRaised("reading_unknown")
        return _render(CANCEL_READING.status, _build_progress(record))

    async def show_keys(self, request: Request) -> Response:
        r.refuse_query(request)
        return _render(KEYS.status, m.KeySet.model_validate(self.readings.build_key_set()))

    async def _admit(self, request: Request) -> ClientRecord:
        """Whose token it is, before anything else of the request is looked at."""
        client = await self.auth.find_client(r.read_token(request))
        if client is None:
            raise r.refuse_token()
        if isinstance(client, TooMany):
            raise _refuse_haste(client)
        return client

    async def _read_json(self, request: Request) -> bytes:
        r.require_media_type(request, JSON)
        r.refuse_query(request)
        return await r.read_body(request, self.body_seconds)

    async def _answer_once(
        self,
        request: Request,
        client: ClientRecord,
        operation: Operation,
        body: bytes,
        work: Callable[[], Awaitable[Reply]],
    ) -> Response:
        """Do the work, once for each Idempotency-Key."""
        key = r.read_idempotency_key(request)
        if key is None:
            return _send(await work())
        sha256 = hashlib.sha256(operation.id.encode() + b"\0" + body).digest()
        reply = await self.replies.answer(client.name, key, sha256, work)
        if isinstance(reply, ReplyRefused):
            raise ProblemRaised("request_running" if reply.why == "running" else "idempotency_key_reused")
        return _send(reply)


def name_problem(refused: NotPermitted) -> str:
    """A system that is not in use yet has a problem of its own."""
    return "system_not_in_use" if refused.what == "stage" else f"{refused.what}_not_permitted"


def _refuse_haste(answer: TooMany) -> ProblemRaised:
    return ProblemRaised("too_many_requests", headers={"Retry-After": str(answer.retry_after)})


def _build_refusal(request: Request, raised: ProblemRaised) -> Reply:
    """A problem as an answer that can be kept and given again."""
    document = build_document(raised.problem, request.scope["state"]["request_id"], raised.detail)
    return Reply(raised.problem.status, json.dumps(document))


def _send(reply: Reply) -> Response:
    response = Response(reply.body, reply.status, media_type=JSON if reply.status < 400 else MEDIA_TYPE)
    if reply.again:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _render(status: int, answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), status, media_type=JSON)


def build_challenge_answer(challenge: RemoteChallengeRecord) -> m.ChallengeAnswer:
    """The bytes around the certificate's hash, found by building the message with a hash of zeros."""
    message = build_remote_message(challenge, bytes(_SHA256_OCTETS))
    end = len(message) - 4  # consent and lease are empty: two lengths of two octets
    return m.ChallengeAnswer(
        challenge=challenge.id,
        reference=challenge.reference,
        issued_at=challenge.issued_at,
        expires_at=challenge.expires_at,
        fields=m.SignedFields(
            method="pin",
            purpose="identify",
            origin=challenge.origin,
            terminal=challenge.client,
            session=challenge.id,
            service=challenge.system,
            nonce=m.encode_base64(challenge.nonce),
            consent="",
            lease="",
        ),
        message_before=m.encode_base64(message[: end - _SHA256_OCTETS]),
        message_after=m.encode_base64(message[end:]),
    )


def _build_progress(record: ReadingRecord, result: str | None = None) -> m.ReadingProgress:
    return m.ReadingProgress(id=record.id, state=record.state, expires_at=record.expires_at, result=result)


def _build_validation(verdict: RemoteVerdict) -> m.ValidationAnswer:
    return m.ValidationAnswer(
        accepted=verdict.outcome == "good",
        outcome=verdict.outcome,
        reason=verdict.reason,
        reference=verdict.reference,
        system=verdict.system,
        ppid=verdict.ppid,
        expires_soon=verdict.expires_soon,
        judged_at=verdict.judged_at,
        evidence=None if verdict.evidence is None else _build_evidence(verdict.evidence),
    )


def _build_evidence(evidence: Evidence) -> m.StatusEvidence:
    return m.StatusEvidence(
        method=evidence.method,
        this_update=evidence.this_update,
        next_update=evidence.next_update,
        responder=evidence.responder,
        sha256=evidence.sha256.hex(),
        checked_at=evidence.checked_at,
        fallback=None if evidence.opening is None else evidence.opening.cause,
    )
