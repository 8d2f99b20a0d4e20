"""Every way a visit can end without a result, and every way the number of a result can fail to go out:

a stable name, the code on the screen, and whether trying again makes sense.

The words for residents and staff are in `locales/` under `code.<name>.{title,text,action,remedy}`, those of a hand-over
under `handover.code.<name>.{text,remedy}`; `docs/codes.md` is made from both. A name or a number, once published, never
changes its meaning. K-210, K-304, K-305 and K-620 are nobody's: they stay free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["terminal", "card", "pin", "certificate", "confirmation", "identity", "session", "handover"]


@dataclass(frozen=True, slots=True)
class Code:
    """`retriable`: the same resident may succeed by trying again here. `alarm`: staff are told at once."""

    name: str
    number: str
    group: Group
    retriable: bool
    alarm: bool = False


_TABLE: tuple[Code, ...] = (
    Code("bridge_missing", "K-101", "terminal", False, True),
    Code("bridge_refused", "K-102", "terminal", False, True),
    Code("bridge_untrusted", "K-103", "terminal", False, True),
    Code("bridge_outdated", "K-104", "terminal", False, True),
    Code("browser_blocked", "K-105", "terminal", False, True),
    Code("policy_blocked", "K-106", "terminal", False, True),
    Code("server_lost", "K-107", "terminal", True, True),
    Code("superseded", "K-108", "terminal", False),
    Code("terminal_revoked", "K-109", "terminal", False, True),
    Code("bridge_lost", "K-110", "terminal", True, True),
    Code("service_down", "K-111", "terminal", True, True),
    Code("access_denied", "K-112", "terminal", False, True),
    Code("reader_missing", "K-113", "terminal", True, True),
    Code("reader_busy", "K-114", "terminal", True, True),
    Code("card_removed", "K-201", "card", True),
    Code("card_swapped", "K-202", "card", True),
    Code("card_reset", "K-203", "card", True),
    Code("card_mute", "K-204", "card", True),
    Code("not_my_number_card", "K-205", "card", False),
    Code("card_error", "K-206", "card", True),
    Code("card_data_malformed", "K-207", "card", False),
    Code("certificate_missing", "K-208", "card", False),
    Code("signature_mismatch", "K-209", "card", True, True),
    Code("pin_locked", "K-301", "pin", False),
    Code("pin_tries_used", "K-302", "pin", True),
    Code("pin_timeout", "K-303", "pin", True),
    Code("pin_undecryptable", "K-306", "pin", True, True),
    Code("pin_malformed", "K-307", "pin", True),
    Code("last_try_declined", "K-308", "pin", False),
    Code("birth_date_wrong", "K-309", "pin", False),
    Code("birth_key_guarded", "K-310", "pin", False),
    Code("birth_key_without_limit", "K-311", "pin", False),
    Code("text_secret_wrong", "K-312", "pin", False),
    Code("text_secret_guarded", "K-313", "pin", False),
    Code("keypad_failed", "K-314", "pin", False, True),
    Code("keypad_busy", "K-315", "pin", True),
    Code("certificate_expired", "K-401", "certificate", False),
    Code("certificate_revoked", "K-402", "certificate", False),
    Code("certificate_on_hold", "K-403", "certificate", False),
    Code("certificate_untrusted", "K-404", "certificate", False, True),
    Code("certificate_malformed", "K-405", "certificate", False),
    Code("certificate_wrong_kind", "K-406", "certificate", False),
    Code("certificate_not_yet_valid", "K-407", "certificate", False),
    Code("card_issuer_untrusted", "K-408", "certificate", False, True),
    Code("status_unknown", "K-501", "confirmation", True, True),
    Code("status_unavailable", "K-502", "confirmation", True, True),
    Code("status_stale", "K-503", "confirmation", True, True),
    Code("clock_unreliable", "K-504", "confirmation", False, True),
    Code("ticket_refused", "K-601", "session", True, True),
    Code("evidence_refused", "K-602", "session", False, True),
    Code("challenge_used", "K-603", "session", True, True),
    Code("session_timeout", "K-604", "session", True),
    Code("cancelled", "K-605", "session", True),
    Code("kazashi_unavailable", "K-606", "session", False),
    Code("internal", "K-607", "session", True, True),
    Code("certificate_changed", "K-608", "session", True, True),
    Code("staff_code_refused", "K-609", "session", True),
    Code("staff_code_limit", "K-610", "session", False, True),
    Code("reading_withdrawn", "K-611", "session", False),
    Code("reading_expired", "K-612", "session", True),
    Code("terms_declined", "K-613", "session", True),
    Code("link_number_malformed", "K-614", "session", True),
    Code("link_number_unknown", "K-615", "session", True),
    Code("link_number_taken", "K-616", "session", False),
    Code("link_not_possible", "K-617", "session", False),
    Code("link_attempts_used", "K-618", "session", False),
    Code("receiver_missing", "K-619", "session", False, True),
    Code("reading_unusable", "K-621", "session", False),
    Code("reading_blocked", "K-622", "session", False),
    Code("reading_client_revoked", "K-623", "session", False),
    Code("mykey_id_stopped", "K-701", "identity", False),
)

CODES: dict[str, Code] = {code.name: code for code in _TABLE}
"""Names by which a visit ends."""

_HANDOVER_TABLE: tuple[Code, ...] = (
    Code("output_not_allowed", "K-801", "handover", False),
    Code("output_window_missing", "K-802", "handover", True),
    Code("output_window_lost", "K-803", "handover", True),
    Code("output_keys_held", "K-804", "handover", True),
    Code("output_keyboard_unfit", "K-805", "handover", True),
    Code("output_keyboard_taken", "K-806", "handover", True),
    Code("output_input_method_active", "K-807", "handover", True),
    Code("output_display_missing", "K-808", "handover", True),
    Code("output_serial_failed", "K-809", "handover", True),
)

HANDOVER_CODES: dict[str, Code] = {code.name: code for code in _HANDOVER_TABLE}
"""Names by which a hand-over ends, beside some of `CODES`: the visit has its result, and the number did not go out."""
