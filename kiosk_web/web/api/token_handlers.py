"""The operation that signs a client in (`docs/api.md`, "Signing in")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.pki.client_assertion import RefusedAssertion, RefusedClaim, Unproven
from kiosk_web.services.api.client_auth import TooMany
from kiosk_web.web.api import models as m
from kiosk_web.web.api import requests as r
from kiosk_web.web.api.admission import Admission, Handler
from kiosk_web.web.api.answers import refuse_haste, render
from kiosk_web.web.api.operations import FORM, TOKEN, Operation
from kiosk_web.web.api.problems import ProblemRaised

_CLAIMS: dict[RefusedClaim, str] = {
    "claims": "`iss` and `sub` are the client's name, `exp` is a number of seconds",
    "audience": "`aud` is the address of the token endpoint, and nothing else",
    "expired": "`exp` has passed by the server's clock",
    "too_long": "`exp` is more than 60 seconds ahead by the server's clock",
    "not_yet_valid": "`iat` or `nbf` is in the future by the server's clock",
    "jti": "`jti` has 1 to 128 characters",
    "jti_used": "this `jti` was used before",
}


@dataclass(frozen=True)
class TokenHandlers:
    admission: Admission

    def handlers(self) -> Mapping[Operation, Handler]:
        return {TOKEN: self.issue_token}

    async def issue_token(self, request: Request) -> Response:
        r.require_media_type(request, FORM)
        r.refuse_query(request)
        fields = r.read_form(await r.read_body(request, self.admission.body_seconds))
        if "grant_type" in fields and fields["grant_type"] != TOKEN.form[0].value:
            raise ProblemRaised("grant_type_unsupported")
        if not {field.name for field in TOKEN.form if field.required} <= set(fields):
            raise ProblemRaised("token_request_malformed", "a field is missing")
        if fields["client_assertion_type"] != TOKEN.form[1].value:
            raise ProblemRaised("token_request_malformed", "another client_assertion_type is expected")
        answer = await self.admission.auth.issue_token(fields["client_assertion"], fields.get("client_id"))
        match answer:
            case Unproven():
                raise ProblemRaised("client_unproven")
            case RefusedAssertion(why):
                raise ProblemRaised("assertion_refused", _CLAIMS[why])
            case TooMany():
                raise refuse_haste(answer)
            case _:
                seconds = int(answer.lifetime.total_seconds())
                return render(
                    TOKEN.status,
                    m.AccessTokenAnswer(access_token=answer.value, token_type="Bearer", expires_in=seconds),  # noqa: S106 a kind
                )
