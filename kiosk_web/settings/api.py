"""The settings of the API (`[api]`)."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ApiSettings(BaseModel):
    """`url` is the public address, as clients dial it: `https://` and a host, without a path or a closing slash.

    The token endpoint is `{url}/api/v1/token`, and that is what `aud` of an assertion must be. Without it a demo serves
    the API under the address of the staff page, and production does not serve it at all. A reading on request waits
    `reading_seconds` for a resident.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    reading_seconds: Annotated[int, Field(ge=30, le=300)] = 120

    @field_validator("url")
    @classmethod
    def _judge_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.netloc or value != f"{parts.scheme}://{parts.netloc}":
            raise ValueError("write an address like https://kiosk-api.example.lg.jp: no path, no closing slash")
        if value != value.lower() or "@" in parts.netloc:
            raise ValueError("write it in small letters, without a user")
        return value
