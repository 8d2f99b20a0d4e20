"""The settings of hand-over: what could not be sent, typed or asked is refused at the start, and not quoted."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kiosk_web.settings.handover import LibrarySettings, TerminalHandover


@pytest.mark.parametrize("field", ["user", "password", "location", "institution", "terminal_password"])
def test_what_the_charset_of_the_library_cannot_write_is_refused(field: str) -> None:
    assert LibrarySettings(host="library.invalid", **{field: "𠮷"})  # type: ignore[arg-type]  # one of the texts
    with pytest.raises(ValidationError, match=f"{field} has a sign that charset cp932 does not have"):
        LibrarySettings(host="library.invalid", charset="cp932", **{field: "𠮷"})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["a|CPb", "a\rb", "a\nb", "x" * 256])
def test_what_would_part_a_message_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="at most 255 signs"):
        LibrarySettings(host="library.invalid", password=value)


def test_keys_are_typed_at_staffed_counters_alone() -> None:
    assert TerminalHandover(layout="counter", output="wedge")
    assert TerminalHandover(output="serial")
    with pytest.raises(ValidationError, match="staffed counters"):
        TerminalHandover(output="wedge")
