"""Every refusal as a resident meets it: caused, named on the screen by its own code, and over with the next visit.

One kiosk, one bridge and one page for all of them. The causes are in `refusals/`; the last test of this file
walks the catalogue of codes, so that none is without a story.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kiosk_web.session.codes import CODES
from kiosk_web.web.catalogue import load_catalogues
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.refusals import STORIES
from tests.e2e.refusals.stand import LINKED, PERSON, Stand
from tests.support.demo import start_demo
from tests.support.own_bridge import run_bridge

pytestmark = pytest.mark.e2e
SAY = load_catalogues()["ja"].say
KEYS = {"KIOSK_BRIDGE_READER_KEYPAD": "on"}

SHOWN_IN = {
    "not_my_number_card": ("awaiting_card", "#stage"),
    "text_secret_guarded": ("result", "#basic-four[data-code=text_secret_guarded]"),
    "staff_code_refused": ("staff_sign_in", "#attend-refused"),
    "staff_code_limit": ("staff_sign_in", "#attend-refused"),
    "reading_unusable": ("out_of_service", "#stage[data-code=reading_unusable]"),
    "link_number_unknown": ("entering_number", "#link-refused[data-refused=link_number_unknown]"),
    "link_number_taken": ("entering_number", "#link-refused[data-refused=link_number_taken]"),
    "link_not_possible": ("entering_number", "#link-refused[data-refused=link_not_possible]"),
}
"""Where it is not the whole screen that refuses: the state, and the place in it."""

WORDS = {"not_my_number_card": "hint.not_my_number_card"}
"""The sentence, where it is another one than the title of a refusal."""


TOLD_ELSEWHERE = {
    "test_bridge_trouble.py": ("bridge_missing", "bridge_untrusted"),
    "test_refused_terminals.py": (
        "bridge_refused",
        "bridge_outdated",
        "browser_blocked",
        "policy_blocked",
        "server_lost",
        "superseded",
        "terminal_revoked",
        "bridge_lost",
    ),
    "test_visits.py": (
        "card_removed",
        "card_data_malformed",
        "pin_locked",
        "pin_tries_used",
        "last_try_declined",
        "certificate_expired",
        "certificate_revoked",
        "certificate_on_hold",
        "status_unknown",
        "status_unavailable",
        "status_stale",
    ),
    "test_refused_cards.py": ("signature_mismatch", "certificate_untrusted", "certificate_wrong_kind"),
    "test_basic_four.py": ("text_secret_wrong",),
    "test_readings.py": ("reading_withdrawn",),
    "test_reading_redirect.py": ("reading_blocked",),
    "test_terms.py": ("terms_declined",),
    "test_linking.py": ("link_number_malformed", "link_attempts_used"),
}
"""By the file of this folder that tells it."""

WITHOUT_A_SCREEN = {
    # A second redemption is answered 409, and the screen stays that of the first.
    "challenge_used": "tests/e2e/test_attacks.py::test_a_nonce_redeemed_twice_at_once_gives_one_result",
    # The same visit goes on by 暗証番号, in words that do not tell why.
    "kazashi_unavailable": (
        "tests/e2e/test_kazashi.py::test_enrol_then_tap_while_attended_and_the_pin_when_nobody_attends"
    ),
    # The settings of a server that was started without a key: it would need one of its own.
    "receiver_missing": (
        "tests/kiosk_web/services/readings/test_basic_four_visit.py::test_a_receiver_that_is_gone_after_a_restart_is_named"
    ),
}
"""What no story in a browser shows, and the test that covers it instead."""


@pytest.fixture(scope="module")
def running(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """In a demo of its own, in which nobody is enrolled or linked yet."""
    with (
        start_demo(tmp_path_factory.mktemp("refusals"), "--no-bridge") as demo,
        run_bridge(demo, environment=KEYS, module="tests.support.scripted_reader") as bridge,
        ExitStack() as own,
        ExitStack() as pages,
    ):

        def open_page(stack: ExitStack = pages) -> KioskPage:
            context = browser.new_context(viewport={"width": 1080, "height": 1920}, reduced_motion="reduce")
            stack.callback(context.close)
            return KioskPage(context.new_page(), demo.kiosk, watched=False)

        yield Stand(demo, open_page(own), bridge, open_page, pages, tmp_path_factory.mktemp("stories"))


@pytest.fixture
def stand(running: Stand) -> Iterator[Stand]:
    """On the first screen, with an empty reader; the files of the cards are put back afterwards. The page of a story
    that failed may be anywhere: it is loaded anew.
    """
    cards = running.demo.data / "simulator" / "cards"
    running.demo.restore()
    before = {path: path.read_bytes() for path in (*(cards / PERSON).iterdir(), *(cards / LINKED).iterdir())}
    if running.page.url == "about:blank" or running.kiosk.state != "choosing_service":
        running.kiosk.open()
    yield running
    running.pages.close()
    running.clear_reader()
    for path, content in before.items():
        path.write_bytes(content)
    running.write("DELETE FROM valid_numbers")
    running.write("DELETE FROM links WHERE person_id = 'other'")
    running.write("DELETE FROM persons WHERE id = 'other'")


@pytest.mark.parametrize("code", STORIES)
def test_what_goes_wrong_is_named_and_the_next_visit_works(stand: Stand, code: str) -> None:
    kiosk = STORIES[code](stand) or stand.kiosk
    state, place = SHOWN_IN.get(code, ("refused", f"#stage[data-code={code}]"))
    kiosk.wait_for(state)
    shown = kiosk.page.locator(place)
    expect(shown).to_contain_text(CODES[code].number)
    expect(shown).to_contain_text(SAY(WORDS.get(code, f"code.{code}.title")))
    visit_again(stand, from_the_first_page=kiosk is stand.kiosk and state == "refused")


def test_a_pin_is_typed_on_the_reader_where_it_has_keys(stand: Stand) -> None:
    stand.press_keys("")
    stand.reach_keys()
    expect(stand.page.locator("#reader-now")).to_be_visible()
    expect(stand.page.locator("#pad")).to_be_hidden()
    stand.page.keyboard.type("1234")
    stand.press_keys("0000")
    stand.kiosk.wait_for_tries(2).wait_for_text(SAY("pin.refused"))
    stand.page.locator("body[data-keypad=reader-now]").wait_for()
    stand.press_keys(stand.demo.person(PERSON).pin)
    stand.kiosk.wait_for("result")
    stand.demo.lift_card()
    for end in ("cancel", "timeout", "card_removed"):
        stand.kiosk.start_again()
        stand.reach_keys()
        if end == "card_removed":
            stand.demo.lift_card()
        else:
            stand.press_keys(end)
        code = {"cancel": "cancelled", "timeout": "pin_timeout"}.get(end, end)
        stand.kiosk.wait_for("refused").wait_for_code(code)
        stand.demo.lift_card()
    assert stand.demo.tries_left(PERSON) == 3
    visit_again(stand, from_the_first_page=True)


def visit_again(stand: Stand, *, from_the_first_page: bool) -> None:
    """Somebody else, on the same terminal: on the page that stands there, or on one loaded anew."""
    stand.pages.close()
    stand.clear_reader()
    stand.demo.lift_card()
    if from_the_first_page:
        stand.kiosk.start_again()
    else:
        stand.kiosk.open()
    stand.identify("haruto")
    stand.demo.lift_card()
    stand.kiosk.wait_for("choosing_service")


def test_every_code_has_a_story() -> None:
    folder = Path(__file__).parent
    told = [*STORIES, *WITHOUT_A_SCREEN]
    for name, codes in TOLD_ELSEWHERE.items():
        source = (folder / name).read_text(encoding="utf-8")
        assert [code for code in codes if f'"{code}"' not in source and f"={code}]" not in source] == [], name
        told += codes
    for named in WITHOUT_A_SCREEN.values():
        path, test = named.split("::")
        assert f"def {test}(" in (folder.parents[1] / path).read_text(encoding="utf-8"), named
    assert sorted(told) == sorted(CODES)
