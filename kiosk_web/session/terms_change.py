"""What is new in the terms for one person: a value that states and events hold. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TermsChange:
    """One document that the person has yet to accept for this system.

    `document` is `terms-of-use` or `privacy-policy`, `accepted` the version accepted before, on `accepted_at`; "" and
    None where none was.
    """

    document: str
    version: str
    accepted: str = ""
    accepted_at: datetime | None = None
