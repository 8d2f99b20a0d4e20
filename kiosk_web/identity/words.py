"""One text in both languages of the screens. PURE."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One text in both languages of the screen."""

    ja: str
    en: str
