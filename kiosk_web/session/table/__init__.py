"""The table of the machine: for every state, what every event does; a module for each subject has its rows. PURE.

An event in no set of a row is a hole in the table, which a test refuses.
"""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session.states import STATES
from kiosk_web.session.table import basic_four, card, kazashi, linking, staff, terms, visit
from kiosk_web.session.table.row import Row

_ROWS: Mapping[type, Row] = {
    **visit.ROWS,
    **card.ROWS,
    **terms.ROWS,
    **basic_four.ROWS,
    **kazashi.ROWS,
    **linking.ROWS,
    **staff.ROWS,
}
TABLE: Mapping[type, Row] = {state: _ROWS[state] for state in STATES}
