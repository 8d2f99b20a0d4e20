"""What one screen of the kiosk is made of: the contract between the session and the templates. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kiosk_web.services.lists.alarms import ListAlarm
from kiosk_web.services.status.fallback import OpeningNotice
from kiosk_web.services.terminals.monitoring import StaffBoard, TerminalRow

__all__ = ["BridgeCommand", "ListAlarm", "OpeningNotice", "StaffBoard", "StageView", "TerminalRow"]


@dataclass(frozen=True)
class BridgeCommand:
    """One command for the bridge, run once by the page (`docs/wire.md` 8). `id` never comes twice from one terminal."""

    id: str
    name: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class StageView:
    """One state as the page shows it.

    `state` is the name in snake case; `code` is a name of `session/codes.py` in `refused`, `out_of_service` and
    `superseded`, else empty. `version` only rises for a terminal. `deadline_at` is aware (UTC) or None.
    `text_size`: `normal`, `large` or `extra`. `data` by state:

    - `choosing_service`: `kazashi` bool (some service may be used by かざし利用);
      `services` [{id, profile, name {ja, en}, description {ja, en}, icon, `uncertain` bool: the
      responder counts as out of service, and nothing else may confirm here}], `card` bool
    - `awaiting_card`: `service`, `hint` ("" or `not_my_number_card`, `card_mute`, `reader_missing`, `service_down`,
      `access_denied`, `reader_busy`)
    - `reading_card`: `service`
    - `awaiting_pin`, `confirming_last_pin`: `service`, `tries_left`, `refused` bool (the last 暗証番号 was wrong),
      `by_pin` bool (かざし利用 did not do)
    - `checking_pin`, `checking_card`, `checking`, `awaiting_birth`: `service`
    - `agreeing`: `service`, `changes` [{document, version, accepted ("" for none), accepted_at datetime or None}]
    - `consenting`: `service`, `subject` (`kazashi` or `basic_four`), `offered` (the `Service` itself)
    - `awaiting_text`: `service`, `way` (`pin`, `code`, `security` or "": not chosen), `pin_tries`, `code_tries`
    - `checking_text`: `service`
    - `basic_four_sent`: `service`, `receiver` {ja, en}, `kept_until` datetime, `reference`, `card` bool
    - `kazashi_set`: `on` bool, `card` bool
    - `entering_number`, `confirming_link`: `service`, `refused` (the name of a code, or "")
    - `staff_sign_in`: `refused` (the name of a code, or "")
    - `result`: `service`, `profile`, `identifier_kind` (`ppid` or `mykey_id`), `identifier`, `expires_soon` bool,
      `checked_at` datetime, `method` (`ocsp` or `crl`), `fallback` (why a list stood in for the responder: `window`,
      `manager`, `automatic`, or ""), `status_as_of` datetime or None, `reference`, `card` bool (still on the reader),
      `kazashi` (`offered`, `on` or ""), `link` (`open`, `used_up`, `linked` or ""; the page asks for what it shows),
      `records` bool (the person may see what is held about them),
      `basic_four`: {`end` (`sent`, `declined`, `failed` or ""), `code` (a name of `session/codes.py` or ""),
      `tries_left` int or None, `again` bool}; may be absent,
      `standing`: None, or {`asking` bool, and once it is not: `signature` and `items` (`identity/standing.py`; `first`
      before the first confirmation), `since` date or None, `as_of` datetime or None}
    - `refused`: `service`, `reference`, `tries_left` int or None, `card` bool, `stopped_in` (the state before),
      `back_at` datetime or None (when the responder is expected back)
    - `taking_card`, `superseded`, `out_of_service`, `connecting`: nothing of their own

    `service` is one entry of `services`; with it come `tap`, `enrolling` and `sending` bool, and `reading`: None,
    or who asked for the visit, {system {ja, en}, title {ja, en}; "" for none, `basic_four` bool, `returns` bool: the
    browser goes back to its page}. Every state that a session can be in has `help_called` bool and `attended` ({name,
    until} or None): who is at the counter, on every screen of a visit.
    """

    state: str
    code: str
    version: int
    deadline_at: datetime | None
    language: str
    text_size: str
    commands: tuple[BridgeCommand, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
