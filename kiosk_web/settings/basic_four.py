"""The settings of the basic 4 information (`[basic_four]`), explained in `docs/basic-four.md`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class BasicFourSettings(BaseModel):
    """`lifetime_minutes`: how long a sealed reading waits for its receiver; then it is deleted."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    lifetime_minutes: Annotated[int, Field(ge=1, le=60)] = 10
