"""The settings of the fallback to lists (`[fallback]`), explained in `docs/validation.md`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kiosk_web.pki.fallback import read_window
from kiosk_web.services.status.fallback import FallbackRules


class FallbackSettings(BaseModel):
    """`windows` are written as `read_window` reads them; a manager's opening lasts at most `maximum_hours`.

    `failures` 0: the automatic rule is off. Otherwise so many failed transports in a row open the fallback.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    windows: tuple[str, ...] = ()
    maximum_hours: Annotated[float, Field(gt=0, le=72)] = 24
    failures: Annotated[int, Field(ge=0, le=1000)] = 0

    @field_validator("windows")
    @classmethod
    def _judge_windows(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            read_window(text)
        return value

    @field_validator("failures")
    @classmethod
    def _judge_failures(cls, value: int) -> int:
        if value in (1, 2):
            raise ValueError("0 (off) or at least 3: one lost connection is no outage")
        return value

    def build_rules(self) -> FallbackRules:
        """The same as the services need it."""
        return FallbackRules(
            windows=tuple(read_window(text) for text in self.windows),
            maximum=timedelta(hours=self.maximum_hours),
            failures=self.failures,
        )
