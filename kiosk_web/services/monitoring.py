"""What staff may know of the terminals: that they live and how far a visit is, never who is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TerminalRow:
    """One terminal on the staff page.

    `live`: its page is connected now. `state` is the name of a session state, or `offline`. `since` and `last_seen`
    are aware (UTC). `outcome` is how the latest visit ended: "" (none yet), `done`, `could_not_finish` or
    `abandoned`. `code` is the K-number of a refusal or of an outage, told only while `help_called` or when it is
    about the terminal itself; else "".
    """

    name: str
    live: bool
    state: str
    since: datetime | None
    last_seen: datetime | None
    outcome: str
    code: str
    help_called: bool
