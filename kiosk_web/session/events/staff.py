"""What staff do at a terminal, and the server's answers. PURE."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk_web.session.facts import (
    StaffRefusal,
)


@dataclass(frozen=True)
class StaffAsked:
    """Somebody touched 職員."""


@dataclass(frozen=True, repr=False)
class StaffIdentified:
    """Staff number and one-time code. Not judged yet."""

    number: str
    code: str


@dataclass(frozen=True)
class StaffSignedOut:
    pass


@dataclass(frozen=True)
class LeaseOpened:
    """Answer to `OpenLease`: this terminal is attended from now on."""


@dataclass(frozen=True)
class LeaseRefused:
    """Answer to `OpenLease` and `ConfirmLink`: the code did not do."""

    code: StaffRefusal
