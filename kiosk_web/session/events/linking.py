"""What can happen while the number of an old card is linked: the page's events, then the server's own. PURE."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkWanted:
    """The resident has an old card, and wants its number linked."""


@dataclass(frozen=True, repr=False)
class NumberEntered:
    """A user number as it was typed or scanned. Not judged yet."""

    number: str


@dataclass(frozen=True)
class NumberAccepted:
    """Answer to `CheckNumber`: the number may be linked, once staff have confirmed it."""


@dataclass(frozen=True)
class NumberRefused:
    """Answer to `CheckNumber` and `ConfirmLink`: a name of `session/codes.py`."""

    code: str


@dataclass(frozen=True)
class NumberLinked:
    """Answer to `CheckNumber` and `ConfirmLink`."""
