"""Every error of the API, in one shape (RFC 9457). Codes never change their meaning; `docs/api.md` lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:kiosk:problem:"
REQUEST_PREFIX = "urn:kiosk:request:"

OAuthError = Literal["invalid_request", "invalid_client", "unsupported_grant_type"]


@dataclass(frozen=True)
class Problem:
    """One kind of error. `remedy` is for the engineer of the client. `error` is the word of RFC 6749 5.2."""

    code: str
    status: int
    title: str
    remedy: str
    error: OAuthError | None = None


PROBLEMS: Mapping[str, Problem] = {
    problem.code: problem
    for problem in (
        Problem(
            "malformed_request",
            400,
            "The request is malformed",
            "Compare it with the schema; `detail` names the field. No field may be missing, added, or given twice.",
        ),
        Problem(
            "host_refused",
            400,
            "The API is not served under this name",
            "Send the `Host` of the configured address. Behind a reverse proxy: hand `Host` through.",
        ),
        Problem(
            "token_request_malformed",
            400,
            "The token request is malformed",
            "Send the form fields `grant_type`, `client_assertion_type` and `client_assertion`, each once.",
            "invalid_request",
        ),
        Problem(
            "grant_type_unsupported",
            400,
            "This grant type is not offered",
            "Use `client_credentials` with `client_assertion_type` "
            "`urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.",
            "unsupported_grant_type",
        ),
        Problem(
            "client_unproven",
            401,
            "The assertion does not prove a client",
            "Check client name, key and algorithm (Ed25519: EdDSA, P-256: ES256, RSA: PS256), and that the client was "
            "not revoked. Which of these it is is not told.",
            "invalid_client",
        ),
        Problem(
            "assertion_refused",
            401,
            "The assertion is signed by the client and still not right",
            "`detail` says which claim. `exp` is at most 60 seconds ahead by the server's clock; every assertion has a "
            "new `jti`.",
            "invalid_client",
        ),
        Problem(
            "token_refused",
            401,
            "There is no access token that holds",
            "Get one at the token endpoint and send `Authorization: Bearer …`. It holds for five minutes.",
        ),
        Problem(
            "system_not_permitted",
            403,
            "This client does not speak for that system",
            "Name a system of the client (`kiosk client list`). A system that does not exist is refused alike.",
        ),
        Problem(
            "system_not_in_use",
            403,
            "This system is not in use yet",
            "Challenges from the stage `linkage_test` on, answers about people from `pilot` on: ask the operator how "
            "far its introduction is (`kiosk system show`).",
        ),
        Problem(
            "origin_not_permitted",
            403,
            "This origin is not registered for the client",
            "Register the page's origin exactly as the browser sends it (`kiosk client add --origin`).",
        ),
        Problem(
            "method_not_permitted",
            403,
            "The client may not confirm certificates by this method",
            "Use a method of the client (`kiosk client list`).",
        ),
        Problem(
            "service_not_permitted",
            403,
            "No reading can be asked for with this service",
            "Name a Type 1 service of the system. A service that does not exist is refused alike.",
        ),
        Problem(
            "basic_four_not_permitted",
            403,
            "This service does not ask for the basic 4 information",
            "Give the service its basic_four in the settings, or ask without.",
        ),
        Problem(
            "terminal_not_permitted",
            403,
            "This client may not ask for a reading at that terminal",
            "Register the terminal for the client (`kiosk client add --terminal`). One that does not exist is refused "
            "alike.",
        ),
        Problem(
            "redirect_uri_not_permitted",
            403,
            "The browser may not be sent back to this address",
            "Register it sign by sign (`kiosk client add --redirect-uri`).",
        ),
        Problem(
            "links_not_permitted",
            403,
            "This client may not read and change links of this system",
            "Register the system for it (`kiosk client add --links`).",
        ),
        Problem(
            "links_kept_elsewhere",
            403,
            "The municipality keeps the links of this system itself",
            'Ask the system, or have the operator set `link_holder = "platform"` (docs/linking.md).',
        ),
        Problem(
            "kazashi_not_offered",
            403,
            "There is no kazashi by API",
            "Type 2 has none: ask for `pin`. Kazashi is for supervised counters with Type 1 or the library profile.",
        ),
        Problem(
            "browser_refused",
            403,
            "The API is called by programs of the municipality, not by web pages",
            "Call it from your server. A page must never hold the client's key or token.",
        ),
        Problem("not_found", 404, "There is nothing here", "Compare the path with `/api/v1/openapi.json`."),
        Problem(
            "reading_unknown",
            404,
            "There is no such reading",
            "It is unknown, another client's, or older than a day; which of these is not told.",
        ),
        Problem(
            "receipt_unknown",
            404,
            "There is nothing to acknowledge under this receipt",
            "It is unknown, another client's, or came too late; which of these is not told. What it was for is gone.",
        ),
        Problem(
            "link_unknown",
            404,
            "There is no user number under this identifier",
            "The identifier is unknown, of another system, or has no number; which of these is not told.",
        ),
        Problem(
            "identifier_unknown",
            404,
            "There is no such identifier in this system",
            "It is unknown, of another system, or (a MyKey ID) not in force; which of these is not told.",
        ),
        Problem(
            "reading_delivered",
            410,
            "The result is not here any more",
            "Its receipt came back, it was first given two minutes ago, or it waited for five. Ask for another one.",
        ),
        Problem(
            "method_not_allowed",
            405,
            "This path does not know the HTTP method",
            "The header `Allow` has those it knows.",
        ),
        Problem(
            "request_too_slow",
            408,
            "The request did not arrive in time",
            "Send the whole body within ten seconds; of a stream, read the answers while you send.",
        ),
        Problem(
            "challenge_not_usable",
            409,
            "This challenge cannot be used",
            "It is unknown, of another client, used, or older than three minutes; which of these is not told. Ask for "
            "a new one and let the card sign again.",
        ),
        Problem(
            "code_refused",
            409,
            "This code cannot be redeemed",
            "It is unknown, another client's, used, older than a minute, or `redirect_uri` or `code_verifier` are not "
            "those of the request; which of these is not told. Ask for another reading.",
        ),
        Problem(
            "reading_not_available",
            409,
            "There is no reading to pick up under this reference number",
            "It is unknown, of another system, picked up before, or its life has ended; which of these is not told. "
            "Ask the resident to send the information once more.",
        ),
        Problem(
            "terminal_busy",
            409,
            "Somebody is at this terminal",
            "A visit or another reading is under way, a card lies on the reader, or a hand was on the screen lately. "
            "Have the card taken and ask again.",
        ),
        Problem(
            "terminal_offline",
            409,
            "This terminal is not connected",
            "Its page is closed, or it was revoked. Staff see it on the staff page.",
        ),
        Problem(
            "request_running",
            409,
            "The first request with this Idempotency-Key is still being answered",
            "Ask again in a moment with the same key and body.",
        ),
        Problem(
            "batch_running",
            409,
            "A batch of this client is still running",
            "One at a time: wait for its last line.",
        ),
        Problem(
            "number_taken",
            409,
            "The user number is linked to another person",
            "Whose it is is not told. Check the number; a link is never moved, so have the other one ended first.",
        ),
        Problem(
            "precondition_failed",
            412,
            "The link is not as `If-Match` or `If-None-Match` says",
            "Somebody else changed it, or there is one already, or none. Read it again and decide anew.",
        ),
        Problem("body_too_large", 413, "The body is too large", "At most 64 KiB; a stream may be of any length."),
        Problem(
            "media_type_refused",
            415,
            "Another media type is expected",
            "`application/json`; at the token endpoint `application/x-www-form-urlencoded`; for a batch "
            "`application/x-ndjson`.",
        ),
        Problem(
            "idempotency_key_reused",
            422,
            "This Idempotency-Key was used for another request",
            "Use a new random key for each new request.",
        ),
        Problem(
            "number_malformed",
            422,
            "This is no user number of the system",
            "Compare it with the form of the system's numbers (`user_number.pattern`).",
        ),
        Problem(
            "number_check_digit",
            422,
            "The check digit of the user number is wrong",
            "Read the number again.",
        ),
        Problem(
            "number_not_listed",
            422,
            "The user number is not on the list of valid ones",
            "Have the library's list brought up to date (`kiosk link numbers`).",
        ),
        Problem(
            "precondition_required",
            428,
            "The request must say which link it means",
            "Send `If-Match` with the `ETag`, or `If-None-Match: *` for a new link.",
        ),
        Problem(
            "too_many_requests",
            429,
            "The client has used up its requests",
            "Wait for as many seconds as `Retry-After` says.",
        ),
        Problem(
            "internal",
            500,
            "The server failed",
            "Try again; if it lasts, tell the operator the `Request-Id`.",
        ),
    )
}


class ProblemRaised(Exception):
    """Ends a request with a problem. `detail` is one of our own fixed texts: what was sent is never quoted."""

    def __init__(self, code: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.problem = PROBLEMS[code]
        self.detail = detail
        self.headers = dict(headers or {})


def build_document(problem: Problem, request_id: str, detail: str = "") -> dict[str, object]:
    """The JSON of a problem."""
    document: dict[str, object] = {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "instance": REQUEST_PREFIX + request_id,
    }
    if detail:
        document["detail"] = detail
    if problem.error is not None:
        document["error"] = problem.error
    return document


def build_problem(raised: ProblemRaised, request_id: str) -> Response:
    document = build_document(raised.problem, request_id, raised.detail)
    return Response(json.dumps(document), raised.problem.status, raised.headers, MEDIA_TYPE)
