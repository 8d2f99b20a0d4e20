"""The settings of introductions (`[introduction]`), explained in `docs/introduction.md`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class IntroductionSettings(BaseModel):
    """`report_days`: for so long a passed linkage test lets a system go to the stages in use."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    report_days: Annotated[float, Field(gt=0, le=366)] = 30

    @property
    def report_validity(self) -> timedelta:
        return timedelta(days=self.report_days)
