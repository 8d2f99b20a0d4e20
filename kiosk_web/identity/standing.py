"""What the register of J-LIS tells a verifier about the holder of a confirmed certificate. PURE.

Two answers (row 12 of the profiles' table; law no. 153 of 2002, arts. 18 and 52): in which state the linked signature
certificate is, and whether the basic 4 information changed since the last confirmation. No answer is never "unchanged"
and never "valid".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Literal, get_args

SignatureState = Literal["valid", "revoked", "expired", "none_issued", "unknown"]
ItemsState = Literal["changed", "unchanged", "unknown"]
SIGNATURE_STATES: tuple[SignatureState, ...] = get_args(SignatureState)
Silence = Literal[
    "not_configured", "timeout", "unreachable", "refused", "malformed", "unknown_certificate", "not_for_this_service"
]

JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class HolderStanding:
    """`since`: the day of the last confirmation, None before the first. `as_of`: when the register said so (UTC), None
    where it said nothing; `why` says why then.
    """

    signature: SignatureState = "unknown"
    items: ItemsState = "unknown"
    since: date | None = None
    as_of: datetime | None = None
    why: Silence | Literal[""] = ""


def judge_items(changed_at: datetime | None, since: date | None) -> ItemsState:
    """Did they change since that day (in Japan)? A change on the day itself counts: it may have been after the
    confirmation. Without an earlier confirmation there is nothing to compare with.
    """
    if since is None:
        return "unknown"
    return "changed" if changed_at is not None and derive_day(changed_at) >= since else "unchanged"


def derive_day(moment: datetime) -> date:
    """The day in Japan."""
    return moment.astimezone(JAPAN).date()
