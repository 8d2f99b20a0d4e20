"""What one screen of the kiosk is made of: the contract between the session and the templates. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class BridgeCommand:
    """One command for the bridge, run once by the page (`docs/wire.md` 8). `id` is unique over all sessions of a terminal."""

    id: str
    name: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class StageView:
    """One state as the page shows it.

    `state` is the name in snake case, `code` a name of `session/codes.py` in a refusal and in `out_of_service`, else empty. `version` only
    rises for a terminal. `deadline_at` is aware (UTC) or None. `text_size`: `normal`, `large` or `extra`. `data` by state:

    - `choosing_service`: `services` [{id, profile, name {ja, en}, description {ja, en}, icon}], `card` bool
    - `awaiting_card`: `service`, `hint` ("" or `not_my_number_card`, `card_mute`, `reader_missing`, `service_down`, `access_denied`,
      `reader_busy`)
    - `reading_card`: `service`
    - `awaiting_pin`: `service`, `tries_left`, `refused` bool; `confirming_last_pin`: `service`, `tries_left`, `refused` bool
    - `checking_pin`, `checking`: `service`
    - `result`: `service`, `profile`, `identifier_kind` (`ppid` or `mykey_id`), `identifier`, `expires_soon` bool, `checked_at` datetime,
      `method` (`ocsp`), `status_as_of` datetime or None, `reference`, `card` bool
    - `refused`: `reference`, `tries_left` int or None, `help_called` bool, `card` bool
    - `taking_card`, `superseded`, `out_of_service`, `connecting`: empty

    `service` is one entry of `services`. `help_called` (bool) is in every state that a terminal with a session can show.
    """

    state: str
    code: str
    version: int
    deadline_at: datetime | None
    language: str
    text_size: str
    commands: tuple[BridgeCommand, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class TerminalRow:
    """One terminal on the staff page. Never who is there.

    `live`: its page is connected now. `state` is a state's name, or `offline`. `since` and `last_seen` are aware (UTC). `outcome` is what
    staff may know of the latest visit: "" (none yet), `done`, or a group of `session/codes.py`; every refusal about a certificate or a
    status is told as `could_not_finish` as long as help was not called. `code` is the K-number to read out, only while `help_called`
    or for the groups `terminal` and `session`; else "".
    """

    name: str
    live: bool
    state: str
    since: datetime | None
    last_seen: datetime | None
    outcome: str
    code: str
    help_called: bool
    simulated: bool = False
