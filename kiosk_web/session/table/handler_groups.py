"""Handlers that several rows share, because their states have something in common. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session.table.row import Handler
from kiosk_web.session.transitions import card, reading, visit

COMFORT: Mapping[type, Handler] = {
    e.LanguageChosen: visit.choose_language,
    e.TextSizeChosen: visit.choose_text_size,
    e.HelpCalled: visit.call_help,
    e.Extended: visit.extend,
    e.TerminalRevoked: visit.revoke_terminal,
}
AT_CARD: Mapping[type, Handler] = {
    **COMFORT,
    e.PageVerified: visit.change_page_at_card,
    e.BridgeLost: visit.lose_bridge_at_card,
    e.CardChanged: card.notice_card_in_use,
    e.BridgeFailed: card.fail_at_card,
    e.WorkInterrupted: card.interrupt,
    e.Cancelled: card.cancel_at_card,
    e.ReadingCancelled: reading.cancel_reading,
}
HOLDING: Mapping[type, Handler] = {
    **AT_CARD,
    e.StatusChecked: card.learn_status,
    e.DeadlinePassed: card.pass_time_holding,
}
AT_END: Mapping[type, Handler] = {
    **COMFORT,
    e.PageVerified: visit.change_page_at_end,
    e.CardChanged: visit.notice_card_at_end,
    e.Finished: visit.finish,
    e.DeadlinePassed: visit.finish,
}
