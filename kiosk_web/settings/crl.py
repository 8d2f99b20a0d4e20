"""The settings of revocation lists (`[crl]` and `[[crl.sources]]`), explained in `docs/crl.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class CrlSourceSettings(BaseModel):
    """One place that lists come from.

    `issuer_key_id` (hexadecimal) and `point` (RFC 4514) are what its lists must be about; without them, whatever an
    anchor signed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: SourceName
    kind: Literal["file", "directory", "http"]
    path: Path | None = None
    url: str | None = None
    interval_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 60
    max_bytes: Annotated[int, Field(ge=1, le=1 << 40)] = 512 * 1024 * 1024
    budget_seconds: Annotated[float, Field(gt=0, le=24 * 3600)] = 600
    issuer_key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:?[0-9a-f]{2})*$")] | None = None
    point: Annotated[str, Field(min_length=1, max_length=1000)] | None = None

    @field_validator("issuer_key_id", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _judge_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _judge_place(self) -> CrlSourceSettings:
        needed, other = ("url", "path") if self.kind == "http" else ("path", "url")
        if getattr(self, needed) is None or getattr(self, other) is not None:
            raise ValueError(f"{self.name}: a source of kind {self.kind} has a {needed} and no {other}")
        return self


class CrlSettings(BaseModel):
    """`alarm_hours` before nextUpdate staff are told; a list is too old `max_age_hours` after its thisUpdate.

    `sweep_at` (time in Japan; empty: never): when linked persons are looked up in the lists
    (`services/lists/sweep.py`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    alarm_hours: Annotated[float, Field(ge=0, le=240)] = 6
    max_age_hours: Annotated[float, Field(gt=0, le=240)] = 30
    sweep_at: Annotated[str, Field(pattern=r"^(|([01][0-9]|2[0-3]):[0-5][0-9])$")] = "03:30"
    sources: tuple[CrlSourceSettings, ...] = ()

    @model_validator(mode="after")
    def _judge_names(self) -> CrlSettings:
        if len({source.name for source in self.sources}) != len(self.sources):
            raise ValueError("sources: two have the same name")
        return self
