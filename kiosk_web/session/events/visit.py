"""What can happen to a visit as a whole: the page's events, then the server's own. PURE."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk_web.session.facts import (
    CardCondition,
    Language,
    ReaderCondition,
    TextSize,
)


@dataclass(frozen=True)
class ServiceChosen:
    service: str


@dataclass(frozen=True)
class CardChanged:
    reader: ReaderCondition
    card: CardCondition
    instance: str


@dataclass(frozen=True)
class BridgeLost:
    cause: str


@dataclass(frozen=True)
class Cancelled:
    pass


@dataclass(frozen=True)
class Finished:
    pass


@dataclass(frozen=True)
class Extended:
    pass


@dataclass(frozen=True)
class HelpCalled:
    pass


@dataclass(frozen=True)
class LanguageChosen:
    language: Language


@dataclass(frozen=True)
class TextSizeChosen:
    size: TextSize


@dataclass(frozen=True)
class PageVerified:
    """A page proved that it talks to the bridge of this terminal. `page` is a fresh random id.

    `again`: the very page that was verified before, whose socket to the bridge was lost in between.
    """

    page: str
    again: bool = False


@dataclass(frozen=True)
class DeadlinePassed:
    """`derive_wake_at` of the state is not in the future any more; or `clock_set_back`, and no time of the state means
    anything.
    """

    clock_set_back: bool = False


@dataclass(frozen=True)
class WorkInterrupted:
    """Work was under way when the server stopped, or it failed in a way nobody foresaw.

    `challenge`: the visit it was for; "" is the one that holds now.
    """

    challenge: str = ""


@dataclass(frozen=True)
class TerminalRevoked:
    pass
