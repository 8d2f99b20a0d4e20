"""The settings of kazashi (`[kazashi]`), explained in `docs/kazashi.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class KazashiSettings(BaseModel):
    """`legal_basis`: on what this installation rests taps without a 暗証番号, in one line; production without it has
    none. `card_issuers`: folder of the public keys that certify card issuers, named by their identifier; without it
    nobody can be enrolled. `confirmed_fingerprints`: SHA-256 of those keys that the operator checked (production).

    An enrolment not used for `unused_months` needs the 暗証番号 once; a lease of attended mode lasts `lease_minutes`
    and ends `idle_minutes` after the last card.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    legal_basis: Annotated[str, Field(max_length=300)] = ""
    card_issuers: Path | None = None
    confirmed_fingerprints: tuple[str, ...] = ()
    unused_months: Annotated[int, Field(ge=1, le=12)] = 12
    lease_minutes: Annotated[int, Field(ge=1, le=15)] = 15
    idle_minutes: Annotated[int, Field(ge=1, le=15)] = 5

    def is_permitted(self, *, production: bool) -> bool:
        """May there be taps without a 暗証番号 here at all?"""
        return not production or bool(self.legal_basis.strip())
