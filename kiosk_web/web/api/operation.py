"""What an operation of the API is, as data, and the problems that many of them may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

PREFIX = "/api/v1"
JSON, FORM, NDJSON = "application/json", "application/x-www-form-urlencoded", "application/x-ndjson"

ALWAYS_CODES = ("host_refused", "browser_refused", "malformed_request", "internal")
BODY_CODES = ("request_too_slow", "body_too_large", "media_type_refused")
CLIENT_CODES = ("token_refused", "too_many_requests")
ONCE_CODES = ("request_running", "idempotency_key_reused")


@dataclass(frozen=True)
class FormField:
    """One field of the token request."""

    name: str
    description: str
    required: bool = True
    value: str | None = None


@dataclass(frozen=True)
class QueryField:
    """One parameter of the query, the path or the head of a request; one of the path is always required."""

    name: str
    description: str
    pattern: str
    required: bool = True


@dataclass(frozen=True)
class Operation:
    """`answer` is sent with `status`, or with `created` where it made something new; without `answer` and `lines`
    nothing is sent. `codes` are the problems that may come instead. `tagged`: the answer has an `ETag`.
    """

    id: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    summary: str
    description: str
    media_type: str | None
    request: type[BaseModel] | None
    form: tuple[FormField, ...]
    status: int
    answer: type[BaseModel] | None
    answer_type: str
    codes: tuple[str, ...]
    needs_token: bool = True
    idempotent: bool = False
    query: tuple[QueryField, ...] = ()
    path_fields: tuple[QueryField, ...] = ()
    headers: tuple[QueryField, ...] = ()
    created: int | None = None
    tagged: bool = False
    lines: tuple[type[BaseModel], ...] = ()
    """Of a stream: the model of a line that comes in, then those of the lines that go out."""

    @property
    def whole_path(self) -> str:
        return PREFIX + self.path
