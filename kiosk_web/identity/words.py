"""Words: one text in both languages of the screens, and what somebody types as one line. PURE."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One text in both languages of the screen."""

    ja: str
    en: str


def is_line(text: str) -> bool:
    """Can it stand in one line of a record? The wide space can: Japanese keyboards put it between the two names."""
    return text.replace("\u3000", " ").isprintable()
