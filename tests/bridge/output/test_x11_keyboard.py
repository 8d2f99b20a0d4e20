"""The wedge against a real X server and a real X11 program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Xlib = pytest.importorskip("Xlib", reason="the extra `wedge` is not installed")

from Xlib import XK, X  # noqa: E402
from Xlib.display import Display  # noqa: E402

from bridge.output.errors import (  # noqa: E402
    DisplayMissing,
    InputMethodActive,
    KeyboardTaken,
    KeyboardUnfit,
    KeysHeld,
    OutputError,
    WindowLost,
    WindowMissing,
)
from bridge.output.settings import OutputSettings, WindowRule  # noqa: E402
from bridge.output.typist import Typist  # noqa: E402
from bridge.output.x11_keyboard import X11Keyboard  # noqa: E402
from tests.support import x11  # noqa: E402

pytestmark = [
    pytest.mark.x11,
    pytest.mark.skipif(x11.find_missing_program() is not None, reason=f"{x11.find_missing_program()} is missing"),
]

LIBRARY = OutputSettings(kind="wedge", windows=(WindowRule("xterm", "Library*"),))
NUMBER = "20260418AZ09"
ISO_NEXT_GROUP = 0xFE08


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with x11.running_server() as display:
        yield display


@pytest.fixture
def display(server: str) -> str:
    x11.set_layout(server, "-layout", "us", "-option", "")
    return server


@pytest.fixture
def library(display: str, tmp_path: Path) -> Iterator[x11.Window]:
    window = x11.Window(display, tmp_path, "Library desk 1")
    yield window
    window.close()


@pytest.fixture
def mail(display: str, tmp_path: Path) -> Iterator[x11.Window]:
    window = x11.Window(display, tmp_path, "Mail")
    yield window
    window.close()


def type_text(
    display: str, text: str, *, between: Callable[[int], None] | None = None, wait_seconds: float = 10.0
) -> int:
    """Type with the product's own parts; time passes as fast as it is asked to. `between` runs after each key."""
    now, keys = 0.0, 0

    def sleep(seconds: float) -> None:
        nonlocal now, keys
        now += max(seconds, 0.001)
        keys += 1
        if between is not None:
            between(keys)

    keyboard = X11Keyboard(display)
    try:
        typist = Typist(
            keyboard, LIBRARY, check=lambda: None, clock=lambda: now, sleep=sleep, wait_seconds=wait_seconds
        )
        return typist.type_text(text)
    finally:
        keyboard.close()


def test_the_program_gets_exactly_the_number_and_enter(display: str, library: x11.Window) -> None:
    library.focus()
    assert type_text(display, NUMBER + "\r") == len(NUMBER) + 1
    library.await_typed(NUMBER + "\r")


def test_no_character_is_lost_or_doubled_in_a_thousand(display: str, library: x11.Window) -> None:
    library.focus()
    text = "00112233445566778899AABBZZ" * 40
    type_text(display, text)
    library.await_typed(text)


def test_caps_lock_changes_nothing_and_stays_on(display: str, library: x11.Window) -> None:
    library.focus()
    x11.tap(display, XK.XK_Caps_Lock)
    try:
        type_text(display, NUMBER)
        library.await_typed(NUMBER)
        connection = Display(display)
        assert connection.screen().root.query_pointer().mask & X.LockMask
        connection.close()
    finally:
        x11.tap(display, XK.XK_Caps_Lock)


@pytest.mark.parametrize(
    "layout", [("jp",), ("jp", "-variant", "dvorak"), ("fr",), ("de",)], ids=lambda it: "-".join(it)
)
def test_other_layouts_give_the_same_characters(display: str, library: x11.Window, layout: tuple[str, ...]) -> None:
    x11.set_layout(display, "-layout", *layout)
    library.focus()
    type_text(display, NUMBER + "\t")
    library.await_typed(NUMBER + "\t")


def test_a_layout_without_the_letter_is_refused_before_the_first_key(display: str, library: x11.Window) -> None:
    x11.set_layout(display, "-layout", "ru")
    library.focus()
    with pytest.raises(KeyboardUnfit) as refusal:
        type_text(display, "12A")
    assert refusal.value.sent == 0
    type_text(display, "34")
    library.await_typed("34")


def test_the_second_layout_of_the_keyboard_is_followed(display: str, library: x11.Window) -> None:
    x11.set_layout(display, "-layout", "us,fr", "-option", "grp:menu_toggle")
    library.focus()
    x11.tap(display, ISO_NEXT_GROUP)
    connection = Display(display)
    assert connection.screen().root.query_pointer().mask >> 13 & 3 == 1
    connection.close()
    type_text(display, NUMBER + "\r")
    library.await_typed(NUMBER + "\r")


def test_another_window_gets_nothing(display: str, library: x11.Window, mail: x11.Window) -> None:
    mail.focus()
    with pytest.raises(WindowMissing) as refusal:
        type_text(display, NUMBER)
    assert refusal.value.sent == 0
    library.focus()
    type_text(display, "7")
    library.await_typed("7")
    assert mail.typed == ""


def test_the_window_is_waited_for(display: str, library: x11.Window, mail: x11.Window) -> None:
    mail.focus()

    def come_to_front(asked: int) -> None:
        if asked == 3:
            library.focus()

    type_text(display, NUMBER, between=come_to_front)
    library.await_typed(NUMBER)
    assert mail.typed == ""


def test_a_focus_lost_half_way_stops_at_once(display: str, library: x11.Window, mail: x11.Window) -> None:
    library.focus()
    with pytest.raises(WindowLost) as stop:
        type_text(display, NUMBER, between=lambda keys: mail.focus() if keys == 5 else None)
    assert stop.value.sent == 5
    assert NUMBER[:5] not in str(stop.value)
    library.await_typed(NUMBER[:5])
    assert mail.typed == ""


def test_another_page_in_the_same_window_stops_too(display: str, library: x11.Window) -> None:
    library.focus()
    with pytest.raises(WindowLost) as stop:
        type_text(display, NUMBER, between=lambda keys: library.rename("Settings") if keys == 4 else None)
    assert stop.value.sent == 4
    library.await_typed(NUMBER[:4])


def test_another_program_that_got_the_number_of_the_window_gets_no_further_key(
    display: str, library: x11.Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server gives the numbers of a program that has ended to the next one, which may have the same title too."""
    library.focus()

    def replace_program(keys: int) -> None:
        if keys == 5:
            monkeypatch.setattr("bridge.output.x11_keyboard._read_program", lambda pid: "mail")

    with pytest.raises(WindowLost) as stop:
        type_text(display, NUMBER, between=replace_program)
    assert stop.value.sent == 5
    library.await_typed(NUMBER[:5])


def test_a_held_key_is_waited_for(display: str, library: x11.Window) -> None:
    library.focus()
    x11.press(display, XK.XK_Shift_L)

    def let_go(asked: int) -> None:
        if asked == 4:
            x11.release(display, XK.XK_Shift_L)

    type_text(display, "12AB", between=let_go)
    library.await_typed("12AB")


def test_a_key_that_stays_down_ends_it(display: str, library: x11.Window) -> None:
    library.focus()
    x11.press(display, XK.XK_Control_L)
    try:
        with pytest.raises(KeysHeld) as refusal:
            type_text(display, NUMBER)
        assert refusal.value.sent == 0
    finally:
        x11.release(display, XK.XK_Control_L)
    assert library.typed == ""


def test_a_locked_screen_gets_nothing(display: str, library: x11.Window) -> None:
    library.focus()
    locker = Display(display)
    root = locker.screen().root
    assert root.grab_keyboard(False, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime) == X.GrabSuccess
    with pytest.raises(KeyboardTaken):
        type_text(display, NUMBER)
    locker.ungrab_keyboard(X.CurrentTime)
    locker.sync()
    type_text(display, "5")
    library.await_typed("5")
    locker.close()


def test_an_active_input_method_is_refused(
    display: str, library: x11.Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "fcitx5-remote"
    tool.write_text("#!/bin/sh\necho 2\n")
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    library.focus()
    with pytest.raises(InputMethodActive) as refusal:
        type_text(display, NUMBER)
    assert refusal.value.sent == 0
    assert library.typed == ""


def test_the_key_map_is_as_it_was(display: str, library: x11.Window) -> None:
    connection = Display(display)
    before = [list(row) for row in connection.get_keyboard_mapping(8, 248)]
    library.focus()
    type_text(display, NUMBER)
    library.await_typed(NUMBER)
    assert [list(row) for row in connection.get_keyboard_mapping(8, 248)] == before
    assert not any(connection.query_keymap())
    connection.close()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # python-xlib leaves its socket to the collector
def test_a_screen_that_is_not_there_is_named() -> None:
    with pytest.raises(DisplayMissing):
        X11Keyboard(":4711")


def test_no_error_of_the_wedge_names_a_title(display: str, mail: x11.Window) -> None:
    mail.focus()
    with pytest.raises(OutputError) as refusal:
        type_text(display, NUMBER)
    assert "Mail" not in str(refusal.value)
    keyboard = X11Keyboard(display)
    assert "Mail" not in repr(keyboard.read_focus())
    keyboard.close()
