"""What staff see: signing in at a terminal, the board, the link desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from kiosk_web.identity.offer import CooperatingSystem, Words
from kiosk_web.pki.status import Opening
from kiosk_web.services.links.linking import FoundLink
from kiosk_web.web.patterns.sample import NOON, SERVICES, build_view
from kiosk_web.web.render import Renderer
from kiosk_web.web.view import ListAlarm, OpeningNotice, StaffBoard, StageView, TerminalRow

VIEWS: Mapping[str, StageView] = {
    "choosing_service-staff": build_view("choosing_service", services=SERVICES, card=False, kazashi=True),
    "choosing_service-attended": build_view(
        "choosing_service",
        services=SERVICES,
        card=False,
        kazashi=True,
        attended={"name": "見本 花子", "until": NOON},
    ),
    "staff_sign_in": build_view("staff_sign_in", refused=""),
    "staff_sign_in-refused": build_view("staff_sign_in", refused="staff_code_refused"),
}

TERMINALS: tuple[TerminalRow, ...] = (
    TerminalRow("library-1", True, "awaiting_pin", NOON, NOON, "done", "", False, "見本 花子", NOON),
    TerminalRow("library-2", True, "choosing_service", NOON, NOON, "could_not_finish", "", False),
    TerminalRow("hall-1", True, "refused", NOON, NOON, "could_not_finish", "K-301", True),
    TerminalRow("hall-2", False, "offline", NOON, NOON, "abandoned", "K-113", False),
    TerminalRow("hall-3", False, "offline", None, None, "", "", False),
)

OPENINGS: tuple[OpeningNotice, ...] = (
    OpeningNotice(Opening("window", NOON, NOON + timedelta(hours=4), ask_responder=False)),
    OpeningNotice(Opening("manager", NOON, NOON + timedelta(hours=20)), "照会先の障害のお知らせ", "見本 花子"),
    OpeningNotice(Opening("automatic", NOON, NOON + timedelta(hours=24))),
)

ALARMS: tuple[ListAlarm, ...] = (
    ListAlarm("due_soon", 12, "town-1.crl", NOON + timedelta(hours=5)),
    ListAlarm("source_failing", 1, "towns", detail="timeout"),
)
BOARD = StaffBoard(TERMINALS, OPENINGS, ALARMS)


def show_desk(renderer: Renderer, name: str, language: str) -> str:
    """The link desk, empty or with an answer."""
    library = CooperatingSystem("city-library", Words("みほん市立図書館", "Mihon City Library"), "platform", True)
    found = FoundLink("city-library", "1234567897", NOON)
    answer = renderer.render_link_answer("find", found, "", language) if name == "link-answer" else ""
    return renderer.render_link_desk((library,), language, answer=answer)
