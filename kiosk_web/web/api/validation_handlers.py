"""The operations on one card at a client's own reader: a challenge, then the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.identity.standing import HolderStanding
from kiosk_web.pki.status import Evidence
from kiosk_web.services.api.answers import (
    ChallengeNotUsable,
    IdentifierUnknown,
    NotPermitted,
    RemoteVerdict,
    build_remote_message,
)
from kiosk_web.services.api.kept_replies import Reply
from kiosk_web.services.api.validation import RemoteValidationService
from kiosk_web.services.ports.remote import RemoteChallengeRecord
from kiosk_web.web.api import models as m
from kiosk_web.web.api import requests as r
from kiosk_web.web.api.admission import Admission, Handler
from kiosk_web.web.api.answers import build_refusal, name_problem
from kiosk_web.web.api.operations import CHALLENGE, CONFIRMATION, VALIDATION, Operation
from kiosk_web.web.api.problems import ProblemRaised

_SHA256_OCTETS = 32
_write_json = TypeAdapter(dict[str, object]).dump_json


@dataclass(frozen=True)
class ValidationHandlers:
    admission: Admission
    remote: RemoteValidationService

    def handlers(self) -> Mapping[Operation, Handler]:
        return {CHALLENGE: self.issue_challenge, VALIDATION: self.validate, CONFIRMATION: self.confirm_items}

    async def issue_challenge(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        body = await self.admission.read_json(request)
        asked = r.read_model(body, m.ChallengeRequest)

        async def work() -> Reply:
            if asked.method == "kazashi":
                return build_refusal(request, "kazashi_not_offered")
            answer = await self.remote.issue_challenge(client, asked.system, asked.origin)
            if isinstance(answer, NotPermitted):
                return build_refusal(request, name_problem(answer))
            return Reply(CHALLENGE.status, build_challenge_answer(answer).model_dump_json())

        return await self.admission.answer_once(request, client, CHALLENGE, body, work)

    async def validate(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        body = await self.admission.read_json(request)
        asked = r.read_model(body, m.ValidationRequest)

        async def work() -> Reply:
            certificate, signature = m.decode_base64(asked.certificate), m.decode_base64(asked.signature)
            answer = await self.remote.validate(
                client, asked.challenge, certificate, signature, asked.policy, standing=asked.standing
            )
            match answer:
                case NotPermitted():
                    return build_refusal(request, name_problem(answer))
                case ChallengeNotUsable():
                    return build_refusal(request, "challenge_not_usable")
                case _:
                    return Reply(VALIDATION.status, write_validation(answer))

        return await self.admission.answer_once(request, client, VALIDATION, body, work)

    async def confirm_items(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        asked = r.read_model(await self.admission.read_json(request), m.ConfirmationRequest)
        match await self.remote.confirm_items(client, asked.system, asked.ppid):
            case NotPermitted() as refused:
                raise ProblemRaised(name_problem(refused))
            case IdentifierUnknown():
                raise ProblemRaised("identifier_unknown")
            case None:
                return Response(status_code=CONFIRMATION.status)


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


def write_validation(verdict: RemoteVerdict) -> str:
    """A `ValidationAnswer` in JSON, written field by field: the model, which says how it must look, takes four times as
    long. A test holds the two together.
    """
    return _write_json(
        {
            "accepted": verdict.outcome == "good",
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "reference": verdict.reference,
            "system": verdict.system,
            "ppid": verdict.ppid,
            "expires_soon": verdict.expires_soon,
            "judged_at": m.write_time(verdict.judged_at),
            "evidence": None if verdict.evidence is None else _describe_evidence(verdict.evidence),
            "standing": None if verdict.standing is None else _describe_standing(verdict.standing),
        }
    ).decode()


def _describe_standing(standing: HolderStanding) -> dict[str, object]:
    return {
        "signature_certificate": standing.signature,
        "items": standing.items,
        "since": None if standing.since is None else standing.since.isoformat(),
        "as_of": _write_time(standing.as_of),
        "why": standing.why or None,
    }


def _describe_evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "method": evidence.method,
        "this_update": _write_time(evidence.this_update),
        "next_update": _write_time(evidence.next_update),
        "responder": evidence.responder,
        "sha256": evidence.sha256.hex(),
        "checked_at": m.write_time(evidence.checked_at),
        "fallback": None if evidence.opening is None else evidence.opening.cause,
    }


@lru_cache(maxsize=256)
def _write_time(time: datetime | None) -> str | None:
    """Remembered: those of a list are the same in every answer that rests on it."""
    return None if time is None else m.write_time(time)
