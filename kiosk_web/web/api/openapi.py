"""`/api/v1/openapi.json` (OpenAPI 3.1), made from the operations and the models that validate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kiosk_web import __version__
from kiosk_web.web.api.models import ProblemAnswer
from kiosk_web.web.api.operations import OPERATIONS, Operation
from kiosk_web.web.api.problems import MEDIA_TYPE, PROBLEMS

_REFERENCE = "#/components/schemas/{model}"
_REQUEST_ID = {"description": "Names this request to the operator.", "schema": {"type": "string"}}


def build_openapi(server: str) -> dict[str, Any]:
    """The document. `server` is the public address of the API, without a closing slash."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.whole_path, {})[operation.method.lower()] = _build_operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "My Number Card kiosk: API for municipal systems",
            "version": __version__,
            "description": "How to begin, with examples: docs/api.md.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": build_schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An access token of `/api/v1/token`."}
            },
        },
    }


@cache
def build_schemas() -> Mapping[str, Any]:
    """The schemas of all models, by name; made once, for the document and for the page."""
    requests = [(operation.request, "validation") for operation in OPERATIONS if operation.request is not None]
    answers = [(operation.answer, "serialization") for operation in OPERATIONS if operation.answer is not None]
    incoming = [(operation.lines[0], "validation") for operation in OPERATIONS if operation.lines]
    outgoing = [(line, "serialization") for operation in OPERATIONS for line in operation.lines[1:]]
    used: Any = [
        *requests,
        *dict.fromkeys(answers),
        *dict.fromkeys(incoming),
        *dict.fromkeys(outgoing),
        (ProblemAnswer, "serialization"),
    ]
    _, document = models_json_schema(used, ref_template=_REFERENCE)
    schemas: dict[str, Any] = document["$defs"]
    return schemas


def _build_operation(operation: Operation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "responses": _build_responses(operation),
    }
    parameters = _build_parameters(operation)
    if parameters:
        document["parameters"] = parameters
    if operation.media_type is not None:
        document["requestBody"] = {
            "required": True,
            "content": {operation.media_type: {"schema": _build_request_schema(operation)}},
        }
    if operation.needs_token:
        document["security"] = [{"token": []}]
    return document


def _build_parameters(operation: Operation) -> list[dict[str, Any]]:
    places = (("path", operation.path_fields), ("query", operation.query), ("header", operation.headers))
    parameters: list[dict[str, Any]] = [
        {
            "name": field.name,
            "in": place,
            "required": field.required,
            "description": field.description,
            "schema": {"type": "string", "pattern": field.pattern},
        }
        for place, fields in places
        for field in fields
    ]
    if not operation.idempotent:
        return parameters
    return [
        *parameters,
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key with the same body gives the same answer for ten minutes.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"},
        },
    ]


def _build_request_schema(operation: Operation) -> dict[str, Any]:
    if operation.request is not None:
        return {"$ref": _REFERENCE.format(model=operation.request.__name__)}
    if operation.lines:
        return _describe_lines(operation.lines[:1])
    properties: dict[str, Any] = {}
    for field in operation.form:
        properties[field.name] = {"type": "string", "description": field.description}
        if field.value is not None:
            properties[field.name]["const"] = field.value
    required = [field.name for field in operation.form if field.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _describe_lines(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    """A stream is a text to OpenAPI 3.1; what a line is stands beside it."""
    names = " or ".join(model.__name__ for model in models)
    lines = [{"$ref": _REFERENCE.format(model=model.__name__)} for model in models]
    return {"type": "string", "description": f"Each line is a {names}.", "x-lines": {"anyOf": lines}}


def _build_responses(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": operation.summary, "headers": {"Request-Id": _REQUEST_ID}}
    if operation.answer is not None:
        schema = {"$ref": _REFERENCE.format(model=operation.answer.__name__)}
        success["content"] = {operation.answer_type: {"schema": schema}}
    elif operation.lines:
        success["content"] = {operation.answer_type: {"schema": _describe_lines(operation.lines[1:])}}
    if operation.tagged:
        success["headers"]["ETag"] = {"description": "Strong (RFC 9110 8.8.3).", "schema": {"type": "string"}}
    responses: dict[str, Any] = {str(operation.status): success}
    if operation.created is not None:
        responses[str(operation.created)] = success
    for status in sorted({PROBLEMS[code].status for code in operation.codes}):
        codes = [code for code in operation.codes if PROBLEMS[code].status == status]
        headers: dict[str, Any] = {"Request-Id": _REQUEST_ID}
        if status == 429:
            headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer"}}
        if "token_refused" in codes:
            headers["WWW-Authenticate"] = {"description": "RFC 6750 3.", "schema": {"type": "string"}}
        responses[str(status)] = {
            "description": "; ".join(f"`{code}`: {PROBLEMS[code].title}" for code in codes),
            "headers": headers,
            "content": {MEDIA_TYPE: {"schema": _refer_to_problem(codes)}},
        }
    return responses


def _refer_to_problem(codes: list[str]) -> dict[str, Any]:
    """The shape, and which codes it has here."""
    return {
        "allOf": [
            {"$ref": _REFERENCE.format(model=ProblemAnswer.__name__)},
            {"properties": {"code": {"enum": codes}}},
        ]
    }
