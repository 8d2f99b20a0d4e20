"""What a resident says of かざし利用 after a result, and the server's answer. PURE."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KazashiWanted:
    """The resident asks what かざし利用 is about."""


@dataclass(frozen=True)
class ConsentGiven:
    pass


@dataclass(frozen=True)
class KazashiStopped:
    """The resident wants no かざし利用 any more."""


@dataclass(frozen=True)
class KazashiEnded:
    """Answer to `EndKazashi`."""
