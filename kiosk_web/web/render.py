"""Screens from views: the only place that knows the templates, one per state (`docs/wire.md` 8). It decides nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from markupsafe import Markup

from kiosk_web.identity.basic_four import BasicFour
from kiosk_web.identity.offer import Service
from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.identity.terms import Terms, derive_versions
from kiosk_web.services.links.handover import Panel, ShownNumber
from kiosk_web.services.links.invitations import LinkInvitation
from kiosk_web.services.links.linking import FoundLink
from kiosk_web.services.persons.held_records import HeldRecords
from kiosk_web.services.ports.handovers import LibraryWord
from kiosk_web.session.codes import CODES, HANDOVER_CODES
from kiosk_web.web.barcode import BarcodeUnfit, build_barcode
from kiosk_web.web.catalogue import Catalogue, load_catalogues
from kiosk_web.web.consent import Consent, build_consent, derive_consent_hash
from kiosk_web.web.environment import build_environment
from kiosk_web.web.view import StaffBoard, StageView

STATIC = Path(__file__).resolve().parent.parent.parent / "static"
JAPAN = timezone(timedelta(hours=9))  # no daylight saving time since 1951; Windows has no zone database

STEPS = ("service", "card", "pin", "result")
TAP_STEPS = ("service", "card", "result")  # かざし利用: nothing to type
STEP_OF_STATE = {
    "choosing_service": 1,
    "awaiting_card": 2,
    "reading_card": 2,
    "awaiting_pin": 3,
    "confirming_last_pin": 3,
    "checking_pin": 3,
    "checking_card": 3,
    "checking": 4,
    "agreeing": 4,
    "result": 4,
}
GROUPS_AT_A_STEP = frozenset({"card", "pin", "certificate", "confirmation", "identity"})
STATES = (
    *STEP_OF_STATE,
    "connecting",
    "awaiting_birth",
    "awaiting_text",
    "checking_text",
    "basic_four_sent",
    "consenting",
    "kazashi_set",
    "entering_number",
    "confirming_link",
    "staff_sign_in",
    "refused",
    "taking_card",
    "superseded",
    "out_of_service",
)
TEXT_SIZES = ("normal", "large", "extra")
CARD_GONE = frozenset({"card_removed", "card_swapped"})
WORKING_STATES = frozenset({"reading_card", "checking_pin", "checking_card", "checking", "checking_text"})
WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def build_time_text(moment: datetime, language: str) -> str:
    """Date with weekday and 24-hour time, in Japan."""
    local = moment.astimezone(JAPAN)
    weekday = WEEKDAYS[language][local.weekday()]
    clock = f"{local.hour}:{local.minute:02}"
    if language == "ja":
        return f"{local.year}年{local.month}月{local.day}日({weekday}) {clock}"
    return f"{weekday} {local.day} {MONTHS[local.month - 1]} {local.year}, {clock}"


def build_day_text(day: date, language: str) -> str:
    """A day in Japan."""
    if language == "ja":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def build_birth_text(birth: str, language: str) -> str:
    """A birth date of the basic 4 information (YYYYMMDD); what the register does not know is left out."""
    year, month, day = int(birth[:4]), int(birth[4:6]), int(birth[6:])
    if language == "ja":
        known = f"{year}年" if year else ""
        return known + (f"{month}月" if month else "") + (f"{day}日" if day else "") or "不詳"
    words = [str(day)] if day else []
    words += [MONTHS[month - 1]] if 1 <= month <= len(MONTHS) else []
    return " ".join([*words, str(year)] if year else words) or "unknown"


def build_clock_text(moment: datetime) -> str:
    """Time of day in Japan, with seconds."""
    return moment.astimezone(JAPAN).strftime("%H:%M:%S")


def build_short_clock_text(moment: datetime) -> str:
    """Time of day in Japan, to the minute."""
    local = moment.astimezone(JAPAN)
    return f"{local.hour}:{local.minute:02}"


def _keep_whole(sentence: str) -> str:
    """照合番号B and 3か月 are one word for who reads them; a browser would part them. U+2060 is seen by nobody."""
    whole = sentence.replace("照合番号B", "照合番号\u2060B").replace("code B", "code\u00a0B")
    return whole.replace("か月", "\u2060か\u2060月")


def _group(text: str) -> tuple[str, ...]:
    """A long identifier in groups of four, so that it can be read aloud."""
    return tuple(text[start : start + 4] for start in range(0, len(text), 4)) if len(text) > 8 else (text,)


class Renderer:
    """Templates and catalogues, loaded once; rendering does no I/O beyond that.

    `bridge_address` is the WebSocket address of the terminal's bridge, such as `ws://127.0.0.1:8481/card`. `demo` puts
    the ribbon on every page. `terms` are what every screen shows at a touch.
    """

    def __init__(self, *, demo: bool, bridge_address: str, terms: Terms | None = None) -> None:
        self._catalogues = load_catalogues()
        self._environment = build_environment()
        self._environment.globals.update(
            demo=demo,
            terms=terms or {},
            terms_version=" / ".join(dict.fromkeys(derive_versions(terms or {}).values())),
            day_in=build_day_text,
            bridge_address=bridge_address,
            catalogues=self._catalogues,
            codes=CODES,
            text_sizes=TEXT_SIZES,
        )
        self._environment.filters.update(grouped=_group, clock=build_clock_text)

    def render_page(self, view: StageView, *, live: bool = True, records: HeldRecords | None = None) -> str:
        """The whole resident page with the stage in it. Without `live` it has no script: a picture of a screen.

        `records`: with the sheet of what is held about somebody open over it, in such a picture only.
        """
        stage = Markup(self.render_stage(view))  # noqa: S704 - our own template made it
        page = self._environment.get_template("kiosk/page.html")
        shown = {} if records is None else {"records": Markup(self.render_records(records))}  # noqa: S704 - as above
        return page.render(view=view, live=live, stage=stage, **shown, **self._words(view.language))

    def render_stage(self, view: StageView, items: BasicFour | None = None) -> str:
        """The fragment `<section id="stage">`, which is all that changes from state to state.

        `items`: what was sent, for the one answer in which the resident sees it.
        """
        if view.state not in STATES:
            raise ValueError(f"no screen for the state {view.state!r}")
        return (
            self._environment.get_template(f"kiosk/{view.state}.html")
            .render(
                view=view,
                data=view.data,
                code=CODES.get(view.code),
                consent=self._consent(view),
                items=items or view.data.get("items"),
                step=self._step(view),
                steps=TAP_STEPS if view.data.get("tap") else STEPS,
                stopped=view.state == "refused",
                working=view.state in WORKING_STATES,
                commands=json.dumps(
                    [{"id": item.id, "name": item.name, "arguments": item.arguments} for item in view.commands],
                    separators=(",", ":"),
                ),
                **self._words(view.language),
            )
            .strip()
        )

    def render_handover(self, panel: Panel) -> str:
        """What the result says about the user number: masked, and how handing it over goes."""
        reason = panel.code if panel.code in HANDOVER_CODES else "card" if panel.code in CARD_GONE else "other"
        code = (CODES | HANDOVER_CODES).get(panel.code, CODES["internal"])
        shown = {**asdict(panel), "reason": reason, "number": code.number}
        template = self._environment.get_template("kiosk/handover.html")
        return template.render(handover=shown, **self._words(panel.language)).strip()

    def render_records(self, records: HeldRecords) -> str:
        """What is held about the person of this visit, for the direct answer to its page."""
        template = self._environment.get_template("kiosk/records.html")
        return template.render(records=records, **self._words(records.language)).strip()

    def render_link_invitation(self, invitation: LinkInvitation) -> str:
        """What a result says to somebody without a link."""
        shown = {"service": {"ja": invitation.service_ja, "en": invitation.service_en}, "used_up": invitation.used_up}
        template = self._environment.get_template("kiosk/link_invitation.html")
        return template.render(invitation=shown, **self._words(invitation.language)).strip()

    def render_typed(self, number: str) -> str:
        """The number to be compared with the old card, in groups."""
        return self._environment.get_template("kiosk/typed_number.html").render(number=number).strip()

    def render_number(self, number: ShownNumber) -> str:
        """The barcode of the number, or, where it has none, the panel's word for that."""

        def draw(label: str) -> Markup | None:
            try:
                return build_barcode(number.kind, number.number, label, start=number.start, stop=number.stop)
            except BarcodeUnfit:
                return None

        template = self._environment.get_template("kiosk/number.html")
        return template.render(draw=draw, kind=number.kind, **self._words(number.language)).strip()

    def render_library(self, language: str, word: LibraryWord) -> str:
        """What the library system says of the number."""
        return (
            self._environment.get_template("kiosk/library_word.html").render(word=word, **self._words(language)).strip()
        )

    def render_staff(self, board: StaffBoard, language: str = "ja", *, live: bool = True) -> str:
        """The whole staff page. Without `live` it has no script: a picture of it."""
        rows = Markup(self.render_staff_rows(board, language))  # noqa: S704 - our own template made it
        return self._environment.get_template("staff/page.html").render(rows=rows, live=live, **self._words(language))

    def render_staff_rows(self, board: StaffBoard, language: str = "ja") -> str:
        """The fragment: what is degraded, then `<section id="terminals">` with help calls first, then by name."""
        ordered = sorted(board.terminals, key=lambda row: (not row.help_called, row.name))
        template = self._environment.get_template("staff/rows.html")
        return template.render(
            terminals=ordered, openings=board.openings, alarms=board.alarms, **self._words(language)
        ).strip()

    def render_link_desk(
        self, systems: tuple[CooperatingSystem, ...], language: str = "ja", *, answer: str = ""
    ) -> str:
        """The page of the link desk, for systems whose links are kept here; `answer` is a fragment of ours under it."""
        named = [{"id": system.id, "name": {"ja": system.name.ja, "en": system.name.en}} for system in systems]
        template = self._environment.get_template("staff/links.html")
        return template.render(systems=named, answer=Markup(answer), **self._words(language))  # noqa: S704 - our own

    def render_link_answer(self, action: str, link: FoundLink | None, refusal: str, language: str = "ja") -> str:
        """The fragment under it: what was found or done, or why not."""
        template = self._environment.get_template("staff/link_answer.html")
        return template.render(action=action, link=link, refusal=refusal, **self._words(language)).strip()

    def derive_consent_hash(self, subject: str, language: str, service: Service) -> bytes:
        """SHA-256 of what the consent screen says in this language, for this service (`docs/wire.md` 7)."""
        return derive_consent_hash(self._catalogues[language], subject, service)

    def _consent(self, view: StageView) -> Consent | None:
        offered = view.data.get("offered")
        if view.state != "consenting" or not isinstance(offered, Service):
            return None
        return build_consent(self._catalogues[view.language], str(view.data["subject"]), offered)

    def _words(self, language: str) -> dict[str, object]:
        catalogue: Catalogue = self._catalogues.get(language, self._catalogues["ja"])
        return {
            "language": catalogue.language,
            "say": lambda key, **values: _keep_whole(catalogue.say(key, **values)),
            "gap": "" if catalogue.language == "ja" else " ",  # between two sentences
            "day": lambda day: build_day_text(day, catalogue.language),
            "day_of": lambda moment: build_day_text(moment.astimezone(JAPAN).date(), catalogue.language),
            "clock_short": build_short_clock_text,
            "birth_text": lambda birth: build_birth_text(birth, catalogue.language),
            "time": lambda moment: build_time_text(moment, catalogue.language),
        }

    @staticmethod
    def _step(view: StageView) -> int:
        """The step the person is at, from 1, or was at when the visit ended; 0 when there is none to show."""
        aside = view.data.get("enrolling") or view.data.get("sending")
        if view.state == "refused" and (aside or view.data.get("tap")):
            return 0
        if view.state == "refused":
            code = CODES.get(view.code)
            return STEP_OF_STATE.get(str(view.data["stopped_in"]), 2) if code and code.group in GROUPS_AT_A_STEP else 0
        step = 0 if aside else STEP_OF_STATE.get(view.state, 0)
        return min(step, len(TAP_STEPS)) if view.data.get("tap") else step
