"""The settings of hand-over (`[handover]`), explained in `docs/handover.md`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SystemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
TerminalName = Annotated[str, Field(min_length=1, max_length=100)]
CodabarLetter = Literal["A", "B", "C", "D"]


class LibrarySettings(BaseModel):
    """The SIP2 server of a library system. Without `user` there is no login."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)] = 6001
    user: str = ""
    password: str = ""
    location: str = ""
    institution: str = ""
    terminal_password: str = ""
    charset: Literal["utf-8", "cp932"] = "utf-8"
    tls: bool = False
    certificates: str | None = None
    error_detection: bool = True
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 5.0
    retries: Annotated[int, Field(ge=0, le=5)] = 2

    @field_validator("user", "password", "location", "institution", "terminal_password")
    @classmethod
    def _judge_field(cls, value: str) -> str:
        if len(value) > 255 or "|" in value or not value.isprintable():
            raise ValueError("at most 255 signs, without | and without line ends")
        return value

    @model_validator(mode="after")
    def _judge_charset(self) -> LibrarySettings:
        """What the charset cannot write would fail at the first question only."""
        for name in ("user", "password", "location", "institution", "terminal_password"):
            try:
                getattr(self, name).encode(self.charset)
            except UnicodeEncodeError:
                raise ValueError(f"{name} has a sign that charset {self.charset} does not have") from None
        return self


class SystemHandover(BaseModel):
    """How the user number of one cooperating system can be shown and asked about. `nw7_start` and `nw7_stop` are
    Codabar's letters, which are a part of the number for some libraries.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    barcode: Literal["none", "nw7", "code39", "qr"] = "none"
    nw7_start: CodabarLetter = "A"
    nw7_stop: CodabarLetter = "A"
    sip2: LibrarySettings | None = None


class TerminalHandover(BaseModel):
    """What one terminal is. `output` has to be what its bridge allows in `output.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    layout: Literal["kiosk", "counter"] = "kiosk"
    output: Literal["none", "wedge", "serial"] = "none"

    @model_validator(mode="after")
    def _judge_wedge(self) -> TerminalHandover:
        if self.output == "wedge" and self.layout != "counter":
            raise ValueError("output wedge is for staffed counters: set layout = counter, or use serial")
        return self


class HandoverSettings(BaseModel):
    """`systems` by the id of the cooperating system, `terminals` by the name given to `kiosk terminal add`, `*` for
    all others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    systems: dict[SystemId, SystemHandover] = Field(default_factory=dict)
    terminals: dict[TerminalName, TerminalHandover] = Field(default_factory=dict)
