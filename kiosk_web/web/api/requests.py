"""How a request is read: within a size and a time, strictly, and without repeating anything of it in an error."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from kiosk_web.web.api.operations import QueryField
from kiosk_web.web.api.problems import ProblemRaised

MAXIMUM_BODY = 64 * 1024
BODY_SECONDS = 10.0
_TOKEN = re.compile(r"Bearer ([A-Za-z0-9_-]{43})", re.IGNORECASE)
_KEY = re.compile(r'"?([A-Za-z0-9_-]{16,64})"?')
CLOSE = {"Connection": "close"}

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body. Raises `ProblemRaised` for one that is too large or too slow."""
    if int(request.headers.get("content-length") or 0) > MAXIMUM_BODY:
        raise ProblemRaised("body_too_large", headers=CLOSE)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAXIMUM_BODY:
                    raise ProblemRaised("body_too_large", headers=CLOSE)
    except TimeoutError:
        raise ProblemRaised("request_too_slow", headers=CLOSE) from None
    return bytes(body)


async def read_stream(request: Request, seconds: float = BODY_SECONDS) -> AsyncGenerator[bytes]:
    """The body as it comes. Raises `ProblemRaised` when nothing comes for so many seconds."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise ProblemRaised("request_too_slow", headers=CLOSE) from None
        except ClientDisconnect:
            return
        if chunk is None:
            return
        if chunk:
            yield chunk


def read_model(body: bytes, model: type[Model]) -> Model:
    """The JSON object in `body`. Raises `ProblemRaised` naming the first field that is not as it must be."""
    try:
        value = _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        raise ProblemRaised("malformed_request", "the body is no JSON in UTF-8, or has a name twice") from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise ProblemRaised("malformed_request", _describe(first["loc"], first["type"], model)) from None


def _describe(place: tuple[int | str, ...], kind: str, model: type[BaseModel]) -> str:
    """Only names that are in the schema are repeated, not those that were made up."""
    name = place[0] if place and place[0] in model.model_fields else None
    if name is None:
        return "there is a field that is not in the schema" if kind == "extra_forbidden" else "not a JSON object"
    return f"{name}: missing" if kind == "missing" else f"{name}: not as the schema says"


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse_constant(text: str) -> object:
    raise ValueError("NaN or Infinity")


_JSON = json.JSONDecoder(object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form, each given once. Raises `ProblemRaised`."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=16)
    except ValueError:
        raise ProblemRaised("token_request_malformed", "the body is not a form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ProblemRaised("token_request_malformed", "a field is given twice")
    return fields


def require_media_type(request: Request, wanted: str) -> None:
    """Parameters such as `charset` are let be, if the charset is UTF-8."""
    given = request.headers.getlist("content-type")
    kind, _, parameters = (given[0] if len(given) == 1 else "").lower().partition(";")
    charset = parameters.strip()
    if kind.strip() != wanted or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise ProblemRaised("media_type_refused")


def read_token(request: Request) -> str:
    """The access token. Raises `ProblemRaised`."""
    given = request.headers.getlist("authorization")
    found = _TOKEN.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        raise refuse_token()
    return found.group(1)


def refuse_token() -> ProblemRaised:
    return ProblemRaised("token_refused", headers={"WWW-Authenticate": 'Bearer realm="kiosk", error="invalid_token"'})


def read_idempotency_key(request: Request) -> str | None:
    """Raises `ProblemRaised` for one that is too short to be unique, or doubled."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    found = _KEY.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        raise ProblemRaised("malformed_request", "Idempotency-Key: 16 to 64 letters, digits, hyphens and underscores")
    return found.group(1)


def read_query(request: Request, field: QueryField) -> str:
    """The one parameter there is, "" where it may be left out. Raises `ProblemRaised`."""
    refuse_query(request, field.name)
    if not field.required and field.name not in request.query_params:
        return ""
    value = request.query_params.get(field.name, "")
    if re.fullmatch(field.pattern, value) is None:
        raise ProblemRaised("malformed_request", f"{field.name}: not as the schema says")
    return value


def read_path(request: Request, field: QueryField, unknown: str = "reading_unknown") -> str:
    """A parameter of the path. Raises `ProblemRaised` with `unknown`: nothing is there under any other name."""
    value: str = request.path_params[field.name]
    if re.fullmatch(field.pattern, value) is None:
        raise ProblemRaised(unknown)
    return value


def read_header(request: Request, field: QueryField) -> str | None:
    """A field of the head, None where it may be left out and is. Raises `ProblemRaised` for a wrong or doubled one."""
    given = request.headers.getlist(field.name)
    if not given and not field.required:
        return None
    if len(given) != 1 or re.fullmatch(field.pattern, given[0]) is None:
        raise ProblemRaised("malformed_request", f"{field.name}: missing, doubled, or not as the schema says")
    return given[0]


def refuse_query(request: Request, *known: str) -> None:
    """No query parameter that is not known, and none twice."""
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    if len(set(names)) != len(names) or not set(names) <= set(known):
        raise ProblemRaised("malformed_request", "there is a query parameter that is not known, or one twice")
